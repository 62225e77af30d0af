"""The best assignment that can be had in the time, with its certificate: starts, local search, exact search.

1. Merge what may be merged without loss (`atoms`); find any assignment that keeps the constraints (`feasible`).
2. Local search from it, from the caller's start and from the baselines as far as they are allowed.
3. Exact search: branch and bound for a few atoms, branch and price with HiGHS for more. Both start from the best found
   and give a lower bound that holds whenever they stop.
"""

from __future__ import annotations

import os
from dataclasses import replace
from importlib.util import find_spec
from itertools import islice, permutations
from typing import TYPE_CHECKING

from optimizer.partition import baselines, clock
from optimizer.partition.atoms import Atoms, make_atoms
from optimizer.partition.branch import branch_and_bound
from optimizer.partition.feasible import place
from optimizer.partition.instance import Instance, cost, floor, respects
from optimizer.partition.local_search import State, search
from optimizer.partition.solution import Solution

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SMALL = 9  # atoms: plain Python proves them before numpy is imported
_MANY = 100  # atoms: the dearer starts are left out above
_HOMES = 50  # assignments whose layers are the first columns
_ORDERS = 120  # ways to number the layers of a start: all of those of five
_SAME = 1e-9  # share of the cost


def optimise(
    instance: Instance, *, seed: int = 0, time_limit: float = 10.0, start: Sequence[int] | None = None
) -> Solution:
    """The best assignment found in `time_limit` seconds, with a lower bound; the same for the same seed.

    Time only decides where the limit is hit. `clock.stop` ends the search with what is known. `start` is where to
    begin, when it keeps the constraints: the answer is never dearer.

    Raises:
        InfeasibleError: nothing keeps the constraints.
    """
    end = clock.now() + time_limit
    exact = make_atoms(instance, merge=False)
    fallback = place(exact)
    if start is not None and respects(instance, start):
        fallback = min((fallback, tuple(start)), key=exact.cost)
    merged = make_atoms(replace(instance, nonempty=False), merge=True)
    home, bound, method = _solve(merged, instance, fallback, start, seed=seed, end=end)
    relaxed = merged.expand(home)
    assignment = _filled(exact, relaxed)
    best = fallback if assignment is None else min((assignment, fallback), key=exact.cost)
    if instance.nonempty and cost(instance, best) > cost(instance, relaxed) * (1 + _SAME):
        home, bound, method = _solve(exact, instance, best, start, seed=seed, end=end)
        best = min((home, best), key=exact.cost)
    paid = cost(instance, best)
    proved = paid - bound <= _SAME * paid
    lower = paid if proved else min(paid, max(bound, floor(instance)))
    return Solution(
        assignment=exact.canonical(best),
        cost=paid,
        lower_bound=lower,
        method=method,
        proved=paid - lower <= _SAME * paid,
    )


def _solve(
    atoms: Atoms, instance: Instance, fallback: Sequence[int], start: Sequence[int] | None, *, seed: int, end: float
) -> tuple[tuple[int, ...], float, str]:
    n = len(atoms.sizes)
    given = [_shrunk(atoms, fallback), _shrunk(atoms, start) if start is not None else None]
    first = [home for home in given if home is not None] or [place(atoms)]
    first += [home for home in (_numbered(atoms, rule) for rule in _starts(instance, n)) if home is not None]
    kicks = 0 if n <= _SMALL else max(3, 3000 // n) if n <= _MANY else 2
    homes = search(atoms, dict.fromkeys(first), seed=seed, end=end, kicks=kicks)[:_HOMES]
    if clock.now() >= end or atoms.cost(homes[0]) == 0:
        return homes[0], 0.0, "local search"
    if n <= _SMALL or find_spec("highspy") is None:
        return (*branch_and_bound(atoms, homes[0], end=end), "branch and bound")
    _load_numpy()
    from optimizer.partition.tree import branch_and_price  # numpy and HiGHS take a while to import

    return (*branch_and_price(atoms, homes, end=end), "branch and price")


def _load_numpy() -> None:
    """Import numpy with one thread for its products, where it is not loaded yet: they are small.

    More threads wait for each other, on a machine with other work five times as long as one thread computes. The
    variable is read when the library is loaded, and is put back for the processes that this one starts.
    """
    if find_spec("numpy") is None:
        return
    before = os.environ.get("OPENBLAS_NUM_THREADS")
    os.environ["OPENBLAS_NUM_THREADS"] = before or "1"
    import numpy as np  # noqa: F401

    if before is None:
        del os.environ["OPENBLAS_NUM_THREADS"]


def _starts(instance: Instance, atoms: int) -> Iterator[tuple[int, ...]]:
    yield baselines.cut_by_rate_per_byte(instance)
    yield baselines.cut_by_rate(instance)
    if atoms <= _MANY:
        yield baselines.pairwise(instance)
        yield baselines.popularity(instance)
        yield baselines.frequency_bins(instance)


def _shrunk(atoms: Atoms, assignment: Sequence[int]) -> tuple[int, ...] | None:
    """The atoms where their first items are, or else where they may be; None where that breaks a constraint."""
    home = [
        assignment[items[0]] if assignment[items[0]] in allowed else allowed[0]
        for items, allowed in zip(atoms.members, atoms.allowed, strict=True)
    ]
    if any(home[rival] == layer for layer, rivals in zip(home, atoms.rivals, strict=True) for rival in rivals):
        return None
    if atoms.nonempty and len(set(home)) < atoms.layers:
        return None
    return atoms.canonical(home)


def _numbered(atoms: Atoms, assignment: Sequence[int]) -> tuple[int, ...] | None:
    """As `_shrunk`, with the layers numbered in the way that costs least where the atoms may not be anywhere."""
    orders = list(islice(permutations(range(atoms.layers)), _ORDERS if len(set(atoms.symmetric)) > 1 else 1))
    homes = {_shrunk(atoms, [order[layer] for layer in assignment]) for order in orders}
    return min((home for home in homes if home is not None), key=lambda home: (atoms.cost(home), home), default=None)


def _filled(atoms: Atoms, assignment: Sequence[int]) -> tuple[int, ...] | None:
    """The assignment with the cheapest item moved into each empty layer; None where none can be."""
    state = State(atoms, assignment)
    while atoms.nonempty and 0 in state.held:
        layer = state.held.index(0)
        ways = [
            (state.move(item, layer), item)
            for item, home in enumerate(state.home)
            if state.held[home] > 1 and state.may(item, layer)
        ]
        if not ways:
            return None
        state.put(min(ways)[1], layer)
    return tuple(state.home)
