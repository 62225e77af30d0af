"""What the function's tests share: events, pictures, and AWS at the wire, so that answers go through real botocore."""

import base64
import io
import json
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from PIL import Image
from starlette.exceptions import StarletteDeprecationWarning

from app.core.clients import Clients
from app.core.settings import Settings
from app.main import create_app

with warnings.catch_warnings():
    # Starlette would have its test client on httpx2; the environment has httpx, and both work.
    warnings.simplefilter("ignore", StarletteDeprecationWarning)
    from fastapi.testclient import TestClient

# Before moto's IAM is made, whoever makes it first: the embedded AWS that other tests start in this process needs them.
os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
from moto.server import ThreadedMotoServer

EVENTS = Path(__file__).with_name("events")

# One for all tests: it keeps the service models, which take longest to read.
_SESSION = boto3.session.Session(aws_access_key_id="x", aws_secret_access_key="x", region_name="ap-southeast-1")


class _Raw(io.BytesIO):
    """The part of urllib3's response that botocore reads."""

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self.read()


@dataclass(slots=True)
class Aws:
    """AWS's answers by operation: a status with a body, or what the network raises."""

    answers: dict[str, tuple[int, Any] | Exception] = field(default_factory=dict)
    calls: list[tuple[str, Any]] = field(default_factory=list)

    def client(self, service: str) -> Any:
        client = _SESSION.client(service, config=Config(retries={"total_max_attempts": 1, "mode": "standard"}))
        client.meta.events.register("before-send", self._answer)
        return client

    def _answer(self, request: Any, event_name: str, **_: object) -> AWSResponse:
        operation = event_name.rpartition(".")[2]
        rekognition = "rekognition" in event_name
        self.calls.append((operation, json.loads(request.body) if rekognition else urlsplit(request.url).path))
        answer = self.answers.get(operation)
        if answer is None:
            raise AssertionError(f"{operation} isn't expected")
        if isinstance(answer, Exception):
            raise answer
        status, body = answer
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"x-amzn-requestid": "1", "content-length": str(len(data))}
        return AWSResponse(request.url, status, headers, _Raw(data))


def rekognition_error(code: str, status: int = 400) -> tuple[int, Any]:
    return status, {"__type": code, "Message": "as the service says"}


def s3_error(code: str, status: int) -> tuple[int, bytes]:
    return status, f"<Error><Code>{code}</Code><Message>as the service says</Message></Error>".encode()


LABELS = {
    "Labels": [
        {
            "Name": "Cat",
            "Confidence": 98.7654,
            "Instances": [{"BoundingBox": {"Left": 0.1, "Top": 0.2, "Width": 0.3, "Height": 0.4}, "Confidence": 98.0}],
            "Parents": [{"Name": "Animal"}],
            "Categories": [{"Name": "Animals and Pets"}],
        }
    ]
}
TEXT = {
    "TextDetections": [
        {"DetectedText": "EXIT NOW", "Type": "LINE", "Id": 0, "Confidence": 99.1, "Geometry": {}},
        {"DetectedText": "smudge", "Type": "LINE", "Id": 1, "Confidence": 12.0, "Geometry": {}},
        {"DetectedText": "EXIT", "Type": "WORD", "Id": 2, "ParentId": 0, "Confidence": 99.1, "Geometry": {}},
    ]
}
FACES = {
    "FaceDetails": [
        {
            "BoundingBox": {"Left": 0.5, "Top": 0.5, "Width": 0.1, "Height": 0.1},
            "Confidence": 99.9,
            "AgeRange": {"Low": 20, "High": 30},
            "Smile": {"Value": True, "Confidence": 90.0},
            "Emotions": [{"Type": "CALM", "Confidence": 2.0}, {"Type": "HAPPY", "Confidence": 97.0}],
        }
    ]
}
MODERATION = {"ModerationLabels": [{"Name": "Weapons", "ParentName": "Violence", "Confidence": 80.0}]}


@pytest.fixture
def aws() -> Aws:
    """AWS that answers everything well."""
    return Aws(
        {
            "DetectLabels": (200, LABELS),
            "DetectText": (200, TEXT),
            "DetectFaces": (200, FACES),
            "DetectModerationLabels": (200, MODERATION),
            "ListCollections": (200, {"CollectionIds": []}),
            "ListBuckets": (200, b"<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>"),
            "HeadBucket": (200, b""),
            "GetObject": (200, picture(Image.new("RGB", (60, 40), "red"))),
        }
    )


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """A real client of an S3 on this machine."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield boto3.session.Session(aws_access_key_id="x", aws_secret_access_key="x", region_name="ap-southeast-1").client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        config=Config(s3={"addressing_style": "path"}, signature_version="s3v4"),
    )
    server.stop()


@pytest.fixture
def bucket(s3: Any) -> str:
    """A new one."""
    name = f"kept-{uuid4().hex}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "ap-southeast-1"})
    return name


@pytest.fixture
def api(aws: Aws) -> Callable[..., TestClient]:
    """Makes a client of the API with the given settings, in front of the fake AWS."""

    def make(**settings: Any) -> TestClient:
        chosen = Settings(**settings)
        clients = Clients(chosen, {service: aws.client(service) for service in ("rekognition", "s3")})
        return TestClient(create_app(chosen, clients))

    return make


def picture(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.fixture
def tools() -> SimpleNamespace:
    """Helpers that test modules can't import, since `importlib` mode gives them no package."""
    return SimpleNamespace(
        picture=picture,
        encode=encode,
        rekognition_error=rekognition_error,
        s3_error=s3_error,
        event=lambda name: json.loads((EVENTS / f"{name}.json").read_text()),
        is_problem=is_problem,
    )


def is_problem(body: Mapping[str, Any], status: int, code: str) -> None:
    """Assert that a body is the problem with this status and code."""
    assert (
        {"type", "title", "status", "detail", "code", "request_id"}
        <= body.keys()
        <= {
            "type",
            "title",
            "status",
            "detail",
            "code",
            "request_id",
            "errors",
        }
    )
    assert (body["status"], body["code"]) == (status, code), body
    assert body["type"] == f"urn:ai-image-analyzer:problem:{code}"
    assert body["detail"]
    assert body["request_id"]
    assert "Traceback" not in json.dumps(body)
