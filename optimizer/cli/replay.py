"""`replay`: the plan and what others do, over weeks that none of them was fitted to."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer import select
from optimizer.cli.common import (
    CONFIG,
    ConfigOption,
    Format,
    FormatOption,
    LayersOption,
    PathOption,
    RequirementsOption,
    SnapshotOption,
    WheelsOption,
    emit,
    emit_json,
    note,
)
from optimizer.cli.pipeline import Planned, Source, planned
from optimizer.cli.solving import Effort, SeedOption, TimeLimitOption
from optimizer.content import LAYER
from optimizer.errors import UsageError
from optimizer.history import SNAPSHOT
from optimizer.models import whole
from optimizer.partition import SEED, TIME_LIMIT

if TYPE_CHECKING:
    from collections.abc import Mapping

_WINDOWS = {"day": 182, "week": 26, "month": 6}
"""Windows played by default: half a year."""


def replay(
    config: ConfigOption = CONFIG,
    path: PathOption = None,
    wheels: WheelsOption = None,
    requirements: RequirementsOption = None,
    layers: LayersOption = None,
    snapshot: SnapshotOption = None,
    windows: Annotated[
        int | None, typer.Option("--windows", help="How many weeks (or days, months: the cadence) to play.", min=1)
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option("--until", help="The last day to play; the history's last otherwise.", formats=["%Y-%m-%d"]),
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", help="Draw the weeks into this .svg or .png file.", metavar="FILE")
    ] = None,
    time_limit: TimeLimitOption = TIME_LIMIT,
    seed: SeedOption = SEED,
    output_format: FormatOption = Format.TEXT,
) -> int:
    """Fit splits to a year of releases, then play the weeks after it: what each would have sent.

    Example: python -m optimizer replay --layers 5 --picture replay.svg
    """
    from optimizer import replay as stage
    from optimizer.report.replay import replay_document, replay_text

    if picture is not None:
        from optimizer.report.replay_picture import check_picture

        check_picture(picture)  # before the work, not after it
    effort = Effort(time_limit=time_limit, seed=seed)
    source = Source(
        config=config,
        path=path,
        wheels=wheels,
        requirements=requirements,
        layers=layers,
        snapshot=snapshot,
        fresh=True,
        effort=effort,
    )
    with planned(source) as result:
        if result.history is None:
            raise UsageError(
                f"there is no release history at {result.config.root / SNAPSHOT}",
                mend="Run `python -m optimizer history update`.",
            )
        for warning in result.plan.warnings:
            note(f"warning: {warning}")
        note("splitting as each way does, then playing the releases")
        played = stage.replay(
            result.problem,
            result.history,
            result.config.plan,
            windows=windows or _WINDOWS[result.config.plan.cadence],
            until=until.date() if until else None,
            untrimmed=untrimmed(result),
            code_bytes=sum(f.zipped_bytes for f in result.plan.functions),
            seed=seed,
            time_limit=time_limit,
        )
    if picture is not None:
        from optimizer.report.replay_picture import draw

        draw(played, picture)
        note(f"drew {picture}")
    if output_format is Format.JSON:
        emit_json(replay_document(played))
    else:
        emit(replay_text(played))
    return 0


def untrimmed(result: Planned) -> Mapping[str, int]:
    """Zipped bytes of those items that would be larger with all of botocore's service models."""
    trimmed = {
        d.name
        for layer in result.plan.layers
        for d in layer.distributions
        if any(x.rule == select.SERVICES_RULE for x in d.payload.dropped)
    }
    parts = {d.name: d.files for d in result.inventory.distributions if whole(d.name) != d.name}
    selections = [
        replace(
            select.select_distribution(d, result.config, None, result.evidence.get(d.name)),
            recorded=tuple(file for name, files in parts.items() if whole(name) == d.name for file in files),
        )
        for d in result.inventory.distributions
        if str(d.name) in trimmed
    ]
    fat = {p.name: p.zipped_bytes for p in result.payloads.compute([(s, LAYER) for s in selections])}
    known = {d.name: d.payload.zipped_bytes for layer in result.plan.layers for d in layer.distributions}
    return {
        item.name: sum(fat.get(member, known[member]) for member in item.members)
        for item in result.problem.items
        if any(member in fat for member in item.members)
    }
