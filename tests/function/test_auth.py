"""Who may call: decided by the settings, before a route is chosen and a body is read, and said in the document."""

import asyncio
import hashlib
import json
from base64 import b64decode
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from mangum import Mangum

from app.core.settings import Settings
from app.main import create_app

OPEN = ["/", "/health", "/api/v1/docs", "/api/v1/openapi.json"]
CLOSED = [
    ("GET", "/api/v1/health"),
    ("POST", "/api/v1/analyze"),
    ("POST", "/api/v1/analyze/batch"),
    ("POST", "/api/v1/upload"),
    ("POST", "/api/v1/upload/presigned"),
    ("GET", "/api/v1/analyses"),
    ("GET", "/api/v1/analyses/x"),
    # A stranger doesn't learn what exists.
    ("GET", "/api/v1/analyze"),
    ("OPTIONS", "/api/v1/analyze"),
    ("GET", "/api/v1/nothing"),
    ("GET", "/nothing"),
    ("GET", "/api/v1/docs/"),
    ("HEAD", "/api/v1/health"),
]
KEYS = {"auth": "api-key", "api_keys": tuple(hashlib.sha256(key).hexdigest() for key in (b"first", b"second"))}
ARN = "arn:aws:iam::123456789012:user/somebody"


@pytest.mark.parametrize("auth", [KEYS, {"auth": "iam"}])
@pytest.mark.parametrize("base", ["", "/images"])
def test_open_paths_ask_nobody(auth: dict[str, Any], base: str, api: Callable[..., TestClient]) -> None:
    client = api(**auth, base_path=base)
    assert [client.get(base + path).status_code for path in OPEN] == [200] * 4
    assert [client.head(base + path).status_code for path in OPEN] == [200] * 4


