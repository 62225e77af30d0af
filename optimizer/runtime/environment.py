"""One execution environment: initialised once, then one event at a time, with Lambda's results and log lines."""

from __future__ import annotations

import json
import math
import queue
import time
from typing import TYPE_CHECKING, Any

from optimizer import limits
from optimizer.runtime.api import Event, Signal
from optimizer.runtime.errors import error_text
from optimizer.runtime.image import Initialisation, Invocation
from optimizer.runtime.process import Process

if TYPE_CHECKING:
    from optimizer.runtime.folders import Folders
    from optimizer.runtime.image import FunctionImage

INIT_SECONDS = 10.0
"""How long an environment may take to initialise (Lambda's documentation, execution environment lifecycle)."""


class Environment:
    """A process with the function's code, its layers merged, and Lambda's sys.path; it starts at once.

    Raises:
        DiskError: the process can't be started.
    """

    def __init__(self, image: FunctionImage, folders: Folders) -> None:
        self._image = image
        self._folders = folders
        self._cold = True
        self._began = time.perf_counter()
        self._process = Process(image, folders)

    @property
    def alive(self) -> bool:
        """Whether it can take another event."""
        return self._process.alive

    def close(self) -> None:
        """End it; an event that it is busy with ends with Runtime.ExitError."""
        self._process.close()

    def initialise(self) -> Initialisation:
        """Wait for the end of the start alone; the first event then finds a warm environment."""
        self._cold = False
        signal = self._wait(INIT_SECONDS)
        init_ms = _since(self._began)
        error = None
        if signal is None:
            error = f"it was not ready within {INIT_SECONDS:.0f} seconds"
        elif signal.kind == "exited":
            error = self._process.ending
        elif signal.kind == "init-error":
            error = error_text(signal.body)
        return Initialisation(error=error, log=self._process.output.take(), init_ms=init_ms)

    def invoke(self, payload: bytes, *, request_id: str, invoked_arn: str) -> Invocation:
        """Run one event; where that ends the process, `alive` is False afterwards."""
        image = self._image
        cold, self._cold = self._cold, False
        init_ms = None
        seconds = image.timeout_seconds
        signal: Signal | None = Signal(kind="ready")
        if cold:
            signal = self._wait(INIT_SECONDS)
            init_ms = _since(self._began)
        before = self._process.output.take()
        began = time.perf_counter()
        if signal is None:  # Lambda then initialises once more, as part of the event
            self._process.close()
            self._process = Process(image, self._folders)
            init_ms = None
            signal = self._wait(seconds)
            seconds -= time.perf_counter() - began
        if signal and signal.kind == "ready":
            deadline = math.floor((time.time() + seconds) * 1000)
            event = Event(request_id=request_id, payload=payload, deadline_ms=deadline, invoked_arn=invoked_arn)
            self._process.api.send(event)
            signal = self._wait(seconds)
        duration_ms = _since(began)
        peak_mb = self._process.peak_mb()
        output = self._process.output.take()
        answer, status = self._result(signal, request_id)
        if signal is None:
            output += f"{_now()} {request_id} {_timed_out(image.timeout_seconds)}\n\n"
        if signal is None or signal.kind in {"init-error", "exited"}:
            self._process.close()
        return Invocation(
            payload=answer,
            error=None if status is None and signal and signal.kind == "response" else "Unhandled",
            log="".join(
                (
                    before,
                    f"START RequestId: {request_id} Version: {image.version}\n",
                    output,
                    f"END RequestId: {request_id}\n",
                    self._report(request_id, duration_ms, peak_mb, init_ms, status),
                )
            ),
            init_ms=init_ms,
            duration_ms=duration_ms,
            max_memory_mb=peak_mb,
            cold=cold,
        )

    def _wait(self, seconds: float) -> Signal | None:
        """The process's next signal, or None where the time is over."""
        try:
            return self._process.api.signals.get(timeout=max(seconds, 0))
        except queue.Empty:
            return None

    def _result(self, signal: Signal | None, request_id: str) -> tuple[bytes, str | None]:
        """The event's payload, and the status that the REPORT line gives where the platform made the payload."""
        if signal is None:
            message = f"RequestId: {request_id} Error: {_timed_out(self._image.timeout_seconds)}"
            return _error("Sandbox.Timedout", message), "timeout"
        if signal.kind == "exited":
            return _error("Runtime.ExitError", f"RequestId: {request_id} Error: {self._process.ending}"), "error"
        if signal.kind == "init-error":
            return _with_request(signal.body, request_id), "error"
        if len(signal.body) > limits.PAYLOAD_BYTES:
            size = f"maximum allowed payload size ({limits.PAYLOAD_BYTES} bytes)."
            return _error("Function.ResponseSizeTooLarge", f"Response payload size exceeded {size}"), "error"
        return signal.body, None

    def _report(
        self, request_id: str, duration_ms: float, peak_mb: int, init_ms: float | None, status: str | None
    ) -> str:
        """The REPORT line."""
        fields = [
            f"REPORT RequestId: {request_id}",
            f"Duration: {duration_ms:.2f} ms",
            f"Billed Duration: {math.ceil(duration_ms)} ms",
            f"Memory Size: {self._image.memory_mb} MB",
            f"Max Memory Used: {peak_mb} MB",
        ]
        if init_ms is not None:
            fields.append(f"Init Duration: {init_ms:.2f} ms")
        if status is not None:
            fields.append(f"Status: {status}")
        return "\t".join(fields) + "\n"


def _error(kind: str, message: str) -> bytes:
    """An error that the platform makes, where the function itself could not."""
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()


def _with_request(body: bytes, request_id: str) -> bytes:
    """The client's account of a failed initialisation, which knows no event, with the event's id."""
    try:
        account: dict[str, Any] = json.loads(body)
    except ValueError:
        return body
    return json.dumps({**account, "requestId": request_id}).encode()


def _timed_out(seconds: float) -> str:
    return f"Task timed out after {seconds:.2f} seconds"


def _since(began: float) -> float:
    """Milliseconds."""
    return (time.perf_counter() - began) * 1000


def _now() -> str:
    now = time.time()
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now))}.{int(now % 1 * 1000):03d}Z"
