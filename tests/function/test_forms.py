"""Pictures come as files of a form, too; what is wrong with a form is told as for JSON."""

import base64
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient
from PIL import Image

Api = Callable[..., TestClient]


@pytest.fixture
def red(tools: SimpleNamespace) -> bytes:
    data: bytes = tools.picture(Image.new("RGB", (30, 20), "red"))
    return data


def test_form_is_analysed_as_json_is(api: Api, aws: SimpleNamespace, red: bytes) -> None:
    fields = {"analysis_type": "labels", "min_confidence": "80", "max_labels": "7"}
    answer = api().post("/api/v1/analyze", files={"image": ("cat.png", red)}, data=fields)
    assert answer.status_code == 200, answer.text
    ((_, request),) = aws.calls
    picture = base64.b64encode(red).decode()
    assert request == {"Image": {"Bytes": picture}, "MinConfidence": 80, "MaxLabels": 7}


def test_large_file_is_read_whole(api: Api, tools: SimpleNamespace) -> None:
    """Files of over 1 MB go through the disk."""
    noise = tools.picture(Image.effect_noise((1300, 1300), 90))
    assert len(noise) > 1_500_000
    answer = api().post("/api/v1/analyze", files={"image": noise}, data={"analysis_type": "colors"})
    assert answer.json()["image"]["bytes"] == len(noise)


@pytest.mark.parametrize(
    ("files", "fields", "places"),
    [
        ({}, {"analysis_type": "colors"}, ["body.image"]),
        ({"picture": b"x"}, {}, ["body.image", "body.picture"]),
        ({"image": b"x"}, {"max_labels": "0", "min_confidence": "nan"}, ["body.max_labels", "body.min_confidence"]),
        ({"image": b"x"}, {"bucket": "pictures"}, ["body.bucket"]),
    ],
)
def test_faults_of_a_form_are_told_together(
    files: dict[str, bytes],
    fields: dict[str, str],
    places: list[str],
    api: Api,
    tools: SimpleNamespace,
) -> None:
    # Without a file httpx would send another kind of form.
    sent = {**files, **{name: (None, value) for name, value in fields.items()}}
    answer = api().post("/api/v1/analyze", files=sent)
    tools.is_problem(answer.json(), 422, "invalid_request")
    assert sorted(error["field"] for error in answer.json()["errors"]) == places


UNENDED = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\nx'


# Starlette leaves the file of a part that never ends to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"x", "multipart/form-data"),
        (b"x", "multipart/form-data; boundary=b"),
        (b"--b\r\n\r\nx\r\n--b--", "multipart/form-data; boundary=b"),
        (
            b'--b\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\nx',
            "multipart/form-data; boundary=b",
        ),
    ],
)
def test_broken_form_is_a_problem(content: bytes, media_type: str, api: Api) -> None:
    answer = api().post("/api/v1/analyze", content=content, headers={"content-type": media_type})
    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"


def test_too_many_fields_and_files_are_refused(api: Api, red: bytes, tools: SimpleNamespace) -> None:
    files = [("image", red), ("image", red)]
    tools.is_problem(api().post("/api/v1/analyze", files=files).json(), 400, "bad_request")
    many = {f"f{n}": (None, "x") for n in range(30)}
    tools.is_problem(api().post("/api/v1/analyze", files={"image": red, **many}).json(), 400, "bad_request")


def test_file_that_is_too_large_or_empty_is_refused(api: Api, red: bytes, tools: SimpleNamespace) -> None:
    answer = api(max_image_bytes=10).post("/api/v1/analyze", files={"image": red})
    tools.is_problem(answer.json(), 413, "image_too_large")
    tools.is_problem(api().post("/api/v1/analyze", files={"image": b""}).json(), 422, "image_empty")
