"""The answer where there is a history: constraints, certificate, names, reasons, the frontier."""

import json
from dataclasses import replace

import pytest

from optimizer.errors import ConfigError
from optimizer.partition import Problem, document, frontier, solve
from tests.unit.partition.support import alone, cost_of, item, problem

STACK = (
    item("boto", 20, role="aws", requires=["core"]),
    item("core", 150),
    item("api", 40, role="web", requires=["types", "shared"]),
    item("types", 300),
    item("shared", 30, requires=["deep"]),
    item("deep", 8),
    item("tool", 900),
)
RATES = ((50.0, frozenset({"boto", "core"})), *alone(api=20, types=8, shared=6, deep=1, tool=4))


def stack(**others):
    return problem(*STACK, **{"scenarios": RATES, "publish_bytes": 1, **others})


def test_roots_and_pins_stay_and_the_rest_goes_where_it_costs_least():
    answer = solve(stack())
    assert (answer.assignment["boto"], answer.assignment["api"]) == ("aws", "web")
    assert answer.assignment["core"] == "aws"
    assert answer.assignment["tool"] == "rest"
    assert [name for name, _ in answer.layers] == ["aws", "web", "rest"]


def test_the_cost_is_what_anybody_computes_from_the_problem_and_the_assignment():
    answer = solve(stack())
    certificate = answer.certificate
    assert certificate.cost == pytest.approx(cost_of(stack(), answer.assignment))
    assert certificate.proved
    assert certificate.gap == 0
    assert certificate.lower_bound == certificate.cost


def test_plain_bytes_are_of_the_windows_as_they_were():
    weeks = (frozenset({"boto", "core"}), frozenset(), frozenset({"tool"}))
    answer = solve(stack(observed=weeks))
    assert answer.certificate.floor_bytes_per_year == 20 + 150 + 900
    sent = sum(i.zipped_bytes for i in STACK if answer.assignment[i.name] in {"aws", "rest"})
    assert answer.certificate.republished_bytes_per_year == sent


def test_every_constraint_holds_at_once():
    answer = solve(stack(apart=(("core", "shared"),), self_contained=("web",), layers=4, scenarios=RATES), time_limit=5)
    inside = {i.name for i in STACK if answer.assignment[i.name] == "web"}
    assert {"api", "types", "shared", "deep"} <= inside
    assert answer.assignment["core"] != answer.assignment["shared"]
    assert len(set(answer.assignment.values())) == 4


def test_a_self_contained_layer_holds_all_that_its_items_require():
    needing = tuple(replace(i, requires=("core", "tool")) if i.name == "boto" else i for i in STACK)
    loose = solve(replace(stack(), items=tuple(sorted(needing, key=lambda i: i.name))))
    assert loose.assignment["tool"] == "rest"
    bound = replace(stack(self_contained=("aws",)), items=tuple(sorted(needing, key=lambda i: i.name)))
    answer = solve(bound)
    requires = {i.name: i.requires for i in needing}
    inside = {name for name, layer in answer.assignment.items() if layer == "aws"}
    assert {"boto", "core", "tool"} <= inside
    assert all(set(requires[name]) <= inside for name in inside)
    assert answer.certificate.cost > loose.certificate.cost
    assert answer.certificate.cost == pytest.approx(cost_of(bound, answer.assignment))
    assert answer.certificate.proved


def test_what_cant_be_kept_apart_is_named_with_its_pins_and_nothing_else_is():
    items = (item("a", role="aws"), item("b", role="aws"), item("c"), item("d"), item("e"))
    contradiction = problem(*items, scenarios=alone(a=1, b=1, c=1, d=1, e=1), apart=(("a", "b"), ("c", "d")))
    with pytest.raises(ConfigError) as caught:
        solve(contradiction)
    assert "a (in aws by its root), b (in aws by its root) can't be kept apart" in str(caught.value)
    assert "c" not in str(caught.value).split("can't")[0].replace("configuration", "")


def refusal(*items, **others):
    rates = alone(**{i.name: 1 for i in items})
    with pytest.raises(ConfigError) as caught:
        solve(problem(*items, scenarios=rates, **others))
    return caught.value.faults[0]


