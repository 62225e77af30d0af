"""Why nothing keeps the constraints, told with the fewest items that contradict each other."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from optimizer.graph import reach, requirement_path

if TYPE_CHECKING:
    from optimizer.partition.instance import InfeasibleError, Instance
    from optimizer.partition.problem import Item, Problem


def explained(problem: Problem, instance: Instance, error: InfeasibleError) -> str:
    """The fault in a sentence.

    Args:
        problem: what can't be solved.
        instance: the same in numbers.
        error: of the search; its items are such that all but any one of them could be placed.
    """
    if instance.nonempty and (len(problem.items) < problem.layers or "fill" in error.message):
        return f"layer: the distributions in reach can't fill {problem.layers} layers"
    if set(error.items) <= {item for pair in instance.apart for item in pair}:
        told = ", ".join(_held(problem.items[i]) for i in error.items)
        return f"groups.apart: {told} can't be kept apart in {problem.layers} layers"
    found = _self_contained(problem)
    if found is not None:
        return f"layer: {found}"
    return f"layer: self_contained of {', '.join(problem.self_contained)} contradicts roots, pins or `apart`"


def _held(item: Item) -> str:
    return item.name + (f" (in {item.role} by its {'root' if item.root else 'pin'})" if item.role else "")


def _self_contained(problem: Problem) -> str | None:
    """What the layers that hold all that their items require would have to hold and can't."""
    items = {item.name: item for item in problem.items}
    requires = {item.name: item.requires for item in problem.items}
    begins = {
        layer: sorted(item.name for item in problem.items if item.role == layer) for layer in problem.self_contained
    }

    def way(layer: str, name: str) -> str:
        path = requirement_path(begins[layer], name, requires)
        return f"{layer} is self_contained and holds " + ", which requires ".join(path)

    inside = {layer: reach(names, requires) for layer, names in begins.items()}
    for layer, names in inside.items():
        for name in sorted(names):
            role = items[name].role
            if role not in {None, layer}:
                return f"{way(layer, name)}, which is held in {role} by its {'root' if items[name].root else 'pin'}"
    for first, second in combinations(inside, 2):
        for name in sorted(inside[first] & inside[second]):
            return f"{way(first, name)}; {way(second, name)}: it can't be in both"
    for layer, names in inside.items():
        for group in problem.apart:
            both = sorted(names & set(group))[:2]
            if len(both) > 1:
                return f"{way(layer, both[0])}; {way(layer, both[1])}: `apart` keeps {' and '.join(both)} apart"
    return None
