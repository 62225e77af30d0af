"""The documentation's page: nothing but itself runs in it, it talks to this API alone, and it shows every operation."""

import base64
import hashlib
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from fastapi.testclient import TestClient

from app.core.settings import Settings
from app.main import create_app

PATH = "/api/v1/docs"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def test_policy_lets_the_page_run_and_nothing_else(api: Callable[..., TestClient]) -> None:
    answer = api().get(PATH)
    rules = dict(rule.split(" ", 1) for rule in answer.headers["content-security-policy"].split("; "))
    for tag in ("script", "style"):
        (content,) = re.findall(f"<{tag}[^>]*>(.*?)</{tag}>", answer.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert rules.pop(f"{tag}-src") == f"'sha256-{digest}'"
    assert rules == {
        "default-src": "'none'",
        "connect-src": "'self'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
    }
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_page_needs_nothing_that_the_policy_forbids(api: Callable[..., TestClient]) -> None:
    """Neither styles and handlers in attributes nor markup made of text nor a place where a key would outlive it."""
    page = api().get(PATH).text
    assert not re.search(r"\sstyle=|\son[a-z]+=\"|innerHTML|insertAdjacentHTML|document\.write|eval\(", page)
    assert not re.search(r"localStorage|sessionStorage|cookie|indexedDB", page)


@pytest.fixture
def served() -> Iterator[Callable[[Settings], str]]:
    """Serves the API with settings and says where."""
    servers: list[tuple[uvicorn.Server, threading.Thread]] = []

    def serve(settings: Settings) -> str:
        server = uvicorn.Server(uvicorn.Config(create_app(settings), port=0, log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run)
        thread.start()
        servers.append((server, thread))
        while not server.started:
            thread.join(0.02)
        return f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"

    yield serve
    for server, thread in servers:
        server.should_exit = True
        thread.join()


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
@pytest.mark.parametrize(("auth", "mark"), [("none", ""), ("api-key", "key"), ("iam", "signed")])
def test_browser_shows_every_operation(auth: str, mark: str, served: Callable[[Settings], str], tmp_path: Path) -> None:
    """Behind a prefix, with its own policy, and with what it asks of whom."""
    settings = Settings(auth=auth, api_keys=("0" * 64,), base_path="/images")
    address = served(settings) + "/images"
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000", "--dump-dom"]
    command = [str(CHROMIUM), *options, f"--user-data-dir={tmp_path}", f"{address}{PATH}#analyze"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    shown = done.stdout[: done.stdout.index("<script>")]
    operations = [item for path in create_app(settings).openapi()["paths"].values() for item in path.values()]
    for operation in operations:
        assert f'<details class="operation" id="{operation["operationId"]}"' in shown
    assert 'id="analyze" open=""' in shown
    assert shown.count("<textarea") == 1
    assert shown.count(f'class="needs">{mark}<') >= (len(operations) - 2 if mark else 0)
    assert ('type="password"' in shown) == (auth == "api-key")
    assert ("needs" in shown.split("</style>")[1]) == bool(mark)
