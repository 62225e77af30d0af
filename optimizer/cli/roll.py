"""`roll`: move the functions that use a layer to another version of it, in waves, each function checked."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.cli.common import (
    CONFIG,
    INTERRUPTED,
    ConfigOption,
    Format,
    FormatOption,
    emit,
    emit_json,
    note,
    rendered,
    seldom,
    stoppable,
)
from optimizer.cli.fleet import PACE, LayerArgument, PaceOption, RegionOption, configured, regions_of
from optimizer.cli.remote import EndpointOption, LocalOption, connected, console, one_place
from optimizer.deploy.fleet.layer_reference import LayerReference
from optimizer.deploy.fleet.roll_values import RollOptions, Wave
from optimizer.deploy.values import ALIAS
from optimizer.errors import DeployRefusedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rich.console import Console

    from optimizer.cli.remote import Remote
    from optimizer.config import Config
    from optimizer.deploy.fleet.roll_function import Rolled
    from optimizer.deploy.fleet.roll_values import RollPlan


class OnFailure(StrEnum):
    """What becomes of the functions that were moved before a fault."""

    STAY = "stay"
    BACK = "back"


def roll(
    layer: LayerArgument,
    *,
    to: Annotated[
        int | None,
        typer.Option("--to", help="The layer's version that functions get; the newest without it.", metavar="VERSION"),
    ] = None,
    wave: Annotated[
        str, typer.Option("--wave", help="Functions in a wave: a share of them, or a number.", metavar="SHARE")
    ] = "10%",
    alias: Annotated[str, typer.Option("--alias", help="The alias that callers use.", metavar="NAME")] = ALIAS,
    check_path: Annotated[
        str | None,
        typer.Option(
            "--check-path",
            help="What a new version is asked before its alias moves, where the configuration does not say.",
            metavar="PATH",
        ),
    ] = None,
    on_failure: Annotated[
        OnFailure, typer.Option("--on-failure", help="After a fault: whether functions moved before stay, or go back.")
    ] = OnFailure.STAY,
    accept_latest: Annotated[
        bool,
        typer.Option(
            "--accept-latest", help="Change $LATEST too where it has callers, or where there is nothing besides it."
        ),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan; change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")] = False,
    region: RegionOption = None,
    local: LocalOption = False,
    endpoint_url: EndpointOption = None,
    calls_per_second: PaceOption = PACE,
    config: ConfigOption = CONFIG,
    output_format: FormatOption = Format.TEXT,
) -> int:
    """Move the functions that use an older version of a layer to the newest, in waves.

    Each gets the version in the old one's place of its list, is published, asked, and only then its alias moves. A
    fault ends the roll: no later wave begins. Run again, it goes on with those that are left.

    Example: python -m optimizer roll web-framework --wave 10% --check-path /health --dry-run
    """
    one_place(local=local, endpoint_url=endpoint_url)
    if not (yes or dry_run or sys.stdin.isatty()):
        raise UsageError(
            "roll asks before it changes anything, and there is no terminal to ask at",
            mend="Give --yes to roll without being asked, or --dry-run to see what would be done.",
        )
    if check_path is not None and not check_path.startswith("/"):
        raise UsageError(f"{check_path!r} is no path", mend="Give --check-path one that begins with /, as in /health.")
    wanted = LayerReference.parse(layer)
    known = configured(config)
    options = RollOptions(
        alias=alias,
        wave=Wave.parse(wave),
        accept_latest=accept_latest,
        on_failure="back" if on_failure is OnFailure.BACK else "stay",
        check_path=check_path,
        check_paths=_check_paths(known),
    )
    as_json = output_format is Format.JSON
    places = regions_of(region, wanted, known)
    from optimizer.deploy.fleet.roll_read import plan_roll
    from optimizer.report.roll import print_plan, print_rolled, roll_document

    with connected(local=local, endpoint_url=endpoint_url, calls_per_second=calls_per_second) as aws:
        progress = seldom()
        plans = [plan_roll(aws.connect(place), wanted, options, to=to, progress=progress) for place in places]
        if not as_json or not (yes or dry_run):
            _show(lambda there: print_plan(plans, options, there), stderr=as_json)
        moves = any(plan.moves for plan in plans)
        executed = not dry_run and (not moves or yes or typer.confirm("Roll this?", err=True))
        done: Mapping[str, Sequence[Rolled]] = {}
        interrupted = False
        if executed and moves:
            with stoppable() as stop:
                done = _rolled(aws, plans, options, lambda: stop.asked)
                interrupted = stop.asked
        if as_json:
            emit_json(
                roll_document(
                    plans, options, done, executed=executed, interrupted=interrupted, calls=dict(aws.clients.calls)
                )
            )
        elif executed and moves:
            _show(lambda there: print_rolled(plans, done, there))
    return _status(
        [one for rolled in done.values() for one in rolled], unasked=not (executed or dry_run), cut=interrupted
    )


def _show(show: Callable[[Console], None], *, stderr: bool = False) -> None:
    """On stdout, or where that holds JSON on stderr, for the question that follows."""
    if stderr:
        show(console(stderr=True))
    else:
        emit(rendered(show))


def _check_paths(config: Config | None) -> dict[str, str]:
    """What the configuration says of functions of its own."""
    return {one.name: one.check_path for one in (config.function if config else ()) if one.check_path is not None}


def _rolled(
    aws: Remote, plans: Sequence[RollPlan], options: RollOptions, stopped: Callable[[], bool]
) -> dict[str, tuple[Rolled, ...]]:
    """Carry it out, with time enough for the slowest function's answer."""
    from optimizer.deploy import RealClock
    from optimizer.deploy.fleet.roll import roll_regions

    aws.clients.answers_within(max(move.latest.timeout_seconds for plan in plans for move in plan.moves))
    return roll_regions(aws.connect, plans, options, clock=RealClock(), progress=note, stopped=stopped)


def _status(done: Sequence[Rolled], *, unasked: bool, cut: bool) -> int:
    """The exit status: a fault's own, 130 where it was cut off, 1 where some of what was planned was not done.

    Raises:
        OptimizerError: the first fault.
    """
    if unasked:
        note("Nothing was changed.")
        return 1
    faults = [one.error for one in done if one.outcome == "failed" and one.error is not None]
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise DeployRefusedError("\n".join(error.message for error in faults), mend=faults[0].mend)
    if cut:
        return INTERRUPTED
    return 1 if any(one.outcome != "moved" for one in done) else 0
