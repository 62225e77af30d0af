"""Repeats requests that were throttled, failed at the service or got no answer: waits that grow, with full jitter.

botocore tries each request once and asks here whether again: its own waits can't be interrupted, are over after half a
minute, and pass on no clock that a test could turn.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from optimizer.deploy.mends import THROTTLING

if TYPE_CHECKING:
    from optimizer.deploy.clock import Clock

_FIRST_SECONDS = 0.5
_LONGEST_SECONDS = 5.0
_TOO_MANY = 429
_SERVER_FAULT = 500
_NOT_SERVED = 501
_STALLED = frozenset({"RequestTimeout", "RequestTimeoutException"})
"""S3's and others' words, with status 400, for a request that did not come whole."""

THROTTLED_SECONDS = 300.0
LOST_SECONDS = 120.0
UNREACHED_SECONDS = 20.0
"""How long a request is repeated for each trouble, from its first failure."""


@dataclass(slots=True)
class Backoff:
    """The waits between tries of one thing."""

    clock: Clock
    chance: random.Random = field(default_factory=random.Random)
    _since: float | None = None
    _tries: int = 0

    def wait(self, within: float, *, at_least: float = 0.0) -> bool:
        """Wait before the next try; False where `within` seconds since the first failure leave no time for one."""
        now = self.clock.now()
        if self._since is None:
            self._since = now
        longest = min(_LONGEST_SECONDS, _FIRST_SECONDS * 2.0**self._tries)
        seconds = max(self.chance.uniform(0.0, longest), at_least)  # full jitter: many who failed at once come apart
        if now + seconds > self._since + within:
            return False
        self._tries += 1
        self.clock.sleep(seconds)
        return True


@dataclass(frozen=True, slots=True)
class Retries:
    """What botocore asks after each try (its event `needs-retry`); `most` tries, where somebody limited them."""

    clock: Clock
    chance: random.Random = field(default_factory=random.Random)
    most: int | None = None

    def __call__(self, **asked: Any) -> float | None:
        """Seconds after which botocore tries again, none since the waiting is done here; None for no more tries."""
        within = _patience(asked["response"], asked["caught_exception"])
        if within is None or (self.most is not None and asked["attempts"] >= self.most):
            return None
        context: dict[str, Any] = asked["request_dict"]["context"]
        backoff: Backoff = context.setdefault("layer_optimizer_backoff", Backoff(self.clock, self.chance))
        return 0.0 if backoff.wait(within, at_least=_retry_after(asked["response"])) else None


def most_tries() -> int | None:
    """The limit of tries that botocore's own variable sets."""
    told = os.environ.get("AWS_MAX_ATTEMPTS", "")
    return int(told) if told.isdecimal() and int(told) else None


def _patience(response: tuple[Any, dict[str, Any]] | None, error: Exception | None) -> float | None:
    """For how long a request is repeated after what became of this try; None where another would end the same."""
    from botocore import exceptions as botocore

    if response is not None:
        status = response[0].status_code
        code = response[1].get("Error", {}).get("Code", "") if isinstance(response[1], dict) else ""
        if status == _TOO_MANY or code in THROTTLING:
            return THROTTLED_SECONDS
        failed = status >= _SERVER_FAULT and status != _NOT_SERVED
        return LOST_SECONDS if failed or code in _STALLED else None
    if isinstance(
        error, botocore.EndpointConnectionError | botocore.ConnectTimeoutError | botocore.ProxyConnectionError
    ):
        return UNREACHED_SECONDS
    lost = botocore.ConnectionClosedError | botocore.ReadTimeoutError | botocore.ResponseStreamingError
    return LOST_SECONDS if isinstance(error, lost) else None


def _retry_after(response: tuple[Any, dict[str, Any]] | None) -> float:
    """The seconds that the service asks for."""
    told = response[0].headers.get("Retry-After", "") if response is not None else ""
    return min(float(told), _LONGEST_SECONDS) if str(told).isdecimal() else 0.0
