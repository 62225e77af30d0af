"""Serves WSGI applications over HTTP/1.1, in a thread for each connection, which stays open between requests.

werkzeug's own handler closes every connection, and waits 10 ms before it does; the parsing is its.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import traceback
from email.utils import formatdate
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Any, cast

from werkzeug import exceptions
from werkzeug.exceptions import BadRequest, HTTPException, InternalServerError
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from optimizer.local.messages import Answer, Body, Chunks

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

_DRAINED_BYTES = 1 << 30
"""How much of a body that nobody wanted is read, so that its sender comes to read the answer; then it is cut off."""
_PIECE_BYTES = 1 << 16


class Server(ThreadedWSGIServer):
    """Listens on 127.0.0.1; where it stops, connections that wait for a request end, busy ones after their answer.

    Args:
        application: answers the requests.
        listener: a descriptor of a listening socket; any free port where there is none.
    """

    def __init__(self, application: WSGIApplication, listener: int | None = None) -> None:
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._ended = False
        super().__init__("127.0.0.1", 0, application, Handler, fd=listener)

    def serve_forever(self, poll_interval: float = 0.05) -> None:
        """Serve until shutdown; it is noticed within `poll_interval` seconds."""
        try:
            super().serve_forever(poll_interval)
        finally:
            with self._lock:
                self._ended = True
                for connection in self._connections:
                    with contextlib.suppress(OSError):  # its client has gone
                        connection.shutdown(socket.SHUT_RD)

    def server_close(self) -> None:
        """Listen no more, not even through a copy of the socket that a process has which is starting just now."""
        with contextlib.suppress(OSError):  # it does not listen yet, or not any more
            self.socket.shutdown(socket.SHUT_RDWR)
        super().server_close()

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Serve one connection."""
        with self._lock:
            if self._ended:
                return
            self._connections.add(request)
        try:
            super().finish_request(request, client_address)
        finally:
            with self._lock:
                self._connections.discard(request)


class Handler(WSGIRequestHandler):
    """One connection. It keeps moto's needs (header names as they came) and writes nothing to stderr but faults."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else a body waits for the client's delayed acknowledgement of the headers
    wbufsize = -1  # headers and body in one packet

    def version_string(self) -> str:
        """What answers say of their server."""
        return "embedded-aws"

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The header Date, made once a second."""
        return _date(int(time.time() if timestamp is None else timestamp))

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: the access log has its own place."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002  werkzeug's own name
        """Say nothing."""

    def connection_dropped(self, error: BaseException, environ: WSGIEnvironment | None = None) -> None:
        """Close what has no other end any more, or shall have none."""
        del error, environ
        self.close_connection = True

    def handle_expect_100(self) -> bool:
        """Tell a client that waits to send its body to go on."""
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def make_environ(self) -> WSGIEnvironment:
        """The request, with the metadata names that WSGI would spoil, and a body that ends where it ends."""
        environ = super().make_environ()
        preserved: dict[str, str] = {}
        for name, value in self.headers.items():
            if name.lower().startswith("x-amz-meta-"):
                key = "HTTP_" + name.upper().replace("-", "_")
                preserved[key] = name.lower()
                environ.setdefault(key, value)  # werkzeug drops names with an underscore
        environ["moto.preserved_header_names"] = preserved
        environ["embedded.headers"] = list(self.headers.items())
        environ["wsgi.input"] = self._body(environ)
        environ["wsgi.input_terminated"] = True
        return environ

    def run_wsgi(self) -> None:
        """Answer one request, and leave the connection where the next one begins."""
        if self.request_version < "HTTP/1.1":
            self.close_connection = True
        try:
            environ = self.make_environ()
        except HTTPException as error:  # where its body ends is not known, so neither is where the next request begins
            self.close_connection = True
            environ = super().make_environ()
            self._answer(error, environ)
            return
        self.environ = environ
        try:
            self._answer(self.server.app, environ)
            if not self.close_connection:
                self._drain(environ["wsgi.input"])
        except (ConnectionError, TimeoutError, HTTPException) as error:
            self.connection_dropped(error, environ)

    def _body(self, environ: WSGIEnvironment) -> Body | Chunks:
        """The body, which ends with the request.

        Raises:
            HTTPException: its end can't be told.
        """
        encoding = environ.get("HTTP_TRANSFER_ENCODING")
        if encoding is not None:
            if encoding.strip().lower() != "chunked":
                raise exceptions.NotImplemented(f"The transfer encoding {encoding} is not served.")
            if environ.pop("CONTENT_LENGTH", None) is not None:
                self.close_connection = True  # one of the two lies (RFC 9112, 6.1)
            return Chunks(cast("IO[bytes]", self.rfile))
        lengths = set(self.headers.get_all("Content-Length", ["0"]))
        length = lengths.pop()
        if lengths or not (length.isascii() and length.isdecimal()):
            raise BadRequest("Content-Length is no number.")
        return Body(cast("IO[bytes]", self.rfile), int(length))

    def _answer(self, application: WSGIApplication, environ: WSGIEnvironment) -> None:
        """Send an application's answer; a fault of it is a 500 where nothing has been sent yet.

        Raises:
            ConnectionError: the client has gone, or the application wants it to get no answer.
        """
        answer = Answer(self, environ["REQUEST_METHOD"])
        try:
            answer.send(application(environ, answer.start))
        except (ConnectionError, TimeoutError):
            raise
        except HTTPException as error:  # of a body that can't be read
            self._fail(error, answer, environ)
        except Exception:  # noqa: BLE001  a fault of the application, which its client and whoever runs it must see
            self.server.log("error", f"Error on request:\n{traceback.format_exc()}")
            self._fail(InternalServerError(), answer, environ)

    def _fail(self, error: HTTPException, answer: Answer, environ: WSGIEnvironment) -> None:
        self.close_connection = True
        if not answer.begun:
            another = Answer(self, environ["REQUEST_METHOD"])
            another.send(error(environ, another.start))

    def _drain(self, body: Body | Chunks) -> None:
        """Read what the application left of the body.

        Raises:
            ConnectionError, HTTPException: the client has gone, or sends no body that can be read.
        """
        for _ in range(_DRAINED_BYTES // _PIECE_BYTES):
            if not body.read(_PIECE_BYTES):
                return
        self.close_connection = True


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)
