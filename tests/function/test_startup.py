"""A cold start does nothing that the first request doesn't need, and leaves the process as it should be."""

import gc
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import lambda_function
from app.core.startup import uncollected

FUNCTION = Path(lambda_function.__file__).parent
EVENT = json.loads((Path(__file__).parent / "events/function-url.json").read_text("utf-8"))


def in_a_new_process(path: str, expression: str, **variables: str) -> Any:
    """The value of a Python expression, after the handler answered a first GET of `path`."""
    event = {**EVENT, "rawPath": path, "body": None, "isBase64Encoded": False}
    event["requestContext"]["http"].update(method="GET", path=path)
    code = (
        "import gc, json, sys, lambda_function\n"
        f"answer = lambda_function.handler(json.loads(sys.argv[1]), None)\n"
        f"print(json.dumps([answer['statusCode'], {expression}]))"
    )
    command = [sys.executable, "-c", code, json.dumps(event)]
    environment = {
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "ANALYZER_ATTEMPTS": "1",
        **variables,
    }
    done = subprocess.run(command, cwd=FUNCTION, env=environment, capture_output=True, text=True, check=True)
    status, value = json.loads(done.stdout.splitlines()[-1])
    assert status in {200, 503}
    return value


@pytest.mark.parametrize("path", ["/health", "/api/v1/health"])
def test_health_loads_no_analysis_and_no_second_event_loop(path: str) -> None:
    unneeded = ("PIL", "app.services.analysis", "anyio._backends._asyncio")
    assert in_a_new_process(path, f"[n for n in {unneeded} if n in sys.modules]") == []


def test_models_are_built_when_they_are_used() -> None:
    """Those that are defined later, in whatever code, are pydantic's as usual."""
    state = (
        "[__import__('fastapi').openapi.models.OpenAPI.__pydantic_complete__,"
        " __import__('app').schemas.analyze.AnalyzeRequest.__pydantic_complete__,"
        " 'defer_build' in __import__('pydantic').BaseModel.model_config]"
    )
    assert in_a_new_process("/health", state) == [False, False, False]
    assert in_a_new_process("/api/v1/openapi.json", state)[0]


def test_models_are_built_beforehand_where_nobody_waits_for_the_start() -> None:
    state = (
        "[__import__('fastapi').openapi.models.OpenAPI.__pydantic_complete__,"
        " __import__('app').schemas.analyze.AnalyzeRequest.__pydantic_complete__]"
    )
    assert in_a_new_process("/health", state, AWS_LAMBDA_INITIALIZATION_TYPE="provisioned-concurrency") == [True, True]


def test_model_that_waits_is_built_by_its_first_use_or_by_hand() -> None:
    """As pydantic promises: the import took nothing from it, not even for the models that FastAPI builds by name."""
    models = "__import__('fastapi').openapi.models"
    waits = f"{models}.Operation.__pydantic_complete__"
    used = f"{models}.Operation(responses={{}}).model_dump(exclude_none=True)"
    by_hand = f"{models}.Encoding.model_rebuild() and {models}.Encoding.__pydantic_complete__"
    assert in_a_new_process("/health", f"[{waits}, {used}, {by_hand}]") == [False, {"responses": {}}, True]


def test_collector_runs_again_and_leaves_what_was_loaded_alone() -> None:
    enabled, frozen = in_a_new_process("/health", "[gc.isenabled(), gc.get_freeze_count()]")
    assert enabled
    assert frozen > 10_000


@pytest.mark.parametrize("enabled", [True, False])
def test_collector_is_afterwards_as_it_was(enabled: bool) -> None:  # noqa: FBT001
    """Also where the loading fails, and where one loading is part of another."""
    (gc.enable if enabled else gc.disable)()
    try:
        with pytest.raises(ImportError):
            _fail_to_load()
        assert gc.isenabled() == enabled
    finally:
        gc.enable()
        gc.unfreeze()


def _fail_to_load() -> None:
    with uncollected():
        with uncollected():
            assert not gc.isenabled()
        assert not gc.isenabled()
        raise ImportError
