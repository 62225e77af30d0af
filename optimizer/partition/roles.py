"""The split by roles: each item in the layer whose roots alone need it; a spare layer splits the heaviest role."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.errors import ConfigError
from optimizer.graph import reach
from optimizer.partition.naming import spare_name
from optimizer.partition.problem import Certificate, Partition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optimizer.partition.problem import Item, Problem


def solve_by_roles(problem: Problem) -> Partition:
    """Place every item by the roots that need it.

    An item that one role's roots alone need belongs to that role. What several need goes to the first of them in attach
    order, so that requirements point to the same or an earlier layer. What none needs goes to the rest.

    Raises:
        ConfigError: `apart` can't be kept.
    """
    home: dict[str, str] = {}
    reasons: dict[str, str] = {}
    for item, needed in _needed(problem):
        home[item.name], reasons[item.name] = _place(item, needed, problem)
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


def roles_of(problem: Problem) -> dict[str, str]:
    """The role that each item belongs to by the roots that need it, whatever `apart` says."""
    return {item.name: _place(item, needed, problem)[0] for item, needed in _needed(problem)}


def _needed(problem: Problem) -> Iterator[tuple[Item, list[str]]]:
    """Each item with the roles whose roots need it, in attach order."""
    requires = {item.name: item.requires for item in problem.items}
    reached = {
        role: reach((i.name for i in problem.items if i.root and i.role == role), requires) for role in problem.roles
    }
    for item in problem.items:
        yield item, [role for role in problem.roles if item.name in reached[role]]


def _place(item: Item, needed: list[str], problem: Problem) -> tuple[str, str]:
    if item.role is not None:
        return item.role, f"root of {item.role}" if item.root else f"pinned to {item.role}"
    if not needed:
        return problem.rest, "no layer's roots need it"
    if len(needed) == 1:
        return needed[0], f"only {needed[0]}'s roots need it"
    return needed[0], f"needed by {' and '.join(needed)}: the first of them"


def _keep_apart(problem: Problem, home: dict[str, str], reasons: dict[str, str]) -> None:
    """Move items that the configuration does not place out of layers that they must not share.

    Tried in the order of names, each first where it is, then in the roles' order; backtracking finds a way where there
    is one.

    Raises:
        ConfigError: there is none.
    """
    rivals: dict[str, set[str]] = {}
    for names in problem.apart:
        for name in names:
            rivals.setdefault(name, set()).update(n for n in names if n != name)
    fixed = {item.name: item.role for item in problem.items if item.role is not None}
    free = sorted(name for name in rivals if name not in fixed)
    chosen = {name: role for name, role in fixed.items() if name in rivals}
    clash = [name for name, role in chosen.items() if any(chosen.get(other) == role for other in rivals[name])]

    def place(index: int) -> bool:
        if index == len(free):
            return True
        name = free[index]
        for role in dict.fromkeys([home[name], *problem.roles]):
            if all(chosen.get(other) != role for other in rivals[name]):
                chosen[name] = role
                if place(index + 1):
                    return True
                del chosen[name]
        return False

    if clash or not place(0):
        together = ", ".join(sorted(clash or rivals))
        raise ConfigError(
            (f"groups.apart: {together} can't be kept apart in {len(problem.roles)} layers",), where="the configuration"
        )
    for name in free:
        if home[name] != chosen[name]:
            home[name], reasons[name] = chosen[name], f"kept apart from {', '.join(sorted(rivals[name]))}"


def _split(problem: Problem, layers: list[tuple[str, str]], home: dict[str, str], reasons: dict[str, str]) -> None:
    """Split the heaviest layer that can be: what roots need goes into a layer before them, with all that it needs.

    Raises:
        ConfigError: no layer has anything beside its roots and what needs them.
    """
    contents = {name: [item for item in problem.items if home[item.name] == name] for name, _ in layers}
    ways = [
        (sum(item.zipped_bytes for item in contents[name]), name, role, moved)
        for name, role in layers
        if (moved := _movable(contents[name]))
    ]
    if not ways:
        raise ConfigError(
            (f"layer: the distributions in reach can't fill {problem.layers} layers",), where="the configuration"
        )
    _, name, role, moved = max(ways, key=lambda way: way[:2])
    taken = {layer for layer, _ in layers}
    spare = next(s for n in range(2, 10) if (s := spare_name(role, n)) not in taken)
    for item in moved:
        home[item.name] = spare
        reasons[item.name] = f"{reasons[item.name]}; split off {name}"
    layers.insert(next(i for i, (layer, _) in enumerate(layers) if layer == name), (spare, role))


def _movable(items: list[Item]) -> list[Item]:
    """The heaviest items that take all they need in the layer along, up to half its bytes; never a root."""
    inside = {item.name: item for item in items}
    requires = {item.name: item.requires for item in items}
    half = sum(item.zipped_bytes for item in items) / 2
    moved: list[Item] = []
    for item in sorted(items, key=lambda i: (-i.zipped_bytes, i.name)):
        needed = [inside[name] for name in sorted(reach([item.name], requires))]
        more = [other for other in needed if other not in moved]
        if not more or any(other.root for other in needed) or len(moved) + len(more) >= len(items):
            continue
        if not moved or sum(other.zipped_bytes for other in (*moved, *more)) <= half:
            moved += more
    return moved
