"""Stay at the committed locks unless leaving them pays: a move costs the bytes of every layer that it dirties.

Whoever planned the same layers yesterday has them published. A plan that is a little cheaper a year but sends all of
them again is a loss: it is taken only when it saves, within the horizon, more than it sends. Between keeping all and
moving all, single moves are tried from both ends.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING

from optimizer.partition import clock
from optimizer.partition.instance import InfeasibleError, cost, respects
from optimizer.partition.problem import Stability
from optimizer.units import human_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optimizer.partition.instance import Instance
    from optimizer.partition.problem import Problem

_YEAR = 52
_SAME = 1e-9  # of the cost


def settle(
    problem: Problem,
    instance: Instance,
    best: Sequence[int],
    layers: Sequence[tuple[str, str]],
    *,
    seed: int,
    end: float,
) -> tuple[tuple[int, ...], Stability]:
    """Each item's layer in the end, and why.

    Args:
        problem: has the locks and the horizon.
        instance: the same in numbers, its layers in attach order.
        best: the cheapest assignment found.
        layers: (name, role) in attach order.
        seed: of the search for new items' places.
        end: when to stop, by `clock.now`.
    """
    names = [name for name, _ in layers]
    locked = {i: problem.locked[item.name] for i, item in enumerate(problem.items) if item.name in problem.locked}
    if not problem.locked_layers:
        return tuple(best), Stability(decision="fresh", because="no locks to compare with")
    unknown = sorted(set(problem.locked_layers) - set(names))
    missing = sorted(set(names) - set(problem.locked_layers))
    if unknown or missing:
        what = f"the locks have {', '.join(unknown)}" if unknown else f"the locks have no {', '.join(missing)}"
        return tuple(best), Stability(decision="fresh", because=f"{what}: another set of layers")
    fixed = {i: names.index(layer) for i, layer in locked.items()}
    held = {i: layer for i, layer in fixed.items() if layer in instance.allowed[i]}
    kept = _kept(instance, held, seed=seed, end=end)
    if kept is None:
        return tuple(best), Stability(decision="fresh", because="the locks contradict the configuration")
    best = _matched(instance, best, kept)
    price = _Price(instance, kept, problem.horizon_weeks)
    chosen = min((_improved(instance, start, kept, price, end) for start in (kept, best)), key=price)
    if price(chosen) >= price(kept) * (1 - _SAME):
        chosen = kept
    forced = tuple(
        (problem.items[i].name, names[layer], names[kept[i]]) for i, layer in sorted(fixed.items()) if i not in held
    )
    return chosen, _told(problem, instance, names, price, kept=kept, chosen=chosen, best=best, forced=forced)


class _Price:
    """Bytes within the horizon: what the split costs in it, and what leaving the locks sends first."""

    def __init__(self, instance: Instance, kept: Sequence[int], weeks: int) -> None:
        self.instance, self.kept, self.share = instance, kept, weeks / _YEAR

    def dirty(self, homes: Sequence[int]) -> set[int]:
        """The layers whose members differ from the locked ones."""
        return {layer for pair in zip(self.kept, homes, strict=True) if pair[0] != pair[1] for layer in pair}

    def sent(self, homes: Sequence[int]) -> float:
        """The plain bytes of those layers."""
        dirty = self.dirty(homes)
        return sum(size for size, home in zip(self.instance.sizes, homes, strict=True) if home in dirty)

    def __call__(self, homes: Sequence[int]) -> float:
        publishes = self.instance.publish_bytes * len(self.dirty(homes))
        return cost(self.instance, homes) * self.share + self.sent(homes) + publishes


def _kept(instance: Instance, held: dict[int, int], *, seed: int, end: float) -> tuple[int, ...] | None:
    """Every locked item where it is, the others where that is cheapest; None where that can't be."""
    if len(held) == len(instance.sizes):
        homes = tuple(held[i] for i in range(len(instance.sizes)))
        return homes if respects(replace(instance, nonempty=False), homes) else None
    allowed = tuple(frozenset({held[i]}) if i in held else allowed for i, allowed in enumerate(instance.allowed))
    tied = replace(instance, allowed=allowed, nonempty=False)
    try:
        if instance.needs:
            from optimizer.partition.milp import solve_whole

            return solve_whole(tied, seed=seed, time_limit=max(0.1, end - clock.now())).assignment
        from optimizer.partition.optimise import optimise

        return optimise(tied, seed=seed, time_limit=max(0.1, end - clock.now())).assignment
    except InfeasibleError:
        return None


