"""Answers that describe the service itself."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel


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
