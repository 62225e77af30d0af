"""`demo`: the main job from end to end on this machine, with what each way of deploying sends."""

from __future__ import annotations

import base64
import json
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from optimizer.cli.common import CONFIG, ConfigOption, note, stoppable
from optimizer.cli.pipeline import Source, planned
from optimizer.errors import DeployRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from optimizer.build import Manifest
    from optimizer.deploy.execution.execute import Deployed

_WELL = range(200, 300)
_BUCKET = "demo-pictures"
_SHOWN = 60
_CHANGED = "\n# one changed line\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One way of deploying: what it sent, and how long it took from the build to the first answer."""

    way: str
    sent_bytes: int
    seconds: float


def demo(
    config: ConfigOption = CONFIG,
    serve: Annotated[bool, typer.Option("--serve", help="Leave it up, and print its URLs, until Ctrl-C.")] = False,
) -> int:
    """Plan, build, deploy to an embedded AWS, call every endpoint, deploy a changed line, and compare what was sent.

    The function's URL is public for the demonstration, on this machine's loopback only; nothing leaves the machine.

    Example: ./scripts/demo --serve
    """
    from rich.console import Console

    from optimizer.local import announced, embedded_aws
    from optimizer.report.plan_text import print_plan

    console = Console(highlight=False)
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="layer-optimizer-demo-")))
        project = _copy_of_project(config, scratch / "project")
        with planned(Source(config=project)) as result:
            print_plan(result.plan, console)
        console.rule("deploying to the embedded AWS")
        aws = stack.enter_context(embedded_aws())
        _http("PUT", f"{aws.endpoint_url}/{_BUCKET}")
        rows = [_one_zip(project, scratch / "one", aws.endpoint_url)]
        first, done = _layered(project, scratch / "first", aws.endpoint_url, "layers: first deploy")
        rows.append(first)
        console.print(f"[bold]version {done.version}[/bold] serves at {done.url}")
        failed = 0
        for status, line in _calls(done.url or ""):
            console.print(line, markup=False, soft_wrap=True)
            failed += status not in _WELL
        source = _handler_module(project)
        source.write_text(source.read_text("utf-8") + _CHANGED, "utf-8")
        changed, done = _layered(project, scratch / "second", aws.endpoint_url, "layers: one line changed")
        rows.append(changed)
        _print_rows(rows, console)
        if serve:
            stop = stack.enter_context(stoppable())
            stack.enter_context(announced(Path.cwd(), aws.endpoint_url))
            _tell_urls(done.url or "", aws.endpoint_url)
            stop.wait()
            return stop.status
    return 1 if failed else 0


def _copy_of_project(config: Path, root: Path) -> Path:
    """The project's own files in a scratch folder, so that the demonstration changes nothing in it."""
    from optimizer.config import load

    loaded = load(config)
    (root / "config").mkdir(parents=True)
    shutil.copy(config, root / "config" / "layers.toml")
    for function in loaded.function:
        shutil.copytree(loaded.root / function.source, root / function.source, dirs_exist_ok=True)
        for path in filter(None, (function.requirements, function.policy)):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(loaded.root / path, root / path)
    for lock in (loaded.root / "layers").glob("*/layer.lock"):
        target = root / lock.relative_to(loaded.root)
        target.parent.mkdir(parents=True)
        shutil.copy(lock, target)
    return root / "config" / "layers.toml"


def _handler_module(config: Path) -> Path:
    """The first function's module that has its handler: where a line is changed."""
    from optimizer.config import load

    loaded = load(config)
    function = loaded.function[0]
    return loaded.root / function.source / (function.handler.rpartition(".")[0].replace(".", "/") + ".py")


def _one_zip(config: Path, output: Path, endpoint_url: str) -> _Row:
    """What is done without layers: code and every distribution in one zip, sent whole."""
    from optimizer.build import Artifact, Manifest
    from optimizer.build.archive import write_archive
    from optimizer.build.artifacts import function_entry

    began = time.perf_counter()
    output.mkdir()
    with planned(Source(config=config)) as result:
        parts = [d.payload for layer in result.plan.layers for d in layer.distributions]
        parts += [function.payload for function in result.plan.functions]
        entries = [entry for part in parts for entry in result.payloads.entries(part)]
        flat = [(replace(entry, path=entry.path.removeprefix("python/")), stream) for entry, stream in entries]
        with (output / "one.zip").open("wb") as file:
            written = write_archive(file, flat)
        function = function_entry(result.plan.functions[0].config, (), result.config.root)
        artifact = Artifact(
            name="one-zip",
            kind="function",
            path="one.zip",
            sha256=written.sha256,
            zipped_bytes=written.zipped_bytes,
            unzipped_bytes=written.unzipped_bytes,
            fingerprint=written.sha256,
            files=written.files,
        )
        manifest = Manifest(
            target=result.plan.target,
            artifacts=(artifact,),
            functions=(replace(function, name="one-zip", artifact="one-zip"),),
            compressor="",
            folder=output,
        )
    _, sent = _deployed(manifest, endpoint_url)
    return _Row(way="one zip: every deploy", sent_bytes=sent, seconds=time.perf_counter() - began)


