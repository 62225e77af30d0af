"""A plan stays at the committed locks unless leaving them pays within the horizon."""

from dataclasses import replace

import pytest

from optimizer.partition import solve
from tests.unit.partition.support import alone, cost_of, item, problem

ITEMS = (
    item("boto", 20, role="aws"),
    item("api", 40, role="web"),
    item("core", 150),
    item("tool", 900),
    item("small", 10),
)
RATES = ((50.0, frozenset({"boto", "core"})), *alone(api=20, tool=4, small=3))


def planned(locked, **others):
    return problem(*ITEMS, **{"scenarios": RATES, "publish_bytes": 0, "locked": locked, **others})


BEST = dict(solve(planned({})).assignment)


def test_locks_that_are_the_best_are_kept():
    answer = solve(planned(BEST))
    assert answer.stability.decision == "kept"
    assert answer.stability.moves == ()
    assert dict(answer.assignment) == BEST


def test_a_move_that_earns_what_it_sends_is_made_and_says_so():
    locked = {**BEST, "core": "rest"}  # published fifty times a year with the heaviest
    answer = solve(planned(locked))
    assert answer.stability.decision == "moved"
    assert ("core", "rest", "aws") in answer.stability.moves
    saved = cost_of(planned({}), locked) - cost_of(planned({}), answer.assignment)
    assert answer.stability.saved_bytes_per_year == pytest.approx(saved)
    assert "earned back in" in answer.stability.because


def test_what_a_move_sends_is_the_layers_that_it_dirties():
    answer = solve(planned({**BEST, "core": "rest"}))
    dirty = {layer for _, before, after in answer.stability.moves for layer in (before, after)}
    sent = sum(i.zipped_bytes for i in ITEMS if answer.assignment[i.name] in dirty)
    assert answer.stability.sent_bytes == sent


def test_a_move_that_does_not_earn_back_within_the_horizon_is_left_and_told():
    locked = {**BEST, "small": next(layer for layer in ("aws", "web", "rest") if layer != BEST["small"])}
    kept = solve(planned(locked, horizon_weeks=1))
    assert kept.stability.decision == "kept"
    assert dict(kept.assignment) == locked
    assert "past the 1 of the horizon" in kept.stability.because
    assert kept.certificate.gap > 0
    assert not kept.certificate.proved
    assert kept.certificate.lower_bound == pytest.approx(cost_of(planned({}), BEST))
    assert solve(planned(locked, horizon_weeks=520)).stability.decision == "moved"


def test_new_items_are_placed_and_nothing_else_moves():
    locked = {name: layer for name, layer in BEST.items() if name != "small"}
    answer = solve(planned(locked, horizon_weeks=1))
    assert answer.stability.decision == "kept"
    assert {name: answer.assignment[name] for name in locked} == locked


def test_locks_of_another_set_of_layers_are_no_guide():
    assert solve(planned(BEST, layers=4)).stability.decision == "fresh"
    other = {name: f"old-{layer}" for name, layer in BEST.items()}
    assert "another set of layers" in solve(planned(other)).stability.because


def test_a_pin_against_a_lock_moves_the_item_and_says_that_the_configuration_asks_for_it():
    pinned = tuple(replace(i, role="web") if i.name == "small" else i for i in ITEMS)
    wrong = planned({**BEST, "small": "aws"}, horizon_weeks=1)
    answer = solve(replace(wrong, items=pinned))
    assert answer.assignment["small"] == "web"
    assert answer.stability.decision == "moved"
    assert ("small", "aws", "web") in answer.stability.moves


def test_spare_layers_keep_the_names_that_the_locks_give_them():
    first = solve(planned({}, layers=4))
    locked = dict(first.assignment)
    spare = next(name for name, role in first.layers if name != role)
    renamed = {name: "web-7" if layer == spare else layer for name, layer in locked.items()}
    again = solve(planned(renamed, layers=4))
    assert again.stability.decision == "kept"
    assert dict(again.assignment) == renamed


def test_planning_twice_changes_nothing():
    first = solve(planned({**BEST, "core": "web"}))
    again = solve(planned(dict(first.assignment)))
    assert again.assignment == first.assignment
    assert again.stability.decision == "kept"


def test_a_layer_that_is_locked_empty_is_kept_empty():
    only = tuple(i for i in ITEMS if i.name in {"boto", "core", "api"})
    locked = {"boto": "aws", "core": "aws", "api": "web"}
    empty = problem(*only, scenarios=RATES[:2], locked=locked, locked_layers=("aws", "rest", "web"), horizon_weeks=1)
    answer = solve(empty)
    assert answer.stability.decision == "kept"
    assert dict(answer.assignment) == locked


def test_a_layer_without_a_lock_is_another_set_of_layers():
    locked = {"boto": "aws", "core": "aws", "api": "web", "tool": "web", "small": "web"}
    assert "the locks have no rest" in solve(planned(locked)).stability.because
