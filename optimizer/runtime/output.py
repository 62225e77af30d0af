"""What an environment writes to its standard output and error, taken event by event."""

from __future__ import annotations

import os
import select
import threading

_CHUNK = 1 << 16
_KEPT = 1 << 24
"""How many bytes of one event's output are kept; what comes after them is lost."""


class Output:
    """Reads a pipe, which it then owns, so that its writer never waits; `take` gives what came since the last one.

    A writer that first writes and then says so by another way finds its words in the very next `take`.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()
        self._text = bytearray()
        self._open = True
        self._wake, self._waker = os.pipe()
        os.set_blocking(descriptor, False)
        self._thread = threading.Thread(target=self._pump, daemon=True, name="function-output")
        self._thread.start()

    def take(self) -> str:
        """Everything written until now; the last line ends even where its writer did not end it."""
        self._drain()
        with self._lock:
            taken, self._text = self._text, bytearray()
        text = taken.decode("utf-8", "replace")
        return text if not text or text.endswith("\n") else f"{text}\n"

    def close(self) -> None:
        """Stop reading, even where somebody still holds the pipe's other end."""
        os.write(self._waker, b".")
        self._thread.join()
        with self._lock:
            self._open = False
        os.close(self._descriptor)
        os.close(self._wake)
        os.close(self._waker)

    def _pump(self) -> None:
        poll = select.poll()  # select itself can't take descriptors above 1023
        poll.register(self._descriptor, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        while self._open:
            if any(descriptor == self._wake for descriptor, _ in poll.poll()):
                return
            self._drain()

    def _drain(self) -> None:
        with self._lock:
            for _ in range(_KEPT // _CHUNK if self._open else 0):  # bounded: the writer may never stop
                try:
                    part = os.read(self._descriptor, _CHUNK)
                except BlockingIOError:
                    return
                if not part:
                    self._open = False
                    return
                if len(self._text) < _KEPT:
                    self._text += part
