"""Pictures and results are kept in S3, answered from there, and never twice; over HTTP, against moto's S3."""

import base64
import hashlib
import io
import json
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from fastapi.testclient import TestClient
from PIL import Image

from app.core.clients import Clients
from app.core.settings import Settings
from app.main import create_app
from app.services import store

PREFIX = "ai-image-analyzer/"
Make = Callable[..., TestClient]


@pytest.fixture
def api(aws: SimpleNamespace, s3: Any, bucket: str) -> Make:
    """Makes a client of the API that keeps things in the bucket, with Rekognition faked."""

    def make(**settings: Any) -> TestClient:
        chosen = Settings(**{"store_bucket": bucket, **settings})
        return TestClient(create_app(chosen, Clients(chosen, {"s3": s3, "rekognition": aws.client("rekognition")})))

    return make


@pytest.fixture
def png(tools: SimpleNamespace) -> bytes:
    data: bytes = tools.picture(Image.new("RGB", (30, 20), "red"))
    return data


def keys(s3: Any, bucket: str) -> list[str]:
    return [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


def analyze(client: TestClient, data: bytes, **fields: Any) -> Any:
    answer = client.post("/api/v1/analyze", files={"image": data}, data={"analysis_type": "labels", **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_upload_keeps_a_picture_that_the_link_reads_and_analyze_takes(
    api: Make, bucket: str, png: bytes, aws: SimpleNamespace
) -> None:
    answer = api().post("/api/v1/upload", files={"image": ("../../etc/passwd", png)})
    body = answer.json()
    digest = hashlib.sha256(png).hexdigest()
    assert (answer.status_code, body["sha256"]) == (201, digest)
    assert (body["bucket"], body["key"]) == (bucket, f"{PREFIX}pictures/{digest}.png")
    got = requests.get(body["url"], timeout=10)
    assert (got.content, got.headers["content-type"]) == (png, "image/png")
    asked = {"bucket": bucket, "key": body["key"], "analysis_type": "labels"}
    assert api(buckets=("elsewhere",)).post("/api/v1/analyze", json=asked).json()["labels"]
    assert aws.calls[-1][1]["Image"] == {"S3Object": {"Bucket": bucket, "Name": body["key"]}}


def test_the_same_picture_is_kept_once_whichever_way_it_comes(
    api: Make, s3: Any, bucket: str, png: bytes, tools: SimpleNamespace
) -> None:
    client = api()
    first = client.post("/api/v1/upload", files={"image": png}).json()
    second = client.post("/api/v1/upload", json={"image": tools.encode(png)}).json()
    assert first["key"] == second["key"]
    assert len(keys(s3, bucket)) == 1


def test_what_is_no_picture_is_not_kept(api: Make, s3: Any, bucket: str, tools: SimpleNamespace) -> None:
    answer = api().post("/api/v1/upload", files={"image": ("cat.png", b"<script>")})
    tools.is_problem(answer.json(), 415, "image_format_unsupported")
    assert keys(s3, bucket) == []


def test_presigned_form_takes_just_what_was_said(api: Make, s3: Any, bucket: str, png: bytes) -> None:
    answer = api().post("/api/v1/upload/presigned", json={"media_type": "image/png", "bytes": len(png)})
    form = answer.json()
    assert (answer.status_code, form["method"], form["bucket"]) == (201, "POST", bucket)
    assert re.fullmatch(PREFIX + "incoming/[0-9a-f]{32}\\.png", form["key"])
    policy = json.loads(base64.b64decode(form["fields"]["policy"]))
    assert ["content-length-range", len(png), len(png)] in policy["conditions"]
    assert {"Content-Type": "image/png"} in policy["conditions"]
    sent = requests.post(form["url"], data=form["fields"], files={"file": png}, timeout=10)
    assert sent.ok, sent.text
    stored = s3.get_object(Bucket=bucket, Key=form["key"])
    assert (stored["Body"].read(), stored["ContentType"]) == (png, "image/png")


def test_presigned_form_for_too_large_a_picture_is_refused(api: Make, tools: SimpleNamespace) -> None:
    answer = api().post("/api/v1/upload/presigned", json={"media_type": "image/png", "bytes": 16 * 1024 * 1024})
    tools.is_problem(answer.json(), 413, "image_too_large")


def test_links_are_for_the_region_that_the_bucket_is_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """And signed in the one way that every region takes; no call is needed for it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_REGION", "ap-southeast-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    settings = Settings(store_bucket="kept")
    link = store.Store(Clients(settings), settings).invite("image/jpeg", 5)
    assert link.url == "https://kept.s3.ap-southeast-1.amazonaws.com/"
    assert link.fields["x-amz-algorithm"] == "AWS4-HMAC-SHA256"


def test_result_is_kept_and_read_again(api: Make, s3: Any, bucket: str, png: bytes) -> None:
    client = api()
    made = analyze(client, png)
    assert made["id"].startswith(hashlib.sha256(png).hexdigest() + "-labels-")
    assert keys(s3, bucket) == [f"{PREFIX}analyses/1/{made['id']}.json"]
    answer = client.get(f"/api/v1/analyses/{made['id']}")
    assert answer.status_code == 200
    assert answer.json() == {**made, "cached": True}
    assert answer.headers["cache-control"] == "private, max-age=3600"
    again = client.get(f"/api/v1/analyses/{made['id']}", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_same_picture_is_not_analysed_twice(api: Make, s3: Any, bucket: str, png: bytes, aws: SimpleNamespace) -> None:
    """Not by another process, and not where it comes from another place."""
    first = analyze(api(), png)
    s3.put_object(Bucket=bucket, Key="cat.jpg", Body=png)
    again = api().post("/api/v1/analyze", json={"bucket": bucket, "key": "cat.jpg", "analysis_type": "labels"}).json()
    assert len(aws.calls) == 1
    assert (first["cached"], again["cached"]) == (False, True)
    assert {**again, "cached": False, "request_id": ""} == {**first, "request_id": ""}
    assert again["request_id"] != first["request_id"]


@pytest.mark.parametrize("other", [{"analysis_type": "text"}, {"min_confidence": "71"}, {"max_labels": "3"}])
def test_other_question_has_its_own_result(other: dict[str, str], api: Make, png: bytes, aws: SimpleNamespace) -> None:
    client = api()
    assert analyze(client, png)["id"] != analyze(client, png, **other)["id"]
    assert len(aws.calls) == 2


@pytest.mark.parametrize(
    ("kind", "other"),
    [("colors", {"min_confidence": "71"}), ("colors", {"max_labels": "3"}), ("text", {"max_labels": "3"})],
)
def test_what_makes_no_difference_is_no_other_question(kind: str, other: dict[str, str], api: Make, png: bytes) -> None:
    client = api()
    analyze(client, png, analysis_type=kind)
    assert analyze(client, png, analysis_type=kind, **other)["cached"] is True


def test_nothing_is_kept_or_looked_up_where_the_caller_or_the_operator_says_so(
    api: Make, s3: Any, bucket: str, png: bytes, aws: SimpleNamespace
) -> None:
    for client, fields in ((api(), {"keep": "false"}), (api(store_bucket=""), {})):
        made = analyze(client, png, **fields)
        assert (made["id"], made["cached"], made["partial"]) == (None, False, False)
    assert keys(s3, bucket) == []
    assert len(aws.calls) == 2


def test_partial_result_is_asked_for_again(  # noqa: PLR0917
    api: Make, s3: Any, bucket: str, png: bytes, aws: SimpleNamespace, tools: SimpleNamespace
) -> None:
    well = aws.answers["DetectFaces"]
    aws.answers["DetectFaces"] = tools.rekognition_error("ThrottlingException")
    client = api()
    made = analyze(client, png, analysis_type="comprehensive")
    assert (made["partial"], made["id"], keys(s3, bucket)) == (True, None, [])
    aws.answers["DetectFaces"] = well
    assert analyze(client, png, analysis_type="comprehensive")["id"]


def test_store_that_fails_leaves_the_analysis_whole(api: Make, png: bytes, tools: SimpleNamespace) -> None:
    """The result is there, with what could not be done; and it is told of the operator's fault, not of the caller's."""
    made = analyze(api(store_bucket="no-such-bucket-here"), png)
    assert made["labels"]
    assert (made["partial"], made["id"]) == (True, None)
    assert [(error["part"], error["status"], error["code"]) for error in made["errors"]] == [
        ("storage", 502, "store_missing")
    ]
    answer = api(store_bucket="no-such-bucket-here").post("/api/v1/upload", files={"image": png})
    tools.is_problem(answer.json(), 502, "store_missing")


def test_denied_store_is_a_problem_that_names_the_permission(
    png: bytes, aws: SimpleNamespace, tools: SimpleNamespace
) -> None:
    aws.answers["GetObject"] = tools.s3_error("NoSuchKey", 404)
    aws.answers["PutObject"] = tools.s3_error("AccessDenied", 403)
    settings = Settings(store_bucket="kept")
    clients = Clients(settings, {service: aws.client(service) for service in ("rekognition", "s3")})
    client = TestClient(create_app(settings, clients))
    made = analyze(client, png)
    assert made["labels"]
    (error,) = made["errors"]
    assert (error["part"], error["code"]) == ("storage", "s3_denied")
    assert "s3:PutObject" in error["detail"]
    tools.is_problem(client.post("/api/v1/upload", files={"image": png}).json(), 502, "s3_denied")


def test_spoiled_result_is_made_anew(api: Make, s3: Any, bucket: str, png: bytes, tools: SimpleNamespace) -> None:
    client = api()
    made = analyze(client, png)
    s3.put_object(Bucket=bucket, Key=f"{PREFIX}analyses/1/{made['id']}.json", Body=b'{"half": ')
    tools.is_problem(client.get(f"/api/v1/analyses/{made['id']}").json(), 404, "analysis_not_found")
    assert analyze(client, png)["cached"] is False
    assert client.get(f"/api/v1/analyses/{made['id']}").status_code == 200


def test_kept_results_come_in_pages(api: Make, s3: Any, bucket: str, tools: SimpleNamespace) -> None:
    client = api(base_path="/images")
    made = {}
    for shade in range(5):
        data = tools.picture(Image.new("L", (8, 8), shade))
        made[analyze(client, data)["id"]] = hashlib.sha256(data).hexdigest()
    s3.put_object(Bucket=bucket, Key=f"{PREFIX}analyses/1/notes.txt", Body=b"not ours")
    found: list[dict[str, Any]] = []
    address: str | None = "/images/api/v1/analyses?limit=2"
    pages = 0
    while address:
        answer = client.get(address)
        found += answer.json()["analyses"]
        link = answer.headers.get("link")
        address = re.fullmatch('<(.+)>; rel="next"', link)[1] if link else None  # type: ignore[index]
        assert (answer.json()["next_cursor"] is None) == (address is None)
        pages += 1
    assert pages == 3
    assert [entry["id"] for entry in found] == sorted(made)
    assert {entry["id"]: entry["sha256"] for entry in found} == made
    one = client.get("/api/v1/analyses", params={"sha256": found[3]["sha256"]}).json()
    assert [entry["id"] for entry in one["analyses"]] == [found[3]["id"]]


@pytest.mark.parametrize(
    ("address", "status", "code"),
    [
        ("/api/v1/analyses?limit=0", 422, "invalid_request"),
        ("/api/v1/analyses?limit=101", 422, "invalid_request"),
        ("/api/v1/analyses?cursor=x", 422, "invalid_request"),
        ("/api/v1/analyses?page=2", 422, "invalid_request"),
        ("/api/v1/analyses/..%2F..%2Fsecret", 404, "not_found"),
        ("/api/v1/analyses/x", 422, "invalid_request"),
        (f"/api/v1/analyses/{'0' * 64}-labels-{'0' * 12}", 404, "analysis_not_found"),
    ],
)
def test_wrong_address_of_a_result_is_a_problem(
    address: str, status: int, code: str, api: Make, tools: SimpleNamespace
) -> None:
    tools.is_problem(api().get(address).json(), status, code)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/v1/upload", {"image": "eA=="}),
        ("POST", "/api/v1/upload/presigned", {"media_type": "image/png", "bytes": 5}),
        ("GET", "/api/v1/analyses", None),
        ("GET", f"/api/v1/analyses/{'0' * 64}-labels-{'0' * 12}", None),
    ],
)
def test_service_without_a_store_says_so(method: str, path: str, body: Any, api: Make, tools: SimpleNamespace) -> None:
    answer = api(store_bucket="").request(method, path, json=body)
    tools.is_problem(answer.json(), 501, "store_unconfigured")


def test_location_is_neither_kept_nor_told(api: Make, s3: Any, bucket: str, aws: SimpleNamespace) -> None:
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (48.0, 51.0, 29.0), 3: "E", 4: (2.0, 17.0, 40.0)}
    target = io.BytesIO()
    Image.new("RGB", (60, 40), "red").save(target, "JPEG", exif=exif)
    client = api()
    body = client.post("/api/v1/upload", files={"image": target.getvalue()}).json()
    kept = s3.get_object(Bucket=bucket, Key=body["key"])["Body"].read()
    assert Image.open(io.BytesIO(target.getvalue())).getexif().get_ifd(0x8825)
    assert not Image.open(io.BytesIO(kept)).getexif().get_ifd(0x8825)
    assert body["image"]["gps_removed"] is True
    s3.put_object(Bucket=bucket, Key="there.jpg", Body=target.getvalue())
    asked = {"bucket": bucket, "key": "there.jpg", "analysis_type": "labels"}
    assert client.post("/api/v1/analyze", json=asked).json()["image"]["gps_removed"] is True
    assert "Bytes" in aws.calls[-1][1]["Image"], "Rekognition doesn't read the object, which has the location"
