"""`explain`: why a distribution is here, why in that layer, and what moving it would cost."""

from __future__ import annotations

from typing import Annotated

import typer

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
)
from optimizer.cli.pipeline import Source, planned
from optimizer.errors import UsageError


def explain(
    distribution: Annotated[str, typer.Argument(help="The distribution's name.")],
    config: ConfigOption = CONFIG,
    path: PathOption = None,
    wheels: WheelsOption = None,
    requirements: RequirementsOption = None,
    layers: LayersOption = None,
    snapshot: SnapshotOption = None,
    output_format: FormatOption = Format.TEXT,
) -> int:
    """Say why a distribution ships, who requires it, why it is in its layer, and what moving it would send again.

    Example: python -m optimizer explain urllib3
    """
    import difflib

    from packaging.utils import canonicalize_name

    from optimizer.report.explanation import explanation, explanation_text

    name = canonicalize_name(distribution)
    with planned(
        Source(config=config, path=path, wheels=wheels, requirements=requirements, layers=layers, snapshot=snapshot)
    ) as result:
        found = explanation(result.plan, result.inventory, name, result.history)
        if found is None:
            names = [d.name for layer in result.plan.layers for d in layer.distributions]
            close = difflib.get_close_matches(name, names, n=3)
            hint = f"Close to it: {', '.join(close)}." if close else "Run `python -m optimizer plan` to see what ships."
            raise UsageError(
                f"{name} is not among the distributions that the functions' requirements lead to", mend=hint
            )
        if output_format is Format.JSON:
            emit_json(found)
        else:
            emit(explanation_text(found))
    return 0
