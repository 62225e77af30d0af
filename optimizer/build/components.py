"""What each layer holds of each distribution, as SBOMs and the licence summary tell it: metadata beside what ships."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from optimizer.content import LAYER
from optimizer.inventory.licences import Licence, licence_files, read_licence
from optimizer.models import whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from optimizer.models import InstalledFile, Inventory
    from optimizer.plan import LayerPlan, PlannedDistribution


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """One source file in a zip: `content` is its SHA-256 in hex."""

    path: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One distribution, or what one layer holds of it.

    `parts` are the items that the layer has of a distribution that is split, itself for what is left of it; empty where
    it is whole. `requires` are distributions, in whichever layer; `digest` is over the sources as a lock has it; `info`
    is the metadata folder. Paths are those in the zip.
    """

    name: str
    version: str
    layer: str
    parts: tuple[str, ...]
    requires: tuple[str, ...]
    licence: Licence
    licence_files: tuple[str, ...]
    digest: str
    files: tuple[Shipped, ...]
    info: str


def components(plan: LayerPlan, inventory: Inventory, read: Callable[[InstalledFile], bytes]) -> tuple[Component, ...]:
    """The components of every layer, in the layers' order, then by name.

    Args:
        plan: what is in which layer.
        inventory: what the plan was made of.
        read: gives a file's bytes; only metadata is read.

    Raises:
        DiskError: a distribution's metadata can't be read.
    """
    by_name = {str(d.name): d for d in inventory.distributions}
    split = {whole(name) for name in by_name if whole(name) != name}
    licences: dict[str, Licence] = {}
    found = []
    for layer in plan.layers:
        items: defaultdict[str, list[PlannedDistribution]] = defaultdict(list)
        for item in layer.distributions:
            items[whole(item.name)].append(item)
        for name, members in sorted(items.items()):
            distribution = by_name[name]
            if name not in licences:
                licences[name] = read_licence(distribution, read)
            info = LAYER.prefix + distribution.info
            lines = sorted(line for member in members for line in member.payload.sources)
            files = tuple(Shipped(path=line.split("\0")[0], content=line.split("\0")[2]) for line in lines)
            found.append(
                Component(
                    name=name,
                    version=distribution.version,
                    layer=layer.name,
                    parts=tuple(sorted(member.name for member in members)) if name in split else (),
                    requires=tuple(sorted({whole(r) for member in members for r in member.requires} - {name})),
                    licence=licences[name],
                    licence_files=licence_files([f.path for f in files], info, licences[name]),
                    digest=hashlib.sha256("\n".join(lines).encode()).hexdigest(),
                    files=files,
                    info=info,
                )
            )
    return tuple(found)
