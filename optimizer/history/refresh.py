"""[pure] What is newly known, joined with the committed snapshot: entries of the other origin are kept."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace as changed
from datetime import date
from typing import TYPE_CHECKING

from optimizer.history.snapshot import History, Release, Releases

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from optimizer.models import Target

_WINDOW_MONTHS = 25
"""Two years of 52 weeks (one to fit on, one to replay) fit whatever day of the month it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """The snapshot to write, the names of the plan without an entry, and what a person should hear of."""

    history: History
    unknown: tuple[str, ...]
    notes: tuple[str, ...]


def first_day(through: date) -> date:
    """Where a snapshot begins unless it is told: the first of a month, so that it does not move every day."""
    months = through.year * 12 + through.month - 1 - _WINDOW_MONTHS
    return date(months // 12, months % 12 + 1, 1)


def join_index(
    found: Mapping[str, Releases],
    old: History | None,
    names: Iterable[str],
    target: Target,
    *,
    since: date,
    through: date,
    replace: bool = False,
) -> Refreshed:
    """The index's entries, and the old snapshot's from a lock file's commits unless they are to be replaced.

    Args:
        found: what the index told.
        old: the committed snapshot, or None.
        names: the distributions of the plan; what else the old one holds is dropped.
        target: runtime and architecture.
        since: the first day.
        through: the last day.
        replace: take the index's entries all the same.
    """
    names = sorted(set(names))
    kept = {} if replace else _of_origin(old, "git", names)
    notes = []
    if kept and old is not None:
        notes.append(
            f"kept from the commits of a lock file, as of {old.through}: {', '.join(kept)}; "
            "`history update --from-git` brings them up to date, `history update --replace` takes the index's"
        )
    history = _history({**found, **kept}, target, since=since, through=through)
    return _refreshed(history, names, notes)


def join_git(
    found: Mapping[str, Releases],
    old: History | None,
    names: Iterable[str],
    target: Target,
    *,
    since: date,
    through: date,
    began: date,
) -> Refreshed:
    """The entries from a lock file's commits, and the old snapshot's from the index for what the lock never held.

    The snapshot begins no earlier, and ends no later, than all that is in it reaches.

    Args:
        found: what the commits told; wheel bytes are taken from the old snapshot where it has that version.
        old: the committed snapshot, or None.
        names: the distributions of the plan.
        target: runtime and architecture.
        since: the first day that is wanted.
        through: the last day.
        began: the day of the lock file's first commit.
    """
    names = sorted(set(names))
    kept = {name: entry for name, entry in _of_origin(old, "index", names).items() if name not in found}
    notes = []
    if began > since:
        notes.append(f"the lock file's commits begin on {began}; so does the snapshot")
    if kept and old is not None:
        notes.append(f"kept from the package index: {', '.join(kept)}")
        if old.through < through:
            notes.append(f"these reach to {old.through}, and so does the snapshot; run `history update` first")
        through, since = min(through, old.through), max(since, old.since)
    since = min(max(since, began), through)
    sizes = {
        (name, release.version): release.wheel_bytes
        for name, entry in (old.distributions.items() if old else ())
        for release in entry.releases
    }
    sized = {
        name: Releases(
            origin=entry.origin,
            releases=tuple(Release(r.day, r.version, sizes.get((name, r.version), 0)) for r in entry.releases),
        )
        for name, entry in found.items()
    }
    return _refreshed(_history({**sized, **kept}, target, since=since, through=through), names, notes)


def join_parts(refreshed: Refreshed, found: Mapping[str, Releases], names: Iterable[str]) -> Refreshed:
    """With the entries of a distribution's parts.

    Args:
        refreshed: the snapshot of whole distributions.
        found: what is known of parts.
        names: the parts of the plan; one without an entry is unknown.
    """
    known = refreshed.history
    history = changed(known, distributions=dict(sorted({**known.distributions, **found}.items())))
    missing = {name for name in names if name not in found}
    return changed(refreshed, history=history, unknown=tuple(sorted({*refreshed.unknown, *missing})))


def _of_origin(old: History | None, origin: str, names: list[str]) -> dict[str, Releases]:
    known = old.distributions if old else {}
    return {name: known[name] for name in names if name in known and known[name].origin == origin}


def _history(entries: Mapping[str, Releases], target: Target, *, since: date, through: date) -> History:
    return History(
        runtime=target.runtime,
        architecture=target.architecture,
        since=since,
        through=through,
        distributions={
            name: Releases(origin=entry.origin, releases=tuple(r for r in entry.releases if since <= r.day <= through))
            for name, entry in sorted(entries.items())
        },
    )


def _refreshed(history: History, names: list[str], notes: list[str]) -> Refreshed:
    return Refreshed(
        history=history,
        unknown=tuple(name for name in names if name not in history.distributions),
        notes=tuple(notes),
    )
