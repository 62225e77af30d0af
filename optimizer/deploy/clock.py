"""Waiting: the clock as a port, and waits that grow up to a deadline."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST_SECONDS = 0.3
"""The first wait, of updates too: a small one mostly settles in it."""
_GROWTH = 1.5
_LONGEST_SECONDS = 5.0


class Clock(Protocol):
    """Time that passes, in seconds; tests have one that passes at once."""

    def now(self) -> float:
        """Seconds since some moment."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


@dataclass(frozen=True, slots=True)
class RealClock:
    """The machine's own; waits end early, once in each thread, when `stop` is set."""

    stop: threading.Event = field(default_factory=threading.Event)
    _told: threading.local = field(default_factory=threading.local)

    def now(self) -> float:
        """See Clock.now."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """See Clock.sleep."""
        if getattr(self._told, "yes", False):
            time.sleep(seconds)  # what is put right after the interruption takes its time
        elif self.stop.wait(seconds):
            self._told.yes = True
            raise KeyboardInterrupt


def waits(clock: Clock, *, within: float) -> Iterator[None]:
    """Come back after growing waits, until `within` seconds are over; the first time comes after a short wait too."""
    end = clock.now() + within
    seconds = FIRST_SECONDS
    while clock.now() < end:
        clock.sleep(min(seconds, max(end - clock.now(), 0.0)))
        yield
        seconds = min(seconds * _GROWTH, _LONGEST_SECONDS)
