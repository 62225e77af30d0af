"""[pure] What the index says → the releases of each distribution that this stack could have taken.

A release is a wheel that loads on the target, neither yanked nor a pre-release, of a version above every earlier one.
Its day is that on which the first such wheel was uploaded (UTC); its bytes those of the wheel that an installer takes.
What the stack's own requirements do not admit does not count:

- A version above a cap of another distribution, or of a function's requirements. A cap that moves with its own
  distribution (boto3's `botocore<1.45.0,>=1.44.5`) binds only until that has a newer release than the one installed.
- A distribution that others pin exactly (pydantic requires `pydantic-core==2.50.4`) changes on the days on which the
  last of those has released again, to its newest version of that day.

A function's own `==` is a lock, not a cap. Where the stack itself holds a pre-release, pre-releases count.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from optimizer.history.caps import Cap, is_cap, is_pin, lower_bound
from optimizer.history.snapshot import Release, Releases
from optimizer.inventory.target import marker_environment, tag_rank

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from optimizer.history.index import IndexFile
    from optimizer.models import Inventory, Target

_MOVING = timedelta(days=365)
"""A cap moves with its distribution where the same requirement's lower bound was no older than this."""
_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A version that the target could load, and the day on which it was to be had."""

    day: date
    version: Version
    wheel_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The entries for the snapshot, the names of which nothing is known, and what a person should hear of."""

    distributions: dict[str, Releases]
    unknown: tuple[str, ...]
    notes: tuple[str, ...]


def stack_releases(
    files: Mapping[str, tuple[IndexFile, ...] | None], inventory: Inventory, *, since: date, through: date, today: date
) -> Found:
    """The releases of the inventory's distributions between two days, both included.

    Args:
        files: each distribution's wheels, or None where the index knows no such project.
        inventory: the stack: target, installed versions, requirements.
        since: the first day.
        through: the last day; what comes later is left out.
        today: what this machine's clock says; what is dated after it is left out and told.
    """
    stack = _Stack(inventory=inventory, through=through)
    for distribution in inventory.distributions:
        stack.read(str(distribution.name), distribution.version, files.get(distribution.name), today)
    stack.set_caps()
    distributions = {
        name: Releases(
            origin="index",
            releases=tuple(
                Release(c.day, str(c.version), c.wheel_bytes) for c in stack.taken(name) if since <= c.day <= through
            ),
        )
        for name in sorted(stack.candidates)
    }
    stack.tell_caps(since)
    names = {str(d.name) for d in inventory.distributions}
    return Found(
        distributions=distributions,
        unknown=tuple(sorted(names - set(distributions))),
        notes=(*stack.notes,),
    )


def candidates(files: Iterable[IndexFile], target: Target, *, prereleases: bool = False) -> tuple[Candidate, ...]:
    """The versions that load on the target, each once, by day and version.

    Args:
        files: wheels of one project; those without an upload time can't be dated, and are left out.
        target: runtime and architecture.
        prereleases: whether alphas, betas and candidates count too; development versions never do.
    """
    python = marker_environment(target)["python_full_version"]
    found: dict[Version, list[tuple[int, date, str, int]]] = {}
    for file in files:
        if file.yanked or file.uploaded is None or not _takes_python(file.requires_python, python):
            continue
        try:
            _, version, _, tags = parse_wheel_filename(file.filename)
        except (InvalidWheelFilename, InvalidVersion):
            continue
        if version.is_devrelease or (version.is_prerelease and not prereleases):
            continue
        rank = tag_rank(tags, target)
        if rank is not None:
            found.setdefault(version, []).append((rank, file.uploaded.date(), file.filename, file.bytes))
    dated = (
        Candidate(day=min(day for _, day, _, _ in wheels), version=version, wheel_bytes=min(wheels)[3])
        for version, wheels in found.items()
    )
    return tuple(sorted(dated, key=lambda c: (c.day, c.version)))


