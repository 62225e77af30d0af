"""Pages of the configured origins may call and read every answer, errors too; others get nothing to read."""

import json
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient
from mangum import Mangum

from app.core.settings import Settings
from app.main import create_app

PAGE = "https://app.example.com"
CORS = {"cors_origins": (PAGE, "https://other.example.com")}


def ask(method: str, headers: str = "content-type", origin: str = PAGE) -> dict[str, str]:
    return {"origin": origin, "access-control-request-method": method, "access-control-request-headers": headers}


@pytest.mark.parametrize("auth", ["none", "api-key", "iam"])
def test_preflight_says_what_may_be_sent_and_needs_no_key(auth: str, api: Callable[..., TestClient]) -> None:
    names = "authorization,content-type,if-none-match,x-amz-content-sha256,x-amz-date,x-amz-security-token,x-api-key"
    answer = api(**CORS, auth=auth).options("/api/v1/analyze", headers=ask("POST", names))
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert set(names.split(",")) < set(answer.headers["access-control-allow-headers"].lower().split(", "))
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD, POST"
    assert int(answer.headers["access-control-max-age"]) == 7200
    assert "Origin" in answer.headers["vary"]
    assert "access-control-allow-credentials" not in answer.headers
    assert "content-length" not in answer.headers
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize("refused", [ask("DELETE"), ask("POST", "cookie"), ask("POST", origin="https://evil.example")])
def test_refused_preflight_is_a_problem(
    refused: dict[str, str], api: Callable[..., TestClient], tools: SimpleNamespace
) -> None:
    answer = api(**CORS).options("/api/v1/analyze", headers=refused)
    assert answer.headers["content-type"] == "application/problem+json"
    tools.is_problem(answer.json(), 400, "cors_refused")
    assert ("access-control-allow-origin" in answer.headers) == (refused["origin"] == PAGE)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/health", 200), ("GET", "/api/v1/nothing", 401), ("GET", "/broken", 500), ("POST", "/health", 405)],
)
@pytest.mark.parametrize("origin", [PAGE, "https://evil.example", None])
@pytest.mark.parametrize("under_mangum", [False, True])
def test_every_answer_can_be_read_by_the_page_and_by_no_other(  # noqa: PLR0917
    method: str,
    path: str,
    status: int,
    origin: str | None,
    under_mangum: bool,  # noqa: FBT001
    tools: SimpleNamespace,
) -> None:
    app = create_app(Settings(**CORS, auth="api-key", api_keys=("0" * 64,)))

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError

    if path == "/broken":  # the key guards it; the fault must be reached
        app = create_app(Settings(**CORS))
        app.get("/broken")(broken)
    sent = {"origin": origin} if origin else {}
    if under_mangum:
        event = tools.event("function-url")
        event["headers"] = sent
        event["requestContext"]["http"].update(method=method, path=path)
        got = Mangum(app, lifespan="off")(event, None)
        found, headers = got["statusCode"], got["headers"]
    else:
        answer = TestClient(app).request(method, path, headers=sent)
        found, headers = answer.status_code, answer.headers
    assert found == status
    assert headers.get("access-control-allow-origin") == (PAGE if origin == PAGE else None)
    assert headers["vary"] == "Origin"
    if origin == PAGE:
        exposed = set(headers["access-control-expose-headers"].split(", "))
        assert {"x-request-id", "etag", "location", "retry-after", "link"} <= exposed


def test_any_origin_needs_no_echo(api: Callable[..., TestClient]) -> None:
    assert (
        api(cors_origins=("*",)).get("/health", headers={"origin": PAGE}).headers["access-control-allow-origin"] == "*"
    )


def test_without_origins_there_is_no_cors(api: Callable[..., TestClient], tools: SimpleNamespace) -> None:
    assert not [n for n in api().get("/health", headers={"origin": PAGE}).headers if n.startswith("access-control")]
    tools.is_problem(api().options("/health", headers=ask("GET")).json(), 405, "method_not_allowed")
    assert json.dumps(list(api().options("/health").headers)).count("vary") == 0
