"""[pure] What the index says of a project → its newest releases that load on the target, and the days of them all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from optimizer.inventory.target import marker_environment, tags_fit

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from optimizer.models import Target
    from optimizer.upgrades.index import IndexFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A release that loads on the target: the wheel that stands for it, and the day on which the first such came."""

    version: str
    day: date | None
    wheel: IndexFile


def candidates(files: Iterable[IndexFile], target: Target) -> tuple[Candidate, ...]:
    """The releases that load on the target, oldest version first: not yanked, no pre-releases, with a hash."""
    found: dict[Version, list[tuple[tuple[bool, bool, str], IndexFile]]] = {}
    for file in files:
        if file.yanked or not file.sha256 or not _takes_python(file, target):
            continue
        try:
            version = parse_wheel_filename(file.filename)[1]
        except (InvalidWheelFilename, InvalidVersion):
            continue
        tag = "-".join(file.filename.removesuffix(".whl").split("-")[-3:])
        if not version.is_prerelease and tags_fit((tag,), target):
            found.setdefault(version, []).append((_order(tag, file.filename, target), file))
    chosen = []
    for version, wheels in sorted(found.items()):
        days = [wheel.day for _, wheel in wheels if wheel.day is not None]
        wheel = min(wheels, key=lambda ranked: ranked[0])[1]
        chosen.append(Candidate(version=str(version), day=min(days, default=None), wheel=wheel))
    return tuple(chosen)


def _order(tag: str, filename: str, target: Target) -> tuple[bool, bool, str]:
    """The wheel of just this Python first, then one of the stable ABI, then one without compiled modules."""
    major, minor = target.lambda_runtime.python
    return (not tag.startswith(f"cp{major}{minor}-cp{major}{minor}-"), "-abi3-" not in tag, filename)


def _takes_python(file: IndexFile, target: Target) -> bool:
    try:
        wanted = SpecifierSet(file.requires_python or "")
    except InvalidSpecifier:  # an installer ignores what it can't read
        return True
    return wanted.contains(marker_environment(target)["python_full_version"])
