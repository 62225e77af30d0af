"""`licenses`: under which licences what ships is, and which licence files ship with it."""

from __future__ import annotations

from typing import Annotated

import typer

from optimizer.cli.common import (
    CONFIG,
    ConfigOption,
    LayersOption,
    PathOption,
    RequirementsOption,
    TextFormat,
    WheelsOption,
    emit,
    emit_json,
    rendered,
)
from optimizer.cli.pipeline import Source, planned
from optimizer.content import shipped


def licenses(
    config: ConfigOption = CONFIG,
    path: PathOption = None,
    wheels: WheelsOption = None,
    requirements: RequirementsOption = None,
    layers: LayersOption = None,
    output_format: Annotated[TextFormat, typer.Option("--format", help="What to write.")] = TextFormat.TEXT,
) -> int:
    """Show the licence of each distribution that ships, as its metadata says it, and the licence files that ship.

    What is unambiguous is told as an SPDX expression; what is unknown is told last, and is no failure.

    Example: python -m optimizer licenses --format markdown
    """
    from optimizer.build.components import components
    from optimizer.report.licences import licences_document, licences_markdown, print_licences

    source = Source(config=config, path=path, wheels=wheels, requirements=requirements, layers=layers, best_so_far=True)
    with planned(source) as result:
        found = components(result.plan, result.inventory, shipped)
        target = result.plan.target
    if output_format is TextFormat.JSON:
        emit_json(licences_document(found, target))
    elif output_format is TextFormat.MARKDOWN:
        emit(licences_markdown(found, target))
    else:
        emit(rendered(lambda console: print_licences(found, target, console)))
    return 0
