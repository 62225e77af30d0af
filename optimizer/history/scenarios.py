"""[pure] History → scenarios: which distributions change together in one upgrade window, and how often that comes.

The team takes the newest of everything once in each window. A scenario is one window of the past with the distributions
that changed in it; recent ones weigh more. To them comes a prior for each co-release family, so that 'has not changed
yet' is not 'never changes': the weights are those of a Gamma-Poisson model, (sum of w·x + a) / (sum of w + b), with
a/b the prior's rate and b its weight in windows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from optimizer.history.families import co_release_families

if TYPE_CHECKING:
    from collections.abc import Iterable

    from optimizer.config import PlanConfig
    from optimizer.history.snapshot import History

CADENCES = MappingProxyType({"day": 1, "week": 7, "month": 28})
"""The length of an upgrade window in days: all divide the year of 52 weeks."""
YEAR = timedelta(days=364)
PRIOR_RELEASES_PER_YEAR = 4.0
"""What a family of which nothing is known is taken for: about the median family of the stacks in benchmarks/stacks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenarios:
    """What may change together.

    `weighted` holds (expected times a year, names that change); `observed` the names that changed in each window of the
    last year as it was, newest first, without weights or prior; `families` the co-release families; `unknown` the names
    of which no history is known, only the prior.
    """

    cadence: str
    since: date
    through: date
    weighted: tuple[tuple[float, frozenset[str]], ...]
    observed: tuple[frozenset[str], ...]
    families: tuple[tuple[str, ...], ...]
    unknown: tuple[str, ...]


def make_scenarios(
    history: History, names: Iterable[str], settings: PlanConfig, *, through: date | None = None
) -> Scenarios:
    """The scenarios of the year up to a day, by default the history's last.

    Args:
        history: the snapshot; where it begins later than a year before, only the windows that it covers count.
        names: the distributions of the plan; what else the history holds is left out.
        settings: cadence, half-life, weight of the prior.
        through: the last day to look at; nothing later is used.
    """
    names = sorted(set(names))
    last = through or history.through
    windows = changes(history, names, settings.cadence, through=last)
    length = CADENCES[settings.cadence]
    since = last - timedelta(days=length * len(windows) - 1)
    families = co_release_families(history, names, since=since, through=last)
    decay = 0.5 ** (length / (7 * settings.half_life_weeks))
    raw = [decay**age for age in range(len(windows))]
    prior = settings.prior_weeks * 7 / length
    scale = YEAR.days / length / (sum(raw) + prior)
    weighted = [(weight * scale, changed) for weight, changed in zip(raw, windows, strict=True) if changed]
    expected = PRIOR_RELEASES_PER_YEAR * settings.prior_weeks * 7 / YEAR.days
    weighted += [(expected * scale, frozenset(family)) for family in families]
    return Scenarios(
        cadence=settings.cadence,
        since=since,
        through=last,
        weighted=tuple(weighted),
        observed=windows,
        families=families,
        unknown=tuple(name for name in names if name not in history.distributions),
    )


def changes(
    history: History, names: Iterable[str], cadence: str, *, through: date, windows: int | None = None
) -> tuple[frozenset[str], ...]:
    """The names that changed in each window that ends on `through` or a whole number of windows before, newest first.

    As many windows as asked for, by default those of a year; fewer where the history begins later, but one at least.
    """
    length = CADENCES[cadence]
    wanted = YEAR.days // length if windows is None else windows
    count = max(1, min(wanted, ((through - history.since).days + 1) // length))
    found: list[set[str]] = [set() for _ in range(count)]
    for name in names:
        known = history.distributions.get(name)
        for release in known.releases if known else ():
            age = (through - release.day).days
            if 0 <= age < count * length:
                found[age // length].add(name)
    return tuple(frozenset(window) for window in found)
