"""Change sets as one bash script of the AWS CLI's commands, with what each action is for as comments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.report.change_set import symbol
from optimizer.report.escape import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from optimizer.deploy import ChangeSet, Deployment
    from optimizer.report.cli_equivalents import Equivalents
    from optimizer.report.shell import Command

Explained = tuple[tuple["Command", ...], ...]
"""The commands of each action of a change set."""

HEAD = (
    "#!/usr/bin/env bash",
    "# What would be called, as commands of the AWS CLI. Nothing was executed.",
    "set -euo pipefail",
    'export AWS_PAGER=""',
)
_GUARDED = "# Revisions are those of this moment: if somebody changes a function before, its commands are refused."


def explained(deployments: Sequence[Deployment], equivalents: Equivalents) -> dict[int, Explained]:
    """The commands of every deployment that has a change set, by its place."""
    return {number: equivalents.of(one.changes) for number, one in enumerate(deployments) if one.changes is not None}


def script(deployments: Sequence[Deployment], commands: Mapping[int, Explained]) -> str:
    """The whole as a script; what is kept stands there as a comment alone."""
    lines = [*HEAD[:2], _GUARDED, *HEAD[2:]]
    lines += dict.fromkeys(c.line() for one in commands.values() for own in one for c in own if c.first)
    for number, one in enumerate(deployments):
        lines += ["", f"# {plain(f'{one.function} in {one.region}')}"]
        if one.changes is None:
            lines.append(f"# {one.outcome}: {plain(one.error.message if one.error else '')}")
        else:
            lines += _body(one.changes, commands[number])
    return "\n".join(lines) + "\n"


def _body(changes: ChangeSet, commands: Explained) -> list[str]:
    lines = []
    for action, own in zip(changes.actions, commands, strict=True):
        lines.append(f"# {symbol(action)} {action.name} {plain(action.subject)}: {plain(action.reason)}")
        lines += [command.wrapped() for command in own if not command.first]
    if not changes.changes:
        lines.append("# nothing to do")
    return lines
