"""What routes ask for in their signatures."""

from functools import lru_cache
from typing import Annotated

from fastapi import Depends, Request

from app.core.clients import Clients
from app.core.errors import ProblemError
from app.core.settings import Settings, get_settings


@lru_cache(maxsize=1)
def get_clients() -> Clients:
    """The AWS clients of this process; none is made yet."""
    return Clients(get_settings())


def require_json(request: Request) -> None:
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
