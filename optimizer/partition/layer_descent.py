"""Layers of small reduced cost by descent: one item in or out at a time, the best first, from many starts at once.

Proves nothing, but finds nearly every layer that the exact search would; so that search is only needed for the bound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from optimizer.partition.ground import Array, Ground

_FLIPS = 200
_COPIES = 24  # of layers that are known, with items flipped by chance
_FLIPPED = 3
_RANDOM = 8  # layers by chance, which take a flip for every second item
_MANY = 100  # items: above, that takes too long


def starts(known: Array, chance: np.random.Generator) -> Array:
    """The known layers, copies with some of the items flipped and with three times as many, and some by chance."""
    n = max(1, known.shape[1])
    rows = [known]
    if len(known):
        for share in (min(0.05, _FLIPPED / n), min(0.15, 3 * _FLIPPED / n)):
            copies = np.repeat(known[:_COPIES], max(1, _COPIES // len(known)), axis=0)
            rows.append(copies ^ (chance.random(copies.shape) < share))
    if n <= _MANY or not len(known):
        rows.append(chance.random((_RANDOM, known.shape[1])) < chance.random((_RANDOM, 1)))
    return np.concatenate(rows)


def descend_layers(ground: Ground, prices: Array, chosen: Array) -> tuple[Array, Array]:
    """Free items of the layers that no single flip makes better, each once, and their reduced costs."""
    g = ground
    if not len(g.items):
        return chosen[:1], np.array([g.size * g.weight - float(prices[g.forced].sum())])
    price, paid = prices[g.items], float(prices[g.forced].sum())
    if g.rivals.any():
        chosen = chosen & ~(np.tril(g.rivals) @ chosen.T > 0).T
    across = np.ascontiguousarray(g.covers.T)
    going, done = chosen, []
    for _ in range(_FLIPS):
        counts = going @ g.covers
        size, weight, worth = _sums(g, going, counts, price, paid)
        reduced = size * weight - worth
        lost, added = ((counts == 1) * g.weights) @ across, ((counts == 0) * g.weights) @ across
        sign = np.where(going, -1.0, 1.0)
        weights = weight[:, None] + np.where(going, -lost, added)
        flipped = (size[:, None] + sign * g.sizes) * weights - worth[:, None] - sign * price
        if g.rivals.any():
            flipped[(going @ g.rivals > 0) & ~going] = np.inf
        item = flipped.argmin(axis=1)
        better = flipped[np.arange(len(going)), item] < reduced - 1e-9 * np.abs(reduced)
        done.append(going[~better])
        going, item = going[better], item[better]
        if not len(going):
            break
        going[np.arange(len(going)), item] ^= True
    found = np.unique(np.concatenate([*done, going]), axis=0)
    if not len(g.forced):
        found = found[found.any(axis=1)]
    size, weight, worth = _sums(g, found, found @ g.covers, price, paid)
    return found, size * weight - worth


def _sums(g: Ground, chosen: Array, counts: Array, price: Array, paid: float) -> tuple[Array, Array, Array]:
    return g.size + chosen @ g.sizes, g.weight + (counts > 0) @ g.weights, paid + chosen @ price
