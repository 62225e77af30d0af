"""`/` and `/health`, answered from memory, and `/api/v1/health`, which asks AWS."""

import asyncio
from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response

from app import API_PREFIX, DESCRIPTION, SERVICE, VERSION
from app.core.clients import ClientsDep, SettingsDep
from app.schemas.service import Health, Liveness, Root
from app.services import health as states

router = APIRouter(tags=["service"])


@router.get("/", summary="What this service is")
async def root(request: Request) -> Root:
    """Name, version and where documentation and health are, with the prefix that this request came through."""
    prefix = request.scope.get("root_path", "")
    return Root(
        success=True,
        service=SERVICE,
        version=VERSION,
        description=DESCRIPTION,
        docs_url=f"{prefix}{API_PREFIX}/docs",
        health_check=f"{prefix}/health",
        timestamp=datetime.now(UTC),
    )


@router.get("/health", summary="Does the process answer")
async def liveness() -> Liveness:
    """Cheap: for load balancers and monitors. The state of AWS is at `/api/v1/health`."""
    return Liveness(success=True, status="healthy", service=SERVICE, version=VERSION, timestamp=datetime.now(UTC))


@router.get(
    f"{API_PREFIX}/health",
    summary="The AWS services behind it",
    responses={503: {"model": Health, "description": "A service that the analysis uses isn't well"}},
)
async def health(response: Response, clients: ClientsDep, settings: SettingsDep) -> Health:
    """Asks Rekognition and S3 side by side, each with a short timeout; 503 where one of them isn't well."""
    # FastAPI's own way into a thread, a plain `def`, loads anyio's event loop first (0.02 s of a cold start).
    services = await asyncio.to_thread(states.check, clients, settings)
    well = all(state.status == "healthy" for state in services.values())
    response.status_code = 200 if well else 503
    return Health(
        success=well,
        status="healthy" if well else "degraded",
        service=SERVICE,
        version=VERSION,
        timestamp=datetime.now(UTC),
        services=services,
    )
