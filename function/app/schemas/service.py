"""Answers that describe the service itself."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field


class Root(BaseModel):
    """What this service is, and where to go from here."""

    success: bool
    service: str
    version: str
    description: str
    docs_url: str
    health_check: str
    timestamp: datetime


class Liveness(BaseModel):
    """The process answers."""

    success: bool
    status: Literal["healthy"]
    service: str
    version: str
    timestamp: datetime


class ServiceState(BaseModel):
    """What one AWS service answered."""

    status: Literal["healthy", "denied", "credentials", "unconfigured", "throttled", "timeout", "unreachable", "failed"]
    latency_ms: float
    message: str | None = Field(description="What is wrong and what would mend it; null where all is well.")


class Health(BaseModel):
    """The process and the AWS services that it uses."""

    success: bool
    status: Literal["healthy", "degraded"]
    service: str
    version: str
    timestamp: datetime
    services: dict[str, ServiceState]
