"""Serves function URLs: each has a port of its own, so that its paths begin at the root as on AWS.

`<id>.lambda-url.<region>.localhost` on the one port of the embedded AWS works too, where such names resolve: in
browsers and curl, but not in every C library.
"""

from __future__ import annotations

import json
import re
import threading
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from optimizer import limits
from optimizer.local.operations.invoke import Target, chosen, run
from optimizer.local.operations.permissions import open_to_everybody
from optimizer.local.protocol import ServiceError
from optimizer.local.requests import read_request
from optimizer.local.serving import Server
from optimizer.runtime.url_events import HttpResponse, bad_gateway, event_of, forbidden, response_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from optimizer.local.service import Lambda
    from optimizer.runtime.url_events import HttpRequest

_SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/,]+)/\d{8}/(?P<region>[^/]+)/lambda/aws4_request, ?"
    r"SignedHeaders=[^,]+, ?Signature=[0-9a-f]{64}"
)
_HOST = re.compile(r"([0-9a-f]{32})\.lambda-url\.[a-z0-9-]+\.localhost(:\d+)?", re.IGNORECASE)
_TOO_LONG = HttpResponse(
    status=413, headers=(("Content-Type", "application/json"),), body=b'{"Message":"Request Too Long"}'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Url:
    """Where a URL leads: `qualifier` is an alias, or $LATEST."""

    identifier: str
    region: str
    function: str
    qualifier: str


class UrlListeners:
    """The listeners by the URL's id."""

    def __init__(self, lam: Callable[[], Lambda]) -> None:
        self._lambda = lam
        self._servers: dict[str, tuple[_Url, Any]] = {}

    def open(self, identifier: str, region: str, function: str, qualifier: str) -> str:
        """Listen for a URL; its address is returned."""
        url = _Url(identifier=identifier, region=region, function=function, qualifier=qualifier)

        def application(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
            return self._serve(url, environ, start)

        server = Server(application)
        self._servers[identifier] = (url, server)
        threading.Thread(target=server.serve_forever, daemon=True, name=f"url-{function}").start()
        return f"http://127.0.0.1:{server.server_port}/"

    def close(self, identifier: str) -> None:
        """Stop listening for a URL."""
        _, server = self._servers.pop(identifier, (None, None))
        if server is not None:
            server.shutdown()
            server.server_close()

    def close_all(self) -> None:
        """Stop listening for every URL."""
        for identifier in list(self._servers):
            self.close(identifier)

    def by_host(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes] | None:
        """Answer a request whose host names a URL; None where it names none."""
        match = _HOST.fullmatch(environ.get("HTTP_HOST", ""))
        if match is None:
            return None
        url, _ = self._servers.get(match[1].lower(), (None, None))
        if url is None:
            return _send(forbidden(), environ, start)  # as AWS answers for a URL that is not there
        return self._serve(url, environ, start)

    def _serve(self, url: _Url, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        # an event is never smaller than the body in it
        return _send(self._answer(url, read_request(environ, most=limits.PAYLOAD_BYTES)), environ, start)

    def _answer(self, url: _Url, request: HttpRequest) -> HttpResponse:
        lam = self._lambda()
        with lam.state.lock:
            region = lam.state.region(url.region)
            function = region.functions.get(url.function)
            config = function.urls.get(url.qualifier) if function else None
            if function is None or config is None:
                return forbidden()
            signed = config.configuration["AuthType"] == "AWS_IAM"
            key = _access_key(request) if signed else None
            if not (key if signed else open_to_everybody(function, url.qualifier)):
                return forbidden()
            try:
                target = chosen(region, url.function, url.qualifier)
            except ServiceError as error:
                return _refused(error)
        domain = f"{url.identifier}.lambda-url.{url.region}.on.aws"
        caller = lam.services.caller(key, url.region) if key else None
        event = event_of(request, domain=domain, request_id=str(uuid.uuid4()), caller=caller)
        response = _invoke(lam, target, event)
        lam.environments.answered(target, response.status)
        return response


def _access_key(request: HttpRequest) -> str | None:
    """The access key of a signature of the right form; None without one. Any credentials are taken."""
    authorization = next((value for name, value in request.headers if name.lower() == "authorization"), "")
    match = _SIGNED.fullmatch(authorization)
    return match["key"] if match else None


def _invoke(lam: Lambda, target: Target, event: dict[str, Any]) -> HttpResponse:
    payload = orjson.dumps(event)  # a body of a megabyte takes json 4 ms, and this 0.2
    if len(payload) > limits.PAYLOAD_BYTES:
        return _TOO_LONG
    try:
        done = run(lam, target, payload, request_id=event["requestContext"]["requestId"])
    except ServiceError as error:
        return _refused(error)
    return bad_gateway() if done.error else response_of(done.payload)


def _refused(error: ServiceError) -> HttpResponse:
    body = json.dumps({"Message": error.message}).encode()
    headers = (("Content-Type", "application/json"), ("x-amzn-ErrorType", error.code), *error.headers.items())
    return HttpResponse(status=error.status, headers=headers, body=body)


def _send(response: HttpResponse, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
    kept = [(name, value) for name, value in response.headers if name.lower() not in {"content-length", "connection"}]
    start(response.line, [*kept, ("Content-Length", str(len(response.body)))])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [response.body]
