"""[pure] Distributions that release together, as boto3 and botocore do, or everything of OpenTelemetry."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from optimizer.models import whole

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from optimizer.history.snapshot import History

_SHARED_DAYS = 2  # one day in common may be chance
_SHARE = 0.5


def co_release_families(
    history: History | None, names: Iterable[str], *, since: date | None = None, through: date | None = None
) -> tuple[tuple[str, ...], ...]:
    """Every name in exactly one family, families and members sorted.

    Two distributions are of one family where at least half of the days on which either released are days on which both
    did, and these are two or more; families are what that leads to from one to the next. A part is of its
    distribution's family whatever their days: it changes by no release but that one's.
    """
    names = sorted(set(names))
    known = history.distributions if history else {}
    days = {
        name: {
            r.day
            for r in (known[name].releases if name in known else ())
            if (since is None or r.day >= since) and (through is None or r.day <= through)
        }
        for name in names
    }
    leader = {name: name for name in names}

    def find(name: str) -> str:
        while leader[name] != name:
            name = leader[name]
        return name

    for a, b in combinations(names, 2):
        both = len(days[a] & days[b])
        if whole(a) == whole(b) or (both >= _SHARED_DAYS and both >= _SHARE * len(days[a] | days[b])):
            first, second = sorted((find(a), find(b)))
            leader[second] = first
    families: dict[str, list[str]] = {}
    for name in names:
        families.setdefault(find(name), []).append(name)
    return tuple(tuple(members) for _, members in sorted(families.items()))
