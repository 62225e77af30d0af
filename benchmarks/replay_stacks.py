"""What real stacks would have sent, split as each way does, over weeks that none was fitted to.

Run: .venv/bin/python benchmarks/replay_stacks.py [--windows 26] [--until DATE]
Reads benchmarks/stacks/*/: `problem.json` (items with today's bytes, constraints) and `history.json` (releases; the
example's is layers/history.json), both committed, so that it needs no network and nothing installed.

    .venv/bin/python benchmarks/replay_stacks.py --collect FOLDER

measures the bytes anew: FOLDER/<stack>/site holds what `pip install --target` made of the stack's requirements.txt for
the runtime (README tells how), the example is read from the running environment; writes problem.json.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from optimizer.config import PlanConfig  # noqa: E402
from optimizer.history import read_history  # noqa: E402
from optimizer.partition.document import parse_problem, problem_document  # noqa: E402
from optimizer.replay import Replay, replay  # noqa: E402

if TYPE_CHECKING:
    from optimizer.partition import Problem

STACKS = ROOT / "benchmarks/stacks"
OURS = {"optimizer", "as-configured", "clairvoyant"}


def collect(folder: Path) -> None:
    """Measure each stack and write its problem."""
    from optimizer.cli.pipeline import Source, planned
    from optimizer.cli.replay import untrimmed
    from optimizer.cli.solving import Effort

    for place in sorted(path for path in STACKS.iterdir() if path.is_dir()):
        site = folder / place.name / "site" if place.name != "example" else None
        config = place / "layers.toml" if site else ROOT / "config/layers.toml"
        with planned(Source(config=config, path=site, fresh=True, effort=Effort(time_limit=0.1))) as result:
            found = problem_document(result.problem)
            found |= {"scenarios": [], "observed": [], "untrimmed_zipped_bytes": dict(untrimmed(result))}
            (place / "problem.json").write_text(json.dumps(found, indent=1) + "\n")
            print(f"{place.name}: {len(result.problem.items)} items")


def stack_problem(place: Path, layers: int) -> tuple[Problem, dict[str, int]]:
    """A committed stack's problem, and the zipped bytes of the items that trimming makes smaller."""
    found = json.loads((place / "problem.json").read_text())
    return parse_problem({**found, "layers": layers}), found["untrimmed_zipped_bytes"]


def play(place: Path, layers: int, *, windows: int, until: date | None, time_limit: float = 10.0) -> Replay:
    """Replay one committed stack."""
    problem, fat = stack_problem(place, layers)
    own = place / "history.json"
    history = read_history(own if own.exists() else ROOT / "layers/history.json")
    assert history is not None
    return replay(problem, history, PlanConfig(), windows=windows, until=until, untrimmed=fat, time_limit=time_limit)


def main() -> None:
    """Every stack with three and five layers, as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--collect", type=Path, metavar="FOLDER")
    parser.add_argument("--windows", type=int, default=26)
    parser.add_argument("--until", type=date.fromisoformat)
    parser.add_argument("--layers", type=int, nargs="*", default=[3, 5])
    given = parser.parse_args()
    if given.collect:
        collect(given.collect)
        return
    print("| stack | layers | ours, MB | best baseline | MB | ours / best | / three-way | / untrimmed | regret |")
    print("|---|--:|--:|---|--:|--:|--:|--:|--:|")
    for place in sorted(path for path in STACKS.iterdir() if path.is_dir()):
        for layers in given.layers:
            played = play(place, layers, windows=given.windows, until=given.until)
            mine = played.row("optimizer")
            best = min((r for r in played.rows if r.name not in OURS), key=lambda r: (r.republished_bytes, r.name))
            by_hand, fat = (played.row(name).republished_bytes for name in ("three-way", "three-way-untrimmed"))
            sent = mine.republished_bytes
            print(
                f"| {place.name} | {layers} | {sent / 1e6:.1f} | {best.name} | {best.republished_bytes / 1e6:.1f} "
                f"| {sent / best.republished_bytes:.3f} | {sent / by_hand:.2f} | {sent / fat:.3f} "
                f"| {mine.regret:.1%} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
