"""The embedded Lambda as a whole: what its operations share, and the table of them."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from optimizer import limits
from optimizer.local.conditions import BAD_MARKER, STALE_REVISION, STILL_PENDING, THROTTLED, UPDATE_IN_PROGRESS
from optimizer.local.protocol import Protocol, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from optimizer.local.environments import Environments
    from optimizer.local.protocol import Answer, Call
    from optimizer.local.services import Services
    from optimizer.local.state import Function, Region, State
    from optimizer.local.urls import UrlListeners


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the embedded AWS behaves.

    `update_seconds` is how long an update takes to settle, `snapshot_seconds` how long a SnapStart version is Pending,
    `function_concurrency` how many environments one function version has at most, `throttle` whether the control plane
    refuses more calls than Lambda's would, `code_storage_bytes` how much a region stores (75 GB is one of the answers
    that real accounts give).
    """

    update_seconds: float = 0.25
    snapshot_seconds: float = 1.0
    function_concurrency: int = 10
    throttle: bool = False
    code_storage_bytes: int = 80_530_636_800


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """One line of the access log; `agent` is the caller's user agent, `received` the request's bytes."""

    service: str
    operation: str
    status: int
    ms: float
    agent: str = ""
    received: int = 0


@dataclass(slots=True)
class AccessLog:
    """Every call that was answered, the newest ten thousand with details, all of them counted."""

    lines: deque[Logged] = field(default_factory=lambda: deque(maxlen=10_000))
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, line: Logged) -> None:
        """Remember a call."""
        with self._lock:
            self.lines.append(line)
            self.counts[line.service, line.operation] += 1

    def document(self) -> dict[str, Any]:
        """As JSON: counts by `service:operation`, and the newest calls."""
        with self._lock:
            counts, lines = dict(self.counts), list(self.lines)
        return {
            "counts": {f"{service}:{name}": count for (service, name), count in sorted(counts.items())},
            "calls": [
                {"service": line.service, "operation": line.operation, "status": line.status, "ms": round(line.ms, 2)}
                for line in lines
            ],
        }


@dataclass(slots=True)
class Lambda:
    """What an operation works on."""

    state: State
    services: Services
    environments: Environments
    listeners: UrlListeners
    settings: Settings
    endpoint_url: str
    protocol: Protocol = field(default_factory=Protocol)
    _recent: deque[float] = field(default_factory=deque)

    def call(self, call: Call) -> Answer:
        """Carry out one call.

        Raises:
            ServiceError: it is refused.
        """
        operation = OPERATIONS.get(call.operation)
        if operation is None:
            raise ServiceError(501, "NotImplementedException", f"{call.operation} is not served by the embedded AWS")
        self._throttle(call.operation)
        if call.operation in UNLOCKED:
            return self.protocol.answer(call.operation, operation(self, call))
        with self.state.lock:
            return self.protocol.answer(call.operation, operation(self, call))

    def region(self, call: Call) -> Region:
        """The call's region."""
        return self.state.region(call.region)

    def may_update(self, function: Function, revision: str | None) -> None:
        """Check what every update of a function's code or configuration checks.

        Raises:
            ServiceError: it is pending, another update has not settled, or the revision is stale.
        """
        configuration = function.latest.configuration
        if configuration["State"] == "Pending":
            raise STILL_PENDING.error()
        if configuration["LastUpdateStatus"] == "InProgress":
            raise UPDATE_IN_PROGRESS.error(arn=function.arn)
        if revision is not None and revision != configuration["RevisionId"]:
            raise STALE_REVISION.error()

    def content_url(self, path: Path) -> str:
        """Where an uploaded zip is downloaded."""
        return f"{self.endpoint_url}/_embedded/content/{path.name}"

    def _throttle(self, operation: str) -> None:
        if not self.settings.throttle or operation in limits.OWN_QUOTA:
            return
        with self.state.lock:
            now = time.monotonic()
            while self._recent and self._recent[0] < now - 1:
                self._recent.popleft()
            if len(self._recent) >= limits.CONTROL_PLANE_PER_SECOND:
                raise THROTTLED.error()
            self._recent.append(now)


OPERATIONS: dict[str, Callable[[Lambda, Call], dict[str, Any]]] = {}
UNLOCKED: set[str] = set()
"""Operations that look after the lock themselves, since they take long."""


def operation(
    function: Callable[[Lambda, Call], dict[str, Any]],
) -> Callable[[Lambda, Call], dict[str, Any]]:
    """Enter a function as the operation of its name, as in publish_version → PublishVersion."""
    OPERATIONS["".join(word.title() for word in function.__name__.split("_"))] = function
    return function


def page(
    items: list[Any], call: Call, key: str, *, default: int = limits.LISTED, most: int | None = None
) -> dict[str, Any]:
    """One page of a listing, with the marker of the next where there is one; `most` items whatever is asked for.

    Raises:
        ServiceError: the request's marker is none that a page gave.
    """
    marker = call.parameters.get("Marker") or "0"
    if not marker.isdecimal():
        raise BAD_MARKER.error(marker=marker)
    start = int(marker)
    size = call.parameters.get("MaxItems") or default
    size = size if most is None else min(size, most)
    result: dict[str, Any] = {key: items[start : start + size]}
    if start + size < len(items):
        result["NextMarker"] = str(start + size)
    return result
