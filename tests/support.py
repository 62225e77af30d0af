"""What several tests share: distributions laid out on disk as an installer leaves them, and small projects."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import textwrap
import zipfile
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parents[1]


def environment_of(project: Path, **more: str) -> dict[str, str]:
    """The variables of a process that runs this checkout's optimizer, with a cache of the project's own."""
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "XDG_CACHE_HOME": str(project / "cache"),
        "COLUMNS": "200",
        **more,
    }


def shared_folder(factory: "pytest.TempPathFactory") -> Path:
    """One folder for all processes of a test run, and for no other run.

    Its `cache` serves those who plan the embedded example, which takes seconds the first time.
    """
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def run_optimizer(project: Path, *arguments: str, status: int = 0, **more: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own, which has to exit with that status; `more` are variables."""
    environment = environment_of(project, **more)
    if any(name.startswith(("PYTHON", "LC_", "LANG")) for name in more if name != "PYTHONDONTWRITEBYTECODE"):
        done = _started(project, arguments, environment)  # those are read when Python starts
    else:
        done = _forked(project, arguments, environment)
    assert done.returncode == status, done.stderr
    return done


def _started(project: Path, arguments: tuple[str, ...], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "optimizer", *arguments]
    return subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, check=False)


_calling = Lock()


def _forked(project: Path, arguments: tuple[str, ...], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """The same from a process that has everything imported; one call at a time, so one beside it starts anew."""
    if not _calling.acquire(blocking=False):
        return _started(project, arguments, env)
    try:
        with tempfile.TemporaryDirectory() as folder:
            files = {name: f"{folder}/{name}" for name in ("stdout", "stderr")}
            asked = {"arguments": [str(a) for a in arguments], "cwd": str(project), "env": env, **files}
            zygote = _zygote()
            zygote.stdin.write(json.dumps(asked) + "\n")
            zygote.stdin.flush()
            status = int(zygote.stdout.readline())
            texts = {name: Path(file).read_text("utf-8") for name, file in files.items()}
            return subprocess.CompletedProcess(arguments, status, **texts)
    finally:
        _calling.release()


@cache
def _zygote() -> subprocess.Popen[str]:
    """The one of this process; it ends with it, since its stdin does."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.zygote"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def lay_out(
    folder: Path,
    name: str,
    version: str = "1.0",
    *,
    requires: tuple[str, ...] = (),
    files: dict[str, str | bytes] | None = None,
    tags: tuple[str, ...] = ("py3-none-any",),
    record: bool = True,
    extra_record: tuple[str, ...] = (),
    metadata: dict[str, str] | None = None,
) -> Path:
    """A distribution in `folder`; the metadata folder's path is returned."""
    stem = name.replace("-", "_")
    info = f"{stem}-{version}.dist-info"
    contents = {f"{stem}/__init__.py": f"NAME = {name!r}\n"} if files is None else dict(files)
    contents[f"{info}/METADATA"] = "".join(
        [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", *(f"Requires-Dist: {r}\n" for r in requires)]
    )
    contents[f"{info}/WHEEL"] = "".join(
        ["Wheel-Version: 1.0\nRoot-Is-Purelib: true\n", *(f"Tag: {tag}\n" for tag in tags)]
    )
    contents[f"{info}/INSTALLER"] = "pip\n"
    for key, text in (metadata or {}).items():
        contents[f"{info}/{key}"] = text
    lines = []
    for path, text in contents.items():
        data = text.encode() if isinstance(text, str) else text
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={digest},{len(data)}")
    if record:
        (folder / info / "RECORD").write_text("\n".join([*lines, *extra_record, f"{info}/RECORD,,", ""]))
    return folder / info


def make_wheel(
    folder: Path,
    name: str,
    version: str = "1.0",
    *,
    requires: tuple[str, ...] = (),
    files: dict[str, str | bytes] | None = None,
    tag: str = "py3-none-any",
    metadata: dict[str, str] | None = None,
    modes: dict[str, int] | None = None,
) -> Path:
    """A wheel in `folder` with those files; its path is returned. Text packs, so that most members are deflated."""
    stem = name.replace("-", "_")
    info = f"{stem}-{version}.dist-info"
    contents = {f"{stem}/__init__.py": f"NAME = {name!r}\n" * 9} if files is None else dict(files)
    contents[f"{info}/METADATA"] = "".join(
        [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", *(f"Requires-Dist: {r}\n" for r in requires)]
    )
    pythons, abi, platforms = tag.split("-")
    tags = [f"{python}-{abi}-{platform}" for python in pythons.split(".") for platform in platforms.split(".")]
    contents[f"{info}/WHEEL"] = "".join(
        ["Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\n", *(f"Tag: {each}\n" for each in tags)]
    )
    contents |= {f"{info}/{key}": text for key, text in (metadata or {}).items()}
    rows = []
    for path, text in contents.items():
        data = text.encode() if isinstance(text, str) else text
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(data)}\n")
    contents.setdefault(f"{info}/RECORD", "".join([*rows, f"{info}/RECORD,,\n"]))
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"{stem}-{version}-{tag}.whl"
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in contents.items():
            member = zipfile.ZipInfo(path, (2024, 1, 1, 0, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = (modes or {}).get(path, 0o100644) << 16
            archive.writestr(member, text)
    return place


CONFIG = """
[[function]]
name = "app"
source = "src"
requirements = "requirements.txt"
handler = "handler.handler"
runtime = "python3.11"
regions = ["eu-central-1"]

[[layer]]
name = "aws-core"
roots = ["aws"]

[[layer]]
name = "web-framework"
roots = ["web"]

[[layer]]
name = "utilities"
"""


def make_project(root: Path, *, config: str = CONFIG, requirements: str = "aws\nweb\ntool\n") -> Path:
    """A project of one function with three distributions and one that both roots need; its site folder is returned."""
    (root / "config").mkdir(parents=True, exist_ok=True)
    (root / "config/layers.toml").write_text(textwrap.dedent(config))
    (root / "requirements.txt").write_text(requirements)
    (root / "src").mkdir(exist_ok=True)
    (root / "src/handler.py").write_text("def handler(event, context):\n    return {'statusCode': 200}\n")
    site = root / "site"
    lay_out(site, "aws", requires=("shared>=1",))
    lay_out(site, "web", requires=("shared", "tests-only; extra == 'test'"))
    lay_out(site, "shared")
    lay_out(site, "tool")
    lay_out(site, "stray")
    return site
