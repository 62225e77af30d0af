"""Which layer is called what: roles keep their names, a spare layer says which role it came from.

Layers that no pin tells apart are only numbers to the search. A role without roots takes the one that has most bytes in
common with what it holds by the locks, or else by the roles; every other is called after the role that most of its
bytes belong to.
"""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

from optimizer import limits

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from optimizer.partition.problem import Item, Problem

Layers = tuple[tuple[str, str], ...]


def name_layers(problem: Problem, homes: Sequence[int], role_of: Mapping[str, str]) -> tuple[Layers, tuple[int, ...]]:
    """(name, role) of each layer in attach order, and each item's position in it.

    Args:
        problem: its items in the order of `homes`; the first layers are the roles.
        homes: each item's layer as the search numbered it.
        role_of: the role that each item belongs to by the configuration's roots.
    """
    count, roles = problem.layers, problem.roles
    contents = [[item for item, home in zip(problem.items, homes, strict=True) if home == k] for k in range(count)]
    held = {item.role for item in problem.items if item.role is not None}
    open_roles = [role for role in roles if role not in held]
    open_layers = [k for k in range(count) if k >= len(roles) or roles[k] in open_roles]
    names = {k: (roles[k], roles[k]) for k in range(min(count, len(roles))) if roles[k] in held}

    def likeness(layer: int, role: str) -> tuple[int, int, int]:
        """Bytes by the locks, bytes by the roles, and last whether it is numbered so already."""
        locked = sum(i.zipped_bytes for i in contents[layer] if problem.locked.get(i.name) == role)
        return (
            locked,
            sum(i.zipped_bytes for i in contents[layer] if role_of[i.name] == role),
            int(layer < len(roles) and roles[layer] == role),
        )

    best = max(
        permutations(open_layers, len(open_roles)),
        key=lambda chosen: [
            sum(part) for part in zip(*(likeness(k, r) for k, r in zip(chosen, open_roles, strict=True)), strict=True)
        ],
        default=(),
    )
    names.update({layer: (role, role) for layer, role in zip(best, open_roles, strict=True)})
    for layer in sorted(set(range(count)) - names.keys()):
        names[layer] = _spare(problem, contents[layer], role_of, {name for name, _ in names.values()})
    order = _attach_order(problem, homes, names)
    position = {layer: place for place, layer in enumerate(order)}
    return tuple(names[layer] for layer in order), tuple(position[home] for home in homes)


def _spare(
    problem: Problem, items: Sequence[Item], role_of: Mapping[str, str], taken: Collection[str]
) -> tuple[str, str]:
    """The name of a layer that splits a role: the one that locks give it, or else the role's with a number."""
    bytes_of: dict[str, int] = dict.fromkeys(problem.roles, 0)
    known: dict[str, int] = {}
    for item in items:
        bytes_of[role_of[item.name]] += item.zipped_bytes
        before = problem.locked.get(item.name)
        if before is not None and before not in problem.roles and before not in taken:
            known[before] = known.get(before, 0) + item.zipped_bytes
    role = max(problem.roles, key=lambda r: (bytes_of[r], -problem.roles.index(r)))
    for name in sorted(known, key=lambda n: (-known[n], n)):
        if (of := origin(name, problem.roles)) is not None:
            return name, of
    return next(name for n in range(2, 10) if (name := spare_name(role, n)) not in taken), role


def spare_name(role: str, number: int) -> str:
    """What the second, third... layer of a role is called."""
    return f"{role[: limits.LAYER_NAME_LENGTH - 2]}-{number}"


def origin(name: str, roles: Sequence[str]) -> str | None:
    """The role that a spare layer of this name splits, or None where it is no spare's name."""
    return next((r for r in roles for n in range(2, 10) if spare_name(r, n) == name), None)


def _attach_order(problem: Problem, homes: Sequence[int], names: Mapping[int, tuple[str, str]]) -> list[int]:
    """Roles as configured; each spare layer at the side of its role where fewer requirements point to a later layer."""
    layer_of = {name: layer for layer, (name, _) in names.items()}
    order = [layer_of[role] for role in problem.roles if role in layer_of]
    home = {item.name: place for item, place in zip(problem.items, homes, strict=True)}

    def backward(candidate: Sequence[int]) -> int:
        place = {layer: i for i, layer in enumerate(candidate)}
        return sum(
            place[home[i.name]] < place[home[r]]
            for i in problem.items
            if home[i.name] in place
            for r in i.requires
            if home[r] in place
        )

    for layer in sorted(set(names) - set(order), key=lambda k: names[k][0]):
        at = order.index(layer_of[names[layer][1]])
        order = min(([*order[:i], layer, *order[i:]] for i in (at, at + 1)), key=backward)
    return order
