"""A lower bound by column generation: a layer is a column, and the best set of columns covers every atom.

The linear programme over the layers known so far gives each atom a price; `pricing` finds layers that are cheaper than
their atoms' prices, until there are none. Prices, wherever they come from, bound the cost from below (Lagrange):

    sum of prices + sum over kinds of layers, as often as there are of a kind, of the least reduced cost (never above 0)

Every assignment cheaper than the best known consists of layers whose reduced cost is below the gap; when these are few,
all of them go into an integer programme, whose answer is the best. Where they are many, `tree` branches.
Source: Dantzig and Wolfe 1960; smoothing of the prices after Wentges 1997.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from optimizer.partition import clock
from optimizer.partition.pricing import Priced, make_pricer
from optimizer.partition.programme import Column, Programme

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from optimizer.partition.atoms import Atoms
    from optimizer.partition.ground import Array

_SMOOTHING = 0.6  # share of the prices tried last in those tried next
_ROUNDS = 2_000
_NODES = 400_000  # of an exact search
_LOOSE = 5e-4  # share of the cost that the first exact search may leave
# Without a bound by the first share of the time, one at the best prices known, until the second.
_DUE = ((0.5, 0.75), (0.8, 1.0))
_NEW = 20  # columns taken of a kind and a round
_LISTED = 8_000  # nodes of the search when all layers within the gap are listed
_MOST_COLUMNS = 1_000  # in an integer programme
_CHOOSING = 2.0  # seconds for an integer programme over the columns known
_WORTH = 1e-4  # share of the cost: with less of a gap it is not tried
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

    def __init__(self, atoms: Atoms, columns: Iterable[Column], prices: Array, cost: float, end: float) -> None:
        self.atoms, self.cost, self.end = atoms, cost, end
        self.pricer = make_pricer(atoms)
        first = list(dict.fromkeys(atoms.symmetric))
        self.kind_of = [first.index(layer) for layer in atoms.symmetric]
        self.counts = [self.kind_of.count(kind) for kind in range(len(first))]
        self.full = [atoms.nonempty or bool(forced) for forced in self.pricer.forced]
        self.columns = list(columns)
        self.seen = {(column.kind, column.members.tobytes()) for column in self.columns}
        self.bound, self.prices = 0.0, prices
        self.least = [0.0] * len(first)
        self.shares = np.zeros(0)
        self.better: tuple[int, ...] | None = None
        self.chance = np.random.default_rng(0)

    def expired(self) -> bool:
        """Whether the time is up."""
        return clock.now() >= self.end

    def columns_of(self, home: Sequence[int]) -> None:
        """Know the layers of this assignment."""
        for layer in range(self.atoms.layers):
            members = np.array([place == layer for place in home])
            if members.any():
                self._know(Column(kind=self.kind_of[layer], members=members, cost=self.pricer.cost(members)))

    def run(self) -> Relaxed:
        """Prices until they bound the cost as well as they can; then every layer within the gap."""
        programme = Programme(len(self.atoms.sizes), self.counts, self.cost, full=self.full)
        for column in self.columns:
            programme.add(column)
        self._generate(programme)
        relaxed = Relaxed(bound=self.bound, prices=self.prices, columns=self.columns, shares=self.shares)
        if self.bound >= self.cost * (1 - ROUNDING):
            relaxed.closed = True
        elif not self.expired():
            self._finish(relaxed)
        return relaxed

    def _generate(self, programme: Programme) -> None:
        """Columns by descent while that finds any, and by exact search, which gives the bound, when it does not."""
        centre, smoothing, tolerance = self.prices, _SMOOTHING, _LOOSE * self.cost
        began, chosen, guess = clock.now(), False, -np.inf
        due = [(began + share * (self.end - began), until) for share, until in _DUE]
        for _ in range(_ROUNDS):
            if self.expired():
                break
            value, exact, slots, self.shares = programme.solve()
            tried = smoothing * centre + (1 - smoothing) * exact if guess > -np.inf else centre
            answers = self._suggested(tried)
            guessed = float(tried.sum()) + sum(
                n * min([0.0, *priced.reduced]) if not forced else n * min(priced.reduced)
                for n, forced, priced in zip(self.counts, self.pricer.forced, answers, strict=True)
            )
            if guessed > guess:
                centre, guess = tried, guessed
            new = self._new(answers, exact, slots)
            if due and clock.now() >= due[0][0]:
                _, until = due.pop(0)
                new += self._new(self._bound(centre, tolerance, began + until * (self.end - began)), exact, slots)
            elif not new and smoothing > 0:
                smoothing = 0.0
                continue
            elif not new:
                due = []
                if not chosen and value < self.cost * (1 - _WORTH):
                    chosen = True
                    self._choose(exact, [-slot for slot in slots], value)
                new = self._new(self._bound(exact, tolerance, self.end), exact, slots)
                if value - self.bound <= ROUNDING * self.cost or self.bound >= self.cost * (1 - ROUNDING):
                    break
                if not new and tolerance == 0.0:
                    break
                tolerance = tolerance if new else 0.0
            smoothing = _SMOOTHING
            for column in new:
                programme.add(column)

    def _know(self, column: Column) -> bool:
        key = (column.kind, column.members.tobytes())
        if key in self.seen:
            return False
        self.seen.add(key)
        self.columns.append(column)
        return True

    def _suggested(self, prices: Array) -> list[Priced]:
        """Layers of each kind by descent from those in the linear programme's answer."""
        answers = []
        for kind in range(len(self.counts)):
            used = [
                column.members
                for column, share in zip(self.columns, self.shares, strict=False)
                if share > ROUNDING and column.kind == kind
            ]
            known = np.array(used, dtype=bool).reshape(-1, len(self.atoms.sizes))
            answers.append(self.pricer.suggest(kind, prices, known, self.chance))
        return answers

    def _new(self, answers: Sequence[Priced], exact: Array, slots: Array) -> list[Column]:
        """The best layers of each kind that the linear programme would take, as far as they are not known yet."""
        columns = [
            Column(kind=kind, members=priced.members[row], cost=float(priced.costs[row]))
            for kind, priced in enumerate(answers)
            for row in np.argsort(priced.reduced, kind="stable")[:_NEW]
            if priced.costs[row] - exact[priced.members[row]].sum() + slots[kind] < -ROUNDING * self.cost
        ]
        return [column for column in columns if self._know(column)]

    def _bound(self, prices: Array, tolerance: float, end: float) -> list[Priced]:
        """Price every kind of layer; the prices are kept when they bound better than those before."""
        answers: list[Priced] = []
        for kind, forced in enumerate(self.pricer.forced):
            now = clock.now()
            until = now + (end - now) / (len(self.counts) - kind)
            answers.append(
                self.pricer.price(
                    kind,
                    prices,
                    limit=np.inf if forced else -1e-10 * self.cost,
                    keep_all=False,
                    nodes=_NODES,
                    expired=lambda until=until: clock.now() >= until,  # type: ignore[misc]
                    tolerance=tolerance / len(self.kind_of),
                )
            )
        least = [
            priced.least if forced else min(0.0, priced.least)
            for priced, forced in zip(answers, self.pricer.forced, strict=True)
        ]
        bound = float(prices.sum()) + sum(n * low for n, low in zip(self.counts, least, strict=True))
        if bound > self.bound:
            self.bound, self.prices, self.least = bound, prices, least
        return answers

    def _choose(self, prices: Array, least: Sequence[float], bound: float) -> None:
        """The best choice among the columns known whose reduced cost is within the gap, if it beats the cost."""
        gap = self.cost - bound + ROUNDING * self.cost
        reduced = [column.cost - prices[column.members].sum() - least[column.kind] for column in self.columns]
        near = [i for i in np.argsort(reduced, kind="stable")[:_MOST_COLUMNS] if reduced[i] < gap]
        whole = Programme(len(self.atoms.sizes), self.counts, self.cost, whole=True, full=self.full)
        for i in near:
            whole.add(self.columns[i])
        chosen, _ = whole.choose(min(_CHOOSING, self.end - clock.now()))
        if chosen:
            home = self._home([self.columns[near[i]] for i in chosen])
            if self.atoms.cost(home) < self.cost:
                self.better, self.cost = home, self.atoms.cost(home)

    def _finish(self, relaxed: Relaxed) -> None:
        """All layers within the gap, and the best choice among them."""
        gap = self.cost - self.bound
        programme = Programme(len(self.atoms.sizes), self.counts, self.cost, whole=True, full=self.full)
        columns: list[Column] = []
        for kind, low in enumerate(self.least):
            priced = self.pricer.price(
                kind, self.prices, limit=gap + low, keep_all=True, nodes=_LISTED, expired=self.expired
            )
            if not priced.complete or len(columns) + len(priced.costs) > _MOST_COLUMNS:
                return
            columns += [
                Column(kind=kind, members=members, cost=float(cost))
                for members, cost in zip(priced.members, priced.costs, strict=True)
            ]
        for column in columns:
            programme.add(column)
        chosen, proved = programme.choose(self.end - clock.now())
        if not proved:
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
