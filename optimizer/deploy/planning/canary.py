"""A canary, purely: the steps in which traffic goes to a new version, and what its calls say of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from optimizer.deploy.actions import ReturnTraffic, ShiftTraffic, Watch
from optimizer.deploy.values import ALIAS

if TYPE_CHECKING:
    from optimizer.deploy.actions import Action
    from optimizer.deploy.values import Alias, Calls

_ENOUGH = 10
"""With fewer calls one that failed by chance is a high rate: see `fault`."""
_FEWEST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """What is asked for: `shares` from 0 to 1 one after the other, each for so many `seconds`.

    `max_error_rate` is the share of calls that may fail, from 0 to 1.
    """

    shares: tuple[float, ...]
    seconds: float
    max_error_rate: float


def shift_actions(canary: Canary | None, function: str, *, before: str, revision: str) -> list[Action]:
    """The steps before the alias moves as a whole; none without a canary.

    Args:
        canary: what is asked for.
        function: its name.
        before: the version that the alias serves, empty where that is published just before.
        revision: the alias's, empty in the same case.
    """
    stays = f"version {before}" if before else "the version before"
    actions: list[Action] = []
    if canary is None:
        return actions
    for share in canary.shares:
        actions.append(
            ShiftTraffic(
                subject=ALIAS,
                reason=f"{percent(share)} of the traffic to the new version, the rest stays with {stays}",
                revision=revision,
                before=before,
                share=share,
            )
        )
        limit = percent(canary.max_error_rate)
        actions.append(
            Watch(
                subject=function,
                reason=f"for {duration(canary.seconds)}; back to {stays} if over {limit} of its calls fail",
                share=share,
                seconds=canary.seconds,
                max_error_rate=canary.max_error_rate,
            )
        )
    return actions


def return_actions(alias: Alias | None) -> list[Action]:
    """What takes a share back that a canary left when its process was killed; nothing where there is none."""
    if alias is None or not alias.weights:
        return []
    why = f"all of it to version {alias.version}; {shares_of(alias)}, by a canary that was cut off or still runs"
    return [ReturnTraffic(subject=ALIAS, reason=why, revision=alias.revision, before=alias.version)]


def shares_of(alias: Alias) -> str:
    """Which other versions get how much, as in `10% goes to version 2`."""
    return " and ".join(
        f"{percent(share)} goes to version {version}" for version, share in sorted(alias.weights.items())
    )


def worst(calls: Calls) -> tuple[int, int]:
    """How many calls failed, of how many: by what Invoke says, or by the URL's statuses where those are worse.

    An application that answers 500 has not failed for Invoke; and where a function can't start, Lambda counts an error
    without an invocation.
    """
    invoked = (calls.errors, max(calls.invocations, calls.errors))
    requested = (calls.server_errors, max(calls.requests, calls.server_errors))
    return max(invoked, requested, key=lambda one: (one[0] / one[1] if one[1] else 0.0, one[1]))


def fault(calls: Calls, max_error_rate: float) -> str | None:
    """What is wrong with the calls of a version; None where too few failed, or too few were made to tell.

    With fewer than ten calls no rate is told: then only a version that fails most of at least three calls is at fault.
    """
    failed, of = worst(calls)
    if of < _ENOUGH and not (of >= _FEWEST and failed * 2 > of):
        return None
    if failed <= max_error_rate * of:
        return None
    return f"{failed} of {of} calls failed ({percent(failed / of)}), and at most {percent(max_error_rate)} may"


def too_few(calls: Calls) -> bool:
    """Whether so few calls were made that they tell no rate."""
    return worst(calls)[1] < _ENOUGH


def percent(share: float) -> str:
    """A share as people write it, `10%`."""
    return f"{share * 100:.4g}%"


def duration(seconds: float) -> str:
    """A time as people write it, `4 min 30 s`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{value} {unit}" for value, unit in ((hours, "h"), (minutes, "min"), (rest, "s")) if value]
    return " ".join(parts) or "0 s"
