"""[pure] What the index says of a project → its newest releases that load on the target, and the days of them all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from optimizer.inventory.target import marker_environment, tag_rank

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from optimizer.history.index import IndexFile
    from optimizer.models import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A release that loads on the target: the wheel that stands for it, and the day on which the first such came."""

    version: str
    day: date | None
    wheel: IndexFile


def candidates(files: Iterable[IndexFile], target: Target) -> tuple[Candidate, ...]:
    """The releases that load on the target, oldest version first: not yanked, no pre-releases, with a hash.

    Of several wheels the one stands for the release that an installer would take.
    """
    found: dict[Version, list[tuple[int, str, IndexFile]]] = {}
    for file in files:
        if file.yanked or not file.sha256 or not _takes_python(file, target):
            continue
        try:
            _, version, _, tags = parse_wheel_filename(file.filename)
        except (InvalidWheelFilename, InvalidVersion):
            continue
        rank = tag_rank(tags, target)
        if not version.is_prerelease and rank is not None:
            found.setdefault(version, []).append((rank, file.filename, file))
    chosen = []
    for version, wheels in sorted(found.items()):
        days = [wheel.uploaded.date() for _, _, wheel in wheels if wheel.uploaded is not None]
        wheel = min(wheels, key=lambda ranked: ranked[:2])[2]
        chosen.append(Candidate(version=str(version), day=min(days, default=None), wheel=wheel))
    return tuple(chosen)


def _takes_python(file: IndexFile, target: Target) -> bool:
    try:
        wanted = SpecifierSet(file.requires_python or "")
    except InvalidSpecifier:  # an installer ignores what it can't read
        return True
    return wanted.contains(marker_environment(target)["python_full_version"])
