"""One page and what it posts, on loopback: whoever has the token, from the page itself, and nobody else.

Other pages in the same browser can reach a port of 127.0.0.1 too. They do not know the token, which is part of the
address; a name of theirs that resolves to 127.0.0.1 (DNS rebinding) stands in `Host`, and where a request comes from
in `Origin`, which a page can't change (Fetch standard, forbidden request headers).
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import compare_digest, token_urlsafe
from socketserver import TCPServer
from typing import TYPE_CHECKING, Any, NoReturn

from optimizer.errors import OptimizerError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Post = Callable[[Any], dict[str, Any]]

_LOGGER = logging.getLogger(__name__)
HOST = "127.0.0.1"
MOST_BYTES = 1_048_576
"""The largest body that is read: a thousand distributions with long names take a tenth of it."""
_SECONDS = 30
"""So long a connection may say nothing."""
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class ChangedError(OptimizerError):
    """The file is not what the page was made from."""

    code = "changed"


class _RefusedError(Exception):
    """A request that is not answered, with its status and words."""

    def __init__(self, status: HTTPStatus, message: str, mend: str) -> None:
        super().__init__(message)
        self.status = status
        self.document = {"code": "request", "message": message, "mend": mend}


@contextmanager
def serving(page: Callable[[], str], posts: Mapping[str, Post], *, port: int = 0) -> Iterator[str]:
    """The page's address, for the time of the block; each post gets its body's JSON and answers with JSON.

    Args:
        page: makes the HTML of each request for it.
        posts: by the last part of their addresses.
        port: 0 takes a free one.

    Raises:
        UsageError: the port is taken, or may not be used.
    """
    site = _Site(page=page, posts=posts, token=token_urlsafe(24))
    try:
        server = _Server(site, port)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"port {port} can't be listened on: {reason}", mend="Name another with --port.") from error
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}/{site.token}/"
    finally:
        server.shutdown()
        server.server_close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    """What is served, and the first part of its addresses."""

    page: Callable[[], str]
    posts: Mapping[str, Post]
    token: str


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, site: _Site, port: int) -> None:
        super().__init__((HOST, port), _Handler)
        self.site = site

    def server_bind(self) -> None:
        """As the parent's, which would first ask name servers what 127.0.0.1 is called."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.socket.getsockname()[1]

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002  http.server's signature
        """A browser that went away is no news."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            _LOGGER.error("a request failed", exc_info=sys.exception())


class _Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "layer-optimizer"
    sys_version = ""
    timeout = _SECONDS
    error_content_type = "text/plain; charset=utf-8"
    error_message_format = "%(code)d %(message)s\n"

    def do_GET(self) -> None:
        """The page."""
        try:
            self._check_host()
            if self._asked() != "":
                self._refuse_unknown()
            self._send(HTTPStatus.OK, "text/html", self.server.site.page())
        except _RefusedError as error:
            self._send(error.status, "text/plain", f"{error.document['message']}\n{error.document['mend']}\n")
        except OptimizerError as error:
            self._send(_status(error), "text/plain", f"{error}\n")
        except Exception as error:  # noqa: BLE001  whatever it is, who looks has to learn of it
            document = _fault(error)
            self._send(HTTPStatus.INTERNAL_SERVER_ERROR, "text/plain", f"{document['message']}\n{document['mend']}\n")

    def do_POST(self) -> None:
        """What the page sends."""
        try:
            self._check_host()
            post = self.server.site.posts.get(self._asked()) or self._refuse_unknown()
            self._check_origin()
            answer = post(self._body())
        except _RefusedError as error:
            self.close_connection = True  # its body may not have been read
            self._send_json(error.status, {"error": error.document})
        except OptimizerError as error:
            self._send_json(_status(error), {"error": error.document()})
        except Exception as error:  # noqa: BLE001  whatever it is, the page has to learn of it
            self._send_json(HTTPStatus.INTERNAL_SERVER_ERROR, {"error": _fault(error)})
        else:
            self._send_json(HTTPStatus.OK, answer)

    def _refuse_unknown(self) -> NoReturn:
        raise _RefusedError(HTTPStatus.NOT_FOUND, "There is nothing at this address.", "Use the address tune printed.")

    def _check_host(self) -> None:
        port = self.server.server_port
        if self.headers.get_all("Host") not in ([f"{HOST}:{port}"], [f"localhost:{port}"]):
            raise _RefusedError(HTTPStatus.FORBIDDEN, "This host is not served here.", "Use the address tune printed.")

    def _check_origin(self) -> None:
        if self.headers.get_all("Origin") != [f"http://{self.headers['Host']}"]:
            raise _RefusedError(
                HTTPStatus.FORBIDDEN, "The request does not come from tune's page.", "Use the address tune printed."
            )

    def _asked(self) -> str:
        """What stands after the token in the address."""
        given, _, rest = self.path.partition("?")[0].removeprefix("/").partition("/")
        if not compare_digest(given.encode("utf-8", "replace"), self.server.site.token.encode()):
            raise _RefusedError(
                HTTPStatus.FORBIDDEN, "The address has not the token of this run.", "Use the address tune printed."
            )
        return rest

    def _body(self) -> Any:
        if self.headers.get_content_type() != "application/json":
            raise _RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body is not JSON.", "Send application/json.")
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal()) or "Transfer-Encoding" in self.headers:
            raise _RefusedError(HTTPStatus.LENGTH_REQUIRED, "The body has no length.", "Send Content-Length.")
        if int(length[:12]) > MOST_BYTES:
            text = f"The body has {length[:12]} bytes; at most {MOST_BYTES} are read."
            raise _RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text, "Send the layers alone.")
        try:
            return json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            raise _RefusedError(HTTPStatus.BAD_REQUEST, "The body is not JSON.", "Send one JSON document.") from None

    def _send_json(self, status: HTTPStatus, document: Mapping[str, Any]) -> None:
        self._send(status, "application/json", json.dumps({"schema": 1, **document}, ensure_ascii=False))

    def _send(self, status: HTTPStatus, content: str, text: str) -> None:
        body = text.encode("utf-8", "replace")
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", f"{content}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  http.server's name
        """Nothing: what was planned or written is told by who does it."""


def _fault(error: Exception) -> dict[str, str]:
    """A fault of this program, told in the terminal too."""
    _LOGGER.error("a request failed", exc_info=error)
    text = f"layer-optimizer failed: {type(error).__name__}: {error}"
    return {"code": "internal", "message": text, "mend": "Look at the terminal in which tune runs."}


def _status(error: OptimizerError) -> HTTPStatus:
    if isinstance(error, ChangedError):
        return HTTPStatus.CONFLICT
    return HTTPStatus.INTERNAL_SERVER_ERROR if error.exit_status == 3 else HTTPStatus.UNPROCESSABLE_ENTITY  # noqa: PLR2004
