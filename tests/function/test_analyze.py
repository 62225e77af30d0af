"""`POST /api/v1/analyze`: what is asked of AWS, what comes back, and what each failure becomes."""

import base64
import json
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from botocore import exceptions
from fastapi.testclient import TestClient
from PIL import Image

URL = "https://rekognition.ap-southeast-1.amazonaws.com/"
Api = Callable[..., TestClient]


@pytest.fixture
def image(tools: SimpleNamespace) -> str:
    return tools.encode(tools.picture(Image.new("RGB", (100, 50), "red")))


def ask(client: TestClient, **body: Any) -> Any:
    return client.post("/api/v1/analyze", json=body)


def test_labels_come_with_confidence_categories_and_boxes(api: Api, aws: SimpleNamespace, image: str) -> None:
    body = ask(api(), image=image, analysis_type="labels", min_confidence=80, max_labels=7).json()
    assert body["labels"] == [
        {
            "name": "Cat",
            "confidence": 98.77,
            "categories": ["Animals and Pets"],
            "parents": ["Animal"],
            "boxes": [{"left": 0.1, "top": 0.2, "width": 0.3, "height": 0.4}],
        }
    ]
    ((operation, request),) = aws.calls
    assert operation == "DetectLabels"
    assert request == {"Image": {"Bytes": image}, "MinConfidence": 80, "MaxLabels": 7}
    assert (body["partial"], body["errors"], body["text"], body["colors"]) == (False, [], None, None)


def test_text_is_lines_above_the_confidence(api: Api, image: str) -> None:
    body = ask(api(), image=image, analysis_type="text").json()
    assert body["text"] == [{"text": "EXIT NOW", "confidence": 99.1, "box": None}]


def test_faces_are_described_and_not_identified(api: Api, aws: SimpleNamespace, image: str) -> None:
    (face,) = ask(api(), image=image, analysis_type="faces").json()["faces"]
    assert face == {
        "confidence": 99.9,
        "box": {"left": 0.5, "top": 0.5, "width": 0.1, "height": 0.1},
        "age_range": {"low": 20, "high": 30},
        "smile": True,
        "emotions": ["happy"],
    }
    assert [operation for operation, _ in aws.calls] == ["DetectFaces"]


def test_moderation_names_what_it_belongs_to(api: Api, image: str) -> None:
    body = ask(api(), image=image, analysis_type="moderation").json()
    assert body["moderation"] == [{"name": "Weapons", "parent": "Violence", "confidence": 80.0}]


def test_colors_of_an_inline_picture_ask_nobody(api: Api, aws: SimpleNamespace, image: str) -> None:
    body = ask(api(), image=f"data:image/png;base64,{image}", analysis_type="colors").json()
    assert body["colors"] == [{"name": "red", "hex": "#ff0000", "rgb": [255, 0, 0], "share": 1.0}]
    assert body["image"]["format"] == "PNG"
    assert aws.calls == []


def test_comprehensive_is_all_parts(api: Api, aws: SimpleNamespace, image: str) -> None:
    body = ask(api(), image=image).json()
    assert body["analysis_type"] == "comprehensive"
    assert all(body[part] for part in ("labels", "text", "faces", "moderation", "colors"))
    assert len(aws.calls) == 4


