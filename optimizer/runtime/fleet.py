"""One function version's environments: made on demand, used again while they are idle, one event at a time each."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

from optimizer.runtime.environment import Environment
from optimizer.runtime.errors import TooManyEnvironmentsError
from optimizer.runtime.folders import prepare

if TYPE_CHECKING:
    from pathlib import Path

    from optimizer.runtime.folders import Folders
    from optimizer.runtime.image import FunctionImage, Invocation


class Fleet:
    """The environments of one image; safe to use from many threads.

    Args:
        image: what they are made from; its zips are read at the first event, or by `prepare`.
        cache: where zips are unpacked; fleets and processes may share it.
        concurrency: how many environments there may be at once.
    """

    def __init__(self, image: FunctionImage, *, cache: Path, concurrency: int = 10) -> None:
        self._image = image
        self._cache = cache
        self._concurrency = concurrency
        self._preparing = threading.Lock()
        self._folders: Folders | None = None
        self._change = threading.Condition()
        self._idle: list[Environment] = []
        self._busy: set[Environment] = set()
        self._starting = 0
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def prepare(self) -> Folders:
        """Unpack and check the zips, without starting anything.

        Raises:
            BadArchiveError: a file is no zip, or is damaged.
            UnsafeArchiveError: a zip can't be unpacked safely.
            RuntimeMissingError: the runtime is unknown, or its Python or client is not at hand.
            DiskError: the cache can't be written.
        """
        with self._preparing:
            if self._folders is None:
                self._folders = prepare(self._image, self._cache)
            return self._folders

    def invoke(self, event: bytes, *, request_id: str, invoked_arn: str) -> Invocation:
        """Run one event in an idle environment, or in a new one.

        Raises:
            TooManyEnvironmentsError: all are busy, or the fleet is closed.
            OptimizerError: a new environment can't be made; see `prepare`.
        """
        environment = self._take()
        try:
            return environment.invoke(event, request_id=request_id, invoked_arn=invoked_arn)
        except BaseException:
            environment.close()  # interrupted: its answer would be taken for the next event's
            raise
        finally:
            self._give_back(environment)

    def close(self) -> None:
        """Take no more events, end the idle environments, and each busy one when it has answered; waits for that."""
        self._end_idle()
        with self._change:
            self._change.wait_for(lambda: not self._busy and not self._starting)

    def kill(self) -> None:
        """Take no more events and end every environment now."""
        self._end_idle()
        with self._change:
            busy = list(self._busy)
        for environment in busy:
            environment.close()
        self.close()

    def _end_idle(self) -> None:
        with self._change:
            self._closed = True
            idle, self._idle = self._idle, []
        for environment in idle:
            environment.close()

    def _take(self) -> Environment:
        with self._change:
            environment = self._reuse()
            if environment is not None:
                return environment
            if self._closed or len(self._busy) + self._starting >= self._concurrency:
                state = "is closed" if self._closed else f"has all {self._concurrency} environments busy"
                raise TooManyEnvironmentsError(
                    f"{self._image.name} {state}", mend="Try again, or allow more environments at once."
                )
            self._starting += 1
        environment = None
        try:
            environment = Environment(self._image, self.prepare())
        finally:
            with self._change:
                self._starting -= 1
                if environment is not None:
                    self._busy.add(environment)
                self._change.notify_all()
        return environment

    def _reuse(self) -> Environment | None:
        """The environment that was used last, unless it died meanwhile."""
        while self._idle and not self._closed:
            environment = self._idle.pop()
            if environment.alive:
                self._busy.add(environment)
                return environment
            environment.close()
        return None

    def _give_back(self, environment: Environment) -> None:
        with self._change:
            keep = environment.alive and not self._closed
            if keep:
                self._busy.discard(environment)
                self._idle.append(environment)
        if not keep:
            environment.close()
        with self._change:
            self._busy.discard(environment)
            self._change.notify_all()
