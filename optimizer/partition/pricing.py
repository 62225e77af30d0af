"""Layers as rows of flags with their costs, found for prices of the atoms: quickly, or with a bound that proves them.

A layer L costs c(L) = (S(L) + f) * W(L), with W the weight of the scenarios that touch it. Given a price for each atom,
the layers of least reduced cost c(L) - prices(L) are wanted: `suggest` finds them by descent, `price` by exact search.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from optimizer.partition.ground import Array, Ground, make_ground
from optimizer.partition.layer_descent import descend_layers, starts
from optimizer.partition.layer_search import LayerSearch

if TYPE_CHECKING:
    from collections.abc import Callable

    from optimizer.partition.atoms import Atoms

_NOTHING_LEFT = 1e-10  # of the prices: what the exact search may leave


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """Layers found, as rows of `members` (one column an atom), with their `costs` and `reduced` costs.

    No layer's reduced cost is below `least`; with `complete` every layer within the limit asked for is here.
    """

    members: Array
    costs: Array
    reduced: Array
    least: float = -np.inf
    complete: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pricer:
    """The atoms as arrays; `kinds` holds the atoms allowed in each kind of layer (nothing tells those of a kind apart).

    `forced` holds those that are allowed in one layer only, so that every layer of this kind has them; `grounds` what
    the searches need of each kind.
    """

    sizes: Array
    covers: Array
    weights: Array
    publish_bytes: float
    kinds: tuple[tuple[int, ...], ...]
    forced: tuple[tuple[int, ...], ...]
    grounds: tuple[Ground, ...]

    def price(
        self,
        kind: int,
        prices: Array,
        *,
        limit: float,
        keep_all: bool,
        nodes: int,
        expired: Callable[[], bool],
        tolerance: float = 0.0,
    ) -> Priced:
        """Layers of one kind with a reduced cost below `limit`, which is not above 0 unless all are asked for.

        With `keep_all` every one of them; otherwise the best, up to the tolerance, and those met on the way to it. At
        most so many nodes are followed: what is dropped counts into `least`, so that stays true.
        """
        ground = self.grounds[kind]
        tolerance = max(tolerance, _NOTHING_LEFT * float(prices.sum()))
        search = LayerSearch(ground, prices, limit=limit, keep_all=keep_all, tolerance=tolerance)
        search.run(nodes=nodes, expired=expired)
        chosen = np.concatenate([np.zeros((0, len(ground.items)), dtype=bool), *(rows for rows, _ in search.found)])
        return self._priced(ground, prices, chosen, least=search.least, complete=search.complete)

    def suggest(self, kind: int, prices: Array, known: Array, chance: np.random.Generator) -> Priced:
        """Layers of one kind of small reduced cost, by descent from those known (rows of members) and by chance."""
        ground = self.grounds[kind]
        chosen, _ = descend_layers(ground, prices, starts(known[:, ground.items], chance))
        return self._priced(ground, prices, chosen)

    def cost(self, members: Array) -> float:
        """What the layer of these atoms costs."""
        weight = float(self.covers[members].any(axis=0) @ self.weights)
        return (float(self.sizes[members].sum()) + self.publish_bytes) * weight

    def _priced(
        self, ground: Ground, prices: Array, chosen: Array, *, least: float = -np.inf, complete: bool = False
    ) -> Priced:
        members = np.zeros((len(chosen), len(self.sizes)), dtype=bool)
        members[:, ground.items] = chosen
        members[:, ground.forced] = True
        costs = (members @ self.sizes + self.publish_bytes) * ((members @ self.covers > 0) @ self.weights)
        return Priced(members=members, costs=costs, reduced=costs - members @ prices, least=least, complete=complete)


def make_pricer(atoms: Atoms) -> Pricer:
    """The arrays of these atoms."""
    n, bits = len(atoms.sizes), len(atoms.weights)
    octets = [list(mask.to_bytes(bits // 8 + 1, "little")) for mask in atoms.masks]
    covers = np.unpackbits(np.array(octets, dtype=np.uint8), axis=1, bitorder="little")[:, :bits].astype(float)
    rivals = np.zeros((n, n), dtype=bool)
    for atom, others in enumerate(atoms.rivals):
        rivals[atom, list(others)] = True
    kinds = list(dict.fromkeys(atoms.symmetric))
    forced = [
        tuple(a for a in range(n) if atoms.allowed[a] == (kind,)) if atoms.symmetric.count(kind) == 1 else ()
        for kind in kinds
    ]
    allowed = [tuple(a for a in range(n) if kind in atoms.allowed[a]) for kind in kinds]
    sizes, weights = np.array(atoms.sizes, dtype=float), np.array(atoms.weights, dtype=float)
    free = [
        [a for a in atoms_ if a not in always and not atoms.rivals[a] & set(always)]
        for atoms_, always in zip(allowed, forced, strict=True)
    ]
    return Pricer(
        sizes=sizes,
        covers=covers,
        weights=weights,
        publish_bytes=float(atoms.publish_bytes),
        kinds=tuple(allowed),
        forced=tuple(forced),
        grounds=tuple(
            make_ground(
                sizes,
                covers,
                weights,
                rivals,
                free=np.array(items, dtype=int),
                forced=np.array(always, dtype=int),
                publish_bytes=float(atoms.publish_bytes),
            )
            for items, always in zip(free, forced, strict=True)
        ),
    )
