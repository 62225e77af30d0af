"""[pure] The digests of two releases → what changed between them of what ships.

Example: of botocore 1.44.4 and 1.44.5 with S3 and Rekognition kept, `botocore/__init__.py` differs in its version alone
and `data/s3/.../service-2.json.gz` in gzip's time stamp: `nothing`. Where S3's model gains one member: `one-service`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from packaging.specifiers import SpecifierSet
from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from optimizer.models import Demand

Change = Literal["nothing", "one-module", "one-service", "several"]
_MODELS = frozenset({"boto3", "botocore"})
_SERVICE_PARTS = 3  # botocore/data/<service>/...


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What ships of one release: a digest for each path; metadata set aside. `day` is when it came out, where known."""

    version: str
    day: date | None
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One release after the one before it; the paths that were added, removed and modified, each sorted.

    `newer` is whether it is newer than the installed one, so that there is something to decide; `held_by` are then the
    requirements of other distributions that do not take it, as `botocore (<3.0.0,>=2.1)`.
    """

    before: str
    after: str
    day: date | None
    newer: bool
    change: Change
    added: tuple[str, ...]
    removed: tuple[str, ...]
    modified: tuple[str, ...]
    held_by: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path that differs, sorted."""
        return tuple(sorted((*self.added, *self.removed, *self.modified)))


def compare(releases: Sequence[Contents], installed: str, demands: Iterable[Demand] = ()) -> tuple[Comparison, ...]:
    """Each release with the one before it.

    Args:
        releases: oldest version first.
        installed: the version that the plan has.
        demands: what the stack asks of this distribution; a function's own requirements are its team's to change.
    """
    others = [(f"{demand.by} ({demand.specifier})", demand.specifier) for demand in demands if demand.by is not None]
    return tuple(_compare(a, b, installed, sorted(others)) for a, b in pairwise(releases))


def _compare(before: Contents, after: Contents, installed: str, others: list[tuple[str, str]]) -> Comparison:
    newer = Version(after.version) > Version(installed)
    added = after.files.keys() - before.files.keys()
    removed = before.files.keys() - after.files.keys()
    modified = {path for path in after.files.keys() & before.files.keys() if before.files[path] != after.files[path]}
    return Comparison(
        before=before.version,
        after=after.version,
        day=after.day,
        newer=newer,
        change=_change(added | removed | modified),
        added=tuple(sorted(added)),
        removed=tuple(sorted(removed)),
        modified=tuple(sorted(modified)),
        held_by=tuple(who for who, asked in others if newer and not SpecifierSet(asked).contains(after.version)),
    )


def _change(paths: set[str]) -> Change:
    if not paths:
        return "nothing"
    services = {service_of(path) for path in paths}
    if len(services) == 1 and services != {None}:
        return "one-service"
    return "one-module" if len(paths) == 1 else "several"


def service_of(path: str) -> str | None:
    """The AWS service of which the file is a model."""
    parts = path.split("/")
    if len(parts) > _SERVICE_PARTS and parts[0] in _MODELS and parts[1] == "data":
        return parts[2]
    return None
