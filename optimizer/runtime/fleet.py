"""One function version's environments: made on demand, used again while they are idle."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from optimizer.errors import OptimizerError
from optimizer.runtime.environment import Environment, FunctionImage, Invocation

if TYPE_CHECKING:
    from pathlib import Path


class TooManyEnvironmentsError(OptimizerError):
    """Every environment is busy, and there may be no more."""

    code = "busy"
    exit_status = 3


class Fleet:
    """Environments of one image.

    Args:
        image: what they are made from.
        cache: where zips are unpacked, shared by fleets.
        concurrency: how many environments there may be at once.
    """

    def __init__(self, image: FunctionImage, *, cache: Path, concurrency: int = 10) -> None:
        self._image = image
        self._cache = cache
        self._concurrency = concurrency
        self._lock = threading.Lock()
        self._idle: list[Environment] = []
        self._busy: set[Environment] = set()
        self._starting = 0
        self._closed = False

    def invoke(self, event: bytes, *, request_id: str, invoked_arn: str) -> Invocation:
        """Handle one event in an idle environment or a new one; safe from many threads.

        Raises:
            TooManyEnvironmentsError: all are busy.
            OptimizerError: a new environment can't be made.
        """
        environment = self._take()
        try:
            return environment.invoke(event, request_id=request_id, arn=invoked_arn)
        finally:
            self._give_back(environment)

    def close(self) -> None:
        """End the idle environments now, and the busy ones when they have answered."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for environment in idle:
            environment.close()

    def kill(self) -> None:
        """End every environment now."""
        self.close()
        with self._lock:
            busy = list(self._busy)
        for environment in busy:
            environment.close()

    def _take(self) -> Environment:
        with self._lock:
            if self._idle:
                environment = self._idle.pop()
                self._busy.add(environment)
                return environment
            if len(self._busy) + self._starting >= self._concurrency:
                raise TooManyEnvironmentsError(
                    f"All {self._concurrency} environments of {self._image.name} are busy",
                    mend="Try again, or allow more with --function-concurrency.",
                )
            self._starting += 1
        try:
            environment = Environment(self._image, self._cache)
        finally:
            with self._lock:
                self._starting -= 1
        with self._lock:
            self._busy.add(environment)
        return environment

    def _give_back(self, environment: Environment) -> None:
        with self._lock:
            self._busy.discard(environment)
            if environment.alive and not self._closed:
                self._idle.append(environment)
                return
        environment.close()
