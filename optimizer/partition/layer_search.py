"""The layer of least reduced cost, or all below a limit: branch and bound over items and over the layer's weight.

A node holds items that are in, items that are open, and an interval [a, b] for the weight W the layer ends with. With
bytes S and weight W_in of what is in, and any l >= 0, a layer of the node has (its other items j have s_j bytes)

    (S + sum s_j) * W - prices  >=  l * W_in + (S - l) * (a if l <= S else b) - paid + sum of (a * s_j - price_j)
                                    + l * (weight that the other items add)

The last term is a cover of scenarios: sharing l * w_t among the open items of scenario t, in any way, is no more than
what those in the layer pay. So each open item's term is known, and the best layer takes those that are negative. Shares
that make the bound high are those of a greatest flow from the items' profits into the scenarios; they are approached by
scaling them in turn to what the items want and to what the scenarios hold, l by steps along the bound's slope. Any
shares give a bound that holds: a child begins with its parent's and needs only a few rounds more.

Hundreds of nodes are bounded at once, as arrays; those of the lowest bound come first. Sources: the closure problem of
Picard 1976; matrix scaling after Sinkhorn 1964; McCormick 1976 for the product.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from optimizer.partition.ground import Array, Ground

_LEVELS, _LISTING_LEVELS = 96, 24  # intervals of the weight to begin with, not more than there are items
_FIRST_ROUNDS, _ROUNDS = 60, 6
_BATCH = 128
_FINE = 3e-4  # share of the prices: where less is missing to the cut, intervals are halved as if this were
_POOL = 25_000_000  # numbers that the open nodes may hold: 200 MB
_SPLIT = 20  # the interval is halved where its width blurs this many times what is missing to the cut
_KEPT = 8  # layers of a batch, where not all are asked for
_SAFE = 1e-11  # of the prices: more than rounding adds up to


@dataclass(frozen=True, slots=True, kw_only=True)
class Nodes:
    """Nodes as arrays: items in and open, the interval of the weight, shares, l, open items' terms, bounds."""

    inside: Array
    open: Array
    low: Array
    high: Array
    shares: Array
    scale: Array
    terms: Array
    bounds: Array

    def __getitem__(self, rows: Array) -> Nodes:
        return Nodes(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def __add__(self, other: Nodes) -> Nodes:
        pairs = ((field.name, getattr(self, field.name), getattr(other, field.name)) for field in fields(self))
        return Nodes(**{name: np.concatenate([one, two]) for name, one, two in pairs})


class LayerSearch:
    """One search. After `run`, `found` holds free items of layers with their reduced costs.

    No layer's reduced cost is below `least`; `complete` says that with `keep_all` every layer below `limit` was found.
    """

    def __init__(self, ground: Ground, prices: Array, *, limit: float, keep_all: bool, tolerance: float) -> None:
        self.g, self.prices, self.limit, self.keep_all = ground, prices[ground.items], limit, keep_all
        self.paid = float(prices[ground.forced].sum())
        self.tolerance, self.safe = tolerance, _SAFE * float(np.abs(prices).sum())
        self.fine = _FINE * float(np.abs(prices).sum())
        self.found: list[tuple[Array, Array]] = []
        self.best, self.least, self.complete = np.inf, np.inf, True

    def run(self, *, nodes: int, expired: Callable[[], bool]) -> None:
        """Search until no node is left below the cut, at most so many nodes."""
        g = self.g
        self._record(np.zeros((1, len(g.items)), dtype=bool), np.array([g.size * g.weight - self.paid]))
        pool = self._root() if len(g.items) else None
        room = _POOL // (len(g.item_of) + len(g.items) + 1)
        while pool is not None:
            keep = pool.bounds < self._cut()
            self._leave(pool.bounds[~keep])
            pool = pool[keep]
            if not len(pool.bounds):
                break
            if nodes <= 0 or expired():
                self._leave(pool.bounds)
                self.complete = False
                break
            order = np.argsort(pool.bounds, kind="stable")
            if len(order) > room:
                self._leave(pool.bounds[order[room:]])
                self.complete = False
            children = self._children(pool[order[:_BATCH]])
            pool = pool[order[_BATCH:room]]
            if len(children.bounds):
                nodes -= len(children.bounds)
                pool += self._bounded(children, _ROUNDS)
        self.least = min(self.least, self.best, self.limit)

    def _cut(self) -> float:
        return self.limit if self.keep_all else min(self.limit, self.best) - self.tolerance

    def _leave(self, bounds: Array) -> None:
        """Count nodes that are not followed."""
        if len(bounds):
            self.least = min(self.least, float(bounds.min()))

    def _record(self, chosen: Array, reduced: Array) -> None:
        """Know these layers, as far as they are below the limit and hold no rivals."""
        if not len(self.g.forced):
            reduced = np.where(chosen.any(axis=1), reduced, np.inf)
        if self.g.rivals.any():
            reduced = np.where(((chosen @ self.g.rivals > 0) & chosen).any(axis=1), np.inf, reduced)
        good = np.flatnonzero(reduced < self.limit)
        if not self.keep_all:
            good = good[np.argsort(reduced[good], kind="stable")[:_KEPT]]
        if len(good):
            self.best = min(self.best, float(reduced[good].min()))
            self.found.append((chosen[good], reduced[good]))

    def _worth(self, inside: Array) -> tuple[Array, Array, Array, Array]:
        """Of what is in: bytes, weight, prices, and which scenarios it touches."""
        g = self.g
        touched = inside @ g.covers > 0
        return g.size + inside @ g.sizes, g.weight + touched @ g.weights, self.paid + inside @ self.prices, touched

    def _root(self) -> Nodes:
        g, n = self.g, len(self.g.items)
        levels = max(_LISTING_LEVELS, min(_LEVELS, n)) if not self.keep_all else _LISTING_LEVELS
        top = g.weight + float(g.weights.sum()) or 1.0
        first = g.weight if len(g.forced) else float((g.covers @ g.weights).min())
        edges = np.geomspace(max(first, top * 1e-3), top, levels + 1)
        edges[0], edges[-1] = g.weight, top * (1 + 1e-12)
        scale = np.full(levels, g.size + 0.3 * float(g.sizes.sum()))
        shares = (scale[0] * g.weights / g.covers.sum(axis=0))[g.scenario_of]
        root = Nodes(
            inside=np.zeros((levels, n), dtype=bool),
            open=np.ones((levels, n), dtype=bool),
            low=edges[:-1],
            high=edges[1:],
            shares=np.repeat(shares[None, :], levels, axis=0),
            scale=scale,
            terms=np.zeros((levels, n)),
            bounds=np.zeros(levels),
        )
        return self._bounded(root, _FIRST_ROUNDS)

    def _bounded(self, nodes: Nodes, rounds: int) -> Nodes:
        """The nodes with the best bounds that so many rounds give; layers met on the way are recorded."""
        g = self.g
        inside, open_ = nodes.inside, nodes.open
        if g.rivals.any():
            open_ = open_ & ~(inside @ g.rivals > 0)
        size, weight, paid, touched = self._worth(inside)
        low, high, scale = np.maximum(nodes.low, weight), nodes.high, nodes.scale
        active = open_[:, g.item_of] & ~touched[:, g.scenario_of]
        least = 1e-6 * (scale[:, None] * g.weights)[:, g.scenario_of]  # a share of nothing would stay nothing
        shares = np.ascontiguousarray(np.where(active, np.maximum(nodes.shares, least), 0.0).T)
        net = low * g.sizes[:, None] - self.prices[:, None]
        profit, loss = np.where(open_.T, np.maximum(0.0, -net), 0.0), np.where(open_.T, np.maximum(0.0, net), 0.0)
        best, best_scale, best_terms = np.full(len(low), -np.inf), scale, loss
        chosen = inside
        for round_ in range(rounds):
            shares *= _ratio(profit, np.add.reduceat(shares, g.item_starts, axis=0))[g.item_of]
            wanted = np.add.reduceat(shares[g.by_scenario], g.scenario_starts, axis=0)
            shares *= np.minimum(1.0, _ratio(scale * g.weights[:, None], wanted))[g.scenario_of]
            terms = loss - profit + np.add.reduceat(shares, g.item_starts, axis=0)
            end = np.where(scale <= size, low, high)
            bounds = scale * weight + (size - scale) * end - paid + np.minimum(0.0, terms).sum(axis=0) - self.safe
            up = bounds > best
            best, best_scale = np.where(up, bounds, best), np.where(up, scale, best_scale)
            best_terms = np.where(up, terms, best_terms)
            chosen = inside | (open_ & (terms < -1e-6 * profit).T)
            weight_now = g.weight + (chosen @ g.covers > 0) @ g.weights
            now = scale * np.exp(_step(weight_now, (low, high), scale, size, round_))
            scale = np.where((now - size) * (scale - size) < 0, size, now)
        if not self.keep_all:
            bytes_, weights, prices, _ = self._worth(chosen)
            self._record(chosen, bytes_ * weights - prices)
        return Nodes(
            inside=inside,
            open=open_,
            low=low,
            high=high,
            shares=shares.T,
            scale=best_scale,
            terms=best_terms.T,
            bounds=best,
        )

    def _children(self, nodes: Nodes) -> Nodes:
        """Settle the items that the bound settles; then halve the interval, or take the item that weighs most."""
        g = self.g
        room = (self._cut() - nodes.bounds)[:, None]
        inside = nodes.inside | (nodes.open & (-nodes.terms >= room))
        open_ = nodes.open & (np.abs(nodes.terms) < room)
        size, weight, paid, touched = self._worth(inside)
        leaf = ~open_.any(axis=1)
        near = (weight >= nodes.low * (1 - 1e-9)) & (weight <= nodes.high * (1 + 1e-9))
        at = leaf & (near if self.keep_all else True)
        self._record(inside[at], (size * weight - paid)[at])
        most = g.weight + (((inside | open_) @ g.covers > 0) @ g.weights)
        low, high = np.maximum(nodes.low, weight), np.minimum(nodes.high, most * (1 + 1e-12))
        go = ~leaf & (low <= high * (1 + 1e-9))
        if g.rivals.any():
            go &= ~((inside @ g.rivals > 0) & inside).any(axis=1)
        end = g.size + (inside | (open_ & (nodes.terms < 0))) @ g.sizes
        matter = g.sizes * low[:, None] + ((~touched * g.weights) @ g.covers.T) * end[:, None] - np.abs(nodes.terms)
        item = np.where(open_, matter, -np.inf).argmax(axis=1)
        wide = (high - low) * end > _SPLIT * np.maximum(room[:, 0], self.fine)
        halved, taken = np.flatnonzero(go & wide), np.flatnonzero(go & ~wide)
        rows = np.concatenate([halved, halved, taken, taken])
        inside, open_, low, high = inside[rows], open_[rows], low[rows], high[rows]
        h, t = len(halved), len(taken)
        middle = (low[:h] + high[:h]) / 2
        high[:h], low[h : 2 * h] = middle, middle
        decided = np.tile(item[taken], 2)
        open_[2 * h + np.arange(2 * t), decided] = False
        inside[2 * h + np.arange(t), decided[:t]] = True
        children = nodes[rows]
        return Nodes(
            inside=inside,
            open=open_,
            low=low,
            high=high,
            shares=children.shares,
            scale=children.scale,
            terms=children.terms,
            bounds=children.bounds,
        )


def _ratio(a: Array, b: Array) -> Array:
    """A / b, and 0 where b is 0."""
    return np.divide(a, b, out=np.zeros(np.broadcast(a, b).shape), where=b > 0)


def _step(weight: Array, interval: tuple[Array, Array], scale: Array, size: Array, round_: int) -> Array:
    """How far to move the logarithm of l: along the slope of the bound, not at all where l is the bytes that are in.

    There the slope turns, as long as the weight of the layer chosen is within the interval.
    """
    low, high = interval
    slope = weight - np.where(scale < size, low, high)
    step = np.clip(2.0 * _ratio(slope, high), -1, 1) * (0.5 / (1 + 0.1 * round_))
    at = scale == size
    return np.where(at & (weight < low), -0.1, np.where(at & (weight <= high), 0.0, step))
