"""`diff`: what differs between two builds, and what is published again for it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from optimizer.cli.common import TextFormat, emit, emit_json, rendered


def diff(
    old: Annotated[Path, typer.Argument(help="A folder that build wrote: what is live, say.", metavar="OLD")],
    new: Annotated[Path, typer.Argument(help="Another, with what is to follow.", metavar="NEW")],
    output_format: Annotated[TextFormat, typer.Option("--format", help="What to write.")] = TextFormat.TEXT,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit 1 where something differs, as git diff does.")
    ] = False,
) -> int:
    """Say what differs between two builds: versions, bytes, files, moves, and which layers are published again.

    Exits 0 whether or not something differs, unless --exit-code is given.

    Example: python -m optimizer diff live layers/.build --format markdown
    """
    from optimizer.build.compare import compare
    from optimizer.build.contents import read_contents
    from optimizer.report.difference import difference_document, difference_markdown, print_difference

    found = compare(read_contents(old), read_contents(new))
    if output_format is TextFormat.JSON:
        emit_json(difference_document(found))
    elif output_format is TextFormat.MARKDOWN:
        emit(difference_markdown(found))
    else:
        emit(rendered(lambda console: print_difference(found, console)))
    return 1 if exit_code and found.differs else 0