def newest_first_seen(found: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Those above every earlier one, at most one a day: that day's newest."""
    rising: list[Candidate] = []
    for candidate in found:
        if rising and candidate.version <= rising[-1].version:
            continue
        if rising and rising[-1].day == candidate.day:
            rising.pop()
        rising.append(candidate)
    return tuple(rising)


def pinned(own: tuple[Candidate, ...], pinners: Mapping[str, tuple[Candidate, ...]]) -> tuple[Candidate, ...]:
    """The changes of a distribution that others pin exactly.

    It changes on a day on which every pinner has released again since the last such day, where it has had a newer
    version since. A pinner takes part from its own first release on.
    """
    changes: list[Candidate] = []
    moved: set[str] = set()
    first = {name: releases[0].day for name, releases in pinners.items() if releases}
    days: dict[date, set[str]] = {}
    for name, releases in pinners.items():
        for release in releases:
            days.setdefault(release.day, set()).add(name)
    for day, names in sorted(days.items()):
        moved |= names
        if any(first[name] <= day and name not in moved for name in first):
            continue
        moved.clear()
        newest = max((c for c in own if c.day <= day), key=lambda c: c.version, default=None)
        if newest is not None and (not changes or newest.version > changes[-1].version):
            changes.append(Candidate(day=day, version=newest.version, wheel_bytes=newest.wheel_bytes))
    return tuple(changes)


@dataclass(slots=True)
class _Stack:
    """What is known of each distribution while the rules are applied."""

    inventory: Inventory
    through: date
    candidates: dict[str, tuple[Candidate, ...]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    _caps: dict[str, list[Cap]] = field(default_factory=dict)
    _pinners: dict[str, set[str]] = field(default_factory=dict)
    _taken: dict[str, tuple[Candidate, ...]] = field(default_factory=dict)

    def read(self, name: str, installed: str, files: tuple[IndexFile, ...] | None, today: date) -> None:
        """Take one project's answer; where it has nothing to say, tell why the prior stands in."""
        if files is None:
            self.notes.append(f"{name} is not known to the package index; it gets the prior")
            return
        if files and all(file.uploaded is None for file in files):
            self.notes.append(f"{name}: the package index does not say when it was uploaded; it gets the prior")
            return
        found = candidates(files, self.inventory.target, prereleases=_is_prerelease(installed))
        ahead = [c for c in found if c.day > today]
        if ahead:
            self.notes.append(
                f"{name} {ahead[0].version} is dated {ahead[0].day}, but the clock of this machine says {today}: "
                f"{_count(len(ahead), 'release')} left out"
            )
        found = tuple(c for c in found if c.day <= self.through)
        if not found:
            self.notes.append(f"{name} has no wheel in the index that loads on the target; it gets the prior")
            return
        self.candidates[name] = found

    def set_caps(self) -> None:
        """Find what each requirement of the stack shuts out."""
        for demand in self.inventory.demands:
            if demand.name not in self.candidates or demand.name == demand.by:
                continue
            if demand.by is not None and is_pin(demand.specifier):
                if demand.by in self.candidates:
                    self._pinners.setdefault(demand.name, set()).add(demand.by)
                else:
                    self.notes.append(
                        f"{demand.name} is pinned by {demand.by}, of which nothing is known; its own releases count"
                    )
            elif is_cap(demand.specifier):
                until = self._moves(demand.by, demand.name, demand.specifier) if demand.by else None
                cap = Cap(by=demand.by, specifier=demand.specifier, until=until)
                self._caps.setdefault(demand.name, []).append(cap)

    def _moves(self, by: str, name: str, specifier: str) -> date | None:
        """From which day on a moving cap no longer binds: that of the first release after the installed one."""
        installed = _parsed(next(d.version for d in self.inventory.distributions if d.name == by))
        lower = lower_bound(specifier)
        releases = self.candidates.get(by, ())
        if lower is None or installed is None or not releases:
            return None
        bound = next((c.day for c in self.candidates[name] if c.version >= lower), None)
        current = next((c.day for c in releases if c.version >= installed), None)
        if bound is None or current is None or bound < current - _MOVING:
            return None
        return min((c.day for c in releases if c.version > installed and c.day >= current), default=None)

    def _admitted(self, name: str) -> tuple[Candidate, ...]:
        caps = self._caps.get(name, ())
        return tuple(c for c in self.candidates[name] if all(cap.admits(c.version, c.day) for cap in caps))

    def taken(self, name: str, asked: frozenset[str] = frozenset()) -> tuple[Candidate, ...]:
        """The releases that the stack could have taken, from the first of all on.

        Args:
            name: of the distribution.
            asked: those whose releases depend on the answer, so that two that pin each other come to an end.
        """
        if name in self._taken:
            return self._taken[name]
        own = self._admitted(name)
        pinners = sorted(self._pinners.get(name, set()) - asked)
        asked |= {name}
        found = (
            pinned(own, {pinner: self.taken(pinner, asked) for pinner in pinners})
            if pinners
            else newest_first_seen(own)
        )
        if len(asked) == 1:  # what was found on the way round a circle is not the whole answer
            self._taken[name] = found
        return found

    def tell_caps(self, since: date) -> None:
        """Tell which releases a cap shut out."""
        for name, caps in sorted(self._caps.items()):
            shut = newest_first_seen(
                c
                for c in self.candidates[name]
                if c.day >= since and not all(cap.admits(c.version, c.day) for cap in caps)
            )
            if not shut:
                continue
            guilty = Counter(
                f"{cap.by or 'the requirements'} ({cap.specifier})"
                for cap in caps
                if any(not cap.admits(c.version, c.day) for c in shut)
            )
            versions = ", ".join(str(c.version) for c in shut[-_SHOWN:])
            few = f"{versions}" if len(shut) <= _SHOWN else f"{len(shut)} releases up to {shut[-1].version}"
            self.notes.append(f"{name} {few}: not taken, capped by {' and '.join(sorted(guilty))}")


def _takes_python(requires: str | None, version: str) -> bool:
    """As an installer reads it: what can't be read shuts nothing out."""
    try:
        return not requires or SpecifierSet(requires).contains(version)
    except InvalidSpecifier:
        return True


def _parsed(version: str) -> Version | None:
    try:
        return Version(version)
    except InvalidVersion:
        return None


def _is_prerelease(version: str) -> bool:
    parsed = _parsed(version)
    return parsed is not None and parsed.is_prerelease


def _count(number: int, word: str) -> str:
    return f"1 {word} is" if number == 1 else f"{number} {word}s are"
