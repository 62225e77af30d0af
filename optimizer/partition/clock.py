"""The searches' clock: from the moment somebody asks to stop it is late, so that each search ends where it looks at it.

An exception raised from a signal's handler would strike anywhere, between two steps that belong together or in the
middle of a search that is followed by another; a clock is read where it is safe to end.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LATE = 1e18  # past every deadline, and finite, since deadlines are computed from it

_stopped = False


def now() -> float:
    """Seconds, as `time.monotonic` counts them, or past every deadline once `stop` was called."""
    return _LATE if _stopped else time.monotonic()


def stop() -> None:
    """End every search of the block of `running`: each answers with the best that it has."""
    global _stopped  # noqa: PLW0603  # one process has one person who asks
    _stopped = True


@contextmanager
def running() -> Iterator[None]:
    """A time in which the clock runs; what stopped it before is forgotten, and what does in it ends with it."""
    global _stopped  # noqa: PLW0603
    _stopped = False
    try:
        yield
    finally:
        _stopped = False
