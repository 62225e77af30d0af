"""Solving for the commands: what was solved before comes from the cache, Ctrl-C takes the best found so far."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from optimizer import partition
from optimizer.cli.common import slowly
from optimizer.partition import SEED, TIME_LIMIT, clock, document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from optimizer.content import Store
    from optimizer.partition import Certificate, Partition, Problem

_T = TypeVar("_T")
TimeLimitOption = Annotated[
    float,
    typer.Option("--time-limit", help="Seconds to search; Ctrl-C ends it too.", min=0.05, max=3600, metavar="SECONDS"),
]
SeedOption = Annotated[int, typer.Option("--seed", help="Of the search's chance.", min=0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How hard to search: seconds, the seed of chance, and whether a solution from the cache will do."""

    time_limit: float = TIME_LIMIT
    seed: int = SEED
    cached: bool = True


@dataclass(slots=True)
class Interrupt:
    """Whether the person asked to stop while something was solved."""

    asked: bool = False


def split(problem: Problem, store: Store, effort: Effort) -> tuple[Partition, bool]:
    """The partition, and whether Ctrl-C cut the search off.

    Raises:
        ConfigError: the constraints contradict each other.
    """
    if not problem.scenarios:
        return partition.solve(problem), False
    key = "partition " + _hash(problem, effort.seed, effort.time_limit)
    known = _known(store, key, effort, document.parse_partition)
    if known is not None:
        return known, False
    what = f"splitting {len(problem.items)} items into {problem.layers} layers"
    with _solving(f"{what}: at most {effort.time_limit:g} s, Ctrl-C takes the best so far") as interrupt:
        found = partition.solve(problem, seed=effort.seed, time_limit=effort.time_limit)
    if not interrupt.asked:
        store.remember({key: document.partition_text(found)})
    return found, interrupt.asked


def frontier(problem: Problem, store: Store, effort: Effort, most: int) -> dict[int, Certificate] | None:
    """What the best split into 1, 2, ... `most` layers would cost; empty without a history, None after Ctrl-C."""
    if not problem.scenarios:
        return {}
    seconds = min(effort.time_limit, partition.FRONTIER_SECONDS)
    key = f"frontier {most} " + _hash(replace(problem, locked={}, locked_layers=()), effort.seed, seconds)
    known = _known(store, key, effort, document.parse_certificates)
    if known is not None:
        return known
    with _solving(f"what 1 to {most} layers would cost: at most {seconds:g} s each") as interrupt:
        found = partition.frontier(problem, range(1, most + 1), seed=effort.seed, time_limit=seconds)
    if interrupt.asked:
        return None
    store.remember({key: document.certificates_text(found)})
    return found


def _hash(problem: Problem, seed: int, seconds: float) -> str:
    """What decides the answer; without HiGHS it is another one."""
    return document.problem_hash(problem, seed=seed, time_limit=seconds, exact=find_spec("highspy") is not None)


def _known(store: Store, key: str, effort: Effort, parse: Callable[[str], _T]) -> _T | None:
    text = store.facts([key]).get(key) if effort.cached else None
    if text is None:
        return None
    try:
        return parse(text)
    except (ValueError, KeyError, TypeError, AttributeError):  # damaged: it is solved again
        return None


@contextmanager
def _solving(line: str) -> Iterator[Interrupt]:
    """Say the line when it takes longer; the first Ctrl-C ends the search, which answers with the best so far."""
    interrupt = Interrupt()

    def ask(_number: int, _frame: FrameType | None) -> None:
        if interrupt.asked:  # a second time: at once
            raise KeyboardInterrupt
        interrupt.asked = True
        clock.stop()

    here = threading.current_thread() is threading.main_thread()
    ignored = here and signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    before = signal.signal(signal.SIGINT, ask) if here and not ignored else None
    try:
        with clock.running(), slowly(line):
            yield interrupt
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)
