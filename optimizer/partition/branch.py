"""Branch and bound over atoms, in plain Python: for small instances, and where HiGHS is not installed.

Atoms are placed in decreasing order of s * R + r * S (R and S the sums of rates and sizes): those that matter most
first. With layers of S_k bytes and scenarios M_k so far, an open atom i costs at least its own bytes in the best layer,
s_i * min over k of W(M_k | m_i); and one of them, the dearest, makes its layer's bytes be published more often as well.
Of empty layers that nothing tells apart, only the first is tried.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.partition import clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optimizer.partition.atoms import Atoms


def branch_and_bound(atoms: Atoms, home: Sequence[int], *, end: float) -> tuple[tuple[int, ...], float]:
    """The best assignment found, from `home` on, and a lower bound; they meet when the time sufficed."""
    search = _Search(atoms, home, end)
    search.run()
    return search.home, min(search.bound, search.cost)


class _Search:
    def __init__(self, atoms: Atoms, home: Sequence[int], end: float) -> None:
        self.atoms, self.end = atoms, end
        self.home, self.cost, self.bound = tuple(home), atoms.cost(home), 0.0
        rate = [atoms.weigh(mask) for mask in atoms.masks]
        rates, sizes = sum(rate), sum(atoms.sizes)
        self.order = sorted(range(len(rate)), key=lambda i: (-(atoms.sizes[i] * rates + rate[i] * sizes), i))

    def run(self) -> None:
        """Depth first, the cheapest child first; the bound of what is still open is the answer's, if time runs out."""
        layers = self.atoms.layers
        root: tuple[int, ...] = ()
        stack = [(0.0, root, (self.atoms.publish_bytes,) * layers, (0,) * layers)]
        least = 1e-12 * self.cost
        nodes = 0
        while stack:
            nodes += 1
            if nodes % 256 == 0 and clock.now() >= self.end:
                self.bound = min(bound for bound, *_ in stack)
                return
            bound, placed, sizes, masks = stack.pop()
            if bound >= self.cost - least:
                continue
            if len(placed) == len(self.order):
                self.cost = bound
                home = dict(zip(self.order, placed, strict=True))
                self.home = tuple(home[atom] for atom in range(len(self.order)))
                continue
            children = [child for child in self._children(placed, sizes, masks) if child[0] < self.cost - least]
            stack += sorted(children, key=lambda child: (-child[0], child[1]))
        self.bound = self.cost

    def _children(
        self, placed: tuple[int, ...], sizes: tuple[float, ...], masks: tuple[int, ...]
    ) -> list[tuple[float, tuple[int, ...], tuple[float, ...], tuple[int, ...]]]:
        a, atom = self.atoms, self.order[len(placed)]
        open_ = self.order[len(placed) + 1 :]
        taken = {placed[i] for i, other in enumerate(self.order[: len(placed)]) if other in a.rivals[atom]}
        empty: set[int] = set()
        children = []
        for layer in a.allowed[atom]:
            if layer in taken:
                continue
            if layer not in placed:
                if a.symmetric[layer] in empty:
                    continue
                empty.add(a.symmetric[layer])
            now = (*placed, layer)
            if a.nonempty and a.layers - len(set(now)) > len(open_):
                continue
            more = (*sizes[:layer], sizes[layer] + a.sizes[atom], *sizes[layer + 1 :])
            touched = (*masks[:layer], masks[layer] | a.masks[atom], *masks[layer + 1 :])
            children.append((self._bound(open_, more, touched), now, more, touched))
        return children

    def _bound(self, open_: Sequence[int], sizes: Sequence[float], masks: Sequence[int]) -> float:
        a, weigh = self.atoms, self.atoms.weigh
        weights = [weigh(mask) for mask in masks]
        total = sum(size * weight for size, weight in zip(sizes, weights, strict=True))
        dearest = 0.0
        for atom in open_:
            alone, joined = [], []
            for layer in a.allowed[atom]:
                weight = weigh(masks[layer] | a.masks[atom])
                own = a.sizes[atom] * weight
                alone.append(own)
                joined.append(own + sizes[layer] * (weight - weights[layer]))
            total += min(alone)
            dearest = max(dearest, min(joined) - min(alone))
        return total + dearest