def _layered(config: Path, output: Path, endpoint_url: str, way: str) -> tuple[_Row, Deployed]:
    """Build and deploy what changed, with a URL that a browser opens unsigned, and a bucket to keep things in."""
    from optimizer.cli.build import run_build

    began = time.perf_counter()
    manifest = run_build(Source(config=config), output, quiet=True)
    shown = tuple(
        replace(function, url="public", environment={**function.environment, "ANALYZER_STORE_BUCKET": _BUCKET})
        for function in manifest.functions
    )
    done, sent = _deployed(replace(manifest, functions=shown), endpoint_url)
    return _Row(way=way, sent_bytes=sent, seconds=time.perf_counter() - began), done


def _deployed(manifest: Manifest, endpoint_url: str) -> tuple[Deployed, int]:
    """What the first function has after its deploy, and the bytes that it sent.

    Raises:
        OptimizerError: it was refused, or failed.
    """
    from optimizer.deploy import BotoAws, Clients, Connection, Deployer, Journal, Options, RealClock

    clock = RealClock()
    journal = Journal()
    longest = max(function.timeout_seconds for function in manifest.functions)
    clients = Clients(Connection(endpoint_url=endpoint_url, local=True, longest_answer_seconds=longest))
    deployer = Deployer(
        manifest=manifest,
        options=Options(),
        connect=lambda region: BotoAws(region=region, clients=clients, clock=clock),
        clock=clock,
        journal=journal,
        progress=lambda line: note(f"  {line}"),
    )
    for done in deployer.execute(deployer.plan()):
        if done.error is not None:
            raise done.error
        if done.result is not None:
            return done.result, journal.sent_bytes
    raise DeployRefusedError("Nothing was deployed", mend="Configure a function with a region.")


def _calls(url: str) -> Iterator[tuple[int, str]]:
    """Call every endpoint, with a picture that is painted here: each status, and a line about the answer."""
    picture = base64.b64encode(_picture()).decode()
    colors = {"image": picture, "analysis_type": "colors"}
    requests: list[tuple[str, str, dict[str, Any] | None]] = [
        ("GET", "", None),
        ("GET", "health", None),
        ("GET", "api/v1/health", None),
        ("GET", "api/v1/docs", None),
        ("GET", "api/v1/openapi.json", None),
        ("POST", "api/v1/analyze", colors),
        ("POST", "api/v1/analyze", {"image": picture, "analysis_type": "labels"}),
        ("POST", "api/v1/analyze", {"image": picture, "analysis_type": "comprehensive"}),
        ("POST", "api/v1/analyze/batch", {"images": [colors, {"image": picture, "analysis_type": "faces"}]}),
        ("POST", "api/v1/upload", {"image": picture}),
        ("POST", "api/v1/upload/presigned", {"media_type": "image/jpeg", "bytes": 9_000_000}),
        ("GET", "api/v1/analyses", None),
    ]
    for method, path, body in requests:
        began = time.perf_counter()
        status, text = _http(method, url + path, body)
        took = (time.perf_counter() - began) * 1000
        what = f" {body['analysis_type']}" if body and "analysis_type" in body else ""
        yield status, f"  {method:<4} {'/' + path + what:<34} {status}  {took:5.0f} ms  {_short(text)}"


def _http(method: str, url: str, body: dict[str, Any] | None = None) -> tuple[int, str]:
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    headers = {"content-type": "application/json"} if body else {}
    data = json.dumps(body).encode() if body else None
    request = Request(url, data=data, method=method, headers=headers)  # noqa: S310  our own loopback
    try:
        with urlopen(request, timeout=60) as answer:  # noqa: S310
            return answer.status, answer.read().decode("utf-8", "replace")
    except HTTPError as error:
        return error.code, error.read().decode("utf-8", "replace")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 3]}..."


def _picture() -> bytes:
    """A PNG of 320 by 200: three quarters teal, a quarter orange."""
    import io

    from PIL import Image

    image = Image.new("RGB", (320, 200), (0, 128, 128))
    image.paste((255, 140, 0), (0, 0, 80, 200))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def _print_rows(rows: list[_Row], console: Console) -> None:
    from rich.table import Table

    table = Table(title="What each way sends", title_justify="left", box=None, padding=(0, 3, 0, 0), pad_edge=False)
    table.add_column("way of deploying")
    table.add_column("bytes sent", justify="right")
    table.add_column("seconds", justify="right")
    table.add_column("against one zip", justify="right")
    for row in rows:
        ratio = rows[0].sent_bytes / row.sent_bytes
        shown = f"{ratio:,.0f} times fewer" if ratio > 1.5 else "-"  # noqa: PLR2004
        table.add_row(row.way, f"{row.sent_bytes:,}", f"{row.seconds:.1f}", shown)
    console.print(table)


def _tell_urls(url: str, endpoint_url: str) -> None:
    sys.stdout.write(
        f"\nThe function:   {url}\n"
        f"Its docs:       {url}api/v1/docs\n"
        f"Try:            curl {url}health\n"
        f"The AWS:        aws --endpoint-url {endpoint_url} lambda list-functions\n"
        "Ctrl-C stops it.\n"
    )
    sys.stdout.flush()