@pytest.mark.parametrize(("method", "path"), CLOSED)
@pytest.mark.parametrize("base", ["", "/images"])
def test_everything_else_asks_for_a_key(
    method: str, path: str, base: str, api: Callable[..., TestClient], tools: SimpleNamespace
) -> None:
    client = api(**KEYS, base_path=base)
    for headers, code in (({}, "api_key_missing"), ({"x-api-key": "third"}, "api_key_unknown")):
        answer = client.request(method, base + path, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("ApiKey ")
        if method != "HEAD":
            tools.is_problem(answer.json(), 401, code)
            assert "third" not in answer.text


@pytest.mark.parametrize("key", ["first", "second"])
def test_each_key_lets_in(key: str, api: Callable[..., TestClient]) -> None:
    client = api(**KEYS)
    assert client.get("/api/v1/health", headers={"X-Api-Key": key}).status_code == 200
    assert client.get("/api/v1/nothing", headers={"x-api-key": key}).status_code == 404


@pytest.mark.parametrize("key", ["", "First", "first,second", KEYS["api_keys"][0], "\u00e9".encode(), b"\xff"])
def test_nearly_a_key_is_none(key: str | bytes, api: Callable[..., TestClient]) -> None:
    """Not even its digest, which stands in the configuration, and nothing that is not ASCII is a fault of ours."""
    client = api(auth="api-key", api_keys=(*KEYS["api_keys"], hashlib.sha256(b"").hexdigest()))
    assert client.get("/api/v1/health", headers={"x-api-key": key}).status_code == 401


def test_without_auth_nobody_is_asked(api: Callable[..., TestClient]) -> None:
    assert api(api_keys=KEYS["api_keys"]).get("/api/v1/health").status_code == 200


def test_every_digest_is_compared(monkeypatch: pytest.MonkeyPatch, api: Callable[..., TestClient]) -> None:
    """Also after one that fits: time tells nothing of which."""
    compared: list[bytes] = []

    def compare(_: bytes, known: bytes) -> bool:
        compared.append(known)
        return True

    monkeypatch.setattr("app.core.auth.hmac.compare_digest", compare)
    api(**KEYS).get("/api/v1/nothing", headers={"x-api-key": "x"})
    assert compared == [digest.encode() for digest in KEYS["api_keys"]]


def test_body_of_a_stranger_is_not_read() -> None:
    app = create_app(Settings(**KEYS))
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        raise AssertionError("the body was read")

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/api/v1/analyze", "query_string": b"", "headers": []}
    loop = asyncio.new_event_loop()  # `asyncio.run` would throw away the adapter's
    loop.run_until_complete(app(scope, receive, send))
    loop.close()
    assert sent[0]["status"] == 401


def identity(**fields: Any) -> dict[str, Any]:
    return {"identity": {"sourceIp": "192.0.2.1", "caller": None, "userArn": None, **fields}}


SIGNED_2 = {"authorizer": {"iam": {"userArn": ARN, "callerId": "AIDA", "accountId": "123456789012"}}}
SIGNED_1 = identity(caller="AIDA", userArn=ARN)


@pytest.mark.parametrize(
    ("source", "context", "status"),
    [
        ("function-url", SIGNED_2, 404),
        ("http-api-proxy", SIGNED_2, 404),
        ("aws-proxy", SIGNED_1, 404),
        ("function-url", {}, 403),
        ("function-url", {"authorizer": None}, 403),
        ("function-url", {"authorizer": {"iam": {"userArn": None}}}, 403),
        ("http-api-proxy", {"authorizer": {"jwt": {"claims": {"iam": ARN}}}}, 403),
        ("http-api-proxy", {"authorizer": {"lambda": {"iam": {"userArn": ARN}}}}, 403),
        ("http-api-proxy", SIGNED_1, 403),
        ("aws-proxy", identity(), 403),
        ("aws-proxy", identity(userArn=ARN), 403),
        ("aws-proxy", identity(apiKey="x"), 403),
        ("aws-proxy", SIGNED_2, 403),
        ("alb", {}, 403),
        ("alb", SIGNED_1, 403),
        ("alb", SIGNED_2, 403),
    ],
)
def test_iam_asks_for_whom_aws_has_authenticated(
    source: str, context: dict[str, Any], status: int, tools: SimpleNamespace
) -> None:
    event = tools.event(source)
    kept = {name: part for name, part in event["requestContext"].items() if name not in {"authorizer", "identity"}}
    event["requestContext"] = {**identity(), **kept, **context} if source == "aws-proxy" else {**kept, **context}
    for place in (event, event["requestContext"], event["requestContext"].get("http", {})):
        for name in {"path", "rawPath"} & place.keys():
            place[name] = "/api/v1/nothing"
    answer = Mangum(create_app(Settings(auth="iam")), lifespan="off")(event, SimpleNamespace(aws_request_id="id-12345"))
    assert answer["statusCode"] == status
    if status == 403:
        body = answer["body"]
        tools.is_problem(json.loads(b64decode(body) if answer["isBase64Encoded"] else body), 403, "iam_required")


def test_iam_believes_no_header(api: Callable[..., TestClient]) -> None:
    """Outside of Lambda nobody has authenticated anybody."""
    forged = json.dumps({"version": "2.0", "requestContext": SIGNED_2})
    headers = {"aws.event": forged, "x-amzn-request-context": forged, "authorization": "AWS4-HMAC-SHA256 Credential=x"}
    assert api(auth="iam").get("/api/v1/health", headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("auth", "status", "other", "scheme"),
    [(KEYS, "401", "403", "apiKey"), ({"auth": "iam"}, "403", "401", "sigv4"), ({}, "", "401", "")],
)
def test_document_says_who_may_call(
    auth: dict[str, Any], status: str, other: str, scheme: str, api: Callable[..., TestClient]
) -> None:
    document = api(**auth).get("/api/v1/openapi.json").json()
    assert list(document["components"].get("securitySchemes", {})) == ([scheme] if scheme else [])
    for path, item in document["paths"].items():
        for operation in item.values():
            closed = bool(scheme) and path not in OPEN
            assert operation.get("security") == ([{scheme: []}] if closed else None), path
            assert (status in operation["responses"]) == closed or path == "/api/v1/analyze", path
            assert other not in operation["responses"] or path == "/api/v1/analyze", path
