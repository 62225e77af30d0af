"""A typed client that openapi-python-client generates from the served document works, against a server over HTTP."""

import hashlib
import importlib
import io
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import requests
import uvicorn
from fastapi.testclient import TestClient
from PIL import Image

from app.core.clients import Clients
from app.core.settings import Settings
from app.main import create_app

KEY = "the caller's key"
KEYS: dict[str, Any] = {"auth": "api-key", "api_keys": (hashlib.sha256(KEY.encode()).hexdigest(),)}
BIN = Path(sys.executable).parent


class Generated:
    """The generated package; its modules are imported by their dotted place in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __getitem__(self, name: str) -> ModuleType:
        return importlib.import_module(f"{self.folder.name}.{name}")


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Generated]:
    """Made of the document as it is served; a warning of the generator is a failure."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "openapi.json").write_bytes(TestClient(create_app(Settings(**KEYS))).get("/api/v1/openapi.json").content)
    (folder / "config.yml").write_text("post_hooks: []\n")  # they would format the code
    made = subprocess.run(
        [
            *(BIN / "openapi-python-client", "generate", "--path", "openapi.json", "--config", "config.yml"),
            *("--meta", "none", "--output-path", "image_analyzer_client", "--fail-on-warning"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    assert (made.stdout + made.stderr).split() == ["Generating", "image_analyzer_client"]
    package = folder / "image_analyzer_client"
    sys.path.insert(0, str(folder))
    yield Generated(package)
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.partition(".")[0] == package.name]:
        del sys.modules[name]


@pytest.fixture
def address(aws: SimpleNamespace, s3: Any, bucket: str) -> Iterator[str]:
    """The API, served by uvicorn."""
    settings = Settings(**KEYS, store_bucket=bucket)
    app = create_app(settings, Clients(settings, {"s3": s3, "rekognition": aws.client("rekognition")}))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, ws="none", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    ends = time.monotonic() + 10
    while not server.started and time.monotonic() < ends:
        time.sleep(0.01)
    yield "http://{}:{}".format(*server.servers[0].sockets[0].getsockname())
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def client(generated: Generated, address: str) -> Any:
    made = generated["client"].AuthenticatedClient(
        base_url=address, token=KEY, prefix="", auth_header_name="x-api-key", raise_on_unexpected_status=True
    )
    with made as entered:
        yield entered


@pytest.fixture
def red(tools: SimpleNamespace) -> bytes:
    data: bytes = tools.picture(Image.new("RGB", (30, 20), "red"))
    return data


def test_generated_code_is_well_typed(generated: Generated) -> None:
    """A name that the generator left out, or a model without a type, would be a fault here."""
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", generated.folder.name],
        cwd=generated.folder.parent,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    models = generated["models"]
    # One type for what is one thing, and none that is named after a place in a union.
    assert [name for name in models.__all__ if name.endswith("AnalysisType")] == ["AnalysisType"]
    assert not [name for name in models.__all__ if "Type0" in name or "Type1" in name]


def test_picture_is_analysed_as_json_and_as_a_file(
    generated: Generated, client: Any, red: bytes, tools: SimpleNamespace
) -> None:
    models, analyze = generated["models"], generated["api.analysis.analyze"]
    asked = models.AnalyzeRequest(image=tools.encode(red), analysis_type=models.AnalysisType.COLORS)
    made = analyze.sync(client=client, body=asked)
    assert isinstance(made, models.AnalyzeResponse)
    assert made.analysis_type is models.AnalysisType.COLORS
    assert [(color.name, color.hex_, color.rgb) for color in made.colors] == [("red", "#ff0000", [255, 0, 0])]
    assert (made.image.width, made.image.height, made.labels) == (30, 20, None)
    assert made.analyzed_at.tzinfo is not None
    file = generated["types"].File(payload=io.BytesIO(red), file_name="red.png", mime_type="image/png")
    form = models.AnalyzeForm(image=file, analysis_type=models.AnalysisType.LABELS, min_confidence=80.0, keep=False)
    found = analyze.sync(client=client, body=form)
    assert isinstance(found, models.AnalyzeResponse)
    assert [(label.name, label.boxes[0].left) for label in found.labels] == [("Cat", 0.1)]
    assert found.id is None


def test_failed_part_is_typed(
    generated: Generated, client: Any, red: bytes, aws: SimpleNamespace, tools: SimpleNamespace
) -> None:
    aws.answers["DetectFaces"] = tools.rekognition_error("ThrottlingException")
    models = generated["models"]
    body = models.AnalyzeRequest(image=tools.encode(red))
    made = generated["api.analysis.analyze"].sync(client=client, body=body)
    assert [(error.part, error.code) for error in made.errors] == [
        (models.PartErrorPart.FACES, "rekognition_throttled")
    ]


def test_batch_has_a_result_or_a_problem_for_each(
    generated: Generated, client: Any, red: bytes, tools: SimpleNamespace
) -> None:
    models = generated["models"]
    images = [
        models.AnalyzeRequest(image=tools.encode(red), analysis_type=models.AnalysisType.COLORS),
        models.AnalyzeRequest(image="not base64!"),
    ]
    made = generated["api.analysis.analyze_batch"].sync(client=client, body=models.BatchRequest(images=images))
    assert isinstance(made, models.BatchResponse)
    good, bad = made.results
    assert good.analysis.colors[0].hex_ == "#ff0000"
    assert isinstance(bad.error, models.Problem)
    assert (good.error, bad.analysis, bad.error.code) == (None, None, "invalid_base64")


def test_picture_is_uploaded_both_ways_and_by_a_presigned_form(
    generated: Generated, client: Any, red: bytes, tools: SimpleNamespace
) -> None:
    models, upload = generated["models"], generated["api.storage.upload"]
    kept = upload.sync(client=client, body=models.UploadRequest(image=tools.encode(red)))
    assert isinstance(kept, models.UploadResponse)
    again = upload.sync(
        client=client, body=models.UploadForm(image=generated["types"].File(payload=io.BytesIO(red), file_name="a"))
    )
    assert (again.key, again.sha256) == (kept.key, hashlib.sha256(red).hexdigest())
    assert requests.get(kept.url, timeout=10).content == red
    asked = models.PresignedRequest(media_type=models.PresignedRequestMediaType.IMAGEPNG, bytes_=len(red))
    form = generated["api.storage.upload_presigned"].sync(client=client, body=asked)
    assert isinstance(form, models.PresignedResponse)
    sent = requests.post(form.url, data=form.fields.to_dict(), files={"file": red}, timeout=10)
    assert sent.ok, sent.text


def test_kept_results_are_listed_in_pages_and_read(generated: Generated, client: Any, tools: SimpleNamespace) -> None:
    models, listing = generated["models"], generated["api.storage.list_analyses"]
    made = []
    for shade in range(3):
        picture = tools.encode(tools.picture(Image.new("L", (9, 9), shade)))
        asked = models.AnalyzeRequest(image=picture, analysis_type=models.AnalysisType.TEXT)
        made.append(generated["api.analysis.analyze"].sync(client=client, body=asked).id)
    found: list[Any] = []
    cursor = generated["types"].UNSET
    while cursor is not None:
        page = listing.sync(client=client, limit=2, cursor=cursor)
        assert isinstance(page, models.AnalysisList)
        found += page.analyses
        cursor = page.next_cursor
    assert [one.id for one in found] == sorted(made)
    assert all(isinstance(one.analysis_type, models.AnalysisType) for one in found)
    one = generated["api.storage.get_analysis"].sync(made[0], client=client)
    assert isinstance(one, models.AnalyzeResponse)
    assert (one.id, one.cached, one.text[0].text) == (made[0], True, "EXIT NOW")


def test_problems_are_typed(generated: Generated, client: Any, address: str) -> None:
    models, get = generated["models"], generated["api.storage.get_analysis"]
    missing = get.sync_detailed(f"{'0' * 64}-labels-{'0' * 12}", client=client, x_request_id="of-the-caller")
    assert missing.status_code == 404
    assert isinstance(missing.parsed, models.Problem)
    assert (missing.parsed.code, missing.parsed.request_id) == ("analysis_not_found", "of-the-caller")
    body = models.AnalyzeRequest(image="x", max_labels=0)
    refused = generated["api.analysis.analyze"].sync(client=client, body=body)
    assert isinstance(refused, models.Problem)
    assert (refused.status, [error.field for error in refused.errors]) == (422, ["body.max_labels"])
    stranger = generated["client"].AuthenticatedClient(
        base_url=address, token="guessed", prefix="", auth_header_name="x-api-key"
    )
    with stranger as entered:
        unknown = generated["api.storage.list_analyses"].sync(client=entered)
    assert isinstance(unknown, models.Problem)
    assert unknown.code == "api_key_unknown"


def test_what_is_open_needs_no_key(generated: Generated, address: str, client: Any) -> None:
    models = generated["models"]
    with generated["client"].Client(base_url=address, raise_on_unexpected_status=True) as anybody:
        assert generated["api.service.root"].sync(client=anybody).docs_url == "/api/v1/docs"
        assert generated["api.service.liveness"].sync(client=anybody).status == "healthy"
    state = generated["api.service.health"].sync(client=client)
    assert isinstance(state, models.Health)
    assert state.services["rekognition"].status is models.ServiceStateStatus.HEALTHY
