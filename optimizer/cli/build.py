"""`build`: write the plan's zips and their manifest."""

from __future__ import annotations

import sys
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
    emit_json,
    note,
)
from optimizer.cli.pipeline import Planned, Source, planned
from optimizer.cli.remembering import remember
from optimizer.commit import commit_of
from optimizer.content import shipped
from optimizer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from optimizer.build import Artifact
    from optimizer.config import Config

DEFAULT_OUTPUT = Path("layers/.build")


def build(
    config: ConfigOption = CONFIG,
    path: PathOption = None,
    wheels: WheelsOption = None,
    requirements: RequirementsOption = None,
    layers: LayersOption = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The folder to write to; layers/.build of the project.", metavar="DIR"),
    ] = None,
    sbom: Annotated[
        bool, typer.Option("--sbom", help="Write <layer>.cdx.json (CycloneDX) beside each zip; needs the extra sbom.")
    ] = False,
    output_format: FormatOption = Format.TEXT,
) -> int:
    """Write <layer>.zip for each layer, function.zip and manifest.json; nothing remote is called.

    The same sources give the same bytes, on any day, in any folder, whatever the environment's variables.

    Example: python -m optimizer build --output layers/.build
    """
    text = output_format is Format.TEXT
    manifest = run_build(
        Source(config=config, path=path, wheels=wheels, requirements=requirements, layers=layers),
        output,
        quiet=not text,
        sbom=sbom,
        arguments=sys.argv[1:] if text and not sbom and sys.argv[1:2] == ["build"] else None,
    )
    if output_format is Format.JSON:
        import json

        emit_json(json.loads(manifest.to_json()))
    return 0


def run_build(
    source: Source,
    output: Path | None = None,
    *,
    quiet: bool = False,
    sbom: bool = False,
    arguments: list[str] | None = None,
) -> Manifest:
    """Plan afresh, every file read and hashed again, and write the artifacts, with an SBOM of each where asked.

    With `arguments`, those of this process, the build is remembered by them and by all that it read.

    Raises:
        LimitError: the plan does not fit Lambda's limit.
        SecretError: something secret would ship, and is not allowed.
        UsageError: what makes SBOMs is not installed.
        OptimizerError: whichever stage refuses.
    """
    if sbom:
        import optimizer.build.sbom  # noqa: F401  before the work, not after it, if it is not installed
    with planned(source, trust_stat=False) as result:
        _check_output(result.config, output)
        place = output or result.config.root / DEFAULT_OUTPUT
        result.exposed.refuse()
        if not result.plan.fits:
            from optimizer.report.advice import refusal

            raise refusal(result.plan)
        lines: list[str] = []

        def say(line: str) -> None:
            lines.append(line)
            note(line)

        for warning in result.plan.warnings:
            say(f"warning: {warning}")
        manifest = build_artifacts(
            result.plan,
            result.payloads,
            place,
            root=result.config.root,
            progress=(lambda _: None) if quiet else say,
            describe=_describe(result) if sbom else None,
            share=result.config.share,
            commit=commit_of(result.config.root, place),
            searched=True,
        )
        if arguments is not None:
            remember(arguments, source, result, manifest, lines)
        return manifest


def _check_output(config: Config, output: Path | None) -> None:
    """Refuse a place inside a function's own source, whose files would go into the next function.zip.

    Raises:
        UsageError: it is one.
    """
    if output is None:
        return
    place = output.resolve()
    for function in config.function:
        folder = (config.root / function.source).resolve()
        if place.is_relative_to(folder) and not any(part.startswith(".") for part in place.relative_to(folder).parts):
            raise UsageError(
                f"--output {output} lies in {function.source}, whose files a build of {function.name} would ship",
                mend="Name a folder elsewhere, or a hidden one.",
            )


def _describe(result: Planned) -> Callable[[Artifact], str]:
    from optimizer.build.components import components
    from optimizer.build.sbom import Sboms

    found = components(result.plan, result.inventory, shipped)
    return Sboms(found, result.inventory).document
