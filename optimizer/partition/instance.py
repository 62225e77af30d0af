"""The bare optimisation problem: sizes, scenarios, layers; what an assignment costs, and the least it could."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from optimizer.errors import OptimizerError

if TYPE_CHECKING:
    from collections.abc import Sequence


class InfeasibleError(OptimizerError):
    """No assignment keeps the constraints; `items` are the indexes of those that can't be kept together."""

    def __init__(self, message: str, *, items: tuple[int, ...]) -> None:
        super().__init__(message, mend="Loosen a pin, take a pair out of `apart`, or allow more layers.")
        self.items = items


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """Items, by index, to be put into `layers` layers so that the least is published again.

    `sizes` are the zipped bytes of each item (any non-negative numbers will do); `scenarios` the weight of each and
    the items that change in it; `publish_bytes` a fixed cost of each publish; `allowed` the layers each item may be
    in; `apart` the pairs of items that must not share a layer; `needs` holds (layer, item, other): when the item is in
    the layer, so is the other; with `nonempty` every layer holds an item.
    """

    sizes: tuple[float, ...]
    scenarios: tuple[tuple[float, frozenset[int]], ...]
    layers: int
    publish_bytes: float
    allowed: tuple[frozenset[int], ...]
    apart: tuple[tuple[int, int], ...] = ()
    needs: tuple[tuple[int, int, int], ...] = ()
    nonempty: bool = True


def cost(instance: Instance, assignment: Sequence[int]) -> float:
    """Weighted bytes published: each scenario pays for every layer that it touches, whole, and for the publish.

    Sizes 10 and 1, one scenario of weight 2 that changes the second, no publish cost: together they cost 2 * 11,
    apart 2 * 1.
    """
    bytes_of = [float(instance.publish_bytes)] * instance.layers
    for item, layer in enumerate(assignment):
        bytes_of[layer] += instance.sizes[item]
    return float(
        sum(
            weight * sum(bytes_of[layer] for layer in sorted({assignment[item] for item in changed}))
            for weight, changed in instance.scenarios
        )
    )


def floor(instance: Instance) -> float:
    """Weighted bytes that changed: the cost of a layer for every item, without the publishes."""
    return float(
        sum(weight * sum(instance.sizes[item] for item in sorted(changed)) for weight, changed in instance.scenarios)
    )


def respects(instance: Instance, assignment: Sequence[int]) -> bool:
    """Whether the assignment keeps every constraint."""
    return (
        len(assignment) == len(instance.sizes)
        and all(layer in allowed for layer, allowed in zip(assignment, instance.allowed, strict=True))
        and all(assignment[a] != assignment[b] for a, b in instance.apart)
        and all(assignment[item] != layer or assignment[other] == layer for layer, item, other in instance.needs)
        and (not instance.nonempty or set(assignment) == set(range(instance.layers)))
    )
