"""What each tool packages of the example, and what it sends for one changed line of code.

Run: .venv/bin/python benchmarks/packages.py [NAME...]
Each peer has an environment of its own (made once, in the cache folder) and gets the example's function with its locked
requirements and a configuration as its documentation has it, with layers where it makes them. Seconds are of its
packaging command alone, with its caches as the first run left them; bytes are those of the zips that it would send. A
second run follows after a changed line: what then has other content is sent again. Those are not run that need Docker
(CDK's PythonFunction and PythonLayerVersion), an account already to package (Serverless, SST), or a download from
elsewhere than the package index (Pants, Terraform's module).
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from peers import HOME, ROOT, peer, prepare_sam, run, sam_build

if TYPE_CHECKING:
    from collections.abc import Callable

NOBODY = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
"""Tools ask for credentials before they package; nothing is called."""
CHALICE = """\
from chalice import Chalice

app = Chalice(app_name="images")

@app.lambda_function()
def api(event, context):
    from chalicelib import lambda_function  # not where it is packaged, which imports this file without the requirements

    return lambda_function.handler(event, context)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """How a tool is laid out in a folder, packages there, and which of its files a line is changed in."""

    prepare: Callable[[Path], object]
    package: Callable[[Path], dict[str, bytes]]
    changed: str


def zips(folder: Path, *patterns: str) -> dict[str, bytes]:
    """The zips in a folder, by name."""
    return {path.name: path.read_bytes() for pattern in patterns for path in sorted(folder.glob(pattern))}


def content(data: bytes) -> str:
    """What a zip holds, whatever its dates: tools that build zips anew at each run are judged by it."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        held = sorted((info.filename, info.CRC) for info in archive.infolist())
    return hashlib.sha256(json.dumps(held).encode()).hexdigest()


def zipped(folder: Path) -> bytes:
    """The zip that a tool makes of a folder when it deploys."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder))
    return out.getvalue()


def copy_function(folder: Path, name: str) -> Path:
    """The example's function, without bytecode."""
    return Path(
        shutil.copytree(
            ROOT / "function", folder / name, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True
        )
    )


def ours_prepare(folder: Path) -> None:
    """The example as it stands here."""
    for name in ("config", "layers"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(".build"))
    copy_function(folder, "function")


def ours_package(folder: Path) -> dict[str, bytes]:
    """`build`."""
    run(sys.executable, "-m", "optimizer", "build", "--output", folder / "out", cwd=folder)
    return zips(folder / "out", "*.zip")


def sam_package(folder: Path) -> dict[str, bytes]:
    """`sam build`; the zip is made by `sam deploy`, from the folder."""
    return {"function.zip": zipped(sam_build(HOME / "sam/bin", folder))}


def chalice_prepare(folder: Path) -> None:
    """An application of one function, whose requirements go to the layer that Chalice manages."""
    peer("chalice", "chalice")
    source = copy_function(folder, "chalicelib")  # vendor/ would go into the layer
    for module in source.rglob("*.py"):
        module.write_text(re.sub(r"(?m)^(\s*)(from|import) app\b", r"\1\2 chalicelib.app", module.read_text()))
    shutil.move(source / "requirements.txt", folder / "requirements.txt")
    (folder / "app.py").write_text(CHALICE)
    (folder / ".chalice").mkdir()
    stage = {"automatic_layer": True}
    (folder / ".chalice/config.json").write_text(
        json.dumps({"version": "2.0", "app_name": "images", "stages": {"dev": stage}})
    )


def chalice_package(folder: Path) -> dict[str, bytes]:
    """`chalice package`."""
    shutil.rmtree(folder / "out", ignore_errors=True)
    run(HOME / "chalice/bin/chalice", "package", "out", cwd=folder, AWS_DEFAULT_REGION="eu-central-1")
    return zips(folder / "out", "*.zip")


def zappa_prepare(folder: Path) -> None:
    """An environment with the requirements, which Zappa takes whole."""
    place = folder / "venv"
    run(sys.executable, "-m", "venv", place)
    run(place / "bin/pip", "install", "--quiet", "-r", ROOT / "function/requirements.txt")
    run(place / "bin/pip", "install", "--quiet", "zappa", "setuptools<81")
    copy_function(folder, "app")
    settings = {"app_function": "lambda_function.app", "project_name": "images", "runtime": "python3.11"}
    settings |= {"s3_bucket": "x", "aws_region": "eu-central-1"}
    (folder / "app/zappa_settings.json").write_text(json.dumps({"dev": settings}))


def zappa_package(folder: Path) -> dict[str, bytes]:
    """`zappa package`."""
    place = folder / "venv"
    run(
        place / "bin/zappa",
        "package",
        "dev",
        "--output",
        "out.zip",
        cwd=folder / "app",
        VIRTUAL_ENV=str(place),
        PATH=f"{place / 'bin'}:{os.environ['PATH']}",
        **NOBODY,
    )
    data = (folder / "app/out.zip").read_bytes()
    (folder / "app/out.zip").unlink()
    return {"out.zip": data}


PEERS = {
    "ours": Peer(prepare=ours_prepare, package=ours_package, changed="function/app/main.py"),
    "sam": Peer(prepare=prepare_sam, package=sam_package, changed="function/app/main.py"),
    "chalice": Peer(prepare=chalice_prepare, package=chalice_package, changed="chalicelib/app/main.py"),
    "zappa": Peer(prepare=zappa_prepare, package=zappa_package, changed="app/app/main.py"),
}


def measure(name: str, tool: Peer, folder: Path) -> str:
    """One row: zips, bytes, seconds, and what a changed line sends."""
    tool.prepare(folder)
    tool.package(folder)
    began = time.perf_counter()
    before = tool.package(folder)
    seconds = time.perf_counter() - began
    source = folder / tool.changed
    source.write_text(source.read_text() + "\nCHANGED = True\n")
    after = tool.package(folder)
    known = {content(data) for data in before.values()}
    sent = sum(len(data) for data in after.values() if content(data) not in known)
    total = sum(map(len, before.values()))
    return f"{name:12} {len(before):4} {total:12,} {sent:12,} {seconds:8.1f}"


def main() -> None:
    """The table."""
    chosen = sys.argv[1:] or list(PEERS)
    print(f"{'tool':12} {'zips':>4} {'bytes':>12} {'one line':>12} {'seconds':>8}")
    for name in chosen:
        with tempfile.TemporaryDirectory(prefix=f"{name}-") as folder:
            try:
                print(measure(name, PEERS[name], Path(folder)), flush=True)
            except (subprocess.SubprocessError, OSError) as error:
                print(f"{name:12} could not be run: {error}", flush=True)


if __name__ == "__main__":
    main()
