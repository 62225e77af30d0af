"""Paces calls: so many in any second and no more, for all threads together."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optimizer.deploy.clock import Clock


class Pacer:
    """Lets `per_second` calls begin in any second; whoever comes too early waits for the turn it was given.

    Calls that come one by one are not slowed down: only the call after as many as a second takes has to wait.
    """

    def __init__(self, clock: Clock, per_second: int) -> None:
        self._clock = clock
        self._starts: deque[float] = deque(maxlen=per_second)
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when the next call may begin."""
        with self._lock:
            now = self._clock.now()
            full = len(self._starts) == self._starts.maxlen
            start = max(now, self._starts[0] + 1.0) if full else now
            self._starts.append(start)
        if start > now:
            self._clock.sleep(start - now)
