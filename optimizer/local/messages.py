"""Bodies of requests and answers, as HTTP/1.1 frames them on a connection that stays open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.exceptions import BadRequest
from werkzeug.serving import DechunkedInput
from werkzeug.wsgi import LimitedStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from werkzeug.serving import WSGIRequestHandler

_NO_CONTENT, _NOT_MODIFIED, _OK = 204, 304, 200


class Body(LimitedStream):
    """A body of known length, which comes in one piece where it is asked for whole."""

    def read(self, size: int | None = -1) -> bytes:
        """So many bytes, or what is left.

        Raises:
            ClientDisconnected: the client went away before it sent them.
        """
        left = self.limit - self.tell()
        wanted = left if size is None or size < 0 else min(size, left)
        data = super().read(wanted) or b""
        if len(data) < wanted:
            self.on_disconnect()
        return data


class Chunks(DechunkedInput):
    """A chunked body."""

    def readinto(self, buf: bytearray) -> int:  # type: ignore[override]  # as werkzeug has it
        """What reading is made of.

        Raises:
            BadRequest: it is no such body, or ends too early.
        """
        try:
            return super().readinto(buf)
        except OSError as error:
            raise BadRequest(str(error)) from error


class Answer:
    """One answer, as WSGI gives it: `begun` once something of it may have been sent."""

    def __init__(self, handler: WSGIRequestHandler, method: str) -> None:
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
