"""Projects of so many distributions with a year of releases, planned as the command does, and the page of the plan."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from optimizer.cli.pipeline import Source, planned
from optimizer.cli.solving import Effort, frontier
from optimizer.report.page import page, page_document
from tests.support import CONFIG, lay_out

if TYPE_CHECKING:
    from pathlib import Path

THROUGH = date(2026, 3, 31)
LONG = "n" * 200
EVIL = "<img src=x onerror=alert(1)> \u202egnp.exe </script><script>alert(2)</script>"


def make_stack(root: Path, count: int, *, history: bool = True) -> Path:
    """A project with `count` distributions below `root`, the last of them hostile; its configuration is returned."""
    chance = random.Random(count)
    names = ["aws", "web", *(f"d{i}" for i in range(count - 3)), LONG]
    (root / "config").mkdir(parents=True)
    (root / "src").mkdir()
    (root / "layers").mkdir()
    (root / "config/layers.toml").write_text(CONFIG + "[build]\nbytecode = false\n")
    (root / "src/handler.py").write_text("def handler(event, context): ...\n")
    (root / "requirements.txt").write_text("\n".join(names) + "\n")
    for place, name in enumerate(names):
        summary = EVIL if name == LONG else f"does {name}"
        lay_out(
            root / "site",
            name,
            files={
                f"{name}/__init__.py": f"NAME = {name!r}\n",
                f"{name}/data/words.txt": " ".join(str(chance.random()) for _ in range(chance.randrange(10, 400))),
                f"{name}/part/more.txt": "more " * chance.randrange(1, 200),
            },
            requires=(names[place // 2],) if place > 3 else (),
            metadata={
                "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.{place}\nSummary: {summary}\n"
                + (f"Requires-Dist: {names[place // 2]}\n" if place > 3 else "")
            },
        )
    if history:
        (root / "layers/history.json").write_text(json.dumps(_history(names, chance)))
    return root / "config/layers.toml"


def _history(names: list[str], chance: random.Random) -> dict[str, Any]:
    """Releases of all but one of them, from none to weekly."""

    def releases() -> list[list[Any]]:
        days = sorted(chance.sample(range(364), chance.choice([0, 1, 4, 5, 12, 13, 26, 27, 52])), reverse=True)
        return [[str(THROUGH - timedelta(days=day)), f"2.{n}", 0] for n, day in enumerate(days)]

    return {
        "schema": 1,
        "runtime": "python3.11",
        "architecture": "x86_64",
        "since": str(THROUGH - timedelta(days=500)),
        "through": str(THROUGH),
        "distributions": {name: {"origin": "index", "releases": releases()} for name in names if name != "web"},
    }


def document_of(config: Path, *, seconds: float = 0.1) -> dict[str, Any]:
    """The page's document of the project, with its frontier."""
    effort = Effort(time_limit=seconds)
    with planned(Source(config=config, path=config.parents[1] / "site", effort=effort)) as found:
        costs = frontier(found.problem, found.store, effort, 5) or {}
        return page_document(
            replace(found.plan, frontier=costs),
            config=found.config,
            problem=found.problem,
            inventory=found.inventory,
            history=found.history,
            payloads=found.payloads,
        )


def write_page(document: dict[str, Any], path: Path) -> Path:
    """The page of the document, as a file."""
    path.write_text(page(document), "utf-8")
    return path
