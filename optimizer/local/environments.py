"""The fleets of environments that run the embedded functions, one for each version's code and configuration."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from optimizer.runtime import Fleet, FunctionImage, TooManyEnvironmentsError
from optimizer.runtime.unpack import unpack

if TYPE_CHECKING:
    from pathlib import Path

    from optimizer.local.operations.invoke import Target
    from optimizer.local.telemetry import Telemetry
    from optimizer.runtime import Invocation

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "ASIAEMBEDDED00000000",
    "AWS_SECRET_ACCESS_KEY": "embedded",
    "AWS_SESSION_TOKEN": "embedded",
}
"""What functions sign with: the embedded AWS takes any credentials, so these open nothing elsewhere."""
_FLEETS_KEPT = 32
"""How many versions keep warm environments; each is a process, so the one that was called longest ago goes first."""
_SHAPING = ("Handler", "Runtime", "Timeout", "MemorySize", "Environment")
"""What of a configuration an environment is made with."""


@dataclass(slots=True, eq=False)
class _Entry:
    """A version's fleet: `users` calls are in it, and when it is `retired` the last of them closes it."""

    shape: str
    fleet: Fleet
    users: int = 0
    retired: bool = False


class Environments:
    """Makes fleets when they are first called, and closes those whose function has changed."""

    def __init__(self, cache: Path, telemetry: Telemetry, endpoint_url: str, *, most: int) -> None:
        self._endpoint_url = endpoint_url
        self._telemetry = telemetry
        self._cache = cache
        self._most = most
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._retired: list[_Entry] = []
        self._lock = threading.Lock()

    def invoke(self, target: Target, payload: bytes, *, request_id: str) -> Invocation:
        """Run one event in an environment of that version.

        Raises:
            TooManyEnvironmentsError: all are busy, or as many as the function has reserved.
            OptimizerError: none can be made.
        """
        entry = self._enter(target)
        try:
            done = entry.fleet.invoke(payload, request_id=request_id, invoked_arn=target.arn)
        finally:
            self._leave(entry)
        self._telemetry.add(target, done)
        return done

    def answered(self, target: Target, status: int) -> None:
        """Remember what a function URL answered."""
        self._telemetry.add_url(target, status)

    def unpack(self, archive: Path) -> None:
        """Unpack a zip that environments will need.

        Raises:
            OptimizerError: it can't be.
        """
        unpack(archive, self._cache)

    def close(self, arn: str) -> None:
        """Close a version's fleet, or all of a function's, behind the calls that they still answer."""
        with self._lock:
            for key in [key for key in self._entries if key == arn or key.startswith(f"{arn}:")]:
                self._retire(self._entries.pop(key))

    def close_all(self) -> None:
        """End everything now."""
        with self._lock:
            entries = [*self._entries.values(), *self._retired]
            self._entries.clear()
        for entry in entries:
            entry.fleet.kill()

    def _enter(self, target: Target) -> _Entry:
        """The fleet of this very snapshot, with room for one more call."""
        function, snapshot = target.function, target.snapshot
        key = f"{function.arn}:{target.version}"
        shape = repr(
            (
                snapshot.blob.sha256,
                [layer.blob.sha256 for layer in snapshot.layers],
                [snapshot.configuration.get(name) for name in _SHAPING],
            )
        )
        with self._lock:
            self._check_reserved(target)
            entry = self._entries.get(key)
            if entry is None or entry.shape != shape:
                if entry is not None:  # an earlier $LATEST
                    self._retire(entry)
                fleet = Fleet(self._image(target), cache=self._cache, concurrency=self._most)
                entry = self._entries[key] = _Entry(shape=shape, fleet=fleet)
            entry.users += 1
            self._entries.move_to_end(key)
            for other in [k for k, e in self._entries.items() if not e.users][: len(self._entries) - _FLEETS_KEPT]:
                self._retire(self._entries.pop(other))
        return entry

    def _check_reserved(self, target: Target) -> None:
        """Refuse a call over what the function has reserved."""
        reserved = target.function.reserved_concurrency
        if reserved is None:
            return
        arn = target.function.arn
        if sum(entry.users for key, entry in self._entries.items() if key.startswith(f"{arn}:")) >= reserved:
            raise TooManyEnvironmentsError(
                f"{target.function.name} has reserved {reserved} environments, and all are busy",
                mend="Try again, or reserve more.",
            )

    def _leave(self, entry: _Entry) -> None:
        with self._lock:
            entry.users -= 1
            if entry.retired and not entry.users:
                self._retired.remove(entry)
                self._close(entry)

    def _retire(self, entry: _Entry) -> None:
        """Close a fleet when its last call has been answered."""
        entry.retired = True
        if entry.users:
            self._retired.append(entry)
        else:
            self._close(entry)

    @staticmethod
    def _close(entry: _Entry) -> None:
        threading.Thread(target=entry.fleet.close, daemon=True, name="retire").start()

    def _image(self, target: Target) -> FunctionImage:
        function, snapshot = target.function, target.snapshot
        configuration = snapshot.configuration
        region = function.arn.split(":")[3]
        return FunctionImage(
            name=function.name,
            version=target.version,
            arn=function.arn,
            handler=configuration["Handler"],
            runtime=configuration["Runtime"],
            architecture=configuration["Architectures"][0],
            memory_mb=configuration["MemorySize"],
            timeout_seconds=configuration["Timeout"],
            environment={
                **CREDENTIALS,
                "AWS_REGION": region,
                "AWS_DEFAULT_REGION": region,
                "AWS_ENDPOINT_URL": self._endpoint_url,
                **configuration.get("Environment", {}).get("Variables", {}),
            },
            code=snapshot.blob.path,
            layers=tuple(layer.blob.path for layer in snapshot.layers),
        )
