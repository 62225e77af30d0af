"""`/api/v1/health`: the state of each AWS service, quickly, whatever AWS does."""

import http.server
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from botocore import exceptions
from fastapi.testclient import TestClient

from app.core.clients import Clients
from app.core.settings import Settings
from app.main import create_app

URL = "https://s3.ap-southeast-1.amazonaws.com/"
Api = Callable[..., TestClient]


def test_all_well_is_200(api: Api, aws: SimpleNamespace) -> None:
    answer = api().get("/api/v1/health")
    body = answer.json()
    assert (answer.status_code, body["success"], body["status"]) == (200, True, "healthy")
    assert body["services"].keys() == {"rekognition", "s3"}
    for state in body["services"].values():
        assert (state["status"], state["message"]) == ("healthy", None)
        assert state["latency_ms"] >= 0
    assert sorted(aws.calls) == [("ListBuckets", "/"), ("ListCollections", {"MaxResults": 1})]


def test_configured_bucket_is_what_is_asked_for(api: Api, aws: SimpleNamespace) -> None:
    assert api(buckets=("pictures", "more")).get("/api/v1/health").status_code == 200
    assert "HeadBucket" in dict(aws.calls)
    assert "ListBuckets" not in dict(aws.calls)


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        ((403, b""), "denied"),
        ((404, b""), "failed"),
        ((500, b""), "failed"),
        ((503, b"<Error><Code>SlowDown</Code></Error>"), "throttled"),
        (exceptions.ConnectTimeoutError(endpoint_url=URL), "timeout"),
        (exceptions.EndpointConnectionError(endpoint_url=URL), "unreachable"),
        (exceptions.NoCredentialsError(), "unconfigured"),
        (RuntimeError("never seen"), "failed"),
    ],
)
def test_one_service_down_is_503_in_the_same_shape(failure: Any, status: str, api: Api, aws: SimpleNamespace) -> None:
    aws.answers["HeadBucket"] = failure
    answer = api(buckets=("pictures",)).get("/api/v1/health")
    body = answer.json()
    assert (answer.status_code, body["success"], body["status"]) == (503, False, "degraded")
    assert body["services"]["s3"]["status"] == status
    assert body["services"]["s3"]["message"]
    assert body["services"]["rekognition"]["status"] == "healthy"
    assert "never seen" not in answer.text


def test_denied_names_the_missing_permission(api: Api, aws: SimpleNamespace, tools: SimpleNamespace) -> None:
    aws.answers["ListCollections"] = tools.rekognition_error("AccessDeniedException")
    aws.answers["HeadBucket"] = (403, b"")
    services = api(buckets=("pictures",)).get("/api/v1/health").json()["services"]
    assert "rekognition:ListCollections" in services["rekognition"]["message"]
    assert "s3:ListBucket" in services["s3"]["message"]


class _Server(http.server.BaseHTTPRequestHandler):
    """AWS as one status for everything, after some seconds."""

    protocol_version = "HTTP/1.1"
    status: ClassVar[int] = 403
    wait: ClassVar[threading.Event | None] = None

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.wait:
            self.wait.wait(20)
            self.close_connection = True
            return
        self.send_response(self.status)
        self.send_header("content-length", "0")
        self.end_headers()

    do_POST = do_HEAD = do_GET  # noqa: N815


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[_Server]]:
    """A server that boto3 finds by AWS_ENDPOINT_URL; its class holds how it answers."""

    class Server(_Server):
        pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_REGION": "ap-southeast-1",
        "NO_PROXY": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    yield Server
    if Server.wait:
        Server.wait.set()
    server.shutdown()
    server.server_close()


def test_aws_that_denies_everything_is_told_at_once(endpoint: type[_Server]) -> None:
    """Nothing but 403s, with empty bodies, through clients that the service makes itself."""
    endpoint.status = 403
    began = time.monotonic()
    answer = TestClient(create_app(Settings())).get("/api/v1/health")
    assert time.monotonic() - began < 2
    assert answer.status_code == 503
    assert {state["status"] for state in answer.json()["services"].values()} == {"denied"}


def test_aws_that_never_answers_costs_one_timeout_and_not_two(endpoint: type[_Server]) -> None:
    endpoint.wait = threading.Event()
    settings = Settings(probe_seconds=0.5, read_seconds=5, attempts=1)
    clients = Clients(settings)
    assert clients.rekognition
    assert clients.s3
    began = time.monotonic()
    answer = TestClient(create_app(settings, clients)).get("/api/v1/health")
    took = time.monotonic() - began
    endpoint.wait.set()
    assert answer.status_code == 503
    assert {state["status"] for state in answer.json()["services"].values()} == {"timeout"}
    assert 0.4 < took < 0.95


def test_no_region_is_a_state_and_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    answer = TestClient(create_app(Settings(attempts=1))).get("/api/v1/health")
    assert answer.status_code == 503
    assert answer.json()["services"]["rekognition"]["status"] == "unconfigured"


@pytest.mark.usefixtures("endpoint")
def test_clients_are_made_once_however_many_ask() -> None:
    """Making clients in threads is what boto3 forbids; so they come one after the other, and are shared."""
    clients = Clients(Settings(read_seconds=3, attempts=4))
    gate = threading.Barrier(8)

    def get(number: int) -> tuple[int, Any]:
        gate.wait()
        return (0, clients.s3) if number % 2 else (1, clients.rekognition)

    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(get, range(8)))
    assert len({id(client) for _, client in got}) == 2
    config = clients.s3.meta.config
    assert (config.connect_timeout, config.read_timeout, config.retries["total_max_attempts"]) == (2, 3, 4)
    assert config.s3["addressing_style"] == "path"
    assert clients.rekognition.meta.endpoint_url.startswith("http://127.0.0.1:")
