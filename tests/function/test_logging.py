"""What the log says of a request: one line, of names and numbers that are ours, and metrics that stay few."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from mangum import Mangum
from PIL import Image

import lambda_function
from app.core import logging
from app.core.settings import Settings
from app.main import create_app

SECRET = "kEy-oF-sOmEbOdY"


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    ("method", "path", "operation", "errors"),
    [
        ("GET", "/health", "liveness", (0, 0)),
        ("HEAD", "/health", "liveness", (0, 0)),
        ("GET", "/api/v1/docs", "docs", (0, 0)),
        ("POST", "/api/v1/analyze", "analyze", (1, 0)),
        ("GET", "/api/v1/analyses/abc", "get_analysis", (1, 0)),
        ("GET", "/api/v1/analyses", "list_analyses", (0, 1)),
        ("GET", "/images/health", "liveness", (0, 0)),
        ("GET", "/any/path/of/a/scanner", "unmatched", (1, 0)),
        ("BREW", "/health", "unmatched", (1, 0)),
        ("PUT", "/api/v1/analyze", "unmatched", (1, 0)),
    ],
)
def test_metrics_are_counted_by_operation(  # noqa: PLR0917
    method: str,
    path: str,
    operation: str,
    errors: tuple[int, int],
    api: Callable[..., TestClient],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Never by path: each value of a dimension is metrics of its own, and is paid for."""
    api(base_path="/images").request(method, path)
    (line,) = lines(capsys)
    assert (line["operation"], line["method"], line["path"]) == (operation, method, path)
    assert (line["requests"], line["client_errors"], line["server_errors"]) == (1, *errors)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "ai-image-analyzer-fastapi"
    assert directive["Dimensions"] == [["operation"]]
    # As the embedded metric format has it: each metric is a number beside `_aws`, each dimension a text.
    named = {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}
    assert named == {
        "duration_ms": "Milliseconds",
        "requests": "Count",
        "client_errors": "Count",
        "server_errors": "Count",
    }
    assert all(isinstance(line[name], int | float) for name in named)
    assert abs(line["_aws"]["Timestamp"] / 1000 - __import__("time").time()) < 60


def test_stranger_counts_under_no_operation(api: Callable[..., TestClient], capsys: pytest.CaptureFixture[str]) -> None:
    api(auth="iam").get("/api/v1/analyses")
    (line,) = lines(capsys)
    assert (line["operation"], line["status"], line["client_errors"]) == ("unmatched", 403, 1)


def test_fault_of_ours_is_a_server_error(capsys: pytest.CaptureFixture[str]) -> None:
    app = create_app(Settings())

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError(SECRET)

    TestClient(app).get("/broken")
    unhandled, line = lines(capsys)
    assert "_aws" not in unhandled
    assert (line["operation"], line["server_errors"], line["client_errors"]) == ("broken", 1, 0)


def test_without_metrics_lines_have_none(api: Callable[..., TestClient], capsys: pytest.CaptureFixture[str]) -> None:
    api(metrics=False).get("/health")
    (line,) = lines(capsys)
    assert not line.keys() & {"_aws", "requests", "client_errors", "server_errors"}
    assert line["operation"] == "liveness"


def test_nothing_that_a_caller_sends_is_logged(
    api: Callable[..., TestClient], capsys: pytest.CaptureFixture[str], tools: SimpleNamespace
) -> None:
    """Neither key nor picture, query, header or field; of a request the log has the path alone."""
    client = api(auth="api-key", api_keys=("0" * 64,))
    picture = tools.encode(tools.picture(Image.new("RGB", (30, 20), "teal")))
    for asked in (client, api()):
        headers = {"x-api-key": SECRET, "authorization": f"Bearer {SECRET}", "cookie": f"a={SECRET}", "origin": SECRET}
        for body in ({"image": picture, "analysis_type": "colors"}, {"image": SECRET}, {SECRET: SECRET}):
            asked.post(f"/api/v1/analyze?key={SECRET}", json=body, headers=headers)
        asked.post("/api/v1/analyze", files={"image": (SECRET, picture)}, data={SECRET: SECRET}, headers=headers)
        asked.request(SECRET.replace("-", "").upper(), "/health", headers={"x-request-id": f"{SECRET} {SECRET}"})
    text = capsys.readouterr().out
    assert len(text.splitlines()) == 10
    assert SECRET not in text
    assert picture[:24] not in text
    assert "0" * 64 not in text


@pytest.mark.parametrize(
    "path", ["/a\nb", '/"},"level":"ERROR"', "/\x00\x1b[31m\x7f\u2028\u0085", "/\ud800", "/" + "x" * 9000]
)
def test_hostile_path_stays_in_its_line_and_field(
    path: str, tools: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    event = tools.event("function-url")
    event["headers"]["user-agent"] = "a\nb"
    event["requestContext"]["http"].update(method="GET\n\x1b", path=path)
    answer = Mangum(create_app(Settings()), lifespan="off")(event, SimpleNamespace(aws_request_id="id-12345"))
    assert answer["statusCode"] in {404, 405}
    text = capsys.readouterr().out
    assert text.count("\n") == 1
    assert all(" " <= character <= "~" for character in text.rstrip("\n"))
    line = json.loads(text)
    assert (line["level"], line["operation"]) == ("INFO", "unmatched")
    assert len(line["path"]) <= 256


def test_first_line_of_an_environment_says_that_it_is_cold() -> None:
    code = (
        "from app.core import logging\n"
        "for event in ('one', 'two'): logging.log(20, event)\n"
        "logging.thaw()\n"
        "for event in ('three', 'four'): logging.log(20, event)"
    )
    folder = Path(lambda_function.__file__).parent
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["event"] for line in found if line.get("cold_start") is True] == ["one", "three"]
    assert not [line for line in found if line.get("cold_start") is False]


def test_line_that_nobody_reads_fails_no_request(
    api: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def write(_: str) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(logging.sys, "stdout", SimpleNamespace(write=write))
    assert api().get("/health").status_code == 200
    assert '"operation":"liveness"' in capsys.readouterr().err


def test_level_holds_back_what_is_less(api: Callable[..., TestClient], capsys: pytest.CaptureFixture[str]) -> None:
    api(log_level="WARNING").get("/health")
    assert not capsys.readouterr().out
    api(log_level="nonsense").get("/health")
    assert len(lines(capsys)) == 1
