"""What becomes of each failure of AWS in each operation: status, code, advice to try again, and the parts unharmed."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from botocore import exceptions
from fastapi.testclient import TestClient
from PIL import Image

from app.core.settings import Settings
from app.main import create_app

Api = Callable[..., TestClient]
Ask = Callable[[TestClient], Any]

URL = "https://service.eu-central-2.amazonaws.com/"
SECRET = "what AWS says of arn:aws:iam::123456789012:role/secret"
ID = f"{'0' * 64}-labels-{'0' * 12}"


def said(code: str, status: int) -> dict[str, tuple[int, Any]]:
    """The same refusal as either service words it."""
    xml = f"<Error><Code>{code}</Code><Message>{SECRET}</Message></Error>".encode()
    return {"rekognition": (status, {"__type": code, "Message": SECRET}), "s3": (status, xml)}


def met(error: Exception) -> dict[str, Any]:
    return {"rekognition": error, "s3": error}


# What AWS does; what a caller gets: status, the end of the code, whether it is advised to try again.
FAILURES: dict[str, tuple[dict[str, Any], int, str, bool]] = {
    "throttled": (said("ThrottlingException", 400), 503, "throttled", True),
    "slow down": (said("SlowDown", 503), 503, "throttled", True),
    "throughput": (said("ProvisionedThroughputExceededException", 400), 503, "throttled", True),
    "denied": (said("AccessDeniedException", 400), 502, "denied", False),
    "denied by S3": (said("AccessDenied", 403), 502, "denied", False),
    "credentials": (said("ExpiredTokenException", 400), 502, "credentials", False),
    "key id unknown": (said("InvalidAccessKeyId", 403), 502, "credentials", False),
    "no credentials": (met(exceptions.NoCredentialsError()), 502, "unconfigured", False),
    "connect timeout": (met(exceptions.ConnectTimeoutError(endpoint_url=URL)), 504, "timeout", True),
    "read timeout": (met(exceptions.ReadTimeoutError(endpoint_url=URL)), 504, "timeout", True),
    "no such endpoint": (met(exceptions.EndpointConnectionError(endpoint_url=URL)), 502, "unreachable", False),
    "cut off": (met(exceptions.ConnectionClosedError(endpoint_url=URL)), 502, "unreachable", True),
    "AWS broke": (said("InternalFailure", 500), 502, "failed", True),
    "AWS is away": (said("ServiceUnavailable", 503), 502, "failed", True),
    "unknown": (said("NobodyHeardOfIt", 400), 502, "failed", False),
}


def post(path: str, **body: Any) -> Ask:
    return lambda client: client.post(f"/api/v1{path}", json=body)


def get(path: str) -> Ask:
    return lambda client: client.get(f"/api/v1{path}")


@pytest.fixture(scope="module")
def red() -> bytes:
    import io

    target = io.BytesIO()
    Image.new("RGB", (30, 20), "red").save(target, "PNG")
    return target.getvalue()


@pytest.fixture
def operations(red: bytes, tools: SimpleNamespace) -> dict[str, tuple[str, str, Ask]]:
    """Each operation that asks for one thing: the call of AWS that it can't do without, and the request."""
    image = tools.encode(red)
    stored = {"bucket": "pictures", "key": "cat.png", "keep": False}
    return {
        "labels": ("rekognition", "DetectLabels", post("/analyze", image=image, analysis_type="labels", keep=False)),
        "text": ("rekognition", "DetectText", post("/analyze", image=image, analysis_type="text", keep=False)),
        "faces": ("rekognition", "DetectFaces", post("/analyze", image=image, analysis_type="faces", keep=False)),
        "moderation": (
            *("rekognition", "DetectModerationLabels"),
            post("/analyze", image=image, analysis_type="moderation", keep=False),
        ),
        "colors of an object": ("s3", "GetObject", post("/analyze", **stored, analysis_type="colors")),
        "all of an object": ("s3", "GetObject", post("/analyze", **stored)),
        "upload": ("s3", "PutObject", post("/upload", image=image)),
        "list": ("s3", "ListObjectsV2", get("/analyses")),
        "get": ("s3", "GetObject", get(f"/analyses/{ID}")),
    }


@contextmanager
def broken(aws: SimpleNamespace, operation: str, answer: Any) -> Iterator[None]:
    before = aws.answers.get(operation)
    aws.answers[operation] = answer
    yield
    aws.answers[operation] = before


def is_discreet(*texts: str) -> None:
    """What AWS says, where the code stands and how it got there are nobody's business."""
    for text in texts:
        for word in ("Traceback", SECRET, "secret", "arn:", 'File "', "botocore/", "amazonaws.com"):
            assert word not in text, text


