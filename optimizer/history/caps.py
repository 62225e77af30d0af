"""[pure] Which versions the stack's own requirements admit.

Only the upper side counts: requirements are those of today's versions, and what lies below was admitted when it came.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet
from packaging.version import Version

if TYPE_CHECKING:
    from datetime import date

_UPPER = frozenset({"<", "<=", "~=", "!=", "=="})
_LOWER = frozenset({">=", ">", "~=", "=="})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """What `by` (None: a function's requirements) lets in; it binds until a day, where that is not None."""

    by: str | None
    specifier: str
    until: date | None = None

    def admits(self, version: Version, day: date) -> bool:
        """Whether a version that came on that day is let in."""
        if self.until is not None and day >= self.until:
            return True
        return all(_below(part, version) for part in parts(self.specifier))


def parts(specifier: str) -> tuple[Specifier, ...]:
    """The single comparisons of a specifier, sorted; none where it can't be read."""
    try:
        return tuple(sorted(SpecifierSet(specifier), key=str))
    except InvalidSpecifier:
        return ()


def is_cap(specifier: str) -> bool:
    """Whether it shuts anything out from above."""
    return any(part.operator in _UPPER and not _exact(part) for part in parts(specifier))


def is_pin(specifier: str) -> bool:
    """Whether it takes one version and no other."""
    return any(_exact(part) for part in parts(specifier))


def lower_bound(specifier: str) -> Version | None:
    """The oldest version that it takes, or None where it does not say."""
    bounds = [
        Version(part.version.removesuffix(".*"))
        for part in parts(specifier)
        if part.operator in _LOWER and not _exact(part)
    ]
    return max(bounds, default=None)


def _exact(part: Specifier) -> bool:
    return part.operator == "===" or (part.operator == "==" and not part.version.endswith(".*"))


def _below(part: Specifier, version: Version) -> bool:
    """Whether the comparison's upper side holds."""
    if part.operator not in _UPPER or _exact(part):
        return True
    if part.operator in {"<", "<=", "!="}:
        return part.contains(version, prereleases=True)
    bound = Version(part.version.removesuffix(".*"))
    prefix = bound.release[:-1] if part.operator == "~=" else bound.release
    padded = (*version.release, *(0 for _ in prefix))[: len(prefix)]
    return (version.epoch, padded) <= (bound.epoch, prefix)
