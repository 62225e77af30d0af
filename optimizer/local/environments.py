"""The fleets of environments that run the embedded functions, one for each version's code and configuration."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from optimizer.runtime import Fleet, FunctionImage

if TYPE_CHECKING:
    from pathlib import Path

    from optimizer.local.state import Function, Snapshot
    from optimizer.runtime import Invocation

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "ASIAEMBEDDED00000000",
    "AWS_SECRET_ACCESS_KEY": "embedded",
    "AWS_SESSION_TOKEN": "embedded",
}
"""What functions sign with: the embedded AWS takes any credentials, so these open nothing elsewhere."""


class Environments:
    """Makes fleets when they are first called, and closes those whose function has changed."""

    def __init__(self, cache: Path, *, concurrency: int) -> None:
        self.endpoint_url = ""
        self.logs: deque[str] = deque(maxlen=1000)
        self._cache = cache
        self._concurrency = concurrency
        self._fleets: dict[str, tuple[str, Fleet]] = {}
        self._lock = threading.Lock()

    def invoke(
        self, function: Function, version: str, snapshot: Snapshot, payload: bytes, *, request_id: str, arn: str
    ) -> Invocation:
        """Run one event in an environment of that version.

        Raises:
            TooManyEnvironmentsError: all are busy.
        """
        done = self._fleet(function, version, snapshot).invoke(payload, request_id=request_id, invoked_arn=arn)
        self.logs.append(done.log)
        return done

    def close(self, arn: str) -> None:
        """Close a version's fleet, or all of a function's."""
        with self._lock:
            doomed = [key for key in self._fleets if key == arn or key.startswith(f"{arn}:")]
            fleets = [self._fleets.pop(key)[1] for key in doomed]
        for fleet in fleets:
            fleet.close()

    def close_all(self) -> None:
        """End everything now."""
        with self._lock:
            fleets = [fleet for _, fleet in self._fleets.values()]
            self._fleets.clear()
        for fleet in fleets:
            fleet.kill()

    def _fleet(self, function: Function, version: str, snapshot: Snapshot) -> Fleet:
        """The fleet of this very snapshot: one of an earlier $LATEST is closed behind the calls it still answers."""
        key = f"{function.arn}:{version}"
        configuration = snapshot.configuration
        shape = repr(
            (
                snapshot.blob.sha256,
                [layer.blob.sha256 for layer in snapshot.layers],
                [configuration.get(k) for k in ("Handler", "Runtime", "Timeout", "MemorySize", "Environment")],
            )
        )
        with self._lock:
            known = self._fleets.get(key)
            if known and known[0] == shape:
                return known[1]
            fleet = Fleet(self._image(function, version, snapshot), cache=self._cache, concurrency=self._concurrency)
            self._fleets[key] = (shape, fleet)
        if known:
            threading.Thread(target=known[1].close, daemon=True).start()
        return fleet

    def _image(self, function: Function, version: str, snapshot: Snapshot) -> FunctionImage:
        configuration = snapshot.configuration
        region = function.arn.split(":")[3]
        return FunctionImage(
            name=function.name,
            version=version,
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
                "AWS_ENDPOINT_URL": self.endpoint_url,
                **configuration.get("Environment", {}).get("Variables", {}),
            },
            code=snapshot.blob.path,
            layers=tuple(layer.blob.path for layer in snapshot.layers),
        )
