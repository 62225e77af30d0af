"""Groups: what can't be separated."""

import random

import pytest

from optimizer import graph
from optimizer.models import Distribution, InstalledFile


def distribution(name, requires=(), paths=()):
    files = tuple(
        InstalledFile(path=p, location=p, bytes=1, mtime_ns=0, inode=0, executable=False)
        for p in paths or (f"{name}.py",)
    )
    return Distribution(
        name=name,
        version="1",
        requires=tuple(requires),
        files=files,
        outside_bytes=0,
        tags=(),
        info=f"{name}.dist-info",
    )


@pytest.mark.parametrize(
    ("requires", "expected"),
    [
        ({}, []),
        ({"a": ["b"], "b": []}, []),
        ({"a": ["b"], "b": ["a"]}, [("a", "b")]),
        ({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]}, [("a", "b", "c")]),
        ({"a": ["b", "c"], "b": ["a"], "c": ["d"], "d": ["c"]}, [("a", "b"), ("c", "d")]),
        ({"a": ["a"]}, []),
        ({"a": ["gone"]}, []),
    ],
)
def test_cycles_are_the_strongly_connected_components(requires, expected):
    assert graph.cycles(requires) == expected


def test_a_long_chain_does_not_exhaust_the_stack():
    chain = {f"n{i:05}": [f"n{i + 1:05}"] for i in range(5000)}
    chain["n05000"] = ["n00000"]
    assert len(graph.cycles(chain)[0]) == 5001


def test_distributions_in_a_cycle_form_one_group_with_the_reason():
    groups = graph.make_groups([distribution("a", ["b"]), distribution("b", ["a"]), distribution("c")])
    assert [g.members for g in groups] == [("a", "b"), ("c",)]
    assert "require each other" in groups[0].reasons[0]


def test_two_owners_of_one_path_stay_together():
    groups = graph.make_groups([distribution("a", paths=["x/y.py"]), distribution("b", paths=["x/y.py"])])
    assert [g.members for g in groups] == [("a", "b")]


def test_files_put_into_anothers_regular_package_bind():
    a = distribution("a", paths=["pkg/__init__.py"])
    b = distribution("b", paths=["pkg/plugins/deep/b.py"])
    assert [g.members for g in graph.make_groups([a, b])] == [("a", "b")]


def test_a_namespace_package_binds_nobody():
    a = distribution("a", paths=["space/a/__init__.py"])
    b = distribution("b", paths=["space/b/__init__.py"])
    assert [g.members for g in graph.make_groups([a, b])] == [("a",), ("b",)]


def test_the_configuration_binds_transitively():
    ds = [distribution(n) for n in "abcd"]
    groups = graph.make_groups(ds, together=[("a", "b"), ("b", "c"), ("d", "gone")])
    assert [g.members for g in groups] == [("a", "b", "c"), ("d",)]


def test_groups_do_not_depend_on_the_order_of_the_input():
    ds = [
        distribution("a", ["b"]),
        distribution("b", ["a"]),
        distribution("c", paths=["k/__init__.py"]),
        distribution("d", paths=["k/d.py"]),
        distribution("e"),
    ]
    expected = graph.make_groups(ds)
    for seed in range(5):
        shuffled = random.Random(seed).sample(ds, len(ds))
        assert graph.make_groups(shuffled) == expected


def test_a_shortest_requirement_path_is_found():
    requires = {"a": ["b", "c"], "b": ["d"], "c": ["e"], "d": ["e"], "e": []}
    assert graph.requirement_path(["a"], "e", requires) == ("a", "c", "e")
    assert graph.requirement_path(["b"], "a", requires) == ()
