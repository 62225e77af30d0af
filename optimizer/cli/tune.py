"""`tune`: the report page on loopback, with a way to write what was tried, until it is stopped."""

from __future__ import annotations

import sys
import webbrowser
from typing import Annotated

import typer

from optimizer.cli.common import (
    CONFIG,
    ConfigOption,
    LayersOption,
    PathOption,
    RequirementsOption,
    SnapshotOption,
    UpgradeOption,
    WheelsOption,
    emit,
    note,
    stoppable,
)
from optimizer.cli.pipeline import Source
from optimizer.cli.solving import Effort, SeedOption, TimeLimitOption
from optimizer.partition import SEED, TIME_LIMIT


def tune(
    config: ConfigOption = CONFIG,
    path: PathOption = None,
    wheels: WheelsOption = None,
    requirements: RequirementsOption = None,
    upgrade: UpgradeOption = False,
    layers: LayersOption = None,
    snapshot: SnapshotOption = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Plan without regard to the committed locks.")] = False,
    time_limit: TimeLimitOption = TIME_LIMIT,
    seed: SeedOption = SEED,
    port: Annotated[
        int, typer.Option("--port", help="The port on 127.0.0.1; any free one unless given.", min=0, max=65535)
    ] = 0,
    opened: Annotated[
        bool | None,
        typer.Option("--open/--no-open", help="Open it in the browser; at a terminal it is, unless told not to."),
    ] = None,
) -> int:
    """Try another split in the browser, see at once what it costs, and write it to the configuration.

    The page is served to this machine alone, under an address that nobody can guess, until Ctrl-C. What the planner
    refuses is not written; comments in the file stay.

    Example: python -m optimizer tune --layers 4
    """
    from optimizer.cli.tuning import Session
    from optimizer.report.page import check_page
    from optimizer.tune import serving

    check_page()
    effort = Effort(time_limit=time_limit, seed=seed)
    session = Session(
        Source(
            config=config,
            path=path,
            wheels=wheels,
            requirements=requirements,
            upgrade=upgrade,
            layers=layers,
            snapshot=snapshot,
            fresh=fresh,
            effort=effort,
        )
    )
    session.page()
    with (
        stoppable() as stop,
        serving(session.page, {"plan": session.plan, "write": session.write}, port=port) as address,
    ):
        emit(f"{address}\n")
        note(f"{config} can be tuned at that address, from this machine alone; Ctrl-C stops it.")
        if opened or (opened is None and sys.stdout.isatty()):
            webbrowser.open(address)
        stop.wait()
    note("stopped")
    return stop.status
