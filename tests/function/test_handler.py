"""The Lambda handler answers the events that AWS's sources send, in each source's own format.

`aws-proxy` and `http-api-proxy` are what `sam local generate-event apigateway` writes; `alb` and `function-url`
follow the Lambda developer guide's examples.
"""

import base64
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

import lambda_function

CONTEXT = SimpleNamespace(aws_request_id="8476a536-e9f4-11e8-9739-2dfe598c3fcd")
FUNCTION = Path(lambda_function.__file__).parent


def call(event: dict[str, Any]) -> tuple[int, dict[str, Any], dict[str, Any]]:
    """Status, JSON body and headers of the answer, which must be JSON all through, as the runtime client needs it."""
    answer = json.loads(json.dumps(lambda_function.handler(event, CONTEXT)))
    body = base64.b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"]
    headers = answer.get("headers") or {name: values[-1] for name, values in answer["multiValueHeaders"].items()}
    return answer["statusCode"], json.loads(body), {name.lower(): value for name, value in headers.items()}


def at(event: dict[str, Any], method: str, path: str, body: str | None = None) -> dict[str, Any]:
    """The event with another method, path and body, in every place where its source repeats them."""
    event = json.loads(json.dumps(event))
    context = event["requestContext"]
    if "http" in context:
        stage = "" if context["stage"] == "$default" else f"/{context['stage']}"
        event["rawPath"] = context["http"]["path"] = stage + path
        context["http"]["method"] = method
    else:
        event["path"], event["httpMethod"] = path, method
        if "stage" in context:
            context["path"] = f"/{context['stage']}{path}"
    event["body"], event["isBase64Encoded"] = body, False
    for name in ("headers", "multiValueHeaders"):
        if name in event:
            value = "application/json"
            event[name] = {**event[name], "content-type": [value] if name != "headers" else value}
    return event


SOURCES = ["aws-proxy", "http-api-proxy", "alb", "function-url"]


@pytest.mark.parametrize("source", ["aws-proxy", "http-api-proxy"])
def test_generated_event_gets_a_problem_as_text(source: str, tools: SimpleNamespace) -> None:
    """The generators' own path leads nowhere: a 404 in the API's one error shape, not encoded in base64."""
    answer = lambda_function.handler(tools.event(source), CONTEXT)
    assert answer["statusCode"] == 404
    assert answer["isBase64Encoded"] is False
    assert answer["headers"]["content-type"] == "application/problem+json"
    assert answer["headers"]["x-request-id"] == CONTEXT.aws_request_id
    tools.is_problem(json.loads(answer["body"]), 404, "not_found")


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("path", ["/", "/health"])
def test_every_source_reaches_the_service(source: str, path: str, tools: SimpleNamespace) -> None:
    status, body, headers = call(at(tools.event(source), "GET", path))
    assert (status, body["service"]) == (200, "ai-image-analyzer-fastapi")
    assert headers["x-request-id"] == CONTEXT.aws_request_id
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("in_base64", [False, True])
def test_every_source_brings_a_body(source: str, in_base64: bool, tools: SimpleNamespace) -> None:  # noqa: FBT001
    """Gateways hand bodies over as text or in base64."""
    image = tools.encode(tools.picture(Image.new("RGB", (30, 20), "teal")))
    body = json.dumps({"image": image, "analysis_type": "colors"})
    event = at(tools.event(source), "POST", "/api/v1/analyze", body)
    if in_base64:
        event.update(body=tools.encode(body.encode()), isBase64Encoded=True)
    status, answer, _ = call(event)
    assert status == 200
    assert answer["colors"][0]["name"] == "teal"
    assert (answer["image"]["width"], answer["image"]["height"]) == (30, 20)


def test_load_balancer_with_multi_value_headers_gets_them_back(tools: SimpleNamespace) -> None:
    event = tools.event("alb")
    event["multiValueHeaders"] = {name: [value] for name, value in event.pop("headers").items()}
    event["multiValueQueryStringParameters"] = {"query": ["1234ABCD"]}
    del event["queryStringParameters"]
    answer = lambda_function.handler(event, CONTEXT)
    assert answer["statusCode"] == 200
    assert answer["multiValueHeaders"]["x-request-id"] == [CONTEXT.aws_request_id]


def test_rest_stage_stands_before_the_links(tools: SimpleNamespace) -> None:
    """A REST API's path has no stage in it, but its callers need it."""
    _, body, _ = call(at(tools.event("aws-proxy"), "GET", "/"))
    assert (body["docs_url"], body["health_check"]) == ("/prod/api/v1/docs", "/prod/health")
    _, document, _ = call(at(tools.event("aws-proxy"), "GET", "/api/v1/openapi.json"))
    assert document["servers"] == [{"url": "/prod"}]


def test_http_stage_is_taken_off_the_path(tools: SimpleNamespace) -> None:
    """An HTTP API leaves a named stage in the path, on its own domain."""
    event = tools.event("http-api-proxy")
    event["requestContext"]["stage"] = "beta"
    status, body, _ = call(at(event, "GET", "/"))
    assert (status, body["docs_url"]) == (200, "/beta/api/v1/docs")
    event["requestContext"]["http"].update(path="/beta", method="GET")
    assert call({**event, "rawPath": "/beta"})[0] == 200


def test_stage_that_is_no_prefix_changes_nothing(tools: SimpleNamespace) -> None:
    """On a custom domain neither kind of API shows the stage; `api` would else eat the routes' own beginning."""
    rest = at(tools.event("aws-proxy"), "GET", "/")
    rest["requestContext"]["path"] = "/"
    assert call(rest)[1]["docs_url"] == "/api/v1/docs"
    http = at(tools.event("http-api-proxy"), "GET", "/api/v1/openapi.json")
    http["requestContext"].update(stage="api", domainName="images.example.com")
    status, document, _ = call(http)
    assert (status, document["servers"]) == (200, [{"url": "/"}])


def test_event_without_headers_is_answered(tools: SimpleNamespace) -> None:
    """API Gateway's test console sends null."""
    for source in SOURCES:
        event = at(tools.event(source), "GET", "/health")
        event["headers"] = None
        event.pop("multiValueHeaders", None)
        assert call(event)[0] == 200


def test_event_half_in_its_format_is_a_problem(tools: SimpleNamespace) -> None:
    event = at(tools.event("function-url"), "POST", "/api/v1/analyze", "x")
    status, body, _ = call({**event, "isBase64Encoded": True})
    assert (status, body["code"]) == (400, "unreadable_event")


def test_import_loads_neither_aws_nor_pillow() -> None:
    """They are loaded by the first request that needs them: a cold start for /health needs neither."""
    code = "import lambda_function, sys; print([n for n in ('boto3', 'botocore', 'PIL') if n in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], cwd=FUNCTION, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