def test_a_self_contained_layer_that_needs_what_is_held_elsewhere_is_refused_with_the_way_there():
    items = (item("api", role="web", requires=["sdk"]), item("sdk", requires=["boto"]), item("boto", role="aws"))
    assert refusal(*items, self_contained=("web",)) == (
        "layer: web is self_contained and holds api, which requires sdk, which requires boto, "
        "which is held in aws by its root"
    )


def test_what_two_self_contained_layers_need_cant_be_in_both():
    items = (
        item("api", role="web", requires=["types"]),
        item("boto", role="aws", requires=["types"]),
        item("types"),
        item("other"),
    )
    told = refusal(*items, self_contained=("aws", "web"))
    assert "aws is self_contained and holds boto, which requires types" in told
    assert "web is self_contained and holds api, which requires types: it can't be in both" in told


def test_what_a_self_contained_layer_needs_cant_be_kept_apart():
    items = (item("api", role="web", requires=["a", "b"]), item("a"), item("b"), item("boto", role="aws"))
    assert "`apart` keeps a and b apart" in refusal(*items, self_contained=("web",), apart=(("a", "b"),))


def test_a_configured_layer_may_stay_empty_and_a_spare_one_may_not():
    items = (item("boto", role="aws"), item("api", role="web"))
    assert len(solve(problem(*items, scenarios=alone(boto=9, api=2))).layers) == 3
    with pytest.raises(ConfigError, match="can't fill 5 layers"):
        solve(problem(*items, scenarios=alone(boto=9, api=2), layers=5))


def test_of_equal_costs_requirements_point_to_the_same_or_an_earlier_layer():
    items = (
        item("boto", 5, role="aws", requires=["base"]),
        item("api", 5, role="web"),
        item("base", 0),
        item("zed", 3),
    )
    rates = (*alone(boto=3, api=3, zed=1), (3.0, frozenset({"api", "base"})), (3.0, frozenset({"boto", "base"})))
    tied = problem(*items, scenarios=rates)
    costs = {layer: cost_of(tied, {"boto": "aws", "api": "web", "zed": "rest", "base": layer}) for layer in tied.roles}
    assert costs["aws"] == costs["web"]
    assert solve(tied).assignment["base"] == "aws"
    turned = problem(
        *(replace(i, requires={"boto": (), "api": ("base",)}.get(i.name, ())) for i in items), scenarios=rates
    )
    assert solve(turned).assignment["base"] in {"aws", "web"}


def test_a_spare_layer_says_which_role_it_splits_and_stands_beside_it():
    answer = solve(stack(layers=5))
    names = [name for name, _ in answer.layers]
    assert len(names) == 5
    for name, role in answer.layers:
        assert name in {role, f"{role}-2", f"{role}-3"}
        if name != role:
            assert abs(names.index(name) - names.index(role)) <= 2
    assert names.index("aws") < names.index("web") < names.index("rest")


def test_the_rest_is_called_so_even_where_the_search_numbers_it_otherwise():
    answer = solve(stack(layers=4))
    assert answer.assignment["tool"] == "rest"


def test_reasons_say_what_the_next_best_layer_would_cost():
    answer = solve(stack())
    assert answer.reasons["boto"] == "root of aws"
    assert "a year less than in" in answer.reasons["tool"]
    assert set(answer.alternatives["tool"]) == {"aws", "web"}
    moved = {**answer.assignment, "tool": "web"}
    assert answer.alternatives["tool"]["web"] == pytest.approx(
        cost_of(stack(), moved) - cost_of(stack(), answer.assignment)
    )


def test_more_layers_never_cost_more_but_for_their_publishes():
    costs = frontier(stack(publish_bytes=0), range(1, 6))
    assert sorted(costs) == [1, 2, 3, 4, 5]
    bound = [costs[n].cost for n in (3, 4, 5)]
    assert bound == sorted(bound, reverse=True)
    assert costs[1].cost >= costs[2].cost
    assert all(c.proved for c in costs.values())


def test_the_frontier_leaves_out_what_cant_be_kept():
    apart = (("core", "types", "tool"),)
    assert sorted(frontier(stack(apart=apart), range(1, 6))) == [3, 4, 5]


