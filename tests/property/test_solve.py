"""Whatever the problem: constraints hold, nothing is cheaper than the bound, and the order of the input is nothing."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from optimizer.errors import ConfigError
from optimizer.partition import Problem, solve
from optimizer.partition.instance import cost, respects
from optimizer.partition.milp import solve_whole
from optimizer.partition.optimise import optimise
from optimizer.partition.solve import instance_of
from tests.unit.partition.support import cost_of, item

NAMES = [f"d{i}" for i in range(6)]
ROLES = ("first", "second", "rest")
FEW = settings(max_examples=60, deadline=None)


NONE = st.just(())


@st.composite
def problems(draw, *, closed=NONE):
    items = []
    for i, name in enumerate(NAMES):
        role = {0: "first", 1: "second"}.get(i) if draw(st.booleans()) else None
        requires = draw(st.lists(st.sampled_from(NAMES[i + 1 :] or [name]), max_size=2, unique=True))
        items.append(item(name, draw(st.integers(0, 50)), [r for r in requires if r != name], role))
    weeks = draw(st.lists(st.frozensets(st.sampled_from(NAMES), min_size=1), min_size=1, max_size=8))
    return Problem(
        items=tuple(items),
        roles=ROLES,
        rest="rest",
        layers=draw(st.integers(3, 4)),
        apart=draw(st.sampled_from([(), (("d2", "d3"),), (("d0", "d2"), ("d3", "d4"))])),
        self_contained=draw(closed),
        scenarios=tuple((draw(st.sampled_from([0.3, 1.0, 2.0])), week) for week in weeks),
        publish_bytes=draw(st.sampled_from([0, 3])),
    )


def cheapest(problem, *, filled=True):
    """By trying everything."""
    instance = replace(instance_of(problem), nonempty=filled)
    ways = product(range(instance.layers), repeat=len(instance.sizes))
    return min((cost(instance, way) for way in ways if respects(instance, way)), default=None)


@FEW
@given(problems())
def test_nothing_is_cheaper_than_the_answer_and_its_cost_is_the_definitions(problem):
    answer = solve(problem)
    best = cheapest(problem)
    assert answer.certificate.cost == pytest.approx(best)
    assert answer.certificate.cost == pytest.approx(cost_of(problem, answer.assignment))
    assert answer.certificate.lower_bound <= answer.certificate.cost
    assert answer.certificate.proved
    for one in problem.items:
        assert one.role is None or answer.assignment[one.name] == one.role
    for group in problem.apart:
        assert len({answer.assignment[name] for name in group}) == len(group)


@FEW
@given(problems(closed=st.sampled_from([("first",), ("second",), ("first", "second")])))
def test_the_integer_programme_finds_the_best_with_self_contained_layers(problem):
    best = cheapest(problem)
    if best is None and problem.layers == len(ROLES):  # a configured layer may stay empty
        best = cheapest(problem, filled=False)
    if best is None:
        with pytest.raises(ConfigError):
            solve(problem)
        return
    answer = solve(problem)
    assert answer.certificate.cost == pytest.approx(best)
    assert answer.certificate.lower_bound <= answer.certificate.cost


@FEW
@given(problems())
def test_the_searches_and_the_integer_programme_agree(problem):
    instance = instance_of(problem)
    assume(cheapest(problem) is not None)
    whole, searched = solve_whole(instance), optimise(instance)
    assert whole.cost == pytest.approx(searched.cost)
    assert whole.lower_bound <= whole.cost
    assert searched.lower_bound <= searched.cost


@FEW
@given(problems(), st.randoms(), st.dictionaries(st.sampled_from(NAMES), st.sampled_from(ROLES)))
def test_shuffled_input_gives_the_same_plan(problem, random, locked):
    problem = replace(problem, locked=locked, locked_layers=ROLES)
    scenarios = list(problem.scenarios)
    random.shuffle(scenarios)
    first, second = solve(problem), solve(replace(problem, scenarios=tuple(scenarios)))
    assert first.assignment == second.assignment
    assert first.layers == second.layers
    assert first.stability == second.stability


@FEW
@given(problems(), st.dictionaries(st.sampled_from(NAMES), st.sampled_from(ROLES), min_size=len(NAMES)))
def test_leaving_the_locks_always_pays_within_the_horizon(problem, locked):
    problem = replace(problem, locked=locked, locked_layers=ROLES, layers=3)
    answer = solve(problem)
    if answer.stability.decision == "moved" and answer.stability.saved_bytes_per_year:
        saved = answer.stability.saved_bytes_per_year * problem.horizon_weeks / 52
        assert saved >= answer.stability.sent_bytes - 1
    again = solve(replace(problem, locked=dict(answer.assignment)))
    if again.stability.decision == "kept":
        assert again.assignment == answer.assignment
