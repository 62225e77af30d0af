"""IAM policies explained: a deployer's statement by statement, a function's against what its code uses."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from optimizer.deploy.permission.permissions import PARTS
from optimizer.deploy.permission.policies import INLINE_CHARACTERS, MANAGED_CHARACTERS, MANAGED_POLICIES, characters
from optimizer.deploy.permission.scope import ANY
from optimizer.report.escape import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from optimizer.config import FunctionConfig
    from optimizer.deploy.permission.permissions import Part
    from optimizer.deploy.permission.policies import Allowance
    from optimizer.deploy.permission.role_policy import Comparison
    from optimizer.deploy.permission.scope import Scope

_NAMES: dict[Part, str] = {
    "bucket": "--bucket",
    "lease": "--lease",
    "ssm": "publish --ssm",
    "adopt": "deploy --adopt",
    "canary": "deploy --canary",
    "versions": "prune --versions",
}
"""The parts that are options, as they are given."""


def print_deployer_policy(
    statements: Sequence[Allowance], documents: Sequence[dict[str, Any]], chosen: frozenset[Part], console: Console
) -> None:
    """Each statement with its resources, its condition, and for each action which calls of which commands need it."""
    sizes = " + ".join(f"{characters(one):,}" for one in documents)
    many = f", in {len(documents)} policies" if len(documents) > 1 else ""
    parts: list[RenderableType] = [
        Text(f"{len(statements)} statements{many}; {sizes} characters, of {MANAGED_CHARACTERS:,} in a managed policy")
    ]
    for statement in statements:
        parts += [Text(), Text(statement.sid, "bold"), Padding(_statement(statement, chosen), (0, 0, 0, 2))]
    console.print(Group(*parts), highlight=False)


def _statement(statement: Allowance, chosen: frozenset[Part]) -> RenderableType:
    resources = statement.grant.resources
    about = Table.grid(padding=(0, 1))
    for number, resource in enumerate(resources):
        why = "  which these actions can't be limited below" if resource == ANY else ""
        about.add_row("on" if not number else "", Text(plain(resource)) + Text(why, "dim"))
    for test, keys in statement.grant.condition.items():
        for key, value in keys.items():
            text = value if isinstance(value, str) else json.dumps(value)
            about.add_row("if", Text(plain(f"{key} {test} {text}")))
    actions = Table(box=None, pad_edge=False, show_header=False)
    for action in statement.actions:
        needs = [need for need in statement.needs if need.action == action]
        calls = sorted({need.operation for need in needs})
        other = "" if calls == [action.partition(":")[2]] else f" ({', '.join(calls)})"
        parts = [_NAMES.get(one, one) for one in PARTS if any(one in need.parts & chosen for need in needs)]
        actions.add_row(Text(action), Text(", ".join(parts)) + Text(other, "dim"))
    return Group(about, actions)


@dataclass(frozen=True, slots=True, kw_only=True)
class RolePolicy:
    """A function's role by name or ARN, its managed policy for logs, its inline one, and what its code uses."""

    function: str
    role: str
    logs: str
    document: dict[str, Any] | None
    comparison: Comparison


def print_role_policy(shown: RolePolicy, console: Console) -> None:
    """What a function's role has, and which services its code makes clients for."""
    comparison, document = shown.comparison, shown.document
    parts: list[RenderableType] = [Text(f"{plain(shown.function)}, with the role {plain(shown.role)}", "bold")]
    parts.append(Text(f"  attached  {shown.logs}"))
    if document is None:
        parts.append(Text("  inline    none is configured"))
    else:
        parts.append(Text(f"  inline    {characters(document):,} of {INLINE_CHARACTERS:,} characters"))
        lines = json.dumps(document, indent=2, ensure_ascii=False).split("\n")
        parts.append(Padding(Text("\n".join(map(plain, lines))), (0, 0, 0, 4)))
    parts.append(Text("  its code makes clients for" if comparison.uses else "  its code was seen to make no clients"))
    table = Table(box=None, pad_edge=False, show_header=False)
    denied = {use.service for use in comparison.denied}
    for use in comparison.uses:
        said = "no action is allowed" if use.service in denied else "allowed" if use.prefix else "an unknown service"
        style = "red" if use.service in denied else ""
        table.add_row(Text(plain(use.service)), Text(said, style), Text(plain(", ".join(use.places))))
    parts.append(Padding(table, (0, 0, 0, 4)))
    console.print(Group(*parts), highlight=False)


def remarks(scope: Scope, parts: frozenset[Part], policies: int) -> list[str]:
    """What a person should know of a deployer's policy, and can't see in it."""
    told = []
    if scope.account == ANY:
        told.append("the account is not known, so the resources are of any; --account limits them to one")
    written = scope.roles(lambda one: one.policy is not None)
    if "deploy" in parts and written:
        told.append(
            "with iam:PutRolePolicy the deployer decides what the function may do, which IAM can't limit: give the "
            "function a `role_arn` to keep that from it"
        )
    if "roll" in parts:
        told.append("roll may change any function of the regions, and read any layer that one of them has attached")
    if scope.bucket is not None or scope.lease is not None:
        told.append("a bucket with a KMS key of its own takes kms:GenerateDataKey and kms:Decrypt on that key too")
    if policies > MANAGED_POLICIES:
        told.append(f"{policies} policies are more than the {MANAGED_POLICIES} that a role or user takes by default")
    return told


def differences(one: FunctionConfig, compared: Comparison) -> list[str]:
    """What the function's code and its policy do not agree on, and what can't be told."""
    told = [
        f"warning: {one.name}: {', '.join(use.places)} makes a client for {use.service}, and the policy allows no "
        f"{use.prefix} action"
        for use in compared.denied
    ]
    if one.role_arn:
        told = [f"{line}; what else {one.role_arn} allows is not known here" for line in told]
    if compared.unknown:
        told.append(
            f"note: {one.name}: of which service these clients are can't be told: {', '.join(compared.unknown)}"
        )
    if compared.idle:
        unless = ", unless by those clients" if compared.unknown else ""
        services = ", ".join(compared.idle)
        told.append(f"note: {one.name}: the policy allows actions of {services}, which no Python code uses{unless}")
    told.append(f"note: {one.name}: code shows which clients it makes, not which actions they call, and on what")
    return told
