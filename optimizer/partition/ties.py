"""Of assignments that cost the same, the one whose requirements point to the same or an earlier layer.

Layers merge before anything is imported, so this is not needed to run; it makes the earlier layers useful alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.partition.atoms import make_atoms
from optimizer.partition.instance import respects
from optimizer.partition.local_search import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optimizer.partition.instance import Instance
    from optimizer.partition.problem import Problem

_SAME = 1e-12  # of the cost


def towards_earlier(problem: Problem, instance: Instance, homes: Sequence[int]) -> tuple[int, ...]:
    """Move items, one at a time, where that costs nothing and turns more requirements forward than it turns back."""
    index = {item.name: i for i, item in enumerate(problem.items)}
    requires = [[index[name] for name in item.requires] for item in problem.items]
    required_by: list[list[int]] = [[] for _ in problem.items]
    for item, others in enumerate(requires):
        for other in others:
            required_by[other].append(item)
    state = State(make_atoms(instance, merge=False), homes)
    least = _SAME * state.cost()

    def backward(item: int, layer: int) -> int:
        later = sum(state.home[other] > layer for other in requires[item])
        return later + sum(state.home[other] < layer for other in required_by[item])

    for _ in range(len(problem.items)):
        moved = False
        for item, allowed in enumerate(instance.allowed):
            here = state.home[item]
            if len(allowed) < 2 or (instance.nonempty and state.held[here] == 1):  # noqa: PLR2004
                continue
            ways = [
                (backward(item, k), k)
                for k in sorted(allowed)
                if k != here and state.may(item, k) and state.move(item, k) <= least
            ]
            if ways and min(ways)[0] < backward(item, here):
                before = tuple(state.home)
                state.put(item, min(ways)[1])
                if respects(instance, state.home):
                    moved = True
                else:
                    state.put(item, before[item])
        if not moved:
            break
    return tuple(state.home)
