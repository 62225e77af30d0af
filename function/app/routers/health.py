"""`/api/v1/health`."""

import asyncio
from datetime import UTC, datetime

from fastapi import APIRouter, Response

from app import SERVICE, VERSION
from app.core.dependencies import ClientsDep, SettingsDep
from app.schemas.service import Health
from app.services import health as service

router = APIRouter(tags=["service"])


@router.get(
    "/health",
    summary="The AWS services behind it",
    responses={503: {"model": Health, "description": "A service that the analysis uses isn't well"}},
)
async def health(response: Response, clients: ClientsDep, settings: SettingsDep) -> Health:
    """Asks Rekognition and S3 side by side, each with a short timeout; 503 where one of them isn't well."""
    # FastAPI's own way into a thread, a plain `def`, loads anyio's event loop first (0.02 s of a cold start).
    states = await asyncio.to_thread(service.check, clients, settings)
    well = all(state.status == "healthy" for state in states.values())
    response.status_code = 200 if well else 503
    return Health(
        success=well,
        status="healthy" if well else "degraded",
        service=SERVICE,
        version=VERSION,
        timestamp=datetime.now(UTC),
        services=states,
    )
