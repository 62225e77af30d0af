"""What routes ask for in their signatures.

All are `async`: FastAPI would call others in a thread, each time.
"""

from typing import Annotated

from fastapi import Depends, Request

from app.core.clients import Clients
from app.core.errors import ProblemError
from app.core.settings import Settings


async def get_settings(request: Request) -> Settings:
    """The settings that the application was built with."""
    settings: Settings = request.app.state.settings
    return settings


async def get_clients(request: Request) -> Clients:
    """The application's AWS clients; each is made when first used."""
    clients: Clients = request.app.state.clients
    return clients


async def require_json(request: Request) -> None:
    """Refuse a body that doesn't say it is JSON.

    Raises:
        ProblemError: 415.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not (
        media_type.startswith("application/") and media_type.endswith("+json")
    ):
        raise ProblemError(
            status=415,
            code="unsupported_media_type",
            detail="Send the request as JSON, with the header content-type: application/json.",
        )


ClientsDep = Annotated[Clients, Depends(get_clients)]
SettingsDep = Annotated[Settings, Depends(get_settings)]
