"""Which releases came in which window of the year that the plan is weighed with."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from optimizer.history import CADENCES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from optimizer.history import History


def windows(history: History | None, names: Iterable[str], cadence: str, count: int) -> list[dict[str, Any]]:
    """`count` windows, newest first: `{"from", "to", "releases": [{"name", "version", "day"}]}`.

    The last day of the first is the history's last; they are the windows of `Scenarios.observed`.
    """
    if history is None:
        return []
    length = CADENCES[cadence]
    found: list[list[dict[str, str]]] = [[] for _ in range(count)]
    for name in sorted(names):
        known = history.distributions.get(name)
        for release in known.releases if known else ():
            age = (history.through - release.day).days
            if 0 <= age < count * length:
                found[age // length].append({"name": name, "version": release.version, "day": str(release.day)})
    ends = [history.through - timedelta(days=length * age) for age in range(count)]
    return [
        {"from": str(end - timedelta(days=length - 1)), "to": str(end), "releases": releases}
        for end, releases in zip(ends, found, strict=True)
    ]


def releases_per_year(
    history: History | None, found: Iterable[Mapping[str, Any]], names: Iterable[str], years: float
) -> dict[str, float | None]:
    """How often each has been released, by the windows; None where nothing is known of it."""
    counts = {name: 0 if history is not None and name in history.distributions else None for name in names}
    for window in found:
        for release in window["releases"]:
            counts[release["name"]] = (counts[release["name"]] or 0) + 1
    return {name: None if count is None else round(count / years, 2) for name, count in counts.items()}
