"""A lower bound by column generation: a layer is a column, and the best set of columns covers every atom.

The linear programme over the layers known so far gives each atom a price; `pricing` finds layers that are cheaper than
their atoms' prices, until there are none. Prices, wherever they come from, bound the cost from below (Lagrange):

    sum of prices + sum over kinds of layers, as often as there are of a kind, of the least reduced cost (never above 0)

Every assignment cheaper than the best known consists of layers whose reduced cost is below the gap; when these are few,
all of them go into an integer programme, whose answer is the best. Where they are many, `tree` branches.
Source: Dantzig and Wolfe 1960; smoothing of the prices after Wentges 1997.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from optimizer.partition.pricing import Array, Priced, make_pricer
from optimizer.partition.programme import Column, Programme

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from optimizer.partition.atoms import Atoms

_SMOOTHING = 0.6  # share of the best prices known in those that are tried
_ROUNDS = 400
_FIRST = 500  # partial layers followed at first; more when that finds nothing new
_MOST_COLUMNS = 6_000  # in an integer programme
_WORK = 300_000_000  # numbers that bounding one generation of partial layers may take: about a second
_ENUMERATED = 20_000  # partial layers followed at once when all within the gap are listed
ROUNDING = 1e-9  # what is nearer than this share of the cost is the same


@dataclass(slots=True, kw_only=True)
class Relaxed:
    """What is known of a node: a lower bound, the prices that prove it, columns and how much of each is in the answer.

    `closed` says that nothing cheaper than the cost given is left in it but `better`, if there is one.
    """

    bound: float
    prices: Array
    columns: list[Column]
    shares: Array
    closed: bool = False
    better: tuple[int, ...] | None = None


class Generation:
    """The search at one node: atoms, columns and prices to begin with, and the cost to beat."""

    def __init__(self, atoms: Atoms, columns: Iterable[Column], prices: Array | None, cost: float, end: float) -> None:
        self.atoms, self.cost, self.end = atoms, cost, end
        self.pricer = make_pricer(atoms)
        first = list(dict.fromkeys(atoms.symmetric))
        self.kind_of = [first.index(layer) for layer in atoms.symmetric]
        self.counts = [self.kind_of.count(kind) for kind in range(len(first))]
        self.full = [atoms.nonempty or bool(forced) for forced in self.pricer.forced]
        self.columns = list(columns)
        self.seen = {(column.kind, column.members.tobytes()) for column in self.columns}
        self.bound, self.prices = 0.0, np.zeros(len(atoms.sizes))
        self.least = [0.0] * len(first)
        self.shares = np.zeros(0)
        self.most = max(100, min(100_000, _WORK // (len(atoms.sizes) ** 2)))
        self.width = min(_FIRST, self.most)
        if prices is not None:
            self._bound(prices)

    def expired(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() >= self.end

    def columns_of(self, home: Sequence[int]) -> None:
        """Know the layers of this assignment."""
        for layer in range(self.atoms.layers):
            members = np.array([place == layer for place in home])
            if members.any():
                weight = float(self.pricer.covers[members].any(axis=0) @ self.pricer.weights)
                size = float(self.pricer.sizes[members].sum()) + self.pricer.publish_bytes
                self._know(Column(kind=self.kind_of[layer], members=members, cost=size * weight))

    def run(self) -> Relaxed:
        """Prices until they bound the cost as well as they can; then every layer within the gap."""
        programme = Programme(len(self.atoms.sizes), self.counts, self.cost, full=self.full)
        for column in self.columns:
            programme.add(column)
        smoothing = _SMOOTHING
        for _ in range(_ROUNDS):
            if self.expired() or self.bound >= self.cost * (1 - ROUNDING):
                break
            value, exact, slots, self.shares = programme.solve()
            tried = smoothing * self.prices + (1 - smoothing) * exact if self.bound > 0 else exact
            new = [column for column in self._new(self._bound(tried), exact, slots) if self._know(column)]
            for column in new:
                programme.add(column)
            if value - self.bound <= ROUNDING * self.cost:
                break
            if not new and smoothing == 0.0:
                if self.width == self.most:
                    break
                self.width = min(8 * self.width, self.most)
            smoothing = _SMOOTHING if new else 0.0
        relaxed = Relaxed(bound=self.bound, prices=self.prices, columns=self.columns, shares=self.shares)
        if self.bound >= self.cost * (1 - ROUNDING):
            relaxed.closed = True
        elif not self.expired():
            self._finish(relaxed)
        return relaxed

    def _know(self, column: Column) -> bool:
        key = (column.kind, column.members.tobytes())
        if key in self.seen:
            return False
        self.seen.add(key)
        self.columns.append(column)
        return True

    def _new(self, answers: Sequence[Priced], exact: Array, slots: Array) -> list[Column]:
        """The best layers of each kind that the linear programme would take."""
        return [
            Column(kind=kind, members=priced.members[row], cost=float(priced.costs[row]))
            for kind, priced in enumerate(answers)
            for row in np.argsort(priced.reduced, kind="stable")[:60]
            if priced.costs[row] - exact[priced.members[row]].sum() + slots[kind] < -ROUNDING * self.cost
        ]

    def _bound(self, prices: Array) -> list[Priced]:
        """Price every kind of layer; the prices are kept when they bound better than those before."""
        answers = [
            self.pricer.price(
                kind,
                prices,
                limit=np.inf if forced else -1e-10 * self.cost,
                keep_all=False,
                width=self.width,
                expired=self.expired,
            )
            for kind, forced in enumerate(self.pricer.forced)
        ]
        least = [
            priced.least if forced else min(0.0, priced.least)
            for priced, forced in zip(answers, self.pricer.forced, strict=True)
        ]
        bound = float(prices.sum()) + sum(n * low for n, low in zip(self.counts, least, strict=True))
        if bound > self.bound:
            self.bound, self.prices, self.least = bound, prices, least
        return answers

    def _finish(self, relaxed: Relaxed) -> None:
        """All layers within the gap, and the best choice among them."""
        gap = self.cost - self.bound
        programme = Programme(len(self.atoms.sizes), self.counts, self.cost, whole=True, full=self.full)
        columns: list[Column] = []
        for kind, low in enumerate(self.least):
            priced = self.pricer.price(
                kind, self.prices, limit=gap + low, keep_all=True, width=_ENUMERATED, expired=self.expired
            )
            if not priced.complete or len(columns) + len(priced.costs) > _MOST_COLUMNS:
                return
            columns += [
                Column(kind=kind, members=members, cost=float(cost))
                for members, cost in zip(priced.members, priced.costs, strict=True)
            ]
        for column in columns:
            programme.add(column)
        chosen = programme.choose(self.end - time.monotonic())
        if chosen is None:
            return
        relaxed.closed = True
        if chosen:
            relaxed.better = self._home([columns[i] for i in chosen])

    def _home(self, chosen: Sequence[Column]) -> tuple[int, ...]:
        free = [[k for k, of in enumerate(self.kind_of) if of == kind] for kind in range(len(self.counts))]
        home = [0] * len(self.atoms.sizes)
        for column in chosen:
            layer = free[column.kind].pop(0)
            for atom in np.flatnonzero(column.members):
                home[int(atom)] = layer
        return tuple(home)