def test_comprehensive_runs_side_by_side(
    api: Api, aws: SimpleNamespace, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All four calls are under way at once: each waits for the others, and would break the barrier alone."""
    barrier = threading.Barrier(4, timeout=10)
    answer = type(aws)._answer

    def together(self: Any, request: Any, event_name: str, **rest: Any) -> Any:
        barrier.wait()
        return answer(self, request, event_name, **rest)

    monkeypatch.setattr(type(aws), "_answer", together)
    assert ask(api(), image=image).json()["partial"] is False


def test_failed_part_leaves_the_others_whole(
    api: Api, aws: SimpleNamespace, image: str, tools: SimpleNamespace
) -> None:
    aws.answers["DetectFaces"] = tools.rekognition_error("AccessDeniedException")
    aws.answers["DetectText"] = {"not": "an answer"}  # a fault in our own code, not AWS's
    answer = ask(api(), image=image)
    body = answer.json()
    assert (answer.status_code, body["success"], body["partial"]) == (200, True, True)
    assert body["faces"] is None
    assert body["labels"]
    assert body["colors"]
    errors = {error["part"]: (error["status"], error["code"]) for error in body["errors"]}
    assert errors["faces"] == (502, "rekognition_denied")
    assert errors["text"][0] in {500, 502}


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        ("AccessDeniedException", 502, "rekognition_denied"),
        ("UnrecognizedClientException", 502, "rekognition_credentials"),
        ("ThrottlingException", 503, "rekognition_throttled"),
        ("ProvisionedThroughputExceededException", 503, "rekognition_throttled"),
        ("InvalidImageFormatException", 415, "image_format_unsupported"),
        ("ImageTooLargeException", 413, "image_too_large"),
        ("InvalidParameterException", 422, "image_rejected"),
        ("InternalServerError", 502, "rekognition_failed"),
        (exceptions.ReadTimeoutError(endpoint_url=URL), 504, "rekognition_timeout"),
        (exceptions.ConnectTimeoutError(endpoint_url=URL), 504, "rekognition_timeout"),
        (exceptions.EndpointConnectionError(endpoint_url=URL), 502, "rekognition_unreachable"),
        (exceptions.ProxyConnectionError(proxy_url=URL), 502, "rekognition_unreachable"),
        (exceptions.NoCredentialsError(), 502, "rekognition_unconfigured"),
    ],
)
def test_failure_of_the_one_thing_asked_for_is_a_problem(  # noqa: PLR0917
    failure: str | Exception, status: int, code: str, api: Api, aws: SimpleNamespace, image: str, tools: SimpleNamespace
) -> None:
    aws.answers["DetectLabels"] = tools.rekognition_error(failure) if isinstance(failure, str) else failure
    answer = ask(api(), image=image, analysis_type="labels")
    assert answer.status_code == status
    tools.is_problem(answer.json(), status, code)
    assert ("retry-after" in answer.headers) == (status in {503, 504})


def test_denied_names_the_permission(api: Api, aws: SimpleNamespace, image: str) -> None:
    aws.answers["DetectLabels"] = (403, b"")
    answer = ask(api(), image=image, analysis_type="labels").json()
    assert (answer["code"], answer["status"]) == ("rekognition_denied", 502)
    assert "rekognition:DetectLabels" in answer["detail"]


def test_comprehensive_where_nothing_succeeds_is_a_problem(
    api: Api, aws: SimpleNamespace, tools: SimpleNamespace
) -> None:
    for operation in ("DetectLabels", "DetectText", "DetectFaces"):
        aws.answers[operation] = tools.rekognition_error("ThrottlingException")
    aws.answers["DetectModerationLabels"] = tools.rekognition_error("AccessDeniedException")
    cut = tools.picture(Image.effect_noise((200, 200), 50))[:5000]  # its pixels can't be decoded either
    answer = ask(api(), image=tools.encode(cut))
    tools.is_problem(answer.json(), 502, "all_parts_failed")
    assert "labels: rekognition_throttled" in answer.json()["detail"]
    assert "colors: image_damaged" in answer.json()["detail"]


def test_rekognition_reads_objects_itself(api: Api, aws: SimpleNamespace) -> None:
    """It takes larger pictures that way, and they don't travel to it from the function."""
    body = ask(api(), bucket="pictures", key="cat.jpg", analysis_type="labels").json()
    (read, _), (_, request) = aws.calls
    assert read == "GetObject"
    assert request["Image"] == {"S3Object": {"Bucket": "pictures", "Name": "cat.jpg"}}
    assert (body["image"]["width"], body["image"]["height"]) == (60, 40)
    assert body["labels"]


def test_object_of_a_format_that_rekognition_does_not_take_goes_to_it_as_jpeg(
    api: Api, aws: SimpleNamespace, tools: SimpleNamespace
) -> None:
    aws.answers["GetObject"] = (200, tools.picture(Image.new("RGB", (60, 40), "red"), "WEBP"))
    assert ask(api(), bucket="pictures", key="cat.webp", analysis_type="labels").json()["labels"]
    assert base64.b64decode(aws.calls[-1][1]["Image"]["Bytes"]).startswith(b"\xff\xd8")


def test_colors_of_an_object_read_it(api: Api, aws: SimpleNamespace) -> None:
    body = ask(api(), bucket="pictures", key="a b/cat.jpg", analysis_type="colors").json()
    assert [operation for operation, _ in aws.calls] == ["GetObject"]
    assert (body["image"]["width"], body["image"]["height"]) == (60, 40)
    assert body["colors"][0]["name"] == "red"


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (("NoSuchKey", 404), 404, "object_not_found"),
        (("NoSuchBucket", 404), 404, "bucket_not_found"),
        (("AccessDenied", 403), 502, "s3_denied"),
        (("InvalidObjectState", 403), 422, "object_archived"),
        (("SlowDown", 503), 503, "s3_throttled"),
        (("InternalError", 500), 502, "s3_failed"),
        (exceptions.ReadTimeoutError(endpoint_url=URL), 504, "s3_timeout"),
    ],
)
def test_object_that_cannot_be_read_is_a_problem(  # noqa: PLR0917
    failure: Any, status: int, code: str, api: Api, aws: SimpleNamespace, tools: SimpleNamespace
) -> None:
    aws.answers["GetObject"] = tools.s3_error(*failure) if isinstance(failure, tuple) else failure
    answer = ask(api(), bucket="pictures", key="cat.jpg", analysis_type="colors")
    tools.is_problem(answer.json(), status, code)


