"""The optimiser on small instances of every sort: nothing is cheaper than what it proves, every constraint is kept."""

import itertools
import math
import time

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from optimizer.partition.atoms import make_atoms
from optimizer.partition.branch import branch_and_bound
from optimizer.partition.feasible import place
from optimizer.partition.instance import InfeasibleError, Instance, cost, respects
from optimizer.partition.local_search import State, descend
from optimizer.partition.optimise import optimise
from optimizer.partition.tree import branch_and_price

many = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


@st.composite
def instances(draw, *, constraints=True):
    n, layers = draw(st.integers(1, 7)), draw(st.integers(1, 3))
    item, layer = st.integers(0, n - 1), st.integers(0, layers - 1)
    anywhere = frozenset(range(layers))
    some = st.frozensets(layer, min_size=1) if constraints else st.just(anywhere)
    pairs = st.tuples(item, item).filter(lambda pair: pair[0] != pair[1]) if n > 1 and constraints else st.nothing()
    scenario = st.tuples(st.sampled_from((0.25, 1.0, 2.5)), st.frozensets(item))
    return Instance(
        sizes=tuple(draw(st.lists(st.integers(0, 100), min_size=n, max_size=n))),
        scenarios=tuple(draw(st.lists(scenario, max_size=7))),
        layers=layers,
        publish_bytes=draw(st.sampled_from((0, 3, 40))),
        allowed=tuple(draw(st.one_of(st.just(anywhere), some)) for _ in range(n)),
        apart=tuple(draw(st.lists(pairs, max_size=2))) if constraints and n > 1 else (),
        nonempty=draw(st.booleans()),
    )


def least(instance):
    """By trying everything; None where nothing keeps the constraints."""
    homes = itertools.product(range(instance.layers), repeat=len(instance.sizes))
    return min((cost(instance, home) for home in homes if respects(instance, home)), default=None)


@many
@given(instances())
def test_the_answer_is_the_best_and_proved_or_nothing_keeps_the_constraints(instance):
    best = least(instance)
    if best is None:
        with pytest.raises(InfeasibleError) as caught:
            optimise(instance)
        assert caught.value.items
        return
    answer = optimise(instance)
    assert math.isclose(answer.cost, best, rel_tol=1e-9)
    assert answer.proved
    assert answer.lower_bound <= answer.cost == cost(instance, answer.assignment)
    assert respects(instance, answer.assignment)


@many
@given(instances())
def test_branch_and_bound_and_branch_and_price_agree_with_trying_everything(instance):
    best = least(instance)
    assume(best)
    atoms = make_atoms(instance, merge=False)
    home, end = place(atoms), time.monotonic() + 30
    for found, bound in (branch_and_bound(atoms, home, end=end), branch_and_price(atoms, [home], end=end)):
        assert math.isclose(cost(instance, found), best, rel_tol=1e-9)
        assert math.isclose(bound, best, rel_tol=1e-9)
        assert respects(instance, found)


@many
@given(instances(), st.data())
def test_without_time_the_answer_is_no_dearer_than_the_start_and_its_bound_holds(instance, data):
    best = least(instance)
    assume(best is not None)
    start = data.draw(st.tuples(*(st.sampled_from(sorted(allowed)) for allowed in instance.allowed)))
    assume(respects(instance, start))
    answer = optimise(instance, start=start, time_limit=0)
    assert answer.lower_bound <= best * (1 + 1e-9)
    assert best <= answer.cost * (1 + 1e-9)
    assert answer.cost <= cost(instance, start) * (1 + 1e-9)


@many
@given(instances(), st.data())
def test_a_move_and_a_swap_are_weighed_as_what_they_change(instance, data):
    atoms = make_atoms(instance, merge=False)
    n = len(instance.sizes)
    home = data.draw(st.lists(st.integers(0, instance.layers - 1), min_size=n, max_size=n))
    one, two, layer = data.draw(st.tuples(*[st.integers(0, n - 1)] * 2, st.integers(0, instance.layers - 1)))
    state = State(atoms, home)
    if home[one] != layer:
        moved = [layer if item == one else place for item, place in enumerate(home)]
        assert math.isclose(state.move(one, layer), cost(instance, moved) - cost(instance, home), abs_tol=1e-6)
    if home[one] != home[two]:
        swapped = [*home]
        swapped[one], swapped[two] = home[two], home[one]
        assert math.isclose(state.swap(one, two), cost(instance, swapped) - cost(instance, home), abs_tol=1e-6)


@many
@given(instances())
def test_descent_keeps_the_constraints_and_never_costs_more(instance):
    assume(least(instance) is not None)
    atoms = make_atoms(instance, merge=False)
    home = place(atoms)
    better = descend(atoms, home, end=time.monotonic() + 30)
    assert respects(instance, better)
    assert cost(instance, better) <= cost(instance, home) * (1 + 1e-9)


@many
@given(instances(constraints=False))
def test_merging_loses_nothing(instance):
    free = Instance(
        **{name: getattr(instance, name) for name in Instance.__slots__ if name != "nonempty"}, nonempty=False
    )
    atoms = make_atoms(free, merge=True)
    homes = itertools.product(range(free.layers), repeat=len(atoms.sizes))
    assert math.isclose(min(cost(free, atoms.expand(home)) for home in homes), least(free), rel_tol=1e-9)


@many
@given(instances(), st.randoms())
def test_the_order_of_items_and_scenarios_does_not_change_the_cost(instance, random):
    assume(least(instance) is not None)
    order = list(range(len(instance.sizes)))
    random.shuffle(order)
    place_of = {item: position for position, item in enumerate(order)}
    scenarios = [(weight, frozenset(place_of[i] for i in changed)) for weight, changed in instance.scenarios]
    random.shuffle(scenarios)
    shuffled = Instance(
        sizes=tuple(instance.sizes[i] for i in order),
        scenarios=tuple(scenarios),
        layers=instance.layers,
        publish_bytes=instance.publish_bytes,
        allowed=tuple(instance.allowed[i] for i in order),
        apart=tuple((place_of[a], place_of[b]) for a, b in instance.apart),
        nonempty=instance.nonempty,
    )
    assert math.isclose(optimise(shuffled).cost, optimise(instance).cost, rel_tol=1e-9)
