"""The HTTP front: one port; Lambda's calls are answered here, every other service's by moto."""

from __future__ import annotations

import json
import logging
import re
import time
import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from optimizer.local.protocol import Answer, ServiceError
from optimizer.local.requests import meant, operation_name, read_request
from optimizer.local.service import AccessLog, Logged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from optimizer.local.service import Lambda

    Ahead = Callable[[str, str, str], None]
    Follow = Callable[[Logged], None]

_LOGGER = logging.getLogger(__name__)
_CONTENT = re.compile(r"/_embedded/content/([0-9a-f]{64}\.zip)")
_JSON = {"Content-Type": "application/json"}


class Front:
    """The WSGI application of the embedded AWS."""

    def __init__(
        self, lam: Lambda, log: AccessLog, *, ahead: Ahead | None = None, follow: Follow | None = None
    ) -> None:
        self._lambda = lam
        self.log = log
        self._ahead = ahead or (lambda _service, _operation, _agent: None)
        self._follow = follow or (lambda _line: None)

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path = environ.get("PATH_INFO", "/")
        if path.startswith("/_embedded/"):
            return _send(self._private(path), start)
        by_host = self._lambda.listeners.by_host(environ, start)
        if by_host is not None:
            return by_host
        began = time.perf_counter()
        service, region = meant(environ)
        body: Iterable[bytes]
        if service == "lambda":
            operation, answer = self._answer_lambda(environ, region)
            status, body = answer.status, _send(answer, start)
        else:
            operation = operation_name(service, environ)
            self._ahead(service, operation, _agent(environ))
            status, body = self._pass_on(service, environ, start)
        line = Logged(
            service=service,
            operation=operation,
            status=status,
            ms=(time.perf_counter() - began) * 1000,
            agent=_agent(environ),
            received=_received(environ),
        )
        self.log.add(line)
        self._follow(line)
        return body

    def _answer_lambda(self, environ: WSGIEnvironment, region: str | None) -> tuple[str, Answer]:
        request = read_request(environ)
        operation = f"{request.method} {request.path}"
        if region is None:
            error = ServiceError(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
            return operation, error.answer()
        try:
            call = self._lambda.protocol.parse(
                request.method,
                request.path,
                query=parse_qs(request.query, keep_blank_values=True),
                headers={name.lower(): value for name, value in request.headers},
                body=request.body,
                region=region,
            )
            operation = call.operation
            self._ahead("lambda", operation, _agent(environ))
            return operation, self._lambda.call(call)
        except ServiceError as error:
            return operation, error.answer()
        except ConnectionError:
            raise  # whoever looks ahead wants the caller to get no answer
        except Exception as error:
            # a fault of the stand-in, not of its caller: it has to be seen by both
            _LOGGER.exception("%s failed inside the embedded AWS", operation)
            text = f"The embedded AWS failed: {type(error).__name__}: {error}"
            return operation, ServiceError(500, "ServiceException", text).answer()

    def _pass_on(self, service: str, environ: WSGIEnvironment, start: StartResponse) -> tuple[int, Iterable[bytes]]:
        seen = [500]

        def watch(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> object:
            seen[0] = int(status.split(" ", 1)[0])
            return start(status, headers, exc_info) if exc_info else start(status, headers)  # type: ignore[arg-type]

        body = self._lambda.services(service, environ, watch)  # type: ignore[arg-type]
        return seen[0], body

    def _private(self, path: str) -> Answer:
        """What is no AWS: uploads' contents, the access log, the functions' logs."""
        if path == "/_embedded/calls":
            return Answer(status=200, headers=_JSON, body=json.dumps(self.log.document()).encode())
        if path == "/_embedded/logs":
            text = self._lambda.services.telemetry.log_text()
            return Answer(status=200, headers={"Content-Type": "text/plain; charset=utf-8"}, body=text.encode())
        match = _CONTENT.fullmatch(path)
        place = self._lambda.state.blobs / match[1] if match else None
        if place is None or not place.is_file():
            return Answer(status=404)
        return Answer(status=200, headers={"Content-Type": "application/zip"}, body=place.read_bytes())


def _agent(environ: WSGIEnvironment) -> str:
    return str(environ.get("HTTP_USER_AGENT", ""))


def _received(environ: WSGIEnvironment) -> int:
    """The bytes of a request's line, headers and body."""
    line = len(environ["REQUEST_METHOD"]) + len(str(environ.get("RAW_URI", ""))) + len(" HTTP/1.1\r\n") + 1
    headers = sum(len(name) + len(value) + len(": \r\n") for name, value in environ.get("embedded.headers", ()))
    return line + headers + len("\r\n") + int(environ.get("CONTENT_LENGTH") or 0)


def _send(answer: Answer, start: StartResponse) -> Iterable[bytes]:
    own = (("Content-Length", str(len(answer.body))), ("x-amzn-RequestId", str(uuid.uuid4())))
    headers = [*answer.headers.items(), *own]
    start(f"{answer.status} {HTTPStatus(answer.status).phrase}", headers)
    return [answer.body]
