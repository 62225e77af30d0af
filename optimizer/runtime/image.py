"""What an environment is made from, and what one event's run gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionImage:
    """One function version: `code` and `layers` are zip files, the layers in attach order.

    `version` is `$LATEST` or a number as text, `arn` the function's without qualifier; `environment` holds the
    function's own variables and what the caller gives in the role's stead (region, credentials, endpoint). Where
    `offline`, Python's sockets reach this machine alone.
    """

    name: str
    version: str
    arn: str
    handler: str
    runtime: str
    architecture: str
    memory_mb: int
    timeout_seconds: float
    environment: Mapping[str, str]
    code: Path
    layers: tuple[Path, ...]
    offline: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """How one event ended: `error` is None or `Unhandled`, and `payload` then describes the error as Lambda does.

    `log` holds what the function wrote between the START, END and REPORT lines; `init_ms` is None where a warm
    environment took the event.
    """

    payload: bytes
    error: str | None
    log: str
    init_ms: float | None
    duration_ms: float
    max_memory_mb: int
    cold: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Initialisation:
    """How an environment's start ended: `error` is None or the words for what failed, `log` what was written."""

    error: str | None
    log: str
    init_ms: float
