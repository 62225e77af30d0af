"""An instance made small without loss: items that always change together become one atom, scenarios become bits.

Two items of the same scenarios and the same allowed layers, neither kept apart from anything, may share a layer in some
best assignment: of two layers that hold one each, the one that is published less often may as well hold both. (With a
cost for each publish, and every layer to be filled, this fails where a class must fill several layers alone; `optimise`
then solves the items unmerged.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optimizer.partition.instance import Instance


class Weigher:
    """The total weight of the scenarios whose bits are set, a byte of the mask at a time; `weights[i]` is bit i's."""

    def __init__(self, weights: Sequence[float]) -> None:
        self._tables = []
        for start in range(0, len(weights), 8):
            table = [0.0]
            for weight in weights[start : start + 8]:
                table += [known + weight for known in table]
            self._tables.append(table)
        self._known: dict[int, float] = {0: 0.0}

    def __call__(self, mask: int) -> float:
        """The weight of the mask; remembered, as searches ask for the same masks again and again."""
        known = self._known.get(mask)
        if known is None:
            octets = mask.to_bytes(len(self._tables), "little")
            known = sum([table[octet] for table, octet in zip(self._tables, octets, strict=True)])
            if len(self._known) > 500_000:  # noqa: PLR2004  # about 60 MB
                self._known.clear()
            self._known[mask] = known
        return known


@dataclass(frozen=True, slots=True, kw_only=True)
class Atoms:
    """What the searches work on; everything is indexed by atom, in order of each atom's first item.

    `masks` holds the scenarios of each atom as bits, `weights` the weight of each bit, `members` the items, `rivals`
    the atoms it must not share with, `symmetric` for each layer the first that no constraint tells from it.
    """

    sizes: tuple[float, ...]
    masks: tuple[int, ...]
    weights: tuple[float, ...]
    members: tuple[tuple[int, ...], ...]
    allowed: tuple[tuple[int, ...], ...]
    rivals: tuple[frozenset[int], ...]
    layers: int
    symmetric: tuple[int, ...]
    publish_bytes: float
    nonempty: bool
    weigh: Weigher

    def cost(self, home: Sequence[int]) -> float:
        """What the atoms' assignment costs."""
        sizes, masks = [self.publish_bytes] * self.layers, [0] * self.layers
        for atom, layer in enumerate(home):
            sizes[layer] += self.sizes[atom]
            masks[layer] |= self.masks[atom]
        return sum(size * self.weigh(mask) for size, mask in zip(sizes, masks, strict=True))

    def expand(self, home: Sequence[int]) -> tuple[int, ...]:
        """The items' assignment."""
        layer_of = {item: layer for layer, items in zip(home, self.members, strict=True) for item in items}
        return tuple(layer_of[item] for item in range(len(layer_of)))

    def canonical(self, home: Sequence[int]) -> tuple[int, ...]:
        """The same assignment with layers that nothing tells apart numbered by their first atom."""
        names: dict[int, int] = {}
        for layer in home:
            if layer not in names:
                kind = self.symmetric[layer]
                names[layer] = next(
                    k for k, first in enumerate(self.symmetric) if first == kind and k not in names.values()
                )
        return tuple(names[layer] for layer in home)


def make_atoms(instance: Instance, *, merge: bool) -> Atoms:
    """The instance with its scenarios as bits, equal ones added up; with `merge`, classes of items as one atom each.

    Merged atoms may leave layers empty, whatever `instance.nonempty` says.
    """
    weight_of: dict[tuple[int, ...], float] = {}
    for weight, changed in sorted((weight, tuple(sorted(changed))) for weight, changed in instance.scenarios):
        if weight > 0 and changed:
            weight_of[changed] = weight_of.get(changed, 0.0) + weight
    columns = sorted(weight_of)
    masks = [0] * len(instance.sizes)
    for bit, changed in enumerate(columns):
        for item in changed:
            masks[item] |= 1 << bit
    enemies: list[set[int]] = [set() for _ in masks]
    for a, b in instance.apart:
        enemies[a].add(b)
        enemies[b].add(a)
    classes: dict[tuple[object, ...], list[int]] = {}
    for item, mask in enumerate(masks):
        alone = not merge or bool(enemies[item])
        classes.setdefault((item,) if alone else ("class", mask, instance.allowed[item]), []).append(item)
    members = tuple(tuple(items) for items in classes.values())
    atom_of = {item: atom for atom, items in enumerate(members) for item in items}
    columns_of = [tuple(layer in allowed for allowed in instance.allowed) for layer in range(instance.layers)]
    weights = tuple(weight_of[changed] for changed in columns)
    return Atoms(
        sizes=tuple(sum(instance.sizes[item] for item in items) for items in members),
        masks=tuple(masks[items[0]] for items in members),
        weights=weights,
        members=members,
        allowed=tuple(tuple(sorted(instance.allowed[items[0]])) for items in members),
        rivals=tuple(frozenset(atom_of[enemy] for enemy in enemies[items[0]]) for items in members),
        layers=instance.layers,
        symmetric=tuple(columns_of.index(column) for column in columns_of),
        publish_bytes=instance.publish_bytes,
        nonempty=instance.nonempty and not merge,
        weigh=Weigher(weights),
    )
