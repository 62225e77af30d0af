"""One API, the same everywhere: uvicorn, REST and HTTP APIs with a stage and without, function URLs, load balancers."""

import base64
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from PIL import Image

import lambda_function

FUNCTION = Path(lambda_function.__file__).parent
CONTEXT = SimpleNamespace(aws_request_id="8476a536-e9f4-11e8-9739-2dfe598c3fcd")
EVENTS = Path(__file__).with_name("events")
# What differs from call to call.
PASSING = ("request_id", "timestamp", "analyzed_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    method: str = "GET"
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


def rest(asked: Asked, stage: str) -> dict[str, Any]:
    event = json.loads((EVENTS / "aws-proxy.json").read_text("utf-8"))
    event.update(path=asked.path, httpMethod=asked.method)
    # A custom domain shows no stage in the path.
    event["requestContext"].update(path=(f"/{stage}" if stage else "") + asked.path, stage=stage or "prod")
    event["headers"] = {**event["headers"], **asked.headers}
    event["multiValueHeaders"] = {name: [value] for name, value in event["headers"].items()}
    pairs = parse_qsl(asked.query)
    event["queryStringParameters"] = dict(pairs) or None
    event["multiValueQueryStringParameters"] = {name: [value] for name, value in pairs} or None
    return event


def http_api(asked: Asked, stage: str) -> dict[str, Any]:
    event = json.loads((EVENTS / "http-api-proxy.json").read_text("utf-8"))
    path = (f"/{stage}" if stage else "") + asked.path
    event.update(rawPath=path, rawQueryString=asked.query)
    event["requestContext"]["http"].update(path=path, method=asked.method)
    event["requestContext"]["stage"] = stage or "$default"
    event["headers"] = {**event["headers"], **asked.headers}
    return event


def function_url(asked: Asked) -> dict[str, Any]:
    event = json.loads((EVENTS / "function-url.json").read_text("utf-8"))
    event.update(rawPath=asked.path, rawQueryString=asked.query)
    event["requestContext"]["http"].update(path=asked.path, method=asked.method)
    event["headers"] = {**event["headers"], **asked.headers}
    return event


def balancer(asked: Asked, *, multi: bool) -> dict[str, Any]:
    event = json.loads((EVENTS / "alb.json").read_text("utf-8"))
    event.update(path=asked.path, httpMethod=asked.method)
    event["headers"] = {**event["headers"], **asked.headers}
    pairs = parse_qsl(asked.query)
    event["queryStringParameters"] = dict(pairs)
    if multi:
        event["multiValueHeaders"] = {name: [value] for name, value in event.pop("headers").items()}
        event["multiValueQueryStringParameters"] = {name: [value] for name, value in pairs}
        del event["queryStringParameters"]
    return event


SOURCES: dict[str, tuple[str, Callable[[Asked], dict[str, Any]]]] = {
    "REST API": ("/prod", lambda asked: rest(asked, "prod")),
    "REST API on its domain": ("", lambda asked: rest(asked, "")),
    "HTTP API": ("", lambda asked: http_api(asked, "")),
    "HTTP API with a stage": ("/beta", lambda asked: http_api(asked, "beta")),
    "function URL": ("", function_url),
    "load balancer": ("", lambda asked: balancer(asked, multi=False)),
    "load balancer with multi-value headers": ("", lambda asked: balancer(asked, multi=True)),
}


def by_event(event: dict[str, Any], body: bytes) -> Answer:
    """The answer to an event, whose body is in base64 as gateways send what may be binary."""
    event.update(body=base64.b64encode(body).decode() if body else None, isBase64Encoded=bool(body))
    answer = json.loads(json.dumps(lambda_function.handler(event, CONTEXT)))
    headers = answer.get("headers") or {name: values[-1] for name, values in answer["multiValueHeaders"].items()}
    got = base64.b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"].encode()
    return Answer(
        status=answer["statusCode"], headers={name.lower(): value for name, value in headers.items()}, body=got
    )


@pytest.fixture(scope="module")
def uvicorn() -> Iterator[Callable[[Asked], Answer]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANALYZER_")}
    command = [sys.executable, "-m", "uvicorn", "app.main:app", "--port", str(port), "--log-level", "warning"]
    with subprocess.Popen(command, cwd=FUNCTION, env=environment, stdout=subprocess.DEVNULL) as server:
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
                for _ in range(200):
                    try:
                        client.get("/health")
                        break
                    except httpx.TransportError:
                        time.sleep(0.1)

                def call(asked: Asked) -> Answer:
                    address = asked.path + (f"?{asked.query}" if asked.query else "")
                    got = client.request(asked.method, address, headers=asked.headers, content=asked.body)
                    return Answer(status=got.status_code, headers=dict(got.headers), body=got.content)

                yield call
        finally:
            server.terminate()


def questions() -> dict[str, tuple[int, Asked]]:
    from io import BytesIO

    target = BytesIO()
    Image.new("RGB", (30, 20), "teal").save(target, "PNG")
    data = target.getvalue()
    typed = {"content-type": "application/json"}
    form = httpx.Request("POST", "http://x", files={"image": ("a.png", data)}, data={"analysis_type": "colors"})
    image = base64.b64encode(data).decode()
    analyze = {"method": "POST", "path": "/api/v1/analyze"}
    return {
        "root": (200, Asked(path="/")),
        "health": (200, Asked(path="/health")),
        "docs": (200, Asked(path="/api/v1/docs")),
        "document": (200, Asked(path="/api/v1/openapi.json")),
        "nowhere": (404, Asked(path="/nope")),
        "method": (405, Asked(method="PUT", path="/api/v1/analyze", headers=typed, body=b"{}")),
        "query": (422, Asked(path="/api/v1/analyses", query="limit=0&cursor=a%20b")),
        "no store": (501, Asked(path="/api/v1/analyses", query="limit=1")),
        "bad JSON": (400, Asked(**analyze, headers=typed, body=b"{")),
        "no type": (415, Asked(**analyze, headers={"content-type": "text/plain"}, body=b"x")),
        "colours of JSON": (
            200,
            Asked(**analyze, headers=typed, body=json.dumps({"image": image, "analysis_type": "colors"}).encode()),
        ),
        "colours of a file": (
            200,
            Asked(**analyze, headers={"content-type": form.headers["content-type"]}, body=form.read()),
        ),
        "batch": (
            200,
            Asked(
                method="POST",
                path="/api/v1/analyze/batch",
                headers=typed,
                body=json.dumps({"images": [{"image": image, "analysis_type": "colors"}, {"image": "?"}]}).encode(),
            ),
        ),
    }


QUESTIONS = questions()


def without_what_passes(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_what_passes(one) for name, one in value.items() if name not in PASSING}
    return [without_what_passes(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_source_gets_the_same_answer(question: str, uvicorn: Callable[[Asked], Answer]) -> None:
    """Status, media type and body; only the prefix of links is the source's own."""
    status, asked = QUESTIONS[question]
    expected = uvicorn(asked)
    assert expected.status == status
    assert expected.headers["x-request-id"]
    for name, (prefix, make) in SOURCES.items():
        got = by_event(make(asked), asked.body)
        assert (got.status, got.headers["content-type"]) == (status, expected.headers["content-type"]), name
        assert got.headers["x-request-id"] == CONTEXT.aws_request_id, name
        if question == "docs":
            assert got.body == expected.body, name
            continue
        body, wanted = (without_what_passes(json.loads(one.body)) for one in (got, expected))
        if question == "root":
            wanted.update({link: prefix + wanted[link] for link in ("docs_url", "health_check")})
        if question == "document":
            wanted["servers"] = [{"url": prefix or "/"}]
        if question in {"nowhere", "method"}:
            body.pop("detail")  # has the path, with its prefix
            wanted.pop("detail")
        assert body == wanted, name
