"""All sets of atoms that make a layer cheaper than the atoms' prices, up to a limit: the core of the exact search.

A layer L costs c(L) = (S(L) + f) * W(L), with W the weight of the scenarios that touch it. Given a price for each atom,
`price` looks for the layers of least reduced cost c(L) - prices(L). It decides atom after atom, whole generations of
partial layers at a time, as arrays. A partial layer with bytes S, weight W and the open atoms R, of which j would bring
the weight to W_j, can't get below

    min over v in {W} and {W_j}:  (S + f) * v - prices + sum over j in R with W_j <= v of min(0, s_j * v - price_j)

since whatever weight v it ends with, no atom with W_j > v is in it, and each that is in it pays for v.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from optimizer.partition.atoms import Atoms

Array: TypeAlias = np.ndarray[Any, Any]
_CHUNK = 4_000_000  # numbers in a temporary array: 32 MB


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """Layers found, as rows of `members` (one column an atom), with their `costs` and `reduced` costs.

    No layer's reduced cost is below `least`; with `complete` every layer within the limit asked for is here.
    """

    members: Array
    costs: Array
    reduced: Array
    least: float
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pricer:
    """The atoms as arrays; `kinds` holds the atoms allowed in each kind of layer (nothing tells those of a kind apart).

    `forced` holds those that are allowed in one layer only, so that every layer of this kind has them.
    """

    sizes: Array
    covers: Array
    weights: Array
    rivals: Array
    publish_bytes: float
    kinds: tuple[tuple[int, ...], ...]
    forced: tuple[tuple[int, ...], ...]

    def price(
        self,
        kind: int,
        prices: Array,
        *,
        limit: float,
        keep_all: bool,
        width: int,
        expired: Callable[[], bool],
    ) -> Priced:
        """Layers of one kind with a reduced cost below `limit`, which is not above 0 unless all are asked for.

        With `keep_all` every one of them; otherwise the best and those met on the way to it. At most `width` partial
        layers are followed: what is dropped counts into `least`, so that stays true.
        """
        return _Search(self, prices, kind=kind, limit=limit, keep_all=keep_all, width=width).run(expired)


def make_pricer(atoms: Atoms) -> Pricer:
    """The arrays of these atoms."""
    n, bits = len(atoms.sizes), len(atoms.weights)
    covers = np.zeros((n, bits))
    for atom, mask in enumerate(atoms.masks):
        for bit in range(bits):
            covers[atom, bit] = mask >> bit & 1
    rivals = np.zeros((n, n), dtype=bool)
    for atom, others in enumerate(atoms.rivals):
        rivals[atom, list(others)] = True
    kinds = list(dict.fromkeys(atoms.symmetric))
    forced = [
        tuple(a for a in range(n) if atoms.allowed[a] == (kind,)) if atoms.symmetric.count(kind) == 1 else ()
        for kind in kinds
    ]
    return Pricer(
        sizes=np.array(atoms.sizes, dtype=float),
        covers=covers,
        weights=np.array(atoms.weights, dtype=float),
        rivals=rivals,
        publish_bytes=float(atoms.publish_bytes),
        kinds=tuple(tuple(a for a in range(n) if kind in atoms.allowed[a]) for kind in kinds),
        forced=tuple(forced),
    )


class _Search:
    """One call of `price`: generations of partial layers."""

    def __init__(self, pricer: Pricer, prices: Array, *, kind: int, limit: float, keep_all: bool, width: int) -> None:
        self.p, self.prices, self.limit, self.keep_all, self.width = pricer, prices, limit, keep_all, width
        self.forced = list(pricer.forced[kind])
        allowed = np.array([a for a in pricer.kinds[kind] if a not in self.forced], dtype=int)
        rates = pricer.covers @ pricer.weights
        weight = pricer.sizes * rates.sum() + rates * pricer.sizes.sum()
        self.order: Array = allowed[np.argsort(-weight[allowed], kind="stable")]
        self.found: list[tuple[Array, Array, Array]] = []
        self.dropped = np.inf
        self.best = 0.0 if not keep_all and not self.forced else np.inf

    def run(self, expired: Callable[[], bool]) -> Priced:
        """Decide every atom, generation after generation."""
        p, n = self.p, len(self.p.sizes)
        members = np.zeros((1, n), dtype=bool)
        members[0, self.forced] = True
        covered = p.covers[self.forced].any(axis=0)
        open_weight = (p.weights * ~covered)[None, :]  # of the scenarios that don't touch the partial layer yet
        size = np.full(1, p.publish_bytes + p.sizes[self.forced].sum())
        weight, paid = np.full(1, p.weights[covered].sum()), np.full(1, self.prices[self.forced].sum())
        if self.forced:
            self._record(members, (size, weight, paid))
        for position, atom in enumerate(self.order):
            rest = self.order[position:]
            bound = self._bounds(members, open_weight, (size, weight, paid), rest)
            keep = np.flatnonzero(bound < self._cut())
            stopped = expired()
            if len(keep) > self.width and self.keep_all:
                self.dropped = -np.inf  # not worth going on: they were all asked for
                break
            if len(keep) > self.width or stopped:
                ranked = keep[np.argsort(bound[keep], kind="stable")]
                width = 0 if stopped else self.width
                self.dropped = min(self.dropped, float(bound[ranked[width]]) if len(ranked) else np.inf)
                keep = np.sort(ranked[:width])
            if not len(keep):
                break
            members, open_weight = members[keep], open_weight[keep]
            size, weight, paid = size[keep], weight[keep], paid[keep]
            may = ~(members & p.rivals[atom]).any(axis=1)
            more = members[may]
            more[:, atom] = True
            added = open_weight[may] @ p.covers[atom]
            new_open = open_weight[may] * (1 - p.covers[atom])
            new = (size[may] + p.sizes[atom], weight[may] + added, paid[may] + self.prices[atom])
            self._record(more, new)
            members, open_weight = np.concatenate([members, more]), np.concatenate([open_weight, new_open])
            size, weight, paid = (np.concatenate(pair) for pair in zip((size, weight, paid), new, strict=True))
        return self._result()

    def _cut(self) -> float:
        return self.limit if self.keep_all else min(self.limit, self.best)

    def _bounds(self, members: Array, open_weight: Array, new: tuple[Array, Array, Array], rest: Array) -> Array:
        """For each partial layer, what no layer made of it and atoms of `rest` gets below."""
        p, k = self.p, len(rest)
        size, weight, paid = new
        result = np.empty(len(size))
        step = max(1, _CHUNK // (k * k))
        sizes, prices = p.sizes[rest], self.prices[rest]
        for start in range(0, len(size), step):
            part = slice(start, start + step)
            ends = weight[part, None] + open_weight[part] @ p.covers[rest].T
            if p.rivals.any():
                ends[(members[part] @ p.rivals[:, rest].astype(float)) > 0] = np.inf
            first = np.full((len(ends), 1), 0.0) + weight[part, None]
            values = np.concatenate([first, np.where(np.isinf(ends), weight[part, None], ends)], axis=1)
            gains = np.minimum(0.0, values[:, :, None] * sizes - prices)
            gains *= ends[:, None, :] <= values[:, :, None] * (1 + 1e-12)
            total = size[part, None] * values - paid[part, None] + gains.sum(axis=2)
            result[part] = total.min(axis=1)
        return result

    def _record(self, members: Array, new: tuple[Array, Array, Array]) -> None:
        """Keep the layers that are good enough as they stand."""
        size, weight, paid = new
        costs = size * weight
        reduced = costs - paid
        good = np.flatnonzero(reduced < self.limit)
        if not self.keep_all:
            good = good[np.argsort(reduced[good], kind="stable")[:8]]
        if len(good):
            self.found.append((members[good], costs[good], reduced[good]))
            self.best = min(self.best, float(reduced[good].min()))

    def _result(self) -> Priced:
        n = len(self.p.sizes)
        found = self.found or [(np.zeros((0, n), dtype=bool), np.zeros(0), np.zeros(0))]
        members, costs, reduced = (np.concatenate(parts) for parts in zip(*found, strict=True))
        best = float(reduced.min()) if len(reduced) else np.inf
        return Priced(
            members=members,
            costs=costs,
            reduced=reduced,
            least=min(best, self.dropped, self.limit),
            complete=bool(np.isinf(self.dropped)),
        )
