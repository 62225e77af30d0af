"""A change set and what became of it: as Terraform prints a plan, and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from optimizer.deploy.actions import NAMES
from optimizer.report.units import human_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from optimizer.deploy import ChangeSet, Deployed

_STYLE = {"+": "green", "~": "yellow", "=": "dim", "?": "cyan"}


def print_change_set(changes: ChangeSet, console: Console) -> None:
    """The actions in order, with symbols, bytes to send and reasons."""
    console.print(Text.assemble((changes.function, "bold"), f" in {changes.region}"))
    for action in changes.actions:
        name, symbol = NAMES[type(action)]
        sent = f"  {human_bytes(action.bytes)}" if action.bytes else ""
        line = Text.assemble(f"  {symbol} ", f"{name:<16}", f"{action.subject}{sent}", (f"  ({action.reason})", "dim"))
        line.stylize(_STYLE[symbol], 0, 20)
        console.print(line, soft_wrap=True)
    if changes.empty:
        console.print(f"  nothing to do: the alias serves this already (version {changes.version})", highlight=False)
    else:
        console.print(f"  to send: {human_bytes(changes.bytes)}", highlight=False)


def deployment_document(
    changes: ChangeSet | None,
    *,
    function: str,
    region: str,
    outcome: str,
    result: Deployed | None,
    alias: str,
    message: str | None = None,
) -> dict[str, Any]:
    """One entry of `deployments`."""
    layers = result.layers if result else changes.kept if changes else ()
    document: dict[str, Any] = {
        "function": function,
        "region": region,
        "version": result.version if result else changes.version if changes else None,
        "alias": alias,
        "url": result.url if result else changes.url if changes else None,
        "outcome": outcome,
        "layers": [
            {"name": layer.name, "version": layer.version, "arn": layer.arn, "fingerprint": layer.fingerprint}
            for layer in layers
        ],
        "changes": [
            {
                "action": NAMES[type(action)][0],
                "subject": action.subject,
                "bytes": action.bytes,
                "reason": action.reason,
            }
            for action in (changes.actions if changes else ())
        ],
    }
    if message is not None:
        document["message"] = message
    return document


def deploy_document(
    deployments: Sequence[Mapping[str, Any]], *, executed: bool, sent_bytes: int, calls: Mapping[str, int]
) -> dict[str, Any]:
    """The document of `deploy --format json`, schema 1."""
    return {
        "schema": 1,
        "executed": executed,
        "sent_bytes": sent_bytes,
        "calls": dict(sorted(calls.items())),
        "deployments": list(deployments),
    }