def _matched(instance: Instance, best: Sequence[int], kept: Sequence[int]) -> tuple[int, ...]:
    """The best with those layers that no pin tells apart numbered as the kept ones that they resemble most."""
    open_ = [k for k in range(instance.layers) if all(allowed != {k} for allowed in instance.allowed)]
    common = {
        (a, b): sum(s for s, x, y in zip(instance.sizes, best, kept, strict=True) if x == a and y == b)
        for a in open_
        for b in open_
    }
    to = max(permutations(open_), key=lambda p: sum(common[pair] for pair in zip(open_, p, strict=True)), default=())
    name = {k: k for k in range(instance.layers)} | dict(zip(open_, to, strict=True))
    renamed = tuple(name[home] for home in best)
    return renamed if respects(replace(instance, nonempty=False), renamed) else tuple(best)


def _improved(
    instance: Instance, start: Sequence[int], kept: Sequence[int], price: _Price, end: float
) -> tuple[int, ...]:
    """Single moves from the start, back to the locked place or anywhere, while they lower the price."""
    homes, paid = tuple(start), price(start)
    found = True
    while found and clock.now() < end:
        found = False
        for item, allowed in enumerate(instance.allowed):
            for layer in sorted({*allowed, kept[item]}):
                if layer == homes[item]:
                    continue
                moved = (*homes[:item], layer, *homes[item + 1 :])
                if (less := price(moved)) < paid * (1 - _SAME) and respects(instance, moved):
                    homes, paid, found = moved, less, True
            if clock.now() >= end:
                break
    return homes


def _told(
    problem: Problem,
    instance: Instance,
    names: Sequence[str],
    price: _Price,
    *,
    kept: Sequence[int],
    chosen: Sequence[int],
    best: Sequence[int],
    forced: tuple[tuple[str, str, str], ...],
) -> Stability:
    if tuple(chosen) != tuple(kept):
        sent = price.sent(chosen)
        saved = cost(instance, kept) - cost(instance, chosen)
        weeks = sent / saved * _YEAR if saved > 0 else float("inf")
        return Stability(
            decision="moved",
            because=(
                f"saves {human_bytes(round(saved))} a year and sends {human_bytes(round(sent))} once: earned back in "
                f"{weeks:.0f} weeks, within the {problem.horizon_weeks} of the horizon"
            ),
            moves=(
                *forced,
                *(
                    (item.name, names[a], names[b])
                    for item, a, b in zip(problem.items, kept, chosen, strict=True)
                    if a != b
                ),
            ),
            sent_bytes=round(sent),
            saved_bytes_per_year=round(saved),
        )
    if forced:
        dirty = {name for _, before, after in forced for name in (before, after)}
        sent = sum(size for size, home in zip(instance.sizes, kept, strict=True) if names[home] in dirty)
        return Stability(
            decision="moved", because="the configuration asks for it", moves=forced, sent_bytes=round(sent)
        )
    saved, sent = cost(instance, kept) - cost(instance, best), price.sent(best)
    if saved <= cost(instance, kept) * _SAME:
        return Stability(decision="kept", because="the locks have the best split that is known")
    weeks = sent / saved * _YEAR
    return Stability(
        decision="kept",
        because=(
            f"the best split would save {human_bytes(round(saved))} a year and send {human_bytes(round(sent))} once: "
            f"earned back in {weeks:.0f} weeks, past the {problem.horizon_weeks} of the horizon"
        ),
        sent_bytes=round(sent),
        saved_bytes_per_year=round(saved),
    )