@pytest.mark.parametrize("failure", FAILURES)
def test_failure_of_the_one_thing_asked_for(  # noqa: PLR0917
    failure: str,
    operations: dict[str, tuple[str, str, Ask]],
    api: Api,
    aws: SimpleNamespace,
    tools: SimpleNamespace,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The same in every operation, and where trying again may help the answer says so, for machines and for people."""
    answers, status, ending, again = FAILURES[failure]
    client = api(store_bucket="kept")
    for name, (service, operation, ask) in operations.items():
        with broken(aws, operation, answers[service]):
            answer = ask(client)
        assert answer.status_code == status, (name, answer.text)
        tools.is_problem(answer.json(), status, f"{service}_{ending}")
        assert answer.headers.get("retry-after") == ("1" if again else None), name
        assert ("Try again" in answer.json()["detail"]) == again, name
        if ending == "denied":
            assert f"{service}:" in answer.json()["detail"]
        is_discreet(answer.text, *answer.headers.values())
    captured = capfd.readouterr()
    is_discreet(captured.out, captured.err)
    assert all(json.loads(line)["request_id"] for line in captured.out.splitlines())


@pytest.mark.parametrize("failure", FAILURES)
def test_other_parts_and_pictures_are_unharmed(
    failure: str, api: Api, aws: SimpleNamespace, red: bytes, tools: SimpleNamespace
) -> None:
    answers, status, ending, again = FAILURES[failure]
    image = tools.encode(red)
    client = api(store_bucket="")
    with broken(aws, "DetectFaces", answers["rekognition"]):
        whole = client.post("/api/v1/analyze", json={"image": image})
        batch = client.post(
            "/api/v1/analyze/batch",
            json={"images": [{"image": image, "analysis_type": kind} for kind in ("faces", "labels", "colors")]},
        )
    made = whole.json()
    assert (whole.status_code, made["partial"], made["faces"]) == (200, True, None)
    assert all(made[part] for part in ("labels", "text", "moderation", "colors"))
    (error,) = made["errors"]
    assert (error["part"], error["status"], error["code"]) == ("faces", status, f"rekognition_{ending}")
    assert ("Try again" in error["detail"]) == again
    faces, *others = batch.json()["results"]
    tools.is_problem(faces["error"], status, f"rekognition_{ending}")
    assert [result["status"] for result in others] == [200, 200]
    is_discreet(whole.text, batch.text)


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("operation", ["GetObject", "PutObject"])
def test_store_that_fails_costs_the_keeping_alone(  # noqa: PLR0917
    operation: str, failure: str, api: Api, aws: SimpleNamespace, red: bytes, tools: SimpleNamespace
) -> None:
    answers, status, ending, _ = FAILURES[failure]
    aws.answers |= {"GetObject": tools.s3_error("NoSuchKey", 404), "PutObject": (200, b"")}
    aws.answers[operation] = answers["s3"]
    answer = api(store_bucket="kept").post("/api/v1/analyze", json={"image": tools.encode(red)})
    made = answer.json()
    assert answer.status_code == 200
    assert all(made[part] for part in ("labels", "text", "faces", "moderation", "colors"))
    (error,) = made["errors"]
    assert (error["part"], error["status"], error["code"]) == ("storage", status, f"s3_{ending}")
    assert (made["id"], made["partial"]) == (None, True)
    is_discreet(answer.text)


def test_without_rekognition_there_are_colors_still(
    api: Api, aws: SimpleNamespace, red: bytes, tools: SimpleNamespace
) -> None:
    """As in a region that doesn't have it."""
    for operation in ("DetectLabels", "DetectText", "DetectFaces", "DetectModerationLabels"):
        aws.answers[operation] = exceptions.EndpointConnectionError(endpoint_url=URL)
    made = api().post("/api/v1/analyze", json={"image": tools.encode(red)}).json()
    assert made["colors"][0]["name"] == "red"
    assert {error["code"] for error in made["errors"]} == {"rekognition_unreachable"}
    assert len(made["errors"]) == 4


@pytest.mark.parametrize(
    ("operation", "code", "address", "status", "told"),
    [
        ("GetObject", "NoSuchBucket", "object", 404, "bucket_not_found"),
        ("GetObject", "NoSuchKey", "object", 404, "object_not_found"),
        ("GetObject", "InvalidObjectState", "object", 422, "object_archived"),
        ("GetObject", "NoSuchKey", "get", 404, "analysis_not_found"),
        ("GetObject", "NoSuchBucket", "get", 502, "store_missing"),
        ("ListObjectsV2", "NoSuchBucket", "list", 502, "store_missing"),
        ("PutObject", "NoSuchBucket", "upload", 502, "store_missing"),
    ],
)
def test_what_is_missing_is_the_callers_fault_only_if_the_caller_named_it(  # noqa: PLR0917
    operation: str,
    code: str,
    address: str,
    status: int,
    told: str,
    operations: dict[str, tuple[str, str, Ask]],
    api: Api,
    aws: SimpleNamespace,
    tools: SimpleNamespace,
) -> None:
    aws.answers[operation] = tools.s3_error(code, 404)
    _, _, ask = operations["all of an object" if address == "object" else address]
    answer = ask(api(store_bucket="kept"))
    tools.is_problem(answer.json(), status, told)
    assert "retry-after" not in answer.headers


@pytest.mark.parametrize("body", [b"<html>", b"", b"[1]", b'{"Labels": 5}', b'{"Labels": [{}]}'])
def test_answer_of_aws_that_makes_no_sense_harms_its_part_alone(
    body: bytes, api: Api, aws: SimpleNamespace, red: bytes, tools: SimpleNamespace
) -> None:
    aws.answers["DetectLabels"] = (200, body)
    client = api()
    image = tools.encode(red)
    made = client.post("/api/v1/analyze", json={"image": image}).json()
    assert all(made[part] is not None for part in ("text", "faces", "moderation", "colors"))
    assert [(error["part"], error["status"]) for error in made["errors"]] == [("labels", 502)]
    alone = client.post("/api/v1/analyze", json={"image": image, "analysis_type": "labels"})
    tools.is_problem(alone.json(), 502, "rekognition_failed")
    is_discreet(alone.text)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """For clients that the service makes itself: nothing of this machine's."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "NO_PROXY": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.parametrize(("silent", "code"), [(True, "timeout"), (False, "unreachable")])
def test_aws_that_takes_no_connection_or_never_answers_costs_one_timeout(  # noqa: PLR0917
    silent: bool,  # noqa: FBT001
    code: str,
    environment: pytest.MonkeyPatch,
    red: bytes,
    tools: SimpleNamespace,
    operations: dict[str, tuple[str, str, Ask]],
) -> None:
    """Through clients that the service makes itself, and a socket that nobody reads from or that is closed."""
    status = 504 if silent else 502
    with socket.create_server(("127.0.0.1", 0)) as server:
        environment.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.getsockname()[1]}")
        environment.setenv("AWS_REGION", "ap-southeast-1")
        if not silent:
            server.close()
        settings = Settings(read_seconds=0.3, connect_seconds=0.3, attempts=1, store_bucket="kept")
        client = TestClient(create_app(settings))
        asked = {"image": tools.encode(red), "keep": False}
        client.post("/api/v1/analyze", json=asked)  # makes the clients, which takes its time
        began = time.monotonic()
        made = client.post("/api/v1/analyze", json=asked).json()
        assert time.monotonic() - began < 1.2
        assert made["colors"]
        assert {(error["status"], error["code"]) for error in made["errors"]} == {(status, f"rekognition_{code}")}
        for name in ("labels", "upload", "list", "get"):
            service, _, ask = operations[name]
            answer = ask(client)
            tools.is_problem(answer.json(), status, f"{service}_{code}")
            assert ("retry-after" in answer.headers) == silent
            is_discreet(answer.text)
        # These need no answer of AWS.
        assert client.get("/health").status_code == 200
        signed = client.post("/api/v1/upload/presigned", json={"media_type": "image/png", "bytes": 5})
        assert signed.status_code == 201


def test_region_that_is_not_set_is_told(
    environment: pytest.MonkeyPatch, operations: dict[str, tuple[str, str, Ask]], tools: SimpleNamespace
) -> None:
    """Of Rekognition: S3 has a place for who names none."""
    environment.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    answer = operations["labels"][2](TestClient(create_app(Settings(attempts=1))))
    tools.is_problem(answer.json(), 502, "rekognition_unconfigured")


INVITE = post("/upload/presigned", media_type="image/png", bytes=5)


@pytest.mark.parametrize(
    "variables",
    [
        {"AWS_REGION": "ap-southeast-1", "AWS_PROFILE": "nobody"},
        {"AWS_REGION": "ap southeast 1"},
        {"AWS_REGION": "ap-southeast-1", "AWS_CONFIG_FILE": __file__},
    ],
    ids=["no such profile", "no region's name", "no configuration"],
)
def test_client_that_cant_be_made_is_told_in_each_operation(
    variables: dict[str, str],
    environment: pytest.MonkeyPatch,
    operations: dict[str, tuple[str, str, Ask]],
    red: bytes,
    tools: SimpleNamespace,
) -> None:
    for name, value in variables.items():
        environment.setenv(name, value)
    client = TestClient(create_app(Settings(attempts=1, store_bucket="kept")))
    for service, _, ask in [*operations.values(), ("s3", "", INVITE)]:
        answer = ask(client)
        tools.is_problem(answer.json(), 502, f"{service}_unconfigured")
        is_discreet(answer.text)
    whole = client.post("/api/v1/analyze", json={"image": tools.encode(red)}).json()
    assert whole["colors"][0]["name"] == "red"
    assert {error["code"] for error in whole["errors"]} == {"rekognition_unconfigured"}
    services = client.get("/api/v1/health").json()["services"]
    assert {state["status"] for state in services.values()} == {"unconfigured"}


def test_nothing_to_sign_with_is_told(environment: pytest.MonkeyPatch, red: bytes, tools: SimpleNamespace) -> None:
    environment.setenv("AWS_REGION", "ap-southeast-1")
    environment.delenv("AWS_ACCESS_KEY_ID")
    environment.delenv("AWS_SECRET_ACCESS_KEY")
    client = TestClient(create_app(Settings(attempts=1, store_bucket="kept")))
    for ask in (INVITE, post("/upload", image=tools.encode(red))):
        answer = ask(client)
        tools.is_problem(answer.json(), 502, "s3_unconfigured")
        is_discreet(answer.text)
