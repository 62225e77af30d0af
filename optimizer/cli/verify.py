"""`verify`: import and call the layered function as Lambda would, and say what is to blame where that fails."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.build import Manifest
from optimizer.build import build as build_artifacts
from optimizer.cli.common import (
    CONFIG,
    ConfigOption,
    Format,
    FormatOption,
    LayersOption,
    PathOption,
    RequirementsOption,
    WheelsOption,
    emit,
    emit_json,
    note,
    rendered,
)
from optimizer.cli.pipeline import Planned, Source, planned
from optimizer.cli.solving import Effort

if TYPE_CHECKING:
    from optimizer.verify import Change, Options, Report

_TRIAL = Effort(time_limit=0.05)
"""Where a trial's files lie does not matter, only which there are."""


def verify(
    *,
    artifacts: Annotated[
        Path | None,
        typer.Option("--artifacts", help="What build wrote; without it, it is planned and built aside.", metavar="DIR"),
    ] = None,
    config: ConfigOption = CONFIG,
    path: PathOption = None,
    wheels: WheelsOption = None,
    requirements: RequirementsOption = None,
    layers: LayersOption = None,
    function: Annotated[
        list[str] | None,
        typer.Option("--function", help="One of several functions (repeatable); all without it.", metavar="NAME"),
    ] = None,
    imports: Annotated[
        list[str] | None,
        typer.Option("--import", help="Import this module too, numpy.testing say (repeatable).", metavar="MODULE"),
    ] = None,
    measure: Annotated[
        int, typer.Option("--measure", help="Time N starts with bytecode and without.", metavar="N", min=0, max=1000)
    ] = 0,
    output_format: FormatOption = Format.TEXT,
) -> int:
    """Import and call the layered function as Lambda would, with nothing of this machine's packages in sight.

    AWS is not called. Where a check fails, less is left out until it passes, and what was to blame is named; that needs
    the sources, so not with --artifacts.

    Example: python -m optimizer verify --import numpy.testing --measure 5
    """
    from optimizer.report.verification import print_report, report_document
    from optimizer.runtime.scratch import scratch_folder
    from optimizer.verify import Options
    from optimizer.verify import verify as verify_artifacts

    options = Options(functions=tuple(function or ()), imports=tuple(imports or ()), measure=measure)
    with scratch_folder() as scratch:
        if artifacts is not None:
            report = verify_artifacts(Manifest.read(artifacts), options, scratch, note)
        else:
            source = Source(config=config, path=path, wheels=wheels, requirements=requirements, layers=layers)
            report = _verify_sources(source, options, scratch)
    if output_format is Format.JSON:
        emit_json(report_document(report))
    else:
        emit(rendered(lambda console: print_report(report, console)))
    return 1 if report.findings else 0


def _verify_sources(source: Source, options: Options, scratch: Path) -> Report:
    """Build and verify; where a check fails, find out what of the slimming is to blame.

    What is built to find that out need not fit.

    Raises:
        LimitError: the plan does not fit Lambda's limit.
        OptimizerError: whichever stage refuses.
    """
    from optimizer.verify import blame, left_out, switches
    from optimizer.verify import verify as verify_artifacts

    def build(source: Source, number: int) -> tuple[Planned, Manifest]:
        with planned(source) as result:
            if not number and not result.plan.fits:
                from optimizer.report.advice import refusal

                raise refusal(result.plan)
            folder = scratch / f"artifacts-{number}"
            return result, build_artifacts(result.plan, result.payloads, folder, root=result.config.root)

    numbers = itertools.count()
    result, manifest = build(source, next(numbers))

    def trial(change: Change) -> Report:
        _, made = build(replace(source, change=change, effort=_TRIAL), next(numbers))
        return verify_artifacts(made, replace(options, measure=0), scratch, lambda _: None)

    return blame(
        verify_artifacts(manifest, options, scratch, note),
        switches=switches(result.config),
        left_out=left_out(result.plan),
        build=trial,
        progress=note,
        asked=frozenset(options.imports),
    )
