"""Serves function URLs: each has a port of its own, so that its paths begin at the root as on AWS."""

from __future__ import annotations

import json
import re
import threading
import uuid
from typing import TYPE_CHECKING, Any

from werkzeug.serving import make_server

from optimizer import limits
from optimizer.local.http import QuietHandler, ThreadedServer
from optimizer.local.operations.invoke import chosen, run
from optimizer.local.operations.permissions import open_to_everybody
from optimizer.local.protocol import ServiceError
from optimizer.local.state import ACCOUNT
from optimizer.local.url_events import HttpRequest, HttpResponse, bad_gateway, event_of, forbidden, response_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from optimizer.local.service import Lambda

_SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=[^/,]+/\d{8}/(?P<region>[^/]+)/lambda/aws4_request, ?SignedHeaders=[^,]+, ?Signature=[0-9a-f]{64}"
)


class UrlListeners:
    """The listeners by the URL's id."""

    def __init__(self, lam: Callable[[], Lambda]) -> None:
        self._lambda = lam
        self._servers: dict[str, Any] = {}

    def open(self, identifier: str, region: str, function: str, qualifier: str) -> str:
        """Listen for a URL; its address is returned."""

        def application(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
            response = self._serve(environ, identifier, region, function, qualifier)
            headers = [(k, v) for k, v in response.headers if k.lower() != "content-length"]
            start(f"{response.status} -", [*headers, ("Content-Length", str(len(response.body)))])
            return [response.body]

        server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=QuietHandler)
        self._servers[identifier] = server
        threading.Thread(target=server.serve_forever, daemon=True, name=f"url-{function}").start()
        return f"http://127.0.0.1:{server.server_port}/"

    def close(self, identifier: str) -> None:
        """Stop listening for a URL."""
        server = self._servers.pop(identifier, None)
        if server is not None:
            server.shutdown()
            server.server_close()

    def close_all(self) -> None:
        """Stop listening for every URL."""
        for identifier in list(self._servers):
            self.close(identifier)

    def _serve(self, environ: WSGIEnvironment, identifier: str, region: str, name: str, qualifier: str) -> HttpResponse:
        lam = self._lambda()
        request = ThreadedServer.request(environ)
        with lam.state.lock:
            function = lam.state.region(region).functions.get(name)
            url = function.urls.get(qualifier) if function else None
            if function is None or url is None:
                return HttpResponse(status=404, headers=(), body=b"")
            if url.configuration["AuthType"] == "AWS_IAM":
                authorization = next((v for k, v in request.headers if k.lower() == "authorization"), "")
                allowed = _SIGNED.fullmatch(authorization) is not None
            else:
                allowed = open_to_everybody(function, qualifier)
            if not allowed:
                return forbidden()
            try:
                function, version, snapshot = chosen(lam.state.region(region), name, qualifier)
            except ServiceError as error:
                return _service_error(error)
        return self._invoke(lam, request, function, version, snapshot, f"{identifier}.lambda-url.{region}.on.aws")

    @staticmethod
    def _invoke(
        lam: Lambda, request: HttpRequest, function: Any, version: str, snapshot: Any, domain: str
    ) -> HttpResponse:
        event = event_of(request, domain=domain, account=ACCOUNT, request_id=str(uuid.uuid4()))
        payload = json.dumps(event).encode()
        if len(payload) > limits.PAYLOAD_BYTES:
            return HttpResponse(
                status=413, headers=(("Content-Type", "application/json"),), body=b'{"Message":"Request Too Long"}'
            )
        try:
            done = run(lam, function, version, snapshot, payload, f"{function.arn}:{version}")
        except ServiceError as error:
            return _service_error(error)
        if done.error:
            return bad_gateway()
        return response_of(done.payload)


def _service_error(error: ServiceError) -> HttpResponse:
    body = json.dumps({"Message": error.message}).encode()
    headers = (("Content-Type", "application/json"), ("x-amzn-ErrorType", error.code), *error.headers.items())
    return HttpResponse(status=error.status, headers=headers, body=body)
