"""What the service says of itself, its documentation, and its one shape for errors."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient

from app.core.settings import Settings
from app.main import create_app


def test_root_says_what_this_is_and_where_to_go(api: Callable[..., TestClient]) -> None:
    body = api().get("/").json()
    assert body.keys() == {"success", "service", "version", "description", "docs_url", "health_check", "timestamp"}
    assert body["service"] == "ai-image-analyzer-fastapi"
    for link in (body["docs_url"], body["health_check"]):
        assert api().get(link).status_code == 200
    assert abs((datetime.now(UTC) - datetime.fromisoformat(body["timestamp"])).total_seconds()) < 60


def test_liveness_asks_nobody(api: Callable[..., TestClient], aws: SimpleNamespace) -> None:
    body = api().get("/health").json()
    assert (body["success"], body["status"]) == (True, "healthy")
    assert aws.calls == []


def test_base_path_is_taken_off_and_put_before_links(api: Callable[..., TestClient]) -> None:
    client = api(base_path="/images")
    assert client.get("/images/").json()["docs_url"] == "/images/api/v1/docs"
    assert client.get("/images").status_code == 200
    assert client.get("/health").status_code == 200
    assert client.get("/imageshealth").status_code == 404


def test_docs_page_names_no_other_host(api: Callable[..., TestClient]) -> None:
    answer = api().get("/api/v1/docs")
    assert answer.headers["content-type"].startswith("text/html")
    assert "connect-src 'self'" in answer.headers["content-security-policy"]
    assert not re.search(r"https?://|//cdn", answer.text)
    assert 'fetch("openapi.json")' in answer.text


def test_document_describes_every_answer_with_problems(api: Callable[..., TestClient]) -> None:
    document = api().get("/api/v1/openapi.json").json()
    assert set(document["paths"]) == {
        "/",
        "/health",
        "/api/v1/health",
        "/api/v1/analyze",
        "/api/v1/analyze/batch",
        "/api/v1/upload",
        "/api/v1/upload/presigned",
        "/api/v1/analyses",
        "/api/v1/analyses/{analysis_id}",
    }
    responses = document["paths"]["/api/v1/analyze"]["post"]["responses"]
    assert set(responses) == {"200", "400", "403", "404", "413", "415", "422", "500", "502", "503", "504"}
    assert all("application/problem+json" in responses[status]["content"] for status in responses if status != "200")
    assert "HTTPValidationError" not in json.dumps(document)
    operations = [one["operationId"] for path in document["paths"].values() for one in path.values()]
    assert sorted(operations) == [
        "analyze",
        "analyze_batch",
        "get_analysis",
        "health",
        "list_analyses",
        "liveness",
        "root",
        "upload",
        "upload_presigned",
    ]


def test_document_is_complete(api: Callable[..., TestClient]) -> None:
    """Every answer has its request id, every tag a description, and every operation what a fault of ours looks like."""
    document = api().get("/api/v1/openapi.json").json()
    described = {tag["name"] for tag in document["tags"] if tag["description"]}
    assert document["info"].keys() == {"title", "version", "description"}
    assert document["components"]["schemas"]["Problem"]["examples"]
    for item in document["paths"].values():
        for operation in item.values():
            assert set(operation["tags"]) <= described
            assert operation["summary"]
            assert operation["description"]
            assert "500" in operation["responses"]
            assert list(operation["responses"]) == sorted(operation["responses"])
            for status, response in operation["responses"].items():
                assert response["description"]
                assert response["headers"]["x-request-id"]["required"]
                kinds = set(response.get("content", {"application/json": {}}))
                kind = (
                    "json"
                    if status < "400" or (operation["operationId"], status) == ("health", "503")
                    else "problem+json"
                )
                assert kinds == {f"application/{kind}"}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nope", 404, "not_found"),
        ("GET", "/health/", 404, "not_found"),
        ("PUT", "/api/v1/analyze", 405, "method_not_allowed"),
        ("POST", "/", 405, "method_not_allowed"),
        ("OPTIONS", "/", 405, "method_not_allowed"),
        ("TRACE", "/health", 405, "method_not_allowed"),
        ("QUERY", "/api/v1/docs", 405, "method_not_allowed"),
    ],
)
def test_wrong_address_is_a_problem(  # noqa: PLR0917
    method: str, path: str, status: int, code: str, api: Callable[..., TestClient], tools: SimpleNamespace
) -> None:
    answer = api().request(method, path)
    assert answer.headers["content-type"] == "application/problem+json"
    tools.is_problem(answer.json(), status, code)
    assert ("allow" in answer.headers) == (status == 405)


@pytest.mark.parametrize(
    ("content", "media_type", "status", "code"),
    [
        (b"{", "application/json", 400, "invalid_json"),
        (b'"\xff"', "application/json", 400, "invalid_json"),
        (b"[" * 100_000, "application/json", 400, "invalid_json"),
        (b"{}", "text/plain", 415, "unsupported_media_type"),
        (b"{}", "", 415, "unsupported_media_type"),
        (b"", "application/json", 400, "invalid_json"),
        (b"[]", "application/json", 422, "invalid_request"),
        (b"{}", "application/json", 422, "invalid_request"),
        (b'{"image": "eA==", "bucket": "abc", "key": "x"}', "application/json", 422, "invalid_request"),
        (b'{"bucket": "abc"}', "application/json", 422, "invalid_request"),
        (b'{"image": "eA==", "analysis_type": "taste"}', "application/json", 422, "invalid_request"),
        (b'{"image": "eA==", "min_confidence": NaN}', "application/json", 422, "invalid_request"),
        (b'{"image": "eA==", "max_labels": 0}', "application/json", 422, "invalid_request"),
        (b'{"image": "eA==", "max_labels": "5"}', "application/json", 422, "invalid_request"),
        (b'{"image": "\\ud800"}', "application/json", 400, "invalid_json"),
        (b'{"\\ud800": 1}', "application/json", 400, "invalid_json"),
        (b'{"bucket": "a/../b", "key": "x"}', "application/json", 422, "invalid_request"),
        (b'{"image": "not base64!"}', "application/json", 422, "invalid_base64"),
        (b'{"image": "===="}', "application/json", 422, "invalid_base64"),
    ],
)
def test_bad_request_is_a_problem(  # noqa: PLR0917
    content: bytes, media_type: str, status: int, code: str, api: Callable[..., TestClient], tools: SimpleNamespace
) -> None:
    answer = api().post("/api/v1/analyze", content=content, headers={"content-type": media_type})
    tools.is_problem(answer.json(), status, code)
    if code in {"invalid_request", "invalid_base64"}:
        assert all(error["field"].startswith("body") and error["message"] for error in answer.json()["errors"])


def test_errors_name_the_field_and_not_its_value(api: Callable[..., TestClient]) -> None:
    body = {"image": "c2VjcmV0", "min_confidence": "sEcReT"}
    answer = api().post("/api/v1/analyze", json=body)
    assert answer.json()["errors"][0]["field"] == "body.min_confidence"
    assert "sEcReT" not in answer.text


@pytest.mark.parametrize("chunked", [False, True])
def test_body_over_the_limit_is_refused(
    chunked: bool,  # noqa: FBT001
    api: Callable[..., TestClient],
    tools: SimpleNamespace,
) -> None:
    """Both where the length is announced and where it only shows."""
    content = b"x" * 200_000
    answer = api(max_image_bytes=1000).post(
        "/api/v1/analyze",
        content=iter([content[:1000], content[1000:]]) if chunked else content,
        headers={"content-type": "application/json"},
    )
    tools.is_problem(answer.json(), 413, "body_too_large")


def test_fault_of_ours_shows_nothing_but_the_request_id(
    tools: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    app = create_app(Settings())

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("the password is hunter2")

    answer = TestClient(app).get("/broken", headers={"x-request-id": "caller-0001"})
    tools.is_problem(answer.json(), 500, "internal_error")
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == "caller-0001"
    assert "hunter2" not in answer.text
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in lines] == ["unhandled", "request"]
    assert lines[0]["error_type"] == "builtins.RuntimeError"
    assert lines[0]["frames"][-1].endswith("broken")
    assert "hunter2" not in json.dumps(lines)


def test_request_id_of_a_caller_is_kept_only_where_harmless(api: Callable[..., TestClient]) -> None:
    given = "trace-1234"
    assert api().get("/health", headers={"x-request-id": given}).headers["x-request-id"] == given
    forged = 'x" injected'
    assert api().get("/health", headers={"x-request-id": forged}).headers["x-request-id"] != forged


def test_each_request_is_one_line_of_json(api: Callable[..., TestClient], capsys: pytest.CaptureFixture[str]) -> None:
    api(metrics=False).get("/health?secret=1", headers={"authorization": "Bearer secret"})
    (text,) = capsys.readouterr().out.splitlines()
    line = json.loads(text)
    names = {"timestamp", "level", "event", "request_id", "method", "path", "operation", "status", "duration_ms"}
    assert line.keys() - {"cold_start"} == names
    assert (line["method"], line["path"], line["status"]) == ("GET", "/health", 200)
    assert "secret" not in text
