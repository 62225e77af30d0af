"""What `publish` did in each region, as a table and as the JSON document that others' tools read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from optimizer.deploy.actions import PublishLayer
from optimizer.report.change_set import action_table, printed, symbol
from optimizer.units import human_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from optimizer.deploy import Published
    from optimizer.errors import OptimizerError


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
    published: Sequence[Published], *, sent_bytes: int, calls: Mapping[str, int], error: OptimizerError | None
) -> dict[str, Any]:
    """The document of `publish --format json`.

    `layers` are those that there are now, `changes` what was to be done about each, `parameters` the SSM parameters
    that were written; `error` what stopped it in some of the `regions`.
    """
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
            }
            for place in published
            for one in place.layers
            if one.version is not None
        ],
        "changes": [
            {"action": action.name, "subject": action.subject, "region": place.region, "reason": action.reason}
            for place in published
            for one in place.layers
            for action in (one.action, *one.shares)
        ],
        "parameters": [name for place in published for name in place.parameters],
        "regions": [
            {"region": place.region, "outcome": "done" if place.error is None else "failed"} for place in published
        ],
    }
