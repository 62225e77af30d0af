"""The search for layers: against trying every layer, with any prices, pins, rivals, and cut short at any node."""

import itertools
import math
import time

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optimizer.partition.atoms import make_atoms
from optimizer.partition.instance import Instance
from optimizer.partition.layer_descent import descend_layers
from optimizer.partition.layer_search import LayerSearch
from optimizer.partition.pricing import make_pricer
from optimizer.partition.tree import branch_and_price

many = settings(max_examples=160, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def grounds(draw):
    """One kind of layer, with what is free in it, forced into it, and prices, negative ones too."""
    n = draw(st.integers(1, 7))
    item = st.integers(0, n - 1)
    pairs = st.tuples(item, item).filter(lambda pair: pair[0] != pair[1]) if n > 1 else st.nothing()
    instance = Instance(
        sizes=tuple(draw(st.lists(st.integers(0, 100), min_size=n, max_size=n))),
        scenarios=tuple(
            draw(st.lists(st.tuples(st.sampled_from((0.01, 0.25, 1.0, 1e4)), st.frozensets(item)), max_size=9))
        ),
        layers=2,
        publish_bytes=draw(st.sampled_from((0, 3, 40))),
        allowed=tuple(draw(st.sampled_from((frozenset({0}), frozenset({0, 1}), frozenset({0, 1})))) for _ in range(n)),
        apart=tuple(draw(st.lists(pairs, max_size=2))) if n > 1 else (),
        nonempty=False,
    )
    pricer = make_pricer(make_atoms(instance, merge=False))
    factor = st.floats(-0.2, 2.5).map(lambda share: round(share, 3))
    prices = np.array([draw(factor) * pricer.cost(np.arange(n) == i) for i in range(n)])
    return pricer, prices


def layers_of(pricer, prices):
    """Every layer of the kind with its reduced cost, by its free items as flags; those with rivals are left out."""
    ground = pricer.grounds[0]
    found = {}
    for flags in itertools.product((False, True), repeat=len(ground.items)):
        chosen = np.array(flags, dtype=bool)
        if (ground.rivals[np.ix_(chosen, chosen)]).any() or not (len(ground.forced) or chosen.any()):
            continue
        members = np.zeros(len(prices), dtype=bool)
        members[ground.items[chosen]] = True
        members[ground.forced] = True
        found[flags] = pricer.cost(members) - prices[members].sum()
    return found


def scale_of(found, prices):
    return 1 + max(map(abs, found.values()), default=0.0) + np.abs(prices).sum()


@many
@given(grounds())
def test_the_best_layer_is_found_and_nothing_is_below_the_bound(drawn):
    pricer, prices = drawn
    found = layers_of(pricer, prices)
    forced = len(pricer.grounds[0].forced) > 0
    best = min(found.values(), default=np.inf) if forced else min(0.0, *found.values(), 0.0)
    search = LayerSearch(pricer.grounds[0], prices, limit=np.inf if forced else 0.0, keep_all=False, tolerance=1e-12)
    search.run(nodes=100_000, expired=lambda: False)
    assert search.least <= best + 1e-9 * scale_of(found, prices)
    assert math.isclose(search.least, best, abs_tol=1e-7 * scale_of(found, prices))


@many
@given(grounds(), st.integers(0, 200), st.floats(0, 0.5))
def test_cut_short_or_with_tolerance_the_bound_still_holds(drawn, nodes, tolerance):
    pricer, prices = drawn
    found = layers_of(pricer, prices)
    forced = len(pricer.grounds[0].forced) > 0
    best = min(found.values(), default=np.inf) if forced else min(0.0, *found.values(), 0.0)
    scale = scale_of(found, prices)
    search = LayerSearch(
        pricer.grounds[0], prices, limit=np.inf if forced else 0.0, keep_all=False, tolerance=tolerance * scale
    )
    search.run(nodes=nodes, expired=lambda: False)
    assert search.least <= best + 1e-9 * scale


@many
@given(grounds(), st.floats(-0.3, 0.6))
def test_every_layer_below_a_limit_is_listed_and_no_other(drawn, share):
    pricer, prices = drawn
    found = layers_of(pricer, prices)
    limit = share * scale_of(found, prices)
    near = 1e-9 * scale_of(found, prices)
    search = LayerSearch(pricer.grounds[0], prices, limit=limit, keep_all=True, tolerance=0.0)
    search.run(nodes=1_000_000, expired=lambda: False)
    assert search.complete
    listed = {tuple(row) for rows, _ in search.found for row in rows.tolist()}
    assert {flags for flags, reduced in found.items() if reduced < limit - near} <= listed
    assert listed <= {flags for flags, reduced in found.items() if reduced < limit + near}


@many
@given(grounds())
def test_descent_weighs_layers_right_and_keeps_rivals_apart(drawn):
    pricer, prices = drawn
    found = layers_of(pricer, prices)
    every = np.array(list(itertools.product((False, True), repeat=len(pricer.grounds[0].items))), dtype=bool)
    chosen, reduced = descend_layers(pricer.grounds[0], prices, every)
    scale = scale_of(found, prices)
    for row, value in zip(chosen.tolist(), reduced, strict=True):
        assert math.isclose(found[tuple(row)], value, abs_tol=1e-9 * scale)
    nothing = [] if len(pricer.grounds[0].forced) else [0.0]  # where the empty layer is the best, none is handed back
    assert math.isclose(min([*reduced, *nothing]), min([*found.values(), *nothing]), abs_tol=1e-9 * scale)


def test_a_bound_in_no_time_is_a_bound_of_zero_or_better():
    sizes = (5, 7, 1)
    instance = Instance(
        sizes=sizes,
        scenarios=((1.0, frozenset({0})), (2.0, frozenset({1})), (0.5, frozenset({0, 2}))),
        layers=2,
        publish_bytes=0,
        allowed=(frozenset({0, 1}),) * 3,
    )
    atoms = make_atoms(instance, merge=False)
    home, bound = branch_and_price(atoms, [(0, 1, 0)], end=time.monotonic())
    assert home == (0, 1, 0)
    assert 0 <= bound <= atoms.cost(home)
