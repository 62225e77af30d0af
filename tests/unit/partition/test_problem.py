"""The problem that a configuration poses, and its answer by roles."""

import pytest

from optimizer.errors import ConfigError
from optimizer.partition import solve
from tests.unit.partition.support import item, problem

ITEMS = (
    item("boto", role="aws", requires=["core"]),
    item("core", size=9),
    item("api", role="web", requires=["types", "shared"]),
    item("types", size=2),
    item("shared", requires=["deep"]),
    item("deep"),
    item("tool", size=4),
)


def test_each_item_goes_where_its_roots_are():
    shared_by_both = (*(i for i in ITEMS if i.name != "boto"), item("boto", role="aws", requires=["core", "shared"]))
    assert dict(solve(problem(*shared_by_both)).assignment) == {
        "api": "web",
        "boto": "aws",
        "core": "aws",
        "deep": "aws",
        "shared": "aws",
        "tool": "rest",
        "types": "web",
    }


def test_a_spare_layer_takes_from_the_heaviest_and_stands_before_it():
    answer = solve(problem(*ITEMS, layers=4))
    assert answer.layers == (("aws-2", "aws"), ("aws", "aws"), ("web", "web"), ("rest", "rest"))
    assert answer.assignment["core"] == "aws-2"
    assert answer.assignment["boto"] == "aws"
    assert "split off aws" in answer.reasons["core"]


def test_what_must_be_apart_is_moved_where_it_can_be():
    answer = solve(problem(*ITEMS, apart=(("types", "shared"),)))
    assert answer.assignment["types"] != answer.assignment["shared"]


def test_what_cant_be_apart_is_refused_by_name():
    names = ("core", "deep", "shared", "types")
    with pytest.raises(ConfigError, match="can't be kept apart in 3 layers"):
        solve(problem(*ITEMS, apart=(names,)))


def test_layers_that_nothing_can_fill_are_refused():
    with pytest.raises(ConfigError, match="can't fill 5 layers"):
        solve(problem(item("boto", role="aws"), item("api", role="web"), layers=5))


def test_without_history_nothing_is_claimed():
    certificate = solve(problem(*ITEMS)).certificate
    assert (certificate.cost, certificate.lower_bound, certificate.gap, certificate.proved) == (None, None, None, False)


def test_apart_is_kept_wherever_there_is_a_way():
    items = (item("a"), item("b"), item("c", role="web"), item("boto", role="aws"))
    answer = solve(problem(*items, apart=(("a", "b"), ("a", "c"))))
    assert answer.assignment["a"] not in {answer.assignment["b"], "web"}


def test_what_is_split_off_takes_all_it_needs_along():
    chain = (
        item("boto", role="aws", requires=["core"]),
        item("core", 9, ["base"]),
        item("base", 1),
        item("api", role="web"),
    )
    answer = solve(problem(*chain, item("tool"), layers=4))
    assert answer.assignment["core"] == answer.assignment["base"] == "aws-2"
