"""What the searches for layers need of one kind of layer, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What is fixed for one kind of layer: its free items and the scenarios that its forced items leave untouched.

    `covers` has a row for each free item and a column for each of these scenarios; `item_of` and `scenario_of` list its
    ones, item by item, `by_scenario` sorts that list by scenario; the `starts` say where the next item or scenario
    begins. `size` and `weight` are those of the forced items and the publish.
    """

    items: Array
    forced: Array
    sizes: Array
    weights: Array
    covers: Array
    rivals: Array
    item_of: Array
    scenario_of: Array
    by_scenario: Array
    item_starts: Array
    scenario_starts: Array
    size: float
    weight: float


def make_ground(
    sizes: Array, covers: Array, weights: Array, rivals: Array, *, free: Array, forced: Array, publish_bytes: float
) -> Ground:
    """Scenarios that touch the same free items count as one; an item without any gets one of no weight."""
    touched = covers[forced].any(axis=0)
    columns: Array = covers[free][:, ~touched] > 0
    rest, kinds = np.unique(columns, axis=1, return_inverse=True)
    summed = np.bincount(kinds.ravel(), weights=weights[~touched], minlength=rest.shape[1])
    used = rest.any(axis=0)
    rest, summed = rest[:, used], summed[used]
    never: Array = rest.sum(axis=1) == 0
    if never.any():
        rest, summed = np.concatenate([rest, never[:, None]], axis=1), np.append(summed, 0.0)
    item_of, scenario_of = np.nonzero(rest)
    by_scenario = np.lexsort((item_of, scenario_of))
    return Ground(
        items=free,
        forced=forced,
        sizes=sizes[free],
        weights=summed,
        covers=rest.astype(float),
        rivals=rivals[np.ix_(free, free)].astype(float),
        item_of=item_of,
        scenario_of=scenario_of,
        by_scenario=by_scenario,
        item_starts=np.searchsorted(item_of, np.arange(len(free))),
        scenario_starts=np.searchsorted(scenario_of[by_scenario], np.arange(rest.shape[1])),
        size=publish_bytes + float(sizes[forced].sum()),
        weight=float(weights[touched].sum()),
    )
