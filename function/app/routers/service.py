"""`/` and `/health`: answered from memory, without a call to AWS."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request

from app import API_PREFIX, DESCRIPTION, SERVICE, VERSION
from app.schemas.service import Liveness, Root

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
