"""The partitioning problem as data: what is moved, where it may go, and what binds it."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Literal

from optimizer.errors import ConfigError, UsageError
from optimizer.history import YEAR
from optimizer.models import whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from optimizer.config import Config
    from optimizer.graph import Group
    from optimizer.history import Scenarios


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What the partitioner moves: the `members` of one group.

    `zipped_bytes` and `unzipped_bytes` are what ships of them; `requires` names other items; `role` is the layer that
    the configuration puts it into, or None.
    """

    name: str
    members: tuple[str, ...]
    zipped_bytes: int
    unzipped_bytes: int
    requires: tuple[str, ...]
    role: str | None = None
    root: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Items sorted by name; `roles` are the configured layers in attach order.

    `rest` is the role that takes what no root needs; `layers` how many layers the answer has, at least one for each
    role; `apart` names items of which no two may share a layer; `self_contained` the layers that hold all that their
    items require. `scenarios` holds (expected times a year, names of items that change), `observed` the items that
    changed in each window of the last year, or of as much of it as is known (`observed_years`); both are empty where
    there is no history. `publish_bytes` is what a publish
    costs beside its bytes, `locked` each item's layer by the committed locks, `locked_layers` the layers that
    these are of, `horizon_weeks` within how many weeks
    moving away from these has to pay.
    """

    items: tuple[Item, ...]
    roles: tuple[str, ...]
    rest: str
    layers: int
    apart: tuple[tuple[str, ...], ...] = ()
    self_contained: tuple[str, ...] = ()
    scenarios: tuple[tuple[float, frozenset[str]], ...] = ()
    observed: tuple[frozenset[str], ...] = ()
    observed_years: float = 1.0
    publish_bytes: int = 0
    locked: Mapping[str, str] = field(default_factory=dict)
    locked_layers: tuple[str, ...] = ()
    horizon_weeks: int = 26


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What is known of an answer: its cost, a lower bound and the gap between them, or None where nothing is.

    `cost` and `lower_bound` are expected bytes a year, each publish counted with its fixed cost and each scenario with
    its weight; `gap` is the part of the cost that a better answer could save at the most. The last two are plain bytes
    over the windows of the last year.
    """

    method: str
    proved: bool = False
    cost: float | None = None
    lower_bound: float | None = None
    gap: float | None = None
    republished_bytes_per_year: int | None = None
    floor_bytes_per_year: int | None = None


