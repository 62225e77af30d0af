"""Carries out a roll: wave after wave, the functions of a wave side by side, each checked before its alias moves."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from optimizer.deploy.fleet.roll_function import FunctionRoll, Rolled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from optimizer.deploy.clock import Clock
    from optimizer.deploy.fleet.roll_values import Move, RollOptions, RollPlan
    from optimizer.deploy.port import Aws

_SIDE_BY_SIDE = 8
"""Functions at once; most of their time they wait for Lambda to settle."""


def roll_regions(
    connect: Callable[[str], Aws],
    plans: Sequence[RollPlan],
    options: RollOptions,
    *,
    clock: Clock,
    progress: Callable[[str], None],
    stopped: Callable[[], bool] = lambda: False,
) -> dict[str, tuple[Rolled, ...]]:
    """Region after region, until a fault in one of them; what came of each move, by region.

    After a fault the functions that were moved stay so, or with `on_failure="back"` go back to what they had, those of
    earlier regions too.
    """
    done: dict[str, tuple[Rolled, ...]] = {}
    rolls = {
        plan.region: Roll(
            aws=connect(plan.region),
            plan=plan,
            options=options,
            clock=clock,
            progress=progress,
            stopped=lambda: stopped() or _faulty(done),
        )
        for plan in plans
    }
    for region, one in rolls.items():
        done[region] = one.run()
    if _faulty(done) and options.on_failure == "back":
        return {region: one.back(done[region]) for region, one in rolls.items()}
    return done


def _faulty(done: Mapping[str, Sequence[Rolled]]) -> bool:
    return any(one.outcome == "failed" for rolled in done.values() for one in rolled)


@dataclass(slots=True, kw_only=True)
class Roll:
    """One region's plan on its way.

    `stopped` tells whether somebody asked to stop: what is begun is finished then, and nothing else is begun.
    """

    aws: Aws
    plan: RollPlan
    options: RollOptions
    clock: Clock
    progress: Callable[[str], None]
    stopped: Callable[[], bool] = lambda: False
    _fault: threading.Event = field(default_factory=threading.Event)

    def run(self) -> tuple[Rolled, ...]:
        """Every move with what came of it; a fault ends its wave, and no later one begins."""
        done: list[Rolled] = []
        for number, wave in enumerate(self.plan.waves, start=1):
            if self._halted():
                done += [Rolled(move=move, wave=number, outcome="not-begun") for move in wave]
                continue
            self.progress(f"wave {number} of {len(self.plan.waves)} in {self.aws.region}: {len(wave)} functions")
            done += self._wave(number, wave)
        return tuple(done)

    def back(self, done: Sequence[Rolled]) -> tuple[Rolled, ...]:
        """Give the functions that were moved what they had before."""
        self.progress(f"taking back {sum(one.outcome == 'moved' for one in done)} functions in {self.aws.region}")
        with ThreadPoolExecutor(max_workers=_SIDE_BY_SIDE, thread_name_prefix="back") as pool:
            return tuple(
                pool.map(
                    lambda one: self._function(one.move, attached=True).back(one) if one.outcome == "moved" else one,
                    done,
                )
            )

    def _halted(self) -> bool:
        return self._fault.is_set() or self.stopped()

    def _wave(self, number: int, wave: Sequence[Move]) -> list[Rolled]:
        """Move a wave's functions, then ask each of them again as its callers do."""
        with ThreadPoolExecutor(max_workers=_SIDE_BY_SIDE, thread_name_prefix="roll") as pool:
            moved = list(pool.map(lambda move: self._begin(number, move), wave))
            return list(pool.map(self._checked_again, moved))

    def _begin(self, number: int, move: Move) -> Rolled:
        if self._halted():
            return Rolled(move=move, wave=number, outcome="not-begun")
        return self._told(self._function(move).run(number))

    def _checked_again(self, rolled: Rolled) -> Rolled:
        if rolled.outcome != "moved" or rolled.move.alias is None or rolled.move.check_path is None:
            return rolled
        again = self._function(rolled.move, attached=True).check_alias(rolled)
        return again if again is rolled else self._told(again)

    def _function(self, move: Move, *, attached: bool = False) -> FunctionRoll:
        return FunctionRoll(aws=self.aws, move=move, alias=self.options.alias, clock=self.clock, attached=attached)

    def _told(self, rolled: Rolled) -> Rolled:
        """Note a fault, and say what did not go as planned."""
        if rolled.outcome == "failed":
            self._fault.set()
        if rolled.outcome != "moved":
            self.progress(f"{rolled.move.function}: {rolled.outcome}: {rolled.brief}")
        return rolled
