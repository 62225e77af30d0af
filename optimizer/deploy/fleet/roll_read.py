"""Reads what a roll in one region has to know, and plans it; only Get* and List* are called."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from optimizer.deploy.fleet.consumers import check_known, find_consumers
from optimizer.deploy.fleet.roll_plan import decide, waves_of
from optimizer.deploy.fleet.roll_values import RollPlan, Stay
from optimizer.deploy.planning.callers import CallingPermission, CallingUrl
from optimizer.deploy.values import LATEST, ListedLayer
from optimizer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from optimizer.deploy.fleet.consumers import Consumers
    from optimizer.deploy.fleet.layer_reference import LayerReference
    from optimizer.deploy.fleet.roll_values import Move, RollOptions
    from optimizer.deploy.port import Aws

_SIDE_BY_SIDE = 8


def plan_roll(
    aws: Aws,
    layer: LayerReference,
    options: RollOptions,
    *,
    to: int | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> RollPlan:
    """Which functions of the region get which version of the layer, in which waves.

    Args:
        aws: the region.
        layer: which layer; no version of it.
        options: see RollOptions.
        to: the version that functions get, also those with a newer one; the newest without it.
        progress: told how far it is.

    Raises:
        AwsError: a call failed.
        UsageError: there is no such layer or version.
    """
    if layer.version is not None:
        raise UsageError(
            f"A roll is of a layer, and {layer.listing}:{layer.version} is one version of it",
            mend=f"Name {layer.listing}; --to {layer.version} says to which version functions move.",
        )
    found = find_consumers(aws, layer, progress)
    check_known(layer, [found])
    target = _target(aws, found, layer, to)
    moves, stays = decide(found, layer, target, options, backwards=to is not None)
    if not options.accept_latest:
        moves, called = _without_callers(aws, found, moves, progress)
        stays += called
    return RollPlan(
        region=aws.region,
        layer=layer.name,
        target=target,
        waves=waves_of(moves, options.wave),
        stays=tuple(sorted(stays, key=lambda stay: stay.function)),
    )


def _target(aws: Aws, found: Consumers, layer: LayerReference, to: int | None) -> ListedLayer:
    """The layer version that functions get.

    Raises:
        UsageError: it does not exist, or which is the newest can't be told.
    """
    if found.listed is None:
        if to is None:
            raise UsageError(
                f"The versions of {layer.listing} can't be listed, so which is the newest is not known",
                mend="Name with --to the version that functions shall get.",
            )
        arn = f"{layer.listing}:{to}"
        description = aws.layer_description(arn)
        if description is None:
            raise UsageError(
                f"{arn} does not exist, or is not shared with this account",
                mend="Ask the layer's owner to share it (AddLayerVersionPermission), or name another version.",
            )
        return ListedLayer(arn=arn, version=to, description=description)
    chosen = found.newest if to is None else next((one for one in found.listed if one.version == to), None)
    if chosen is None:
        there = ", ".join(str(one.version) for one in found.listed) or "none"
        what = f"There is no version {to} of {layer.name}" if to is not None else f"No version of {layer.name} exists"
        raise UsageError(
            f"{what} in {found.region} (any more); there: {there}",
            mend="Publish one (`python -m optimizer publish`), or name another with --to.",
        )
    return chosen


def _without_callers(
    aws: Aws, found: Consumers, moves: Sequence[Move], progress: Callable[[str], None]
) -> tuple[tuple[Move, ...], tuple[Stay, ...]]:
    """Take out the functions whose `$LATEST` is called: those callers would get what is not checked yet.

    What one listing tells of the whole region is not asked function by function: two calls are left for each.
    """
    if not moves:
        return (), ()
    progress(f"asking who calls $LATEST of {len(moves)} functions in {aws.region}")
    sources = aws.sources_of_latest()
    functions = {function.name: function for function in found.functions}

    def called_by(move: Move) -> list[str]:
        url = aws.url(move.function, None)
        told = [CallingUrl(url=url).told] if url else []
        told += [CallingPermission(statement=one).told for one in aws.policy(move.function, None)]
        told += [source.told for source in sources.get(move.function, ())]
        return told + [f"the alias {alias.name!r}" for alias in functions[move.function].aliases_of(LATEST)]

    with ThreadPoolExecutor(max_workers=_SIDE_BY_SIDE, thread_name_prefix="callers") as pool:
        callers = list(pool.map(called_by, moves))
    free = tuple(move for move, called in zip(moves, callers, strict=True) if not called)
    stays = tuple(
        Stay(
            function=move.function,
            outcome="skipped",
            version=move.before,
            reason=f"$LATEST is called by {', '.join(called)}: --accept-latest changes it all the same",
        )
        for move, called in zip(moves, callers, strict=True)
        if called
    )
    return free, stays