def test_a_tight_time_limit_gives_an_answer_with_an_honest_bound():
    many = [item(f"d{i:03}", 10 + i * 37 % 900) for i in range(60)]
    scenarios = tuple(
        (1.0, frozenset(f"d{i:03}" for i in range(60) if (i * 7 + week * 11) % 9 == 0)) for week in range(40)
    )
    answer = solve(problem(*many, scenarios=scenarios, layers=5), time_limit=0.2)
    certificate = answer.certificate
    assert 0 <= certificate.lower_bound <= certificate.cost
    assert certificate.proved == (certificate.gap <= 1e-9)


def test_never_released_and_all_prior_is_no_division_by_zero():
    flat = problem(item("a"), item("b"), scenarios=alone(a=0, b=0), layers=3)
    certificate = solve(flat).certificate
    assert (certificate.cost, certificate.gap) == (0.0, 0.0)


def test_a_problem_survives_its_document_and_its_hash_ignores_order():
    first = stack(apart=(("core", "shared"),), locked={"core": "aws"}, observed=(frozenset({"api", "boto"}),))
    text = json.dumps(document.problem_document(first))
    again = document.parse_problem(json.loads(text))
    assert document.problem_document(again) == document.problem_document(first)
    assert solve(again) == solve(first)
    shuffled = replace(first, items=first.items[::-1], scenarios=first.scenarios[::-1])
    assert document.problem_hash(shuffled) == document.problem_hash(first)
    assert document.problem_hash(replace(first, layers=4)) != document.problem_hash(first)
    with pytest.raises(ValueError, match="schema"):
        document.parse_problem({**json.loads(text), "schema": 9})


def test_a_partition_survives_the_cache():
    answer = solve(stack(locked={"core": "web"}))
    assert document.parse_partition(document.partition_text(answer)) == answer


def test_what_a_constraint_forbids_is_no_alternative():
    answer = solve(stack(apart=(("core", "boto"),)))
    assert "aws" not in answer.alternatives["core"]
    assert answer.assignment["core"] != "aws"
    assert "would save" not in answer.reasons["core"]


def test_bytes_of_a_year_are_of_a_year_where_less_is_known():
    weeks = (frozenset({"boto", "core"}),)
    assert solve(stack(observed=weeks, observed_years=0.25)).certificate.floor_bytes_per_year == 4 * (20 + 150)


def test_without_a_history_locked_items_stay():
    roles = solve(stack(scenarios=()))
    locked = {**roles.assignment, "core": "rest", "deep": "aws"}
    kept = solve(stack(scenarios=(), locked=locked))
    assert dict(kept.assignment) == locked
    assert kept.stability.decision == "kept"
    assert kept.certificate.cost is None
    wrong = solve(stack(scenarios=(), locked={**locked, "boto": "web"}))
    assert dict(wrong.assignment) == dict(roles.assignment)


def test_without_a_history_self_contained_is_kept_or_refused():
    items = (
        item("boto", role="aws", requires=["types"]),
        item("api", role="web", requires=["types"]),
        item("types"),
        item("tool"),
    )
    assert solve(problem(*items, self_contained=("aws",))).assignment["types"] == "aws"
    with pytest.raises(ConfigError, match="history update"):
        solve(problem(*items, self_contained=("web",)))


def test_a_best_answer_that_presolving_would_cut_off_is_found():
    items = (
        item("d0", 0, [], "first"),
        item("d1", 0, ["d5", "d2"], "second"),
        item("d2", 2, [], None),
        item("d3", 1, [], None),
        item("d4", 0, ["d5"], None),
        item("d5", 0, [], None),
    )
    problem = Problem(
        items=items,
        roles=("first", "second", "rest"),
        rest="rest",
        layers=3,
        apart=(("d2", "d3"),),
        self_contained=("first", "second"),
        scenarios=((0.3, frozenset({"d0"})), (0.3, frozenset({"d0", "d4"}))),
        publish_bytes=0,
    )
    answer = solve(problem)
    assert answer.assignment["d3"] == "rest"
    assert answer.certificate.cost == pytest.approx(0.3)
    assert answer.certificate.proved
