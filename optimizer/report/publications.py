"""What `publish` did in each region, as a table and as the JSON document that others' tools read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from optimizer.deploy.actions import PublishLayer
from optimizer.deploy.execution.publishing import parameter_name
from optimizer.report.change_set import action_table, printed, symbol
from optimizer.units import human_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from optimizer.deploy import Published
    from optimizer.errors import OptimizerError
    from optimizer.report.layers_script import Step


def print_publications(published: Sequence[Published], sent_bytes: int, console: Console) -> None:
    """The ARNs of the layers, which of them are new, and who may attach them."""
    rows = [
        (symbol(action), place.region, one.version.arn, action.bytes, action.reason)
        for place in published
        for one in place.layers
        if one.version is not None
        for action in (one.action, *one.shares)
    ]
    for place in published:
        if place.error is not None:
            console.print(Text.assemble(("failed: ", "bold red"), place.region), highlight=False)
    sent = Text(f"sent {human_bytes(sent_bytes)}", style="dim")
    printed(console, [action_table(rows), sent], soft_wrap=True)


def publish_document(
    published: Sequence[Published],
    *,
    sent_bytes: int,
    calls: Mapping[str, int],
    error: OptimizerError | None,
    explained: Sequence[Sequence[Step]] | None = None,
    ssm: str | None = None,
) -> dict[str, Any]:
    """The document of `publish --format json`.

    `layers` are those that there are now, `changes` what was to be done about each, `parameters` the SSM parameters
    that were written; with a prefix `ssm` each layer has the `parameter` that holds its ARN. `error` is what stopped it
    in some of the `regions`. Where nothing was done but `explained`, each change has its `commands`, and a region's
    outcome is `planned`.
    """
    good = "done" if explained is None else "planned"
    return {
        "schema": 1,
        **({"error": error.document()} if error is not None else {}),
        "sent_bytes": sent_bytes,
        "calls": dict(sorted(calls.items())),
        "layers": [
            {
                "name": one.version.name,
                "region": place.region,
                "version": one.version.version,
                "arn": one.version.arn,
                "fingerprint": one.version.fingerprint,
                "published": isinstance(one.action, PublishLayer),
                **({"parameter": parameter_name(ssm, one.version.name)} if ssm is not None else {}),
            }
            for place in published
            for one in place.layers
            if one.version is not None
        ],
        "changes": _changes(published) if explained is None else _commands(published, explained),
        "parameters": [name for place in published for name in place.parameters],
        "regions": [
            {"region": place.region, "outcome": good if place.error is None else "failed"} for place in published
        ],
    }


def _changes(published: Sequence[Published]) -> list[dict[str, Any]]:
    return [
        {"action": action.name, "subject": action.subject, "region": place.region, "reason": action.reason}
        for place in published
        for one in place.layers
        for action in (one.action, *one.shares)
    ]


def _commands(published: Sequence[Published], explained: Sequence[Sequence[Step]]) -> list[dict[str, Any]]:
    return [
        {
            "action": step.action,
            "subject": step.subject,
            "region": place.region,
            "reason": step.reason,
            "commands": [command.line() for command in step.commands],
        }
        for place, steps in zip(published, explained, strict=True)
        for step in steps
    ]
