"""Serves WSGI applications over HTTP/1.1, in a thread for each connection, which stays open between requests.

werkzeug's own handler closes every connection, and waits 10 ms before it does; the parsing is its.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import traceback
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import BadRequest, HTTPException, InternalServerError, NotImplemented  # noqa: A004  HTTP's 501
from werkzeug.serving import DechunkedInput, ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wsgi import LimitedStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

_DRAINED_BYTES = 1 << 30
"""How much of a body that nobody wanted is read, so that its sender comes to read the answer; then it is cut off."""
_PIECE_BYTES = 1 << 16
_NO_CONTENT, _NOT_MODIFIED, _OK = 204, 304, 200


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

    def _body(self, environ: WSGIEnvironment) -> LimitedStream | DechunkedInput:
        """The body, which ends with the request.

        Raises:
            HTTPException: its end can't be told.
        """
        encoding = environ.get("HTTP_TRANSFER_ENCODING")
        if encoding is not None:
            if encoding.strip().lower() != "chunked":
                raise NotImplemented(f"The transfer encoding {encoding} is not served.")
            if environ.pop("CONTENT_LENGTH", None) is not None:
                self.close_connection = True  # one of the two lies (RFC 9112, 6.1)
            return _Chunks(self.rfile)
        lengths = set(self.headers.get_all("Content-Length", ["0"]))
        length = lengths.pop()
        if lengths or not (length.isascii() and length.isdecimal()):
            raise BadRequest("Content-Length is no number.")
        return LimitedStream(self.rfile, int(length))

    def _answer(self, application: WSGIApplication, environ: WSGIEnvironment) -> None:
        """Send an application's answer; a fault of it is a 500 where nothing has been sent yet.

        Raises:
            ConnectionError: the client has gone, or the application wants it to get no answer.
        """
        answer = _Answer(self, environ["REQUEST_METHOD"])
        try:
            answer.send(application(environ, answer.start))
        except (ConnectionError, TimeoutError):
            raise
        except HTTPException as error:  # of a body that can't be read
            self._fail(error, answer, environ)
        except Exception:  # noqa: BLE001  a fault of the application, which its client and whoever runs it must see
            self.server.log("error", f"Error on request:\n{traceback.format_exc()}")
            self._fail(InternalServerError(), answer, environ)

    def _fail(self, error: HTTPException, answer: _Answer, environ: WSGIEnvironment) -> None:
        self.close_connection = True
        if not answer.begun:
            another = _Answer(self, environ["REQUEST_METHOD"])
            another.send(error(environ, another.start))

    def _drain(self, body: LimitedStream | DechunkedInput) -> None:
        """Read what the application left of the body.

        Raises:
            ConnectionError, HTTPException: the client has gone, or sends no body that can be read.
        """
        for _ in range(_DRAINED_BYTES // _PIECE_BYTES):
            if not body.read(_PIECE_BYTES):
                return
        self.close_connection = True


class _Chunks(DechunkedInput):
    """A chunked body.

    Raises:
        BadRequest: by reading, where it is none, or ends too early.
    """

    def readinto(self, buf: bytearray) -> int:  # type: ignore[override]  # as werkzeug has it
        try:
            return super().readinto(buf)
        except OSError as error:
            raise BadRequest(str(error)) from error


class _Answer:
    """One answer, as WSGI gives it: `begun` once something of it may have been sent."""

    def __init__(self, handler: Handler, method: str) -> None:
        self.begun = False
        self._handler = handler
        self._method = method
        self._status = ""
        self._headers: list[tuple[str, str]] = []
        self._left: int | None = None
        self._chunked = False
        self._bodiless = False

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], None]:
        """WSGI's start_response; nothing is sent before the first piece of the body, or its end."""
        del exc_info
        if self.begun:
            raise RuntimeError("The answer has begun.")
        self._status, self._headers = status, headers
        return self.write

    def send(self, parts: Iterable[bytes]) -> None:
        """Send the body's pieces and its end."""
        try:
            for part in parts:
                self.write(part)
                self._handler.wfile.flush()
            self._begin()
            if self._chunked:
                self._handler.wfile.write(b"0\r\n\r\n")
            if self._left:
                self._handler.close_connection = True  # it promised more
            self._handler.wfile.flush()
        finally:
            if hasattr(parts, "close"):
                parts.close()

    def write(self, data: bytes) -> None:
        """Send a piece of the body."""
        self._begin()
        if self._bodiless or not data:
            return
        if self._chunked:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        elif self._left is not None:
            if len(data) > self._left:
                self._handler.close_connection = True  # it promised less
                data = data[: self._left]
            self._left -= len(data)
        self._handler.wfile.write(data)

    def _begin(self) -> None:
        """Write status and headers, once."""
        if self.begun:
            return
        self.begun = True
        handler = self._handler
        code, _, phrase = self._status.partition(" ")
        status = int(code)
        empty = status < _OK or status in {_NO_CONTENT, _NOT_MODIFIED}
        self._bodiless = empty or self._method == "HEAD"
        if status < _OK:
            handler.close_connection = True  # its client waits for another status
        handler.send_response(status, phrase)
        sized = False
        for name, value in self._headers:
            lowered = name.lower()
            if lowered == "content-length":
                if status != _NOT_MODIFIED and empty:
                    continue  # RFC 9110, 8.6
                sized = True
                if not self._bodiless:
                    self._left = int(value)
            if lowered not in {"connection", "transfer-encoding"}:  # the connection's, not the application's
                handler.send_header(name, value)
        if not sized and not self._bodiless:
            self._chunked = handler.request_version >= "HTTP/1.1"
            if self._chunked:
                handler.send_header("Transfer-Encoding", "chunked")
        if handler.close_connection:
            handler.send_header("Connection", "close")
        handler.end_headers()
