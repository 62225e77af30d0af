"""Branch and price: where the bound of `columns` leaves a gap, two atoms are put together, or kept apart.

Both halves are instances again: together they are one atom with both's scenarios, apart they are rivals. The node with
the lowest bound is split next, at the pair that the linear programme can't decide on and that costs most. Source: Ryan
and Foster 1981.
"""

from __future__ import annotations

import heapq
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from optimizer.partition import clock
from optimizer.partition.columns import ROUNDING, Generation, Relaxed
from optimizer.partition.local_search import State
from optimizer.partition.programme import Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optimizer.partition.atoms import Atoms
    from optimizer.partition.ground import Array

_T = TypeVar("_T")


def branch_and_price(atoms: Atoms, homes: Sequence[Sequence[int]], *, end: float) -> tuple[tuple[int, ...], float]:
    """The best assignment found and a lower bound; they meet when the time sufficed.

    Args:
        atoms: what to assign.
        homes: assignments that keep the constraints, the best one first; their layers are the first columns.
        end: when to stop, by `clock.now`.
    """
    tree = _Tree(atoms, homes[0], end)
    tree.run(homes)
    return tree.home, min(tree.bound, tree.cost)


class _Tree:
    def __init__(self, atoms: Atoms, home: Sequence[int], end: float) -> None:
        self.atoms, self.end = atoms, end
        self.home, self.cost, self.bound = tuple(home), atoms.cost(home), 0.0
        self.heap: list[tuple[float, int, Atoms, Relaxed]] = []
        self.made = 0

    def run(self, homes: Sequence[Sequence[int]]) -> None:
        """Split the node with the lowest bound until none is left below the cost."""
        root = Generation(self.atoms, (), _shares(self.atoms, homes[0]), self.cost, self.end)
        for home in homes:
            root.columns_of(home)
        self._visit(self.atoms, root, 0.0)
        while self.heap and self.heap[0][0] < self.cost * (1 - ROUNDING):
            self.bound = self.heap[0][0]
            if clock.now() >= self.end:
                return
            bound, _, atoms, relaxed = self.heap[0]
            pair = _undecided(atoms, relaxed)
            if pair is None:
                return
            for half in (_together(atoms, *pair), _apart(atoms, *pair)):
                if half is not None:
                    columns, prices = _inherit(atoms, half, relaxed)
                    self._visit(half, Generation(half, columns, prices, self.cost, self.end), bound)
            self.heap = [node for node in self.heap if node[3] is not relaxed]
            heapq.heapify(self.heap)
        self.bound = self.cost

    def _visit(self, atoms: Atoms, generation: Generation, above: float) -> None:
        relaxed = generation.run()
        if not self.made:
            self.bound = generation.bound
        self._improve(atoms, generation.better)
        self._improve(atoms, relaxed.better)
        self.made += 1
        if not relaxed.closed:
            heapq.heappush(self.heap, (max(above, relaxed.bound), self.made, atoms, relaxed))

    def _improve(self, atoms: Atoms, home: Sequence[int] | None) -> None:
        """Keep an assignment of the node's atoms, if it is the best."""
        if home is None:
            return
        layer_of = dict(zip((m for ms in atoms.members for m in ms), _repeat(atoms, home), strict=True))
        own = tuple(layer_of[items[0]] for items in self.atoms.members)
        if self.atoms.cost(own) < self.cost:
            self.home, self.cost = own, self.atoms.cost(own)


def _shares(atoms: Atoms, home: Sequence[int]) -> Array:
    """Prices to begin with, for each atom the mean of what its going saves and what publishing its own bytes costs."""
    state = State(atoms, home)
    prices = []
    for atom, layer in enumerate(home):
        weight = atoms.weigh(state.once[layer])
        left = state.once[layer] & ~(atoms.masks[atom] & ~state.twice[layer])
        saved = state.size[layer] * weight - (state.size[layer] - atoms.sizes[atom]) * atoms.weigh(left)
        prices.append((saved + atoms.sizes[atom] * weight) / 2)
    return np.array(prices) * atoms.cost(home) / max(sum(prices), 1e-300)


