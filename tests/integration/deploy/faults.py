"""Errors of AWS in the place of answers: botocore reads them as the service would have sent them."""

import io
import json

import pytest
from botocore.awsrequest import AWSResponse

from optimizer.deploy.boto.client import Clients


class Raw(io.BytesIO):
    """A body as botocore reads it."""

    def stream(self, amt=65536, **_):
        while chunk := self.read(amt):
            yield chunk


def answer(protocol, code, message, status=400):
    """An error in a service's protocol."""
    headers = {"Content-Type": "application/json"}
    if protocol == "rest-json":
        headers["x-amzn-ErrorType"] = code
        body = json.dumps({"message": message}).encode()
    elif protocol == "json":
        body = json.dumps({"__type": code, "message": message}).encode()
    elif protocol in {"query", "rest-xml"}:
        inner = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        body = (inner if protocol == "rest-xml" else f"<ErrorResponse>{inner}</ErrorResponse>").encode()
    else:
        assert protocol == "smithy-rpc-v2-cbor"
        headers["smithy-protocol"] = "rpc-v2-cbor"
        words = [text for pair in (("__type", code), ("message", message)) for text in pair]
        body = b"\xa2" + b"".join(b"\x79" + len(w).to_bytes(2) + w.encode() for w in words)
    return AWSResponse("https://aws.example", status, headers, Raw(body))


class Faults:
    """`plan(service, operation, url)` gives code, message and status of the error to answer with, or None.

    `changed` are functions by operation that change what the service answered.
    """

    def __init__(self):
        self.plan = lambda *_: None
        self.changed = {}

    def attach(self, client):
        model = client.meta.service_model

        def struck(request, event_name, **_):
            operation = event_name.rpartition(".")[2]
            error = self.plan(model.endpoint_prefix, operation, request.url)
            return error and answer(model.resolved_protocol, *error)

        def change(parsed, event_name, **_):
            self.changed.get(event_name.rpartition(".")[2], lambda _: None)(parsed)

        client.meta.events.register("before-send", struck)
        client.meta.events.register("after-call", change)
        return client


@pytest.fixture
def faults(monkeypatch):
    """Errors that the command's calls are answered with."""
    made, make = Faults(), Clients._make
    monkeypatch.setattr(Clients, "_make", lambda *given, **named: made.attach(make(*given, **named)))
    return made
