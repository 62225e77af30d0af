"""How well last year tells the next half-year: half-life and prior of the scenarios, tried on real stacks.

Run, for each stack (the example's needs neither --config nor --path):

    .venv/bin/python -m optimizer history update --since 2021-06-01 --snapshot FOLDER/<stack>.json \
        --config benchmarks/stacks/<stack>/layers.toml --path SITE

then

    .venv/bin/python benchmarks/forecast.py FOLDER

For each setting, stack, number of layers and half-year: what the split fitted to the year before sends, against the
clairvoyant's. Half-years end in April and October; the last one ends a year before the histories do, so that what
`replay` is judged on stays unseen.
"""

from __future__ import annotations

import statistics
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.replay_stacks import STACKS, stack_problem  # noqa: E402
from optimizer.config import PlanConfig  # noqa: E402
from optimizer.history import read_history  # noqa: E402
from optimizer.replay import replay  # noqa: E402

if TYPE_CHECKING:
    from datetime import date

    from optimizer.history import History

SETTINGS = [(half_life, prior) for half_life in (26, 52, 104, 520) for prior in (4, 8, 16, 26)]
UNSEEN = timedelta(days=364)
HALF_YEAR = 26


def half_years(history: History) -> list[date]:
    """The last days of the half-years that are played, newest first."""
    ends = []
    end = history.through - UNSEEN
    while (end - history.since).days > 364 + HALF_YEAR * 7:
        ends.append(end)
        end -= timedelta(days=HALF_YEAR * 7)
    return ends


def main(folder: Path) -> None:
    """A row for each setting."""
    stacks = {
        place.name: (place, history)
        for place in sorted(STACKS.iterdir())
        if place.is_dir()
        and (folder / f"{place.name}.json").exists()
        and (history := read_history(folder / f"{place.name}.json")) is not None
    }
    print("| half-life | prior, weeks | mean of sent / clairvoyant |", *(f" {name} |" for name in stacks), sep="")
    print("|--:|--:|--:|" + "--:|" * len(stacks))
    for half_life, prior in SETTINGS:
        settings = PlanConfig(half_life_weeks=half_life, prior_weeks=prior)
        means = []
        for place, history in stacks.values():
            shares = []
            for layers in (3, 5):
                problem, _ = stack_problem(place, layers)
                for end in half_years(history):
                    played = replay(problem, history, settings, windows=HALF_YEAR, until=end, time_limit=1.0)
                    shares.append(1 + played.row("optimizer").regret)
            means.append(statistics.mean(shares))
        cells = "".join(f" {mean:.3f} |" for mean in means)
        print(f"| {half_life} | {prior} | {statistics.mean(means):.3f} |{cells}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
