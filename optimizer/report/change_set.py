"""Change sets and what came of them, for people as Terraform prints a plan, and as the JSON document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from optimizer.deploy import ALIAS, calls_of
from optimizer.deploy.actions import (
    AttachLayers,
    AttachPolicy,
    Check,
    CopyPermission,
    CreateAlias,
    CreateFunction,
    CreateRole,
    CreateUrl,
    DeletePolicy,
    DeleteUrl,
    DropPermission,
    DropUpload,
    FreezeLatest,
    Grant,
    KeepAlias,
    KeepCaller,
    KeepCode,
    KeepLayer,
    KeepUrl,
    MarkAlias,
    MoveAlias,
    MoveSource,
    PointAlias,
    PublishLayer,
    PublishVersion,
    PutPolicy,
    ReturnTraffic,
    Revoke,
    ShareLayer,
    ShiftTraffic,
    TagFunction,
    UnshareLayer,
    UpdateCode,
    UpdateSettings,
    UpdateUrl,
    UseVersion,
    Watch,
)
from optimizer.units import human_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from optimizer.deploy import Action, Deployment
    from optimizer.errors import OptimizerError
    from optimizer.report.script import Explained

_ROOMY_COLUMNS = 100
"""From here on a table has room for the calls of each action."""
_STYLES = {"+": "green", "~": "yellow", "-": "red", "=": "dim", "?": "cyan"}


def symbol(action: Action) -> str:
    """What an action does, in one character: + makes, ~ changes, - takes away, = keeps, ? asks."""
    match action:
        case (
            PublishLayer()
            | CreateRole()
            | CreateFunction()
            | CreateAlias()
            | CreateUrl()
            | PublishVersion()
            | Grant()
            | FreezeLatest()
            | CopyPermission()
            | ShareLayer()
        ):
            return "+"
        case (
            UpdateCode()
            | AttachLayers()
            | UpdateSettings()
            | MoveAlias()
            | UpdateUrl()
            | PutPolicy()
            | AttachPolicy()
            | MarkAlias()
            | MoveSource()
            | PointAlias()
            | TagFunction()
        ):
            return "~"
        case ReturnTraffic() | ShiftTraffic():
            return "~"
        case DeletePolicy() | DeleteUrl() | Revoke() | DropPermission() | UnshareLayer() | DropUpload():
            return "-"
        case KeepLayer() | KeepCode() | KeepAlias() | KeepUrl() | KeepCaller() | UseVersion():
            return "="
        case Check() | Watch():
            return "?"


def print_changes(
    deployments: Sequence[Deployment],
    console: Console,
    *,
    nothing: str = "Nothing to do: what is live is what was built.",
) -> None:
    """What a deploy is going to do, function by function; `nothing` is what is said where that is nothing."""
    parts: list[RenderableType] = []
    for one in deployments:
        parts.append(_heading(one))
        if one.changes is not None:
            rows = [(symbol(a), a.name, a.subject, a.bytes, a.reason) for a in one.changes.actions]
            roomy = console.width >= _ROOMY_COLUMNS
            parts.append(action_table(rows, calls=calls_of(one.changes) if roomy else ()))
            parts += [Text(f"  !  $LATEST is called by {x}, who sees it half-done", "red") for x in one.changes.callers]
        parts.append(Text())
    parts.append(_sum(deployments, nothing))
    printed(console, parts)


def print_results(
    deployments: Sequence[Deployment], console: Console, *, sent_bytes: int, calls: Mapping[str, int]
) -> None:
    """What came of it: version, URL and outcome of each function."""
    parts: list[RenderableType] = []
    for one in deployments:
        version, url = _served(one), _url(one)
        if one.outcome != "done":
            parts.append(Text.assemble((f"{one.outcome}: ", "bold red"), f"{one.function} in {one.region}"))
            if len(deployments) > 1 and one.error is not None:
                parts.append(Text(f"  {one.error.message}"))
            continue
        word = _word(one)
        parts.append(
            Text.assemble(
                (f"{word}: ", "bold green"), f"{one.function} in {one.region}, {ALIAS} serves version {version}"
            )
        )
        if url:
            parts.append(Text(f"  {url}"))
    parts.append(Text(f"sent {human_bytes(sent_bytes)} in {sum(calls.values())} calls", style="dim"))
    console.print(Group(*parts), highlight=False, soft_wrap=True)


def deploy_document(
    deployments: Sequence[Deployment],
    *,
    executed: bool,
    sent_bytes: int,
    calls: Mapping[str, int],
    error: OptimizerError | None = None,
    commands: Mapping[int, Explained] | None = None,
) -> dict[str, Any]:
    """The document of `deploy --format json`; an `error` that is more than a refusal stands in it too.

    `commands` are the AWS CLI's for each action, by the deployment's place, where they were asked for.
    """
    failed = error is not None and error.exit_status > 1
    return {
        "schema": 1,
        **({"error": error.document()} if error is not None and failed else {}),
        "executed": executed,
        "sent_bytes": sent_bytes,
        "calls": dict(sorted(calls.items())),
        "deployments": [
            {
                "function": one.function,
                "region": one.region,
                "version": _served(one),
                "alias": ALIAS,
                "url": _url(one),
                "outcome": one.outcome,
                "layers": _layers(one),
                "changes": _changes(one, (commands or {}).get(number)),
            }
            for number, one in enumerate(deployments)
        ],
    }


def _word(one: Deployment) -> str:
    if one.changes is None or not one.changes.changes:
        return "unchanged"
    actions = one.changes.actions
    back = any(isinstance(action, UseVersion) for action in actions) or all(
        isinstance(action, ReturnTraffic) for action in actions if action.changes
    )
    return "rolled back" if back else "deployed"


def _heading(one: Deployment) -> Text:
    heading = Text.assemble((one.function, "bold cyan"), f" in {one.region}")
    if one.changes is None:
        heading.append(f"  {one.outcome}", style="bold red")
    elif not one.changes.changes:
        heading.append("  nothing to do", style="green")
    elif one.changes.version:
        heading.append(f"  {ALIAS} serves version {one.changes.version}")
    return heading


def action_table(rows: Sequence[tuple[str, str, str, int, str]], *, calls: Sequence[int] = ()) -> Table:
    """Symbol, what, subject, bytes to send, calls where they are given, why."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    for width in (2, None, None, None):
        table.add_column(no_wrap=True, min_width=width)
    if calls:
        table.add_column(no_wrap=True, justify="right")
    table.add_column(overflow="fold")
    for number, (sign, name, subject, sent, reason) in enumerate(rows):
        size = Text(human_bytes(sent) if sent else "", justify="right")
        count = [Text(_calls_in_words(calls[number]) if calls[number] else "")] if calls else []
        table.add_row(Text(f"  {sign}", _STYLES[sign]), name, Text(subject), size, *count, Text(reason))
    return table


