"""[pure] botocore's service models as items of their own: `botocore/data/s3` beside what is left of botocore.

Layers merge under /opt/python, so a model may lie in another layer than botocore, which releases each working day and
changes most models seldom. Both come from one inventory: files of two versions are never mixed. What ships, and under
which rules, is decided before; nothing is added or lost. botocore requires its parts, and its RECORD tells of their
files too.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from optimizer.models import Distribution, InstalledFile, Inventory, Selection, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from packaging.utils import NormalizedName

SERVICES_OWNER = "botocore"
"""The distribution that has the service models."""


def part_name(service: str) -> str:
    """The name under which a service's model is an item of its own."""
    return f"{SERVICES_OWNER}/data/{service}"


def split_selections(selections: Iterable[Selection], services: frozenset[str]) -> list[Selection]:
    """The selections with botocore's in parts, one for each service that something ships of; sorted by name.

    Args:
        selections: what ships of each distribution, each path once.
        services: those whose models become parts; other folders under `botocore/data` stay with botocore.
    """
    found = []
    for selection in selections:
        if selection.name != SERVICES_OWNER:
            found.append(selection)
            continue
        files, parts = _split(selection.files, frozenset(map(part_name, services)))
        found += [
            Selection(name=name, version=selection.version, files=part, record=None, dropped=())
            for name, part in parts.items()
        ]
        recorded = tuple(file for part in parts.values() for file in part)
        found.append(replace(selection, files=files, recorded=recorded))
    return sorted(found, key=lambda s: s.name)


def split_inventory(inventory: Inventory, selections: Sequence[Selection]) -> Inventory:
    """The inventory with the parts that the selections have as distributions of botocore's version."""
    names = frozenset(s.name for s in selections if whole(s.name) != s.name)
    parts = tuple(cast("NormalizedName", name) for name in sorted(names))
    distributions: list[Distribution] = []
    for distribution in inventory.distributions:
        if distribution.name != SERVICES_OWNER:
            distributions.append(distribution)
            continue
        files, files_of = _split(distribution.files, names)
        requires = tuple(sorted((*distribution.requires, *parts)))
        distributions.append(replace(distribution, requires=requires, files=files))
        distributions += [
            replace(distribution, name=name, requires=(), files=files_of[name], outside_bytes=0) for name in parts
        ]
    return replace(
        inventory,
        distributions=tuple(sorted(distributions, key=lambda d: d.name)),
        functions=tuple(
            replace(function, closure=function.closure | frozenset(parts))
            if SERVICES_OWNER in function.closure
            else function
            for function in inventory.functions
        ),
    )


def _split(
    files: Iterable[InstalledFile], names: frozenset[str]
) -> tuple[tuple[InstalledFile, ...], dict[str, tuple[InstalledFile, ...]]]:
    """What stays with botocore, and the files of each part."""
    kept: list[InstalledFile] = []
    parts: defaultdict[str, list[InstalledFile]] = defaultdict(list)
    for file in files:
        name = "/".join(file.path.split("/", 3)[:3])
        if name in names and file.path != name:
            parts[name].append(file)
        else:
            kept.append(file)
    return tuple(kept), {name: tuple(part) for name, part in sorted(parts.items())}
