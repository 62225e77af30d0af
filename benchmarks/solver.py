"""How close to the best the partitions of made-up stacks are, and how long that takes.

Run: .venv/bin/python benchmarks/solver.py
Each row is a process of its own, so that the seconds hold the import of the solver, and the MB are its own. CPU is what
the process used, which a busy machine disturbs less. Sorts of stack:

- random: families of one to three items with a rate each, sizes without regard to it; the hardest.
- aws: boto3 and botocore weekly, many that did not change all year and have their prior only, a few large ones.
- otel: the same with half of the items in one family that releases on the same days, but for stragglers.

With pins, each role's layer holds a sixth of the items, its roots; else only the first three of a random stack.
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
REAL_RATES = (0, 0, 0, 0, 1, 1, 2, 3, 4, 6, 9, 14, 24)
PRIOR = 0.3  # weeks: four releases a year, worth four weeks

Stack = tuple[tuple[int, ...], tuple[tuple[float, frozenset[int]], ...]]


def random_stack(items: int, *, seed: int) -> Stack:
    """Families of one to three items that release together, and a prior week for each family."""
    chance = random.Random(seed)  # noqa: S311  # made-up data
    sizes = tuple(int(math.exp(chance.uniform(math.log(10e3), math.log(9e6)))) for _ in range(items))
    weeks: list[set[int]] = [set() for _ in range(WEEKS)]
    prior: list[tuple[float, frozenset[int]]] = []
    item = 0
    while item < items:
        family = range(item, min(items, item + chance.choice((1, 1, 1, 2, 3))))
        rate = chance.choice(RATES)
        for week in weeks:
            if chance.random() < rate / WEEKS:
                week.update(i for i in family if i == family[0] or chance.random() < 0.9)
        prior.append((PRIOR, frozenset(family)))
        item = family[-1] + 1
    return sizes, (*_weighted(weeks), *prior)


def real_stack(items: int, *, seed: int, otel: bool, weeks: int = WEEKS) -> Stack:
    """A hot family, perhaps a wide one, and others of which a third never changes; more weeks are shorter windows."""
    chance = random.Random(seed)  # noqa: S311  # made-up data

    def size(most: float) -> int:
        return int(math.exp(chance.uniform(math.log(5e3), math.log(most))))

    families: list[tuple[list[int], int, float]] = [([12_000_000, 140_000, 80_000], 46, 0.1)]
    if otel:
        families.append(([size(120e3) for _ in range(items // 2 + 2)], 16, 0.06))
    made = sum(len(sizes) for sizes, _, _ in families)
    while made < items:
        count = min(items - made, chance.choice((1, 1, 1, 1, 2, 2, 3)))
        rate = chance.choice(REAL_RATES)
        families.append(([size(25e6 if chance.random() < 0.15 else 2e6) for _ in range(count)], rate, 0.08))
        made += count
    sizes: list[int] = []
    changed: list[set[int]] = [set() for _ in range(weeks)]
    prior: list[tuple[float, frozenset[int]]] = []
    for own, rate, straggling in families:
        family = range(len(sizes), len(sizes) + len(own))
        sizes += own
        for week in changed:
            if chance.random() < rate / WEEKS:
                week.update(i for i in family if i == family[0] or chance.random() >= straggling)
        prior.append((PRIOR * weeks / WEEKS, frozenset(family)))
    return tuple(sizes), (*_weighted(changed), *prior)


def _weighted(weeks: list[set[int]]) -> list[tuple[float, frozenset[int]]]:
    """A week half the year ago counts half."""
    half = len(weeks) / 2
    return [(0.5 ** ((len(weeks) - 1 - i) / half), frozenset(week)) for i, week in enumerate(weeks)]


def pins_of(sort: str, items: int, layers: int, seed: int) -> dict[int, int]:
    """The layer of each root."""
    if sort == "random":
        return {item: item for item in range(min(3, layers))}
    chance = random.Random(seed)  # noqa: S311  # made-up data
    return {0: 0, **{item: chance.randrange(min(3, layers)) for item in chance.sample(range(1, items), items // 6)}}


def one(sort: str, items: int, layers: int, seed: int, roots: str) -> None:
    """Solve one stack and print its row."""
    began = time.perf_counter()
    from optimizer.partition.instance import Instance
    from optimizer.partition.optimise import optimise

    if sort == "random":
        sizes, scenarios = random_stack(items, seed=seed)
    else:
        weeks = 300 if sort.endswith("300") else WEEKS
        sizes, scenarios = real_stack(items, seed=seed, otel=sort.startswith("otel"), weeks=weeks)
    pins = pins_of(sort, items, layers, seed) if roots == "pins" else {}
    anywhere = frozenset(range(layers))
    allowed = tuple(frozenset({pins[item]}) if item in pins else anywhere for item in range(items))
    instance = Instance(sizes=sizes, scenarios=scenarios, layers=layers, publish_bytes=20_000, allowed=allowed)
    answer = optimise(instance, time_limit=9.5)
    seconds = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(
        f"{sort:8} {items:5} {layers:2} {seed:5} {roots:6} {seconds:7.2f} {used.ru_utime:6.2f} "
        f"{answer.cost:14.0f} {answer.lower_bound:14.0f} "
        f"{100 * answer.gap:8.4f}% {answer.proved!s:6} {used.ru_maxrss / 1024:5.0f} {answer.method}",
        flush=True,
    )


def main() -> None:
    """Every stack in a process of its own."""
    head = "sort     items  K  seed  roots  seconds    CPU           cost    lower bound      gap  proved    MB method"
    print(head, flush=True)
    both = ("free", "pins")
    rows = [("random", n, k, seed, pins) for n in (20, 24, 27) for k in (3, 5) for seed in (1, 2) for pins in both]
    rows += [("random", n, k, 1, pins) for n in (40, 60) for k in (3, 5) for pins in both]
    rows += [(sort, 60, k, seed, pins) for sort in ("aws", "otel") for k in (3, 5) for seed in (1, 2) for pins in both]
    rows += [(sort, 60, k, 1, pins) for sort in ("aws300", "otel300") for k in (3, 5) for pins in both]
    rows += [(sort, 100, 5, 1, pins) for sort in ("random", "aws", "otel") for pins in both]
    rows += [(sort, 500, k, 1, pins) for sort in ("random", "aws", "otel") for k in (3, 5) for pins in both]
    for row in rows:
        subprocess.run([sys.executable, __file__, *map(str, row)], check=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        one(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
    else:
        main()
