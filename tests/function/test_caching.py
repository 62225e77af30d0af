"""What may be kept has a strong tag and is not sent twice; everything else is not kept at all."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from starlette.requests import Request

from app.core.caching import conditional, etag
from app.schemas.service import Liveness

KEPT = ["/api/v1/docs", "/api/v1/openapi.json"]


@pytest.mark.parametrize("path", KEPT)
def test_documentation_is_kept_and_checked(path: str, api: Callable[..., TestClient]) -> None:
    client = api()
    first = client.get(path)
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "public, max-age=300"
    assert tag == etag(first.content) == api().get(path).headers["etag"]
    for asked in (tag, f"W/{tag}", "*", f'"x", W/"y" ,{tag}', f'"a,b",{tag}'):
        again = client.get(path, headers={"if-none-match": asked})
        assert (again.status_code, again.content) == (304, b""), asked
        assert (again.headers["etag"], again.headers["cache-control"]) == (tag, first.headers["cache-control"])
        assert "content-type" not in again.headers
    for asked in ("", '"x"', tag.strip('"'), tag[:-1], f'"{tag}', "W/*"):
        assert client.get(path, headers={"if-none-match": asked}).status_code == 200, asked


def test_documents_of_two_prefixes_differ_in_their_tag(api: Callable[..., TestClient]) -> None:
    client = api(base_path="/images")
    tags = {client.get(f"{prefix}/api/v1/openapi.json").headers["etag"] for prefix in ("", "/images")}
    assert len(tags) == 2


def test_everything_else_is_not_kept(api: Callable[..., TestClient]) -> None:
    for path in ("/", "/health", "/api/v1/health", "/nothing"):
        answer = api().get(path)
        assert answer.headers["cache-control"] == "no-store"
        assert "etag" not in answer.headers


def test_private_content_is_for_the_caller_alone() -> None:
    model = Liveness(success=True, status="healthy", service="s", version="1", timestamp="2026-01-01T00:00:00Z")
    request = Request({"type": "http", "headers": []})
    kept = conditional(request, model, max_age=60, private=True)
    assert kept.headers["cache-control"] == "private, max-age=60"
    assert Liveness.model_validate_json(bytes(kept.body)) == model
    assert conditional(request, model, max_age=0, private=True).headers["cache-control"] == "private, no-cache"
    asked = Request(
        {"type": "http", "headers": [(b"if-none-match", b'"x"'), (b"if-none-match", kept.headers["etag"].encode())]}
    )
    assert conditional(asked, model, max_age=60, private=True).status_code == 304


@pytest.mark.parametrize("path", ["/", "/health", *KEPT])
def test_head_is_get_without_its_content(path: str, api: Callable[..., TestClient]) -> None:
    client = api()
    head, get = client.head(path), client.get(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(get.content)) or path in {"/", "/health"}
    assert head.headers.keys() == get.headers.keys()
    assert client.delete(path).headers["allow"] == "GET, HEAD"
    assert client.head("/api/v1/analyze").status_code == 405
