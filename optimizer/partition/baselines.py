"""How others split: pure functions from an instance to an assignment, blind to `allowed` and `apart`.

Each gives `instance.layers` layers where there are items enough, and breaks ties by index.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from optimizer.partition.instance import Instance


def rates(instance: Instance) -> list[float]:
    """The weight of the scenarios in which each item changes."""
    total = [0.0] * len(instance.sizes)
    for weight, changed in instance.scenarios:
        for item in changed:
            total[item] += weight
    return total


def one_layer(instance: Instance) -> tuple[int, ...]:
    """Everything in one layer: what `pip install -t python` and one zip give."""
    return (0,) * len(instance.sizes)


def popularity(instance: Instance) -> tuple[int, ...]:
    """The most wanted items get a layer each, the rest share the last: nixpkgs' popularity contest (buildLayeredImage).

    There an item is popular when much refers to it; here, as items have no references, when it changes most.
    """
    order = _order(instance, lambda item, rate: -rate[item])
    return _from_order(order, [[item] for item in order[: instance.layers - 1]])


def frequency_bins(instance: Instance) -> tuple[int, ...]:
    """Items by how often they change, in bins of about the same bytes (rpm-ostree's chunking for container images)."""
    order = _order(instance, lambda item, rate: rate[item])
    share = sum(instance.sizes) / instance.layers
    bins: list[list[int]] = [[]]
    filled = 0.0
    for position, item in enumerate(order):
        missing = instance.layers - len(bins)
        if (
            bins[-1]
            and missing
            and (filled + instance.sizes[item] / 2 > share * len(bins) or len(order) - position <= missing)
        ):
            bins.append([])
        bins[-1].append(item)
        filled += instance.sizes[item]
    return _from_order(order, bins)


def pairwise(instance: Instance) -> tuple[int, ...]:
    """Begin with a layer for each item and merge the two that cost least together, until few enough (chunkah)."""
    layers = [[item] for item in range(len(instance.sizes))]
    touched = [frozenset(t for t, (_, c) in enumerate(instance.scenarios) if item in c) for item in range(len(layers))]
    sizes = [float(size) for size in instance.sizes]
    weight = [w for w, _ in instance.scenarios]

    def extra(a: int, b: int) -> float:
        more = sizes[a] * sum(weight[t] for t in sorted(touched[b] - touched[a]))
        more += sizes[b] * sum(weight[t] for t in sorted(touched[a] - touched[b]))
        return more - instance.publish_bytes * sum(weight[t] for t in sorted(touched[a] & touched[b]))

    known = {(a, b): extra(a, b) for b in range(len(layers)) for a in range(b)}
    alive = set(range(len(layers)))
    while len(alive) > instance.layers:
        a, b = min(known, key=lambda pair: (known[pair], pair))
        layers[a] += layers[b]
        sizes[a], touched[a] = sizes[a] + sizes[b], touched[a] | touched[b]
        alive.discard(b)
        known = {pair: value for pair, value in known.items() if b not in pair}
        known.update({(min(a, o), max(a, o)): extra(min(a, o), max(a, o)) for o in alive if o != a})
    return _from_order(range(len(instance.sizes)), [layers[a] for a in sorted(alive)])


def cut_by_rate(instance: Instance) -> tuple[int, ...]:
    """Items by how often they change, cut where that costs least."""
    return cut(instance, _order(instance, lambda item, rate: rate[item]))


def cut_by_rate_per_byte(instance: Instance) -> tuple[int, ...]:
    """Items by changes per byte, cut where that costs least: right in the limit of tiny items."""
    size = instance.sizes
    return cut(instance, _order(instance, lambda item, rate: rate[item] / size[item] if size[item] else math.inf))


def by_origin(instance: Instance, labels: Sequence[str]) -> tuple[int, ...]:
    """Items of one origin together; the heaviest origins get layers of their own, the rest share the last (apko)."""
    bytes_of: dict[str, float] = {}
    for label, size in zip(labels, instance.sizes, strict=True):
        bytes_of[label] = bytes_of.get(label, 0.0) + size
    ranked = sorted(bytes_of, key=lambda label: (-bytes_of[label], label))
    return tuple(min(ranked.index(label), instance.layers - 1) for label in labels)


def cut(instance: Instance, order: Sequence[int]) -> tuple[int, ...]:
    """The cheapest way to cut the order into at most as many runs as there are layers, by dynamic programming."""
    n = len(order)
    price = [[0.0] * (n + 1) for _ in range(n + 1)]
    scenarios_of: list[list[int]] = [[] for _ in instance.sizes]
    for index, (_, changed) in enumerate(instance.scenarios):
        for item in changed:
            scenarios_of[item].append(index)
    for start in range(n):
        size, weight, touched = float(instance.publish_bytes), 0.0, set[int]()
        for stop in range(start, n):
            size += instance.sizes[order[stop]]
            for index in scenarios_of[order[stop]]:
                if index not in touched:
                    touched.add(index)
                    weight += instance.scenarios[index][0]
            price[start][stop + 1] = size * weight
    best: list[tuple[float, tuple[int, ...]]] = [(price[0][stop], (0,)) for stop in range(n + 1)]
    for _ in range(instance.layers - 1):
        best = [
            min((best[mid][0] + price[mid][stop], (*best[mid][1], mid)) for mid in range(stop + 1))
            for stop in range(n + 1)
        ]
    starts = best[n][1]
    runs = [order[a:b] for a, b in zip(starts, (*starts[1:], n), strict=True)]
    return _from_order(order, runs)


def _order(instance: Instance, key: Callable[[int, list[float]], float]) -> list[int]:
    rate = rates(instance)
    return sorted(range(len(instance.sizes)), key=lambda item: (key(item, rate), item))


def _from_order(order: Sequence[int], layers: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """The assignment of these layers; what is in none of them goes into one more."""
    home = {item: index for index, items in enumerate(layers) for item in items}
    return tuple(home.get(item, len(layers)) for item in range(len(order)))
