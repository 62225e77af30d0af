"""[pure] The plan and what others do instead, over weeks that none of them was fitted to.

Every row splits today's stack by what was known at the end of the fit; then the releases of the weeks after it are
played, and each layer that one of them touches is sent whole. An item has today's bytes in every week. Roots and pins
hold in `as-configured` only: all other rows are free of them, since the baselines know nothing of roles.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from optimizer.errors import UsageError
from optimizer.history import CADENCES, changes, make_scenarios
from optimizer.partition import SEED, TIME_LIMIT, baselines, solve
from optimizer.partition.roles import solve_by_roles
from optimizer.partition.solve import instance_of, search

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from optimizer.config import PlanConfig
    from optimizer.history import History
    from optimizer.partition import Problem

_N = TypeVar("_N", int, float)
_RESAMPLES = 2000
_TAIL = 0.025  # of the resamples on either side: a 95 % interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One way of splitting.

    `windows` are the bytes sent in each window, `publishes` how many layers were sent, `regret` how much more was sent
    than the clairvoyant would have, as a share of its bytes; both intervals hold 95 % of bootstrap samples of windows.
    """

    name: str
    layers: int
    windows: tuple[int, ...]
    publishes: int
    collateral_bytes: int
    republished_interval: tuple[int, int]
    regret: float
    regret_interval: tuple[float, float]

    @property
    def republished_bytes(self) -> int:
        """All bytes sent."""
        return sum(self.windows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """All rows, over the same windows; `ends` are the windows' last days, oldest first."""

    layers: int
    cadence: str
    fit: tuple[date, date]
    test: tuple[date, date]
    ends: tuple[date, ...]
    floor_bytes: int
    rows: tuple[Row, ...]

    def row(self, name: str) -> Row:
        """The row of that name."""
        return next(row for row in self.rows if row.name == name)


def replay(
    problem: Problem,
    history: History,
    settings: PlanConfig,
    *,
    windows: int,
    until: date | None = None,
    untrimmed: Mapping[str, int] | None = None,
    code_bytes: int = 0,
    seed: int = SEED,
    time_limit: float = TIME_LIMIT,
) -> Replay:
    """Fit on the year before the last `windows`, then play these.

    Args:
        problem: items and constraints; its scenarios and locks are not looked at.
        history: the releases.
        settings: cadence, half-life, prior.
        windows: how many to play.
        until: the last day to play, by default the history's.
        untrimmed: zipped bytes of items before service models were left out, where these differ.
        code_bytes: of the functions' own code, which is in the one zip.
        seed: of the searches' chance.
        time_limit: seconds for each search.

    Raises:
        UsageError: the history is too short.
    """
    last = until or history.through
    length = CADENCES[settings.cadence]
    start = last - timedelta(days=length * windows)
    _check(history, last, start, length, settings.cadence)
    names = sorted(member for item in problem.items for member in item.members)
    item_of = {member: item.name for item in problem.items for member in item.members}
    scenarios = make_scenarios(history, names, settings, through=start)
    played = changes(history, names, settings.cadence, through=last, windows=windows)[::-1]
    weeks = [frozenset(item_of[name] for name in week) for week in played]
    fitted = replace(
        problem,
        scenarios=tuple((w, frozenset(item_of[n] for n in changed)) for w, changed in scenarios.weighted),
        observed=(),
        locked={},
        locked_layers=(),
        publish_bytes=settings.publish_bytes,
    )
    index = {item.name: i for i, item in enumerate(problem.items)}
    events = [sorted(index[name] for name in week) for week in weeks]
    sizes = [item.zipped_bytes for item in problem.items]
    fat = [(untrimmed or {}).get(item.name, item.zipped_bytes) for item in problem.items]
    families = {name: family[0] for family in scenarios.families for name in family}
    labels = [families[item.members[0]] for item in problem.items]
    sent = {}
    for name, homes, bytes_of, more in _ways(
        fitted,
        weeks=weeks,
        labels=labels,
        sizes=sizes,
        fat=fat,
        code_bytes=code_bytes,
        seed=seed,
        time_limit=time_limit,
    ):
        sent[name] = (len(set(homes)), _play(homes, bytes_of, events, more))
    floor = sum(sizes[i] for event in events for i in event)
    best = [size for size, _ in sent["clairvoyant"][1]]
    return Replay(
        layers=problem.layers,
        cadence=settings.cadence,
        fit=(scenarios.since, start),
        test=(start + timedelta(days=1), last),
        ends=tuple(start + timedelta(days=length * (i + 1)) for i in range(windows)),
        floor_bytes=floor,
        rows=tuple(
            _row(name, played_, layers=layers, floor=floor, best=best, seed=seed)
            for name, (layers, played_) in sent.items()
        ),
    )


def _check(history: History, last: date, start: date, length: int, cadence: str) -> None:
    mend = "Ask for fewer windows, or run `python -m optimizer history update --since DATE` for a longer history."
    if last > history.through:
        raise UsageError(f"the history ends on {history.through}, before {last}", mend=mend)
    if start < last and (start - history.since).days + 1 < length:
        raise UsageError(
            f"the history begins on {history.since}: it has no {cadence} to fit to before {start + timedelta(days=1)}",
            mend=mend,
        )


def _ways(
    fitted: Problem,
    *,
    weeks: Sequence[frozenset[str]],
    labels: Sequence[str],
    sizes: Sequence[int],
    fat: Sequence[int],
    code_bytes: int,
    seed: int,
    time_limit: float,
) -> Iterator[tuple[str, Sequence[int], Sequence[int], int]]:
    """(row, each item's layer, each item's bytes, further bytes of the one zip)."""
    unbound = replace(
        fitted, items=tuple(replace(item, role=None, root=False) for item in fitted.items), self_contained=()
    )
    instance = instance_of(unbound)
    yield "optimizer", search(unbound, instance, seed=seed, time_limit=time_limit).assignment, sizes, 0
    if fitted.layers >= len(fitted.roles):
        configured = solve(fitted, seed=seed, time_limit=time_limit)
        yield "as-configured", _homes(fitted, configured.layers, configured.assignment), sizes, 0
    roles = solve_by_roles(replace(fitted, layers=len(fitted.roles)))
    three_way = _homes(fitted, roles.layers, roles.assignment)
    yield "three-way", three_way, sizes, 0
    yield "three-way-untrimmed", three_way, fat, 0
    yield "one-layer", baselines.one_layer(instance), sizes, 0
    yield "one-zip", baselines.one_layer(instance), fat, code_bytes
    yield "popularity", baselines.popularity(instance), sizes, 0
    yield "origin", baselines.by_origin(instance, labels), sizes, 0
    yield "frequency-bins", baselines.frequency_bins(instance), sizes, 0
    yield "pairwise", baselines.pairwise(instance), sizes, 0
    yield "cut-by-rate", baselines.cut_by_rate(instance), sizes, 0
    yield "cut-by-rate-per-byte", baselines.cut_by_rate_per_byte(instance), sizes, 0
    known = replace(unbound, scenarios=tuple((1.0, week) for week in weeks if week), publish_bytes=0)
    yield "clairvoyant", search(known, instance_of(known), seed=seed, time_limit=time_limit).assignment, sizes, 0


def _homes(problem: Problem, layers: Sequence[tuple[str, str]], assignment: Mapping[str, str]) -> list[int]:
    place = {name: k for k, (name, _) in enumerate(layers)}
    return [place[assignment[item.name]] for item in problem.items]


def _play(
    homes: Sequence[int], sizes: Sequence[int], events: Sequence[Sequence[int]], more: int
) -> list[tuple[int, int]]:
    """(bytes sent, layers sent) in each window."""
    layer_bytes: dict[int, int] = {}
    for home, size in zip(homes, sizes, strict=True):
        layer_bytes[home] = layer_bytes.get(home, more) + size
    touched = [{homes[item] for item in event} for event in events]
    return [(sum(layer_bytes[layer] for layer in layers), len(layers)) for layers in touched]


def _row(
    name: str, played: Sequence[tuple[int, int]], *, layers: int, floor: int, best: Sequence[int], seed: int
) -> Row:
    windows = [size for size, _ in played]
    chance = random.Random(seed)  # noqa: S311  # resampling; every row draws the same windows
    totals, regrets = [], []
    for _ in range(_RESAMPLES):
        drawn = chance.choices(range(len(windows)), k=len(windows))
        total, least = sum(windows[i] for i in drawn), sum(best[i] for i in drawn)
        totals.append(total)
        regrets.append(_regret(total, least))
    return Row(
        name=name,
        layers=layers,
        windows=tuple(windows),
        publishes=sum(count for _, count in played),
        collateral_bytes=sum(windows) - floor,
        republished_interval=_interval(totals),
        regret=_regret(sum(windows), sum(best)),
        regret_interval=_interval(regrets),
    )


def _regret(sent: int, least: int) -> float:
    return sent / least - 1 if least else 0.0


def _interval(values: list[_N]) -> tuple[_N, _N]:
    ranked = sorted(values)
    skipped = int(len(ranked) * _TAIL)
    return ranked[skipped], ranked[-1 - skipped]
