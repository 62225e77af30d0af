"""One environment's Runtime API: events go in one at a time, what the client posts comes out."""

from __future__ import annotations

import contextlib
import http.server
import queue
import re
import socket
import threading
import uuid
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal

_ROOT = "/2018-06-01/runtime"
_ANSWER = re.compile(rf"{_ROOT}/invocation/([^/]+)/(response|error)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event for the client; `deadline_ms` is epoch milliseconds."""

    request_id: str
    payload: bytes
    deadline_ms: int
    invoked_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """What an environment did: `ready` is its first question for an event, `exited` the end of its process."""

    kind: Literal["ready", "response", "error", "init-error", "exited"]
    body: bytes = b""


class RuntimeApi:
    """A server on the loopback for one client; `address` is its host and port.

    `signals` also takes what others see of the environment, so that whoever waits waits in one place.
    """

    def __init__(self) -> None:
        self.signals: queue.SimpleQueue[Signal] = queue.SimpleQueue()
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._asked = False
        self._closed = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        host, port = self._listener.getsockname()
        self.address = f"{host}:{port}"
        self._threads = [self._thread(self._listen)]

    def send(self, event: Event) -> None:
        """Give the client its next event."""
        self._events.put(event)

    def next_event(self) -> Event | None:
        """Wait for the next event, for the client; None when the server closes."""
        if not self._asked:
            self._asked = True
            self.signals.put(Signal(kind="ready"))
        event = self._events.get()
        if event is None:
            self._events.put(None)  # another connection may wait too
        return event

    def close(self) -> None:
        """Stop serving and wait for the threads; harmless to repeat. The client must have ended before."""
        with self._lock:
            self._closed = True
            connections = list(self._connections)
        self._events.put(None)
        for connection in (self._listener, *connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)  # wakes accept and recv, which close would not
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _thread(self, target: Any, *args: Any) -> threading.Thread:
        thread = threading.Thread(target=target, args=args, daemon=True, name=f"runtime-api-{self.address}")
        thread.start()
        return thread

    def _listen(self) -> None:
        while True:
            try:
                connection, address = self._listener.accept()
            except OSError:
                return  # closed
            with self._lock:
                if self._closed:
                    connection.close()
                    return
                self._connections.add(connection)
                self._threads.append(self._thread(self._serve, connection, address))

    def _serve(self, connection: socket.socket, address: tuple[str, int]) -> None:
        with contextlib.suppress(OSError):  # the client was killed
            _Handler(connection, address, self)  # type: ignore[arg-type]  # it needs no more of a server
        with self._lock:
            self._connections.discard(connection)
        connection.close()


class _Handler(http.server.BaseHTTPRequestHandler):
    """One connection of the client, kept open from event to event."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits for the client's delayed acknowledgement
    wbufsize = -1  # headers and body in one packet
    server: RuntimeApi  # type: ignore[assignment]
    raw_requestline: bytes

    def parse_request(self) -> bool:
        """Read a request's line and headers; False where it is none.

        http.server's own, which makes an e-mail of them, takes longer than everything else on an event's way.
        """
        line = self.raw_requestline.decode("latin-1").split()
        self.close_connection = len(line) != 3  # noqa: PLR2004  method, path, version
        if self.close_connection:
            return False
        self.command, self.path, self.request_version = line
        self._given: dict[str, str] = {}
        while (header := self.rfile.readline()) not in {b"\r\n", b"\n", b""}:
            name, _, value = header.decode("latin-1").partition(":")
            self._given[name.lower()] = value.strip()
        if self._given.get("expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.wfile.flush()
        return True

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Hand out the next event, however long that takes."""
        if self.path != f"{_ROOT}/invocation/next":
            self._answer(404)
            return
        event = self.server.next_event()
        if event is None:
            self.close_connection = True
            return
        identity = uuid.uuid4().hex
        self._answer(
            200,
            event.payload,
            {
                "Lambda-Runtime-Aws-Request-Id": event.request_id,
                "Lambda-Runtime-Deadline-Ms": str(event.deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": event.invoked_arn,
                "Lambda-Runtime-Trace-Id": f"Root=1-{event.deadline_ms // 1000:08x}-{identity[:24]};"
                f"Parent={identity[16:]};Sampled=0",
            },
        )

    def do_POST(self) -> None:
        """Take an answer or an error."""
        body = self._body()
        answer = _ANSWER.fullmatch(self.path)
        if answer:
            self.server.signals.put(Signal(kind="response" if answer[2] == "response" else "error", body=body))
        elif self.path == f"{_ROOT}/init/error":
            self.server.signals.put(Signal(kind="init-error", body=body))
        self._answer(202 if answer or self.path == f"{_ROOT}/init/error" else 404, b'{"status":"OK"}\n')

    def _body(self) -> bytes:
        if self._given.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self._given.get("content-length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline() not in {b"\r\n", b"\n", b""}:
            pass
        return b"".join(parts)

    def _answer(self, status: int, body: bytes = b"{}", headers: dict[str, str] | None = None) -> None:
        given = {"Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}
        lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        self.wfile.write(f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{lines}\r\n".encode("latin-1"))
        self.wfile.write(body)
        self.wfile.flush()
