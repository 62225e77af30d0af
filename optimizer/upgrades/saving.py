"""[pure] Comparisons → the share of releases that can be skipped, and the bytes a year that this saves.

Skipping a release saves the layer that holds the distribution, where nothing else of the layer changes with it. So
distributions that release together and share a layer (boto3, botocore, s3transfer) are added up as one: a day counts as
skipped where none that released on it changed anything.

Example: of 9 releases of botocore 2 change nothing, of 250 a year 250 * 2/9 = 56, each 2.8 MiB: 156 MiB a year. Where
boto3 changed a module on one of those two days, the two together save 250 * 1/9 * 2.8 MiB = 78 MiB.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from optimizer.history import History, Release, Releases, co_release_families

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from optimizer.models import Target
    from optimizer.upgrades.changes import Comparison

YEAR_DAYS = 364
_SHORTEST_DAYS = 28
"""A snapshot that covers less says too little of a year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A distribution as the plan has it, with what was found: its comparisons, oldest first, and perhaps a note."""

    name: str
    installed: str
    layer: str
    layer_bytes: int
    comparisons: tuple[Comparison, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advised:
    """One distribution's advice.

    `share` is that of the comparisons without effect and `per_year` the releases, each None where unknown; `family` are
    those of its layer that release together with it; `saved_bytes` a year what skipping saves of it alone.
    """

    wanted: Wanted
    family: tuple[str, ...]
    share: float | None
    per_year: float | None
    saved_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilySaving:
    """What skipping saves a year of distributions that release together and share a layer.

    Of the release days, `days` were compared in all members, and on `quiet` of those none changed; `unknown` are those
    that were not looked at: where there are any, nothing is counted as saved.
    """

    members: tuple[str, ...]
    layer: str
    days: int
    quiet: int
    per_year: float
    saved_bytes: int
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """All of it: `saved_bytes` a year counts each family once."""

    distributions: tuple[Advised, ...]
    families: tuple[FamilySaving, ...]
    saved_bytes: int


def known_history(
    snapshot: History | None, index: Mapping[str, Iterable[tuple[date, str]]], *, target: Target, today: date
) -> History:
    """The last year's releases: from the snapshot where it has the distribution, else as the index dates them.

    Args:
        snapshot: the committed history.
        index: by distribution, the day and version of each release.
        target: what the releases load on.
        today: the last day, where the snapshot says nothing.
    """
    if snapshot is not None and (snapshot.through - snapshot.since).days + 1 < _SHORTEST_DAYS:
        snapshot = None
    through = snapshot.through if snapshot else today
    since = through - timedelta(days=YEAR_DAYS - 1)
    if snapshot:
        since = max(since, snapshot.since)
    known = {
        name: Releases(origin="index", releases=tuple(Release(day, version) for day, version in sorted(releases)))
        for name, releases in index.items()
    }
    known |= snapshot.distributions if snapshot else {}
    return History(
        runtime=target.runtime, architecture=target.architecture, since=since, through=through, distributions=known
    )


def advise(wanted: Sequence[Wanted], history: History, layers: Mapping[str, str]) -> Advice:
    """What to take, what to skip, and what that saves.

    Args:
        wanted: the distributions that were looked at.
        history: the last year's releases, between its two days.
        layers: each distribution of the plan with its layer.
    """
    families = co_release_families(history, layers, since=history.since, through=history.through)
    together = {
        name: tuple(other for other in family if layers[other] == layers[name])
        for family in families
        for name in family
    }
    found = {one.name: one for one in sorted(wanted, key=lambda one: one.name)}
    advised = {name: _advise(one, history, together[name]) for name, one in found.items()}
    shared = sorted({together[name] for name in found if len(together[name]) > 1})
    savings = tuple(_family(members, found, history) for members in shared)
    alone = sum(a.saved_bytes for name, a in advised.items() if len(together[name]) == 1)
    return Advice(
        distributions=tuple(advised.values()),
        families=savings,
        saved_bytes=alone + sum(saving.saved_bytes for saving in savings),
    )


def _advise(one: Wanted, history: History, family: tuple[str, ...]) -> Advised:
    count = len(one.comparisons)
    share = sum(c.change == "nothing" for c in one.comparisons) / count if count else None
    known = history.distributions.get(one.name)
    releases = [r for r in known.releases if history.since <= r.day <= history.through] if known else []
    per_year = len(releases) * _yearly(history) if known else None
    return Advised(
        wanted=one,
        family=family,
        share=share,
        per_year=per_year,
        saved_bytes=round((share or 0) * (per_year or 0) * one.layer_bytes),
    )


def _family(members: tuple[str, ...], found: Mapping[str, Wanted], history: History) -> FamilySaving:
    """Days before the first comparison of any member are left out: what that member did then is not known."""
    unknown = tuple(name for name in members if name not in found or not found[name].comparisons)
    known = [found[name] for name in members if name in found]
    dated = [[(c.day, c.change) for c in one.comparisons if c.day is not None] for one in known]
    begins = [min(day for day, _ in each) for each in dated if each]
    quiet: dict[date, bool] = {}
    for each in dated:
        for day, change in each:
            if not unknown and day >= max(begins):
                quiet[day] = quiet.get(day, True) and change == "nothing"
    days = {
        release.day
        for name in members
        for release in history.distributions[name].releases
        if history.since <= release.day <= history.through
    }
    per_year = len(days) * _yearly(history)
    share = sum(quiet.values()) / len(quiet) if quiet else 0.0
    return FamilySaving(
        members=members,
        layer=known[0].layer,
        days=len(quiet),
        quiet=sum(quiet.values()),
        per_year=per_year,
        saved_bytes=round(share * per_year * known[0].layer_bytes),
        unknown=unknown,
    )


def _yearly(history: History) -> float:
    """What makes a year's number of what the history's days hold."""
    return YEAR_DAYS / ((history.through - history.since).days + 1)
