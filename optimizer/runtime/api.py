"""The Runtime API: what the runtime's client polls for events and posts its answers to."""

from __future__ import annotations

import http.server
import json
import queue
import re
import threading
import time
from dataclasses import dataclass
from typing import Any

_ROOT = "/2018-06-01/runtime"
_ANSWER = re.compile(rf"{_ROOT}/invocation/(?P<id>[^/]+)/(?P<kind>response|error)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event for the client; `deadline_ms` is epoch milliseconds."""

    request_id: str
    payload: bytes
    deadline_ms: int
    arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the client posted: `kind` is response, error or init-error; `ready` stands for its first request."""

    kind: str
    body: bytes = b""
    error_type: str | None = None


class RuntimeApi:
    """One environment's server: events go in one at a time, outcomes come out."""

    def __init__(self) -> None:
        self._events: queue.Queue[Event | None] = queue.Queue()
        self.outcomes: queue.Queue[Outcome] = queue.Queue()
        self._ready = threading.Event()
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # else each answer waits for the client's delayed acknowledgement

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class's own name
                """Say nothing."""

            def do_GET(self) -> None:  # noqa: N802
                if self.path != f"{_ROOT}/invocation/next":
                    self._send(404, b"{}")
                    return
                if not api._ready.is_set():
                    api._ready.set()
                    api.outcomes.put(Outcome(kind="ready"))
                event = api._events.get()
                if event is None:
                    self.close_connection = True
                    return
                self._send(
                    200,
                    event.payload,
                    {
                        "Lambda-Runtime-Aws-Request-Id": event.request_id,
                        "Lambda-Runtime-Deadline-Ms": str(event.deadline_ms),
                        "Lambda-Runtime-Invoked-Function-Arn": event.arn,
                        "Lambda-Runtime-Trace-Id": f"Root=1-{int(time.time()):08x}-{event.request_id[-12:]:0>24};Sampled=0",
                    },
                )

            def do_POST(self) -> None:  # noqa: N802
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                error_type = self.headers.get("Lambda-Runtime-Function-Error-Type")
                match = _ANSWER.fullmatch(self.path)
                if match:
                    self._send(202, b'{"status":"OK"}')
                    api.outcomes.put(Outcome(kind=match["kind"], body=body, error_type=error_type))
                elif self.path == f"{_ROOT}/init/error":
                    self._send(202, b'{"status":"OK"}')
                    api.outcomes.put(Outcome(kind="init-error", body=body, error_type=error_type))
                else:
                    self._send(404, b"{}")

            def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True, name="runtime-api").start()

    def send(self, event: Event) -> None:
        """Give the client its next event."""
        self._events.put(event)

    def close(self) -> None:
        """Stop serving; a client that still polls is let go."""
        self._events.put(None)
        self._server.shutdown()
        self._server.server_close()


def error_body(error_type: str, message: str) -> bytes:
    """An error payload as Lambda writes it where the function itself could not."""
    return json.dumps({"errorType": error_type, "errorMessage": message}).encode()
