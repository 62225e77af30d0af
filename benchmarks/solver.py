"""How close to the best the partitions of made-up stacks are, and how long that takes.

Run: .venv/bin/python benchmarks/solver.py
Each row is a process of its own, so that the seconds hold the import of the solver, and the MB are its own.
"""

from __future__ import annotations

import math
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

WEEKS = 52
RATES = (40, 12, 12, 6, 4, 2, 1)  # releases a year of a family


def stack(items: int, *, seed: int) -> tuple[tuple[int, ...], tuple[tuple[float, frozenset[int]], ...]]:
    """Sizes and scenarios: families of one to three items that release together, and a prior week for each family."""
    random_ = random.Random(seed)  # noqa: S311  # made-up data
    sizes = tuple(int(math.exp(random_.uniform(math.log(10e3), math.log(9e6)))) for _ in range(items))
    weeks: list[set[int]] = [set() for _ in range(WEEKS)]
    prior: list[tuple[float, frozenset[int]]] = []
    item = 0
    while item < items:
        family = range(item, min(items, item + random_.choice((1, 1, 1, 2, 3))))
        rate = random_.choice(RATES)
        for week in weeks:
            if random_.random() < rate / WEEKS:
                week.update(i for i in family if i == family[0] or random_.random() < 0.9)
        prior.append((0.3, frozenset(family)))
        item = family[-1] + 1
    recent = [0.5 ** ((WEEKS - 1 - week) / 26) for week in range(WEEKS)]
    return sizes, (*((w, frozenset(changed)) for w, changed in zip(recent, weeks, strict=True)), *prior)


def one(items: int, layers: int, seed: int, *, pinned: bool) -> None:
    """Solve one stack and print its row."""
    began = time.perf_counter()
    from optimizer.partition.instance import Instance
    from optimizer.partition.optimise import optimise

    sizes, scenarios = stack(items, seed=seed)
    anywhere = frozenset(range(layers))
    allowed = tuple(frozenset({item}) if pinned and item < min(3, layers) else anywhere for item in range(items))
    instance = Instance(sizes=sizes, scenarios=scenarios, layers=layers, publish_bytes=20_000, allowed=allowed)
    answer = optimise(instance)
    seconds = time.perf_counter() - began
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{items:5} {layers:2} {seed:5} {'pins' if pinned else 'free':6} {seconds:8.2f} "
        f"{answer.cost:16.0f} {answer.lower_bound:16.0f} "
        f"{100 * answer.gap:8.4f}% {answer.proved!s:6} {megabytes:5.0f} {answer.method}",
        flush=True,
    )


def main() -> None:
    """Every stack in a process of its own."""
    print("items  K  seed  roots   seconds             cost      lower bound      gap  proved    MB method", flush=True)
    rows = [(n, k, seed, pins) for n in (20, 24, 27) for k in (3, 5) for seed in (1, 2) for pins in ("free", "pins")]
    rows += [(n, k, 1, pins) for n in (40, 60, 500) for k in (3, 5) for pins in ("free", "pins")]
    for row in rows:
        subprocess.run([sys.executable, __file__, *map(str, row)], check=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        one(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), pinned=sys.argv[4] == "pins")
    else:
        main()
