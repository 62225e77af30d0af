"""The split by roles: each item in the layer whose roots alone need it; a spare layer splits the heaviest role."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.errors import ConfigError
from optimizer.graph import reach
from optimizer.partition.problem import Certificate, Partition

if TYPE_CHECKING:
    from collections.abc import Iterable

    from optimizer.partition.problem import Item, Problem


def solve_by_roles(problem: Problem) -> Partition:
    """Place every item by the roots that need it.

    An item that one role's roots alone need belongs to that role. What several need goes to the first of them in attach
    order, so that requirements point to the same or an earlier layer. What none needs goes to the rest.

    Raises:
        ConfigError: `apart` can't be kept.
    """
    requires = {item.name: item.requires for item in problem.items}
    needed: dict[str, list[str]] = {item.name: [] for item in problem.items}
    for role in problem.roles:
        for name in reach((i.name for i in problem.items if i.root and i.role == role), requires):
            needed[name].append(role)
    home: dict[str, str] = {}
    reasons: dict[str, str] = {}
    for item in problem.items:
        home[item.name], reasons[item.name] = _place(item, needed[item.name], problem)
    _keep_apart(problem, home, reasons)
    layers = [(role, role) for role in problem.roles]
    while len(layers) < problem.layers:
        _split(problem, layers, home, reasons)
    return Partition(
        layers=tuple(layers),
        assignment=dict(sorted(home.items())),
        reasons=dict(sorted(reasons.items())),
        certificate=Certificate(method="roles"),
    )


def _place(item: Item, needed: list[str], problem: Problem) -> tuple[str, str]:
    if item.role is not None:
        return item.role, f"root of {item.role}" if item.root else f"pinned to {item.role}"
    if not needed:
        return problem.rest, "no layer's roots need it"
    if len(needed) == 1:
        return needed[0], f"only {needed[0]}'s roots need it"
    return needed[0], f"needed by {' and '.join(needed)}: the first of them"


def _keep_apart(problem: Problem, home: dict[str, str], reasons: dict[str, str]) -> None:
    """Move items that the configuration does not place out of a layer that they must not share, last by name first."""
    fixed = {item.name for item in problem.items if item.role is not None}
    for names in problem.apart:
        for name in sorted(names, reverse=True):
            rivals = {home[other] for group in problem.apart if name in group for other in group if other != name}
            if home[name] not in rivals or name in fixed:
                continue
            free = next((role for role in problem.roles if role not in rivals), None)
            if free is not None:
                home[name], reasons[name] = free, f"kept apart from {', '.join(n for n in names if n != name)}"
        together = [n for n in names if sum(home[o] == home[n] for o in names) > 1]
        if together:
            raise ConfigError(
                (f"groups.apart: {', '.join(together)} can't be kept apart in {len(problem.roles)} layers",),
                where="the configuration",
            )


def _split(problem: Problem, layers: list[tuple[str, str]], home: dict[str, str], reasons: dict[str, str]) -> None:
    """Split the heaviest layer that has anything beside its roots: what the roots need goes before them."""

    def content(name: str) -> list[Item]:
        return [item for item in problem.items if home[item.name] == name]

    def weight(items: Iterable[Item]) -> int:
        return sum(item.zipped_bytes for item in items)

    splittable = [
        (weight(content(name)), name, role)
        for name, role in layers
        if len(content(name)) > 1 and any(not item.root for item in content(name))
    ]
    if not splittable:
        raise ConfigError(
            (f"layer: the distributions in reach can't fill {problem.layers} layers",), where="the configuration"
        )
    total, name, role = max(splittable, key=lambda s: (s[0], s[1]))
    taken = {layer for layer, _ in layers}
    spare = next(f"{role}-{n}" for n in range(2, 10) if f"{role}-{n}" not in taken)
    moved: list[Item] = []
    movable = sorted((i for i in content(name) if not i.root), key=lambda i: (-i.zipped_bytes, i.name))
    for item in movable:
        if len(moved) + 1 < len(content(name)) and weight([*moved, item]) <= max(total / 2, item.zipped_bytes):
            moved.append(item)
    for item in moved:
        home[item.name] = spare
        reasons[item.name] = f"{reasons[item.name]}; split off {name}"
    layers.insert(next(i for i, (layer, _) in enumerate(layers) if layer == name), (spare, role))
