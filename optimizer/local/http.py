"""The HTTP front: one port; Lambda's calls are answered here, every other service's by moto."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from werkzeug.serving import WSGIRequestHandler
from werkzeug.wsgi import get_input_stream

from optimizer.local.protocol import Answer, ServiceError
from optimizer.local.service import AccessLog, Logged
from optimizer.local.url_events import HttpRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from optimizer.local.service import Lambda

_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
_LAMBDA_PATH = re.compile(r"/20\d\d-\d\d-\d\d/(functions|layers|event-source-mappings|account-settings|tags)\b")


class QuietHandler(WSGIRequestHandler):
    """Keeps moto's needs (header names as they came) and writes nothing to stderr."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002  werkzeug's own name
        """Say nothing: the access log has its own place."""

    def make_environ(self) -> WSGIEnvironment:
        """The request, with the metadata names that WSGI would spoil."""
        environ = super().make_environ()
        preserved: dict[str, str] = {}
        for name, value in self.headers.items():
            if name.lower().startswith("x-amz-meta-"):
                key = "HTTP_" + name.upper().replace("-", "_")
                preserved[key] = name.lower()
                environ.setdefault(key, value)  # werkzeug drops names with an underscore
        environ["moto.preserved_header_names"] = preserved
        environ["embedded.headers"] = list(self.headers.items())
        return environ


class ThreadedServer:
    """Reads WSGI requests."""

    @staticmethod
    def request(environ: WSGIEnvironment) -> HttpRequest:
        """The request as a value, its body read whole."""
        path, _, _ = str(environ["RAW_URI"]).partition("?")
        return HttpRequest(
            method=environ["REQUEST_METHOD"],
            path=path,
            query=environ.get("QUERY_STRING", ""),
            headers=environ["embedded.headers"],
            body=get_input_stream(environ).read(),
            source_ip=environ.get("REMOTE_ADDR", "127.0.0.1"),
            protocol=environ.get("SERVER_PROTOCOL", "HTTP/1.1"),
        )


class Front:
    """The WSGI application of the embedded AWS."""

    def __init__(self, lam: Lambda, log: AccessLog, *, follow: Callable[[Logged], None] | None = None) -> None:
        self._lambda = lam
        self.log = log
        self._follow = follow

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path = environ.get("PATH_INFO", "/")
        if path.startswith("/_embedded/"):
            return _send(self._private(path), start)
        began = time.perf_counter()
        scope = _SCOPE.search(
            environ.get("HTTP_AUTHORIZATION", "") + environ.get("QUERY_STRING", "").replace("%2F", "/")
        )
        service = scope["service"] if scope else "lambda" if _LAMBDA_PATH.match(path) else "s3"
        if service != "lambda":
            status, body = self._pass_on(service, environ, start)
            operation = _other_operation(environ)
        else:
            operation, answer = self._answer_lambda(environ, scope["region"] if scope else None)
            status, body = answer.status, _send(answer, start)
        line = Logged(service=service, operation=operation, status=status, ms=(time.perf_counter() - began) * 1000)
        self.log.add(line)
        if self._follow:
            self._follow(line)
        return body

    def _answer_lambda(self, environ: WSGIEnvironment, region: str | None) -> tuple[str, Answer]:
        request = ThreadedServer.request(environ)
        operation = f"{request.method} {request.path}"
        if region is None:
            error = ServiceError(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
            return operation, error.answer()
        try:
            call = self._lambda.protocol.parse(
                request.method,
                request.path,
                parse_qs(request.query, keep_blank_values=True),
                {name.lower(): value for name, value in request.headers},
                request.body,
                region,
            )
            operation = call.operation
            return operation, self._lambda.call(call)
        except ServiceError as error:
            return operation, error.answer()

    def _pass_on(self, service: str, environ: WSGIEnvironment, start: StartResponse) -> tuple[int, Iterable[bytes]]:
        seen = [500]

        def watch(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> object:
            seen[0] = int(status.split(" ", 1)[0])
            return start(status, headers, exc_info) if exc_info else start(status, headers)  # type: ignore[arg-type]

        body = self._lambda.services(service, environ, watch)  # type: ignore[arg-type]
        return seen[0], body

    def _private(self, path: str) -> Answer:
        """What is no AWS: uploads' contents, and the access log."""
        if path == "/_embedded/calls":
            document = {
                "counts": {f"{service}:{name}": count for (service, name), count in sorted(self.log.counts.items())},
                "calls": [
                    {
                        "service": line.service,
                        "operation": line.operation,
                        "status": line.status,
                        "ms": round(line.ms, 2),
                    }
                    for line in list(self.log.lines)
                ],
            }
            return Answer(status=200, headers={"Content-Type": "application/json"}, body=json.dumps(document).encode())
        if path == "/_embedded/logs":
            text = "\n".join(self._lambda.environments.logs)
            return Answer(status=200, headers={"Content-Type": "text/plain; charset=utf-8"}, body=text.encode())
        match = re.fullmatch(r"/_embedded/content/([0-9a-f]{64}\.zip)", path)
        place = self._lambda.state.blobs / match[1] if match else None
        if place is None or not place.is_file():
            return Answer(status=404)
        return Answer(status=200, headers={"Content-Type": "application/zip"}, body=place.read_bytes())


def _send(answer: Answer, start: StartResponse) -> Iterable[bytes]:
    start(f"{answer.status} -", [*answer.headers.items(), ("Content-Length", str(len(answer.body)))])
    return [answer.body]


def _other_operation(environ: WSGIEnvironment) -> str:
    """A name for a call of another service: its target, its action, or method and path."""
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        return str(target).rpartition(".")[2]
    return f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO', '/')}"