def _repeat(atoms: Atoms, home: Sequence[int]) -> list[int]:
    return [layer for layer, members in zip(home, atoms.members, strict=True) for _ in members]


def _undecided(atoms: Atoms, relaxed: Relaxed) -> tuple[int, int] | None:
    """The pair of which the programme's answer has part together and part not, by what that costs."""
    n = len(atoms.sizes)
    members = np.array([column.members for column in relaxed.columns[: len(relaxed.shares)]], dtype=float)
    shared = (members * relaxed.shares[:, None]).T @ members if len(members) else np.zeros((n, n))
    best: tuple[float, int, int] | None = None
    for a in range(n):
        for b in range(a):
            split = min(shared[a, b], 1 - shared[a, b])
            if a in atoms.rivals[b] or split < 1e-6:  # noqa: PLR2004
                continue
            both = atoms.masks[a] & atoms.masks[b]
            extra = atoms.sizes[a] * atoms.weigh(atoms.masks[b] & ~both)
            extra += atoms.sizes[b] * atoms.weigh(atoms.masks[a] & ~both)
            if best is None or split * extra > best[0]:
                best = (split * extra, b, a)
    if best is None:
        open_ = [(b, a) for a in range(n) for b in range(a) if a not in atoms.rivals[b]]
        return open_[0] if open_ else None
    return best[1], best[2]


def _together(atoms: Atoms, a: int, b: int) -> Atoms | None:
    """The atoms with a and b as one, in a's place; None where that can't be."""
    allowed = tuple(layer for layer in atoms.allowed[a] if layer in atoms.allowed[b])
    if not allowed or b in atoms.rivals[a]:
        return None
    keep = [atom for atom in range(len(atoms.sizes)) if atom != b]
    place = {atom: i for i, atom in enumerate(keep)} | {b: a}
    rivals = [set(others) for others in atoms.rivals]
    rivals[a] |= rivals[b]
    for other in rivals[b]:
        rivals[other].add(a)

    def merged(values: Sequence[_T], both: _T) -> tuple[_T, ...]:
        return tuple(both if atom == a else values[atom] for atom in keep)

    return replace(
        atoms,
        sizes=merged(atoms.sizes, atoms.sizes[a] + atoms.sizes[b]),
        masks=merged(atoms.masks, atoms.masks[a] | atoms.masks[b]),
        members=merged(atoms.members, atoms.members[a] + atoms.members[b]),
        allowed=merged(atoms.allowed, allowed),
        rivals=tuple(frozenset(place[other] for other in rivals[atom]) for atom in keep),
    )


def _apart(atoms: Atoms, a: int, b: int) -> Atoms:
    """The atoms with a and b as rivals."""
    rivals = list(atoms.rivals)
    rivals[a], rivals[b] = rivals[a] | {b}, rivals[b] | {a}
    return replace(atoms, rivals=tuple(rivals))


def _inherit(atoms: Atoms, half: Atoms, relaxed: Relaxed) -> tuple[list[Column], Array]:
    """The columns that are still layers in this half, and the prices."""
    parts = [[atom for atom, ms in enumerate(atoms.members) if set(ms) <= set(items)] for items in half.members]
    prices = np.array([relaxed.prices[part].sum() for part in parts])
    kinds = list(dict.fromkeys(half.symmetric))
    columns = []
    for column in relaxed.columns:
        inside = [column.members[part] for part in parts]
        if any(flags.any() != flags.all() for flags in inside):
            continue
        members = np.array([bool(flags.all()) for flags in inside])
        chosen = set(np.flatnonzero(members).tolist())
        if any(half.rivals[atom] & chosen or kinds[column.kind] not in half.allowed[atom] for atom in chosen):
            continue
        columns.append(Column(kind=column.kind, members=members, cost=column.cost))
    return columns, prices