def test_object_over_the_limit_and_empty_object_are_refused(
    api: Api, aws: SimpleNamespace, tools: SimpleNamespace
) -> None:
    aws.answers["GetObject"] = (200, b"x" * 1001)
    asked = {"bucket": "pictures", "key": "cat.jpg", "analysis_type": "colors"}
    tools.is_problem(ask(api(max_object_bytes=1000), **asked).json(), 413, "image_too_large")
    aws.answers["GetObject"] = (200, b"")
    tools.is_problem(ask(api(), **asked).json(), 422, "image_empty")


def test_bucket_outside_the_list_is_refused_before_any_call(
    api: Api, aws: SimpleNamespace, tools: SimpleNamespace
) -> None:
    client = api(buckets=("pictures",))
    answer = ask(client, bucket="payroll", key="x", analysis_type="labels")
    tools.is_problem(answer.json(), 403, "bucket_not_allowed")
    assert aws.calls == []
    assert ask(client, bucket="pictures", key="x", analysis_type="labels").status_code == 200


def test_picture_stays_out_of_the_log(
    api: Api, aws: SimpleNamespace, image: str, tools: SimpleNamespace, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither a good picture nor a faulty one, nor a bucket's key, nor what AWS said of it."""
    aws.answers["DetectLabels"] = tools.rekognition_error("AccessDeniedException")
    ask(api(), image=image)
    ask(api(), image=image + "!")
    ask(api(), image=tools.encode(b"a text of some length that is no picture"))
    ask(api(), bucket="pictures", key="private/cat.jpg", analysis_type="labels")
    captured = capfd.readouterr()
    logged = captured.out + captured.err
    assert len(logged.splitlines()) >= 4
    assert image[:24] not in logged
    assert "YSB0ZXh0" not in logged
    assert "private" not in logged
    assert "as the service says" not in logged
    assert all(json.loads(line)["request_id"] for line in captured.out.splitlines())
