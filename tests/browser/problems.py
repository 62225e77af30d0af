"""Small documents of the report page, made without planning: problems with and without history, chance or not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from optimizer.partition.document import problem_document
from optimizer.partition.problem import Item, Problem

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

LIMIT = 262_144_000
HEAD = """# a person's words
[[function]]
name = "app"
source = "src"
requirements = "requirements.txt"
handler = "handler.handler"
runtime = "python3.11"
regions = ["eu-central-1"]

# the layers
"""
TAIL = "\n# the end\n[plan]\nhorizon_weeks = 26\n"
ROLES = ("first", "second", "third")


def small_problem() -> Problem:
    """Two layers: `a` is a root of the first, where `c` is pinned; `e` is two distributions."""
    rows = [("a", ("b",), "first"), ("b", (), None), ("c", (), "first"), ("d", ("e",), None), ("e", (), None)]
    items = tuple(
        Item(
            name=name,
            members=(name, "e-core") if name == "e" else (name,),
            zipped_bytes=100 * (k + 1),
            unzipped_bytes=300 * (k + 1),
            requires=requires,
            role=role,
            root=name == "a",
        )
        for k, (name, requires, role) in enumerate(rows)
    )
    return Problem(
        items=items,
        roles=("first", "second"),
        rest="second",
        layers=2,
        scenarios=((2.0, frozenset({"a"})), (1.0, frozenset({"b", "d"}))),
        observed=(frozenset({"a"}), frozenset({"b", "d"}), frozenset()),
    )


SMALL_TABLES = [
    {"name": "first", "roots": ["a"], "include": ["c"], "self_contained": False},
    {"name": "second", "roots": [], "include": [], "self_contained": False},
]
SMALL_HOMES = {"a": "first", "b": "second", "c": "first", "d": "second", "e": "second"}


def document_of(
    problem: Problem,
    *,
    tables: list[dict[str, Any]],
    homes: Mapping[str, str] | None = None,
    functions: tuple[tuple[int, int], ...] = ((5_000, 0),),
    slots: int = 5,
) -> dict[str, Any]:
    """The page's document of a problem and where its items are, as far as the arithmetic looks at it."""
    homes = SMALL_HOMES if homes is None else homes
    groups = [list(item.members) for item in problem.items if len(item.members) > 1]
    together, apart = f"together = {groups}\n", f"apart = {[list(names) for names in problem.apart]}\n"
    return {
        "schema": 1,
        "plan": {"limits": {"unzipped_bytes": LIMIT, "layers": 5}},
        "problem": problem_document(problem),
        "layers": [{"name": role, "role": role} for role in problem.roles],
        "assignment": dict(homes),
        "functions": [
            {"name": f"app-{k}" if k else "app", "unzipped_bytes": own, "external_unzipped_bytes": external}
            for k, (own, external) in enumerate(functions)
        ],
        "limits": {
            "unzipped_bytes": LIMIT,
            "layers": slots,
            "layer_name": "[a-zA-Z0-9-_]+",
            "layer_name_length": 140,
        },
        "end_bytes": 22,
        "configuration": {
            "path": "config/layers.toml",
            "head": HEAD,
            "tail": f"{TAIL}\n[groups]\n{together}{apart}",
            "layers": tables,
        },
    }


def random_case(chance: random.Random) -> dict[str, Any]:
    """A document, and changes that somebody may make to what it shows, some of which can't be made."""
    names = [f"d{k}" for k in range(chance.randint(3, 9))]
    roles = ROLES[: chance.randint(2, 3)]
    homes = {name: chance.choice(roles) for name in names}
    for k, role in enumerate(roles):
        homes[names[k]] = role
    pinned = {names[k]: role for k, role in enumerate(roles[:-1])}
    pinned |= {name: homes[name] for name in names[len(roles) :] if chance.random() < 0.2}
    heavy = chance.choice([1, 1, 9])
    items = tuple(
        Item(
            name=name,
            members=(name, f"{name}-core") if chance.random() < 0.3 else (name,),
            zipped_bytes=chance.randint(0, 3_000_000),
            unzipped_bytes=chance.randint(0, 9_000_000) * heavy,
            requires=tuple(sorted(chance.sample(names[k + 1 :], k=min(len(names) - k - 1, chance.randint(0, 2))))),
            role=pinned.get(name),
            root=k < len(roles) - 1,
        )
        for k, name in enumerate(names)
    )
    weeks = tuple(frozenset(chance.sample(names, k=chance.randint(0, 3))) for _ in range(chance.randint(1, 30)))
    history = chance.random() < 0.8
    problem = Problem(
        items=items,
        roles=roles,
        rest=roles[-1],
        layers=len(roles),
        apart=((names[-1], names[0]),) if homes[names[-1]] != homes[names[0]] and chance.random() < 0.5 else (),
        scenarios=tuple((chance.uniform(0.01, 4), week) for week in weeks if week) if history else (),
        observed=weeks if history else (),
        observed_years=chance.choice([1.0, 0.5, 364 / 365]),
        publish_bytes=10_000,
    )
    closed = [role for role in roles if chance.random() < 0.3]
    kept = tuple(
        role
        for role in closed
        if all(homes[r] == role for item in items if homes[item.name] == role for r in item.requires)
    )
    tables = [
        {
            "name": role,
            "roots": [i.name for i in items if i.role == role and i.root],
            "include": [i.members[-1] for i in items if i.role == role and not i.root],
            "self_contained": role in kept,
        }
        for role in roles
    ]
    functions = tuple((chance.randint(0, 50_000), chance.choice([0, 70_000_000])) for _ in range(chance.randint(1, 2)))
    document = document_of(
        replace(problem, self_contained=kept),
        tables=tables,
        homes=homes,
        functions=functions,
        slots=chance.choice([5, 5, 4]),
    )
    return {"document": document, "changes": [random_change(chance, names) for _ in range(8)]}


def random_change(chance: random.Random, items: list[str]) -> list[Any]:
    """One call of the model without its first two arguments; layers that may not be there are named too."""
    layers = [*ROLES, "new", "cold"]
    kind = chance.choice(["move", "move", "move", "addLayer", "addLayer", "removeLayer", "rename", "reorder"])
    if kind == "move":
        return [kind, chance.sample(items, k=chance.randint(1, 2)), chance.choice(layers)]
    if kind == "addLayer":
        return [kind, chance.choice(layers)]
    if kind == "removeLayer":
        return [kind, *chance.sample(layers, k=2)]
    if kind == "rename":
        return [kind, *chance.sample([*layers, "other"], k=2)]
    return [kind, chance.choice(layers), chance.randint(0, 3)]
