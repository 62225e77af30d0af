"""Disturbs deploys at every one of their calls, and counts the points that are survived.

Run: .venv/bin/python benchmarks/killed_deploys.py [--scenario "code change"] [--jobs 2]
Each scenario runs once undisturbed; each of its calls then gives three points: the process is killed (SIGKILL) before
the call takes effect; it is killed after that, the answer unread; it lives on and the answer is lost. Every point has
a function of its own, and a client that calls the alias all along, through Lambda and through its URL. A point is
survived where the same command, run again, ends as the undisturbed one did, with at most one layer version more and
nothing left in S3, where one more deploy finds nothing to change, and where the client saw neither an error nor a
mixed state. Exit status 1 where one is not survived.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections import Counter
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.integration.deploy.killing import HAPPENINGS, Point, Result, Theatre, points, theatre
from tests.integration.deploy.scenarios import SCENARIOS

_OPEN = ExitStack()
_THEATRES: list[Theatre] = []


def begin() -> None:
    """Open this process's theatre."""
    _THEATRES.append(_OPEN.enter_context(theatre()))


def play(name: str, point: Point, ended: object) -> Result:
    """One point in this process's theatre."""
    return _THEATRES[0].play(SCENARIOS[name], point, ended)


def main() -> None:
    """Play every point, and print a row for each scenario."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--scenario", action="append", choices=list(SCENARIOS), help="only this one; may be repeated")
    parser.add_argument("--jobs", type=int, default=2)
    chosen = parser.parse_args()
    survived: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    failed: list[tuple[str, Result]] = []
    answered = 0
    began = time.monotonic()
    with ProcessPoolExecutor(chosen.jobs, multiprocessing.get_context("spawn"), initializer=begin) as pool:
        print(f"{'':18} {'calls':>5} {'points':>6} {'survived':>8}  of which went on alone, with the answer lost")
        for name in chosen.scenario or SCENARIOS:
            calls, ended = pool.submit(undisturbed, name).result()
            tasks: list[Future[Result]] = [pool.submit(play, name, point, ended) for point in points(calls)]
            alone = 0
            for task in as_completed(tasks):
                result = task.result()
                tried[name] += 1
                tried[result.point.happening] += 1
                answered += result.calls
                alone += result.alone and result.point.happening == "answer lost"
                if result.faults:
                    failed.append((name, result))
                    print(f"{name}, {result.point}:", *result.faults, sep="\n  ", file=sys.stderr, flush=True)
                else:
                    survived[name] += 1
                    survived[result.point.happening] += 1
            print(f"{name:18} {len(calls):5} {tried[name]:6} {survived[name]:8}  {alone} of {len(calls)}", flush=True)
        pool.submit(_OPEN.close).result()
    for happening in HAPPENINGS:
        print(f"{happening:18} {'':5} {tried[happening]:6} {survived[happening]:8}")
    points_tried = sum(tried[happening] for happening in HAPPENINGS)
    print(f"{'all':18} {'':5} {points_tried:6} {points_tried - len(failed):8}")
    print(f"The alias was called {answered:,} times meanwhile; {time.monotonic() - began:.0f} s.")
    if failed:
        sys.exit(1)


def undisturbed(name: str) -> tuple[list[str], object]:
    """A scenario's calls, and how it ends."""
    return _THEATRES[0].undisturbed(SCENARIOS[name])


if __name__ == "__main__":
    main()
