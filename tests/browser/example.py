"""The embedded example, planned once for all tests that look at its page, and planned again with other layers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from tests.support import ROOT, environment_of, shared_folder

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def example_page(factory: pytest.TempPathFactory) -> Path:
    """The page of this project's own plan; the processes of a run share it, and its cache."""
    folder = shared_folder(factory)
    page = folder / "example/page.html"
    with FileLock(folder / "example.lock"):
        if not page.exists():
            page.parent.mkdir()
            _plan(folder, ROOT, "--format", "html", "--output", str(page))
    return page


def document_of(page: Path) -> Any:
    """The JSON that a page is drawn from."""
    found = re.search(
        r'<script type="application/json" id="document">(.*?)</script>', page.read_text("utf-8"), re.DOTALL
    )
    assert found
    return json.loads(found[1])


def plan_with(text: str, project: Path, factory: pytest.TempPathFactory) -> Any:
    """`plan --format json` of the example with that text for its configuration."""
    (project / "config").mkdir(parents=True, exist_ok=True)
    (project / "config/layers.toml").write_text(text, "utf-8")
    for name in ("function", "layers"):
        if not (project / name).exists():
            (project / name).symlink_to(ROOT / name)
    return json.loads(_plan(shared_folder(factory), project, "--format", "json"))


def _plan(shared: Path, folder: Path, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "optimizer", "plan", *arguments],
        cwd=folder,
        env=environment_of(shared),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
