"""Why each item is where it is: what holds it there, or what every other layer would cost more."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from optimizer.partition.atoms import make_atoms
from optimizer.partition.instance import respects
from optimizer.partition.local_search import State
from optimizer.units import human_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from optimizer.partition.instance import Instance
    from optimizer.partition.problem import Problem


def alternatives(instance: Instance, homes: Sequence[int]) -> list[dict[int, float]]:
    """For each item, what moving it alone into each other layer would add to the cost a year.

    Roots and pins are not asked, so that what they cost can be told; layers that other constraints forbid are left out.
    """
    state = State(make_atoms(instance, merge=False), homes)
    free = replace(instance, allowed=(frozenset(range(instance.layers)),) * len(homes), nonempty=False)
    return [
        {
            layer: state.move(item, layer)
            for layer in range(instance.layers)
            if layer != home and respects(free, (*homes[:item], layer, *homes[item + 1 :]))
        }
        for item, home in enumerate(homes)
    ]


def reasons(
    problem: Problem,
    names: Sequence[str],
    homes: Sequence[int],
    others: Sequence[Mapping[int, float]],
    role_of: Mapping[str, str],
) -> dict[str, str]:
    """One line an item."""
    told = {}
    for item, home, row in zip(problem.items, homes, others, strict=True):
        if item.role is not None:
            told[item.name] = f"root of {item.role}" if item.root else f"pinned to {item.role}"
            continue
        if not row:
            told[item.name] = "the only layer that it can be in"
            continue
        layer, more = min(row.items(), key=lambda pair: (pair[1], pair[0]))
        amount = human_bytes(round(abs(more)))
        if more < 0 and list(homes).count(home) == 1:
            told[item.name] = f"alone, since every layer holds something: {names[layer]} would save {amount} a year"
        elif more < 0:
            told[item.name] = (
                f"{names[layer]} would save {amount} a year, but not what moving it sends in the horizon"
                if problem.locked
                else f"{names[layer]} would save {amount} a year: the search ended before that was found"
            )
        elif round(more) == 0:
            told[item.name] = f"as cheap here as in {names[layer]}"
        else:
            told[item.name] = f"{amount} a year less than in {names[layer]}"
        role = role_of[item.name]
        if role != names[home] and len(names) > 1:
            told[item.name] += f"; by its role in {role}"
    return told
