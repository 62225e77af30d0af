"""Stands where AWS would be, and refuses at once: nothing waits, nothing leaves the machine."""

from __future__ import annotations

import http.server
import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MESSAGE = "layer-optimizer verify calls no AWS: every request is refused"
_BODY = json.dumps({"__type": "AccessDeniedException", "message": _MESSAGE}).encode()


class Refusal:
    """The server; `calls` counts the requests that it refused."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.calls = 0

    def variables(self, own: Mapping[str, str], region: str) -> dict[str, str]:
        """A function's variables, with AWS here instead of where they or an SDK would look for it."""
        kept = {name: value for name, value in own.items() if not name.startswith("AWS_ENDPOINT_URL")}
        return {
            **kept,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ACCESS_KEY_ID": "ASIAVERIFY0000000000",
            "AWS_SECRET_ACCESS_KEY": "verify",
            "AWS_SESSION_TOKEN": "verify",
            "AWS_ENDPOINT_URL": self.url,
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    refusal: Refusal


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server

    def _refuse(self) -> None:
        self.server.refusal.calls += 1
        remaining = int(self.headers.get("Content-Length") or 0)
        while remaining > 0 and (part := self.rfile.read(min(remaining, 1 << 16))):
            remaining -= len(part)
        self.send_response(http.HTTPStatus.FORBIDDEN)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("x-amzn-ErrorType", "AccessDeniedException")
        self.send_header("Content-Length", str(len(_BODY)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(_BODY)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_PATCH = _refuse  # noqa: N815  http.server's names

    def log_message(self, *_: object) -> None:
        """Write nothing."""


@contextmanager
def refusing_aws() -> Iterator[Refusal]:
    """The server, for the time of the block."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.refusal = Refusal(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server.refusal
        finally:
            server.shutdown()
            thread.join()
