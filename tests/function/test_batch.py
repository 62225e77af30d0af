"""`POST /api/v1/analyze/batch`: each picture has its own result or error, in the request's order."""

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

Api = Callable[..., TestClient]


def ask(client: TestClient, *images: dict[str, Any]) -> Any:
    answer = client.post("/api/v1/analyze/batch", json={"images": images})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
def red(tools: SimpleNamespace) -> str:
    return str(tools.encode(tools.picture(Image.new("RGB", (30, 20), "red"))))


def test_each_picture_has_its_own_result_or_error(
    api: Api, aws: SimpleNamespace, red: str, tools: SimpleNamespace
) -> None:
    aws.answers["DetectFaces"] = tools.rekognition_error("ThrottlingException")
    body = ask(
        api(buckets=("pictures",)),
        {"image": red, "analysis_type": "colors"},
        {"image": "not base64!"},
        {"bucket": "pictures", "key": "cat.jpg", "analysis_type": "labels"},
        {"bucket": "other", "key": "cat.jpg"},
        {"image": red, "analysis_type": "faces"},
        {"image": red},
    )
    assert (body["success"], body["succeeded"], body["failed"]) == (False, 3, 3)
    assert [result["index"] for result in body["results"]] == [0, 1, 2, 3, 4, 5]
    assert [result["status"] for result in body["results"]] == [200, 422, 200, 403, 503, 200]
    for result in body["results"]:
        assert (result["analysis"] is None) != (result["error"] is None)
    tools.is_problem(body["results"][3]["error"], 403, "bucket_not_allowed")
    assert body["results"][3]["error"]["request_id"] == body["request_id"]
    assert body["results"][0]["analysis"]["colors"][0]["name"] == "red"
    assert body["results"][5]["analysis"]["partial"] is True


def test_pictures_run_side_by_side(api: Api, aws: SimpleNamespace, red: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four calls are under way at once: each waits for the others, and would break the barrier alone."""
    barrier = threading.Barrier(4, timeout=10)
    answer = type(aws)._answer

    def together(self: Any, request: Any, event_name: str, **rest: Any) -> Any:
        barrier.wait()
        return answer(self, request, event_name, **rest)

    monkeypatch.setattr(type(aws), "_answer", together)
    assert ask(api(), *[{"image": red, "analysis_type": "text"}] * 4)["succeeded"] == 4


def test_what_is_not_done_in_time_is_an_error_and_the_rest_an_answer(
    api: Api, aws: SimpleNamespace, red: str, monkeypatch: pytest.MonkeyPatch, tools: SimpleNamespace
) -> None:
    """The answer comes before Lambda or a gateway would cut everything off."""
    answer = type(aws)._answer
    over = threading.Event()

    def slow(self: Any, request: Any, event_name: str, **rest: Any) -> Any:
        over.wait(10)
        return answer(self, request, event_name, **rest)

    monkeypatch.setattr(type(aws), "_answer", slow)
    began = time.monotonic()
    body = ask(
        api(request_seconds=0.5), {"image": red, "analysis_type": "colors"}, {"image": red, "analysis_type": "text"}
    )
    assert time.monotonic() - began < 8
    over.set()
    assert body["results"][0]["status"] == 200
    tools.is_problem(body["results"][1]["error"], 504, "not_in_time")


def test_slow_part_leaves_the_others_whole(
    api: Api, aws: SimpleNamespace, red: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = type(aws)._answer
    over = threading.Event()

    def slow(self: Any, request: Any, event_name: str, **rest: Any) -> Any:
        if event_name.endswith("DetectFaces"):
            over.wait(10)
        return answer(self, request, event_name, **rest)

    monkeypatch.setattr(type(aws), "_answer", slow)
    body = api(request_seconds=1).post("/api/v1/analyze", json={"image": red}).json()
    over.set()
    assert body["labels"]
    assert [(error["part"], error["code"]) for error in body["errors"]] == [("faces", "not_in_time")]


@pytest.mark.parametrize("count", [0, 11])
def test_number_of_pictures_is_limited(count: int, api: Api, red: str, tools: SimpleNamespace) -> None:
    answer = api().post("/api/v1/analyze/batch", json={"images": [{"image": red}] * count})
    tools.is_problem(answer.json(), 422, "invalid_request")
