"""What routes ask for in their signatures.

All are `async`: FastAPI would call others in a thread, each time.
"""

from typing import Annotated

from fastapi import Depends, Request

from app.core.clients import Clients
from app.core.settings import Settings


async def get_settings(request: Request) -> Settings:
    """The settings that the application was built with."""
    settings: Settings = request.app.state.settings
    return settings


async def get_clients(request: Request) -> Clients:
    """The application's AWS clients; each is made when first used."""
    clients: Clients = request.app.state.clients
    return clients


ClientsDep = Annotated[Clients, Depends(get_clients)]
SettingsDep = Annotated[Settings, Depends(get_settings)]