def printed(console: Console, parts: Sequence[RenderableType], *, soft_wrap: bool = False) -> None:
    """Print; what goes to a file or a pipe without the spaces that a table's lines end in."""
    if console.is_terminal:
        console.print(Group(*parts), highlight=False, soft_wrap=soft_wrap)
        return
    with console.capture() as capture:
        console.print(Group(*parts), highlight=False, soft_wrap=soft_wrap)
    for line in capture.get().splitlines():
        console.print(Text(line.rstrip()), highlight=False, soft_wrap=True)


def _calls_in_words(calls: int) -> str:
    return f"{calls} call{'s' if calls != 1 else ''}"


def _sum(deployments: Sequence[Deployment], nothing: str) -> Text:
    planned = [one.changes for one in deployments if one.changes is not None]
    stopped = len(deployments) - len(planned)
    if not planned:
        return Text(f"{stopped} of {stopped} can't be deployed; nothing is changed.", style="bold red")
    actions = [action for changes in planned for action in changes.actions if action.changes]
    if not actions:
        if stopped:
            return Text(f"{stopped} of {len(deployments)} can't be deployed; the others are already.", style="bold red")
        return Text(nothing, style="bold green")
    counts = {sign: sum(symbol(action) == sign for action in actions) for sign in _STYLES}
    sent = human_bytes(sum(changes.bytes for changes in planned))
    calls = _calls_in_words(sum(sum(calls_of(changes)) for changes in planned))
    does = f"{counts['+']} to make, {counts['~']} to change, {counts['-']} to take away"
    plan = f"Plan: {does}; {sent} to send in {calls}."
    left = f" {stopped} of {len(deployments)} can't be deployed; the others are." if stopped else ""
    return Text.assemble(plan, (left, "bold red"))


def _served(one: Deployment) -> str | None:
    """The version that the alias serves, as far as this run knows; None where that is not known yet."""
    if one.changes is None:
        return None
    if one.result is not None and one.outcome == "done":
        return one.result.version
    return one.changes.version


def _url(one: Deployment) -> str | None:
    if one.result is not None:
        return one.result.url
    return one.changes.url if one.changes is not None else None


def _layers(one: Deployment) -> list[dict[str, Any]]:
    layers = one.result.layers if one.result is not None else one.changes.layers if one.changes is not None else ()
    return [
        {"name": layer.name, "version": layer.version, "arn": layer.arn, "fingerprint": layer.fingerprint}
        for layer in layers
    ]


def _changes(one: Deployment, commands: Explained | None) -> list[dict[str, Any]]:
    """What was to be done; where it was not, the reason as the last of them."""
    planned = zip(one.changes.actions, calls_of(one.changes), strict=True) if one.changes is not None else ()
    rows: list[dict[str, Any]] = [
        {
            "action": action.name,
            "subject": action.subject,
            "bytes": action.bytes,
            "calls": calls,
            "reason": action.reason,
        }
        for action, calls in planned
    ]
    for row, own in zip(rows, commands or (), strict=False):
        row["commands"] = [command.line() for command in own]
    if one.error is not None:
        action = "refuse" if one.outcome == "refused" else "stop"
        rows.append({"action": action, "subject": one.function, "bytes": 0, "calls": 0, "reason": one.error.message})
    return rows