Decision = Literal["kept", "moved", "fresh"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stability:
    """How the answer stands to the committed locks.

    `kept`: every item stays in its locked layer; `moved`: some don't, since that pays; `fresh`: there is nothing to
    compare with. `because` says why. `moves` holds (item, from layer, to layer); `sent_bytes` what they make to be
    published once, `saved_bytes_per_year` what they save. Where the locks are kept though moving would save, the last
    two speak of that move.
    """

    decision: Decision
    because: str
    moves: tuple[tuple[str, str, str], ...] = ()
    sent_bytes: int = 0
    saved_bytes_per_year: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """The answer: `layers` in attach order as (name, role), each item's layer, and why it is there.

    `alternatives` holds for each item what each other layer would cost more, in expected bytes a year.
    """

    layers: tuple[tuple[str, str], ...]
    assignment: Mapping[str, str]
    reasons: Mapping[str, str]
    certificate: Certificate
    stability: Stability = Stability(decision="fresh", because="there is no release history to weigh moves with")
    alternatives: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def make_problem(
    config: Config,
    groups: Sequence[Group],
    *,
    requires: Mapping[str, Sequence[str]],
    weights: Mapping[str, tuple[int, int]],
    layers: int | None,
    scenarios: Scenarios | None = None,
    locked: Mapping[str, str] | None = None,
    locked_layers: Iterable[str] = (),
) -> Problem:
    """The problem that the configuration poses for these groups.

    Args:
        config: layers with roots and pins, distributions to keep apart.
        groups: every distribution exactly once.
        requires: each distribution's requirements.
        weights: (zipped, unzipped) bytes of each distribution.
        layers: how many layers to make, or None for the configured ones.
        scenarios: which distributions change together and how often, where there is a history.
        locked: each distribution's layer by the committed locks.
        locked_layers: the layers that have a committed lock.

    Raises:
        ConfigError: a root or pin is not there, or pins contradict the groups; every fault at once.
        UsageError: the number of layers can't be.
    """
    _check_count(config, layers)
    home = {member: group for group in groups for member in group.members}
    faults = [*_unknown(config, home)]
    placed: dict[str, tuple[str, str]] = {}
    roots = set()
    for layer in config.layer:
        for key, names in (("roots", layer.roots), ("include", layer.include)):
            for name in names:
                group = home.get(name)
                if group is None:
                    continue
                where, by = placed.setdefault(group.name, (layer.name, name))
                if where != layer.name:
                    faults.append(
                        f"{key} of layer {layer.name!r}: {name} can't be separated from {by} in {where!r}: "
                        + "; ".join(group.reasons)
                    )
                if key == "roots":
                    roots.add(group.name)
    apart = tuple(tuple(sorted({home[n].name for n in names if n in home})) for names in config.groups.apart)
    for names in config.groups.apart:
        faults += [
            f"groups.apart: {a} and {b} can't be separated: {'; '.join(home[a].reasons)}"
            for a, b in combinations(names, 2)
            if a in home and b in home and home[a].name == home[b].name
        ]
    if faults:
        raise ConfigError(tuple(faults), where=str(config.path))
    items = tuple(
        Item(
            name=group.name,
            members=group.members,
            zipped_bytes=sum(weights[m][0] for m in group.members),
            unzipped_bytes=sum(weights[m][1] for m in group.members),
            requires=tuple(sorted({home[r].name for m in group.members for r in requires[m]} - {group.name})),
            role=placed[group.name][0] if group.name in placed else None,
            root=group.name in roots,
        )
        for group in sorted(groups, key=lambda g: g.name)
    )
    roles = tuple(layer.name for layer in config.layer)
    rest = next((layer.name for layer in config.layer if not layer.roots), roles[-1])
    item_of = {member: group.name for group in groups for member in group.members}
    return Problem(
        items=items,
        roles=roles,
        rest=rest,
        layers=layers or len(roles),
        apart=apart,
        self_contained=tuple(layer.name for layer in config.layer if layer.self_contained),
        scenarios=tuple((weight, _items(names, item_of)) for weight, names in scenarios.weighted) if scenarios else (),
        observed=tuple(_items(names, item_of) for names in scenarios.observed) if scenarios else (),
        observed_years=((scenarios.through - scenarios.since).days + 1) / YEAR.days if scenarios else 1.0,
        publish_bytes=config.plan.publish_bytes,
        locked=_locked_items(groups, locked or {}),
        locked_layers=tuple(sorted(locked_layers)),
        horizon_weeks=config.plan.horizon_weeks,
    )


def _items(names: frozenset[str], item_of: Mapping[str, str]) -> frozenset[str]:
    return frozenset(item_of[name] for name in names if name in item_of)


def _locked_items(groups: Sequence[Group], locked: Mapping[str, str]) -> dict[str, str]:
    """Each group's locked layer, where all of its members that are locked are in one."""
    layers_of = {  # a service model is new to locks that have it with its distribution
        group.name: {locked.get(m, locked.get(whole(m), "")) for m in group.members} - {""} for group in groups
    }
    return {name: next(iter(layers)) for name, layers in sorted(layers_of.items()) if len(layers) == 1}


def _check_count(config: Config, layers: int | None) -> None:
    if layers is None:
        return
    if layers > config.layer_slots:
        raise UsageError(
            f"--layers {layers}: Lambda attaches at most 5 layers, and {5 - config.layer_slots} are external",
            mend=f"Ask for at most {config.layer_slots}.",
        )
    if layers < len(config.layer):
        raise UsageError(
            f"--layers {layers}: {config.path} configures {len(config.layer)} layers",
            mend=f"Ask for at least {len(config.layer)}, or take a [[layer]] out of {config.path}.",
        )


def _unknown(config: Config, home: Mapping[str, object]) -> list[str]:
    """Names in the configuration that nothing in reach of the requirements has."""
    named = [
        (f"layer[{i}].{key}[{j}]", name)
        for i, layer in enumerate(config.layer)
        for key in ("roots", "include")
        for j, name in enumerate(getattr(layer, key))
    ]
    named += [
        (f"groups.{key}[{i}][{j}]", name)
        for key in ("together", "apart")
        for i, group in enumerate(getattr(config.groups, key))
        for j, name in enumerate(group)
    ]
    return [
        f"{where}: {name!r} is not among the distributions that the functions' requirements lead to"
        for where, name in named
        if name not in home
    ]
