"""SnapStart: a copy of the process starts ready, and in nothing like the other copies."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import lambda_function

FUNCTION = Path(lambda_function.__file__).parent
EVENT = json.loads((Path(__file__).parent / "events/function-url.json").read_text("utf-8"))

# Stands in for what the runtime brings, and for Lambda: hooks run before the snapshot in reverse, afterwards in order.
RUNTIME = """
import json, os, random, sys, types
before, after = [], []
hooks = types.ModuleType("snapshot_restore_py")
hooks.register_before_snapshot = lambda function, *a, **k: before.insert(0, lambda: function(*a, **k))
hooks.register_after_restore = lambda function, *a, **k: after.append(lambda: function(*a, **k))
sys.modules["snapshot_restore_py"] = hooks
import lambda_function
from app.main import app
event = json.loads(sys.argv[1])
def ask(method, path, body=None, kind="application/json"):
    asked = json.loads(json.dumps(event))
    asked["requestContext"]["http"].update(method=method, path=path)
    asked["headers"]["content-type"] = kind
    return lambda_function.handler({**asked, "body": body and json.dumps(body), "isBase64Encoded": False}, None)
def report(**fields):
    print(json.dumps(fields), file=sys.stderr)
"""


def run(code: str, kind: str = "snap-start", **settings: str) -> tuple[Any, list[dict[str, Any]]]:
    """What the code reports, and the log, of a new process."""
    environment = {
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_LAMBDA_INITIALIZATION_TYPE": kind,
        "ANALYZER_ATTEMPTS": "1",
        "PATH": os.environ["PATH"],
        **settings,
    }
    command = [sys.executable, "-c", RUNTIME + code, json.dumps(EVENT)]
    done = subprocess.run(command, cwd=FUNCTION, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stderr.splitlines()[-1]), [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("auth", ["none", "iam"])
def test_restored_process_has_nothing_left_to_load(auth: str) -> None:
    """Neither modules nor clients nor what FastAPI makes with a first request; and nobody was called or logged."""
    code = """
from app.core import logging
logging.log(20, "initialised")
for hook in before: hook()
clients = sorted(app.state.clients._made)
document = app.openapi_schema is not None
for hook in after: hook()
loaded = set(sys.modules)
from app.schemas.analyze import RED_PIXEL
answers = [ask("GET", "/health"), ask("GET", "/api/v1/openapi.json"),
           ask("POST", "/api/v1/analyze", {"image": RED_PIXEL, "analysis_type": "colors"}),
           ask("POST", "/api/v1/analyze", "nothing", "multipart/form-data; boundary=x")]
report(clients=clients, document=document, statuses=[answer["statusCode"] for answer in answers],
       later=sorted(set(sys.modules) - loaded))
"""
    found, log = run(code, ANALYZER_AUTH=auth)
    assert found["clients"] == ["rekognition", "s3"]
    assert found["document"]
    assert found["statuses"] == [200, 200, *([403, 403] if auth == "iam" else [200, 400])]
    assert found["later"] == []
    assert [line["event"] for line in log] == ["initialised", *["request"] * 4]
    # The first line of the process whose memory is copied, and the first of the copy.
    assert [line.get("cold_start") for line in log] == [True, True, None, None, None]


def test_copies_share_neither_chance_nor_connections() -> None:
    code = """
for hook in before: hook()
ask("GET", "/api/v1/health")
manager = app.state.clients.s3._endpoint.http_session._manager
open_, state = len(manager.pools), random.getstate()
drawn = []
for copy in range(2):
    random.setstate(state)
    for hook in after: hook()
    drawn.append(random.random())
closed = len(manager.pools)
ask("GET", "/api/v1/health")
report(pools=[open_, closed, len(manager.pools)], drawn=drawn)
"""
    found, _ = run(code)
    assert found["pools"] == [1, 0, 1]
    assert len(set(found["drawn"])) == 2


@pytest.mark.parametrize("kind", ["on-demand", "provisioned-concurrency"])
def test_elsewhere_nothing_is_registered_or_loaded(kind: str) -> None:
    found, _ = run("report(hooks=len(before + after), loaded='app.core.snapshot' in sys.modules)", kind)
    assert found == {"hooks": 0, "loaded": False}


def test_service_that_does_not_work_is_not_published() -> None:
    code = """
app.router.routes.clear()
try:
    for hook in before: hook()
except RuntimeError as error: report(said=str(error))
"""
    assert "/health answers 404" in run(code)[0]["said"]
