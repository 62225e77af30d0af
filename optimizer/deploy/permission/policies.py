"""The IAM policy of whoever deploys: the table of permissions, on the resources that a configuration names; pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from optimizer.deploy.permission.permissions import KINDS, NEEDS
from optimizer.deploy.permission.scope import Grant, grants

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from optimizer.deploy.permission.permissions import Need, Part
    from optimizer.deploy.permission.scope import Scope

MANAGED_CHARACTERS = 6_144
"""In a managed policy; white space is not counted (IAM and STS quotas)."""
INLINE_CHARACTERS = 10_240
"""In all inline policies of a role together (the same page)."""
MANAGED_POLICIES = 10
"""Managed policies on a role or user, unless AWS raised the quota (the same page)."""
VERSION = "2012-10-17"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """One statement: actions on resources, under a condition, and the calls that need them."""

    sid: str
    grant: Grant
    needs: tuple[Need, ...]

    @property
    def actions(self) -> tuple[str, ...]:
        """Each action once, sorted."""
        return tuple(sorted({need.action for need in self.needs}))

    def document(self) -> dict[str, Any]:
        """The statement as IAM takes it."""
        return {
            "Sid": self.sid,
            "Effect": "Allow",
            "Action": list(self.actions),
            "Resource": list(self.grant.resources),
            **({"Condition": self.grant.condition} if self.grant.condition else {}),
        }


def deployer_statements(scope: Scope, parts: frozenset[Part]) -> tuple[Allowance, ...]:
    """What a deployer of the functions in scope needs to be allowed; what is on the same resources is one statement.

    Args:
        scope: where, and on what.
        parts: the commands and options that are run.
    """
    grouped: dict[str, tuple[str, Grant, list[Need]]] = {}
    for kind in KINDS:
        needs = [need for need in NEEDS if need.kind == kind and need.parts & parts]
        if not needs:
            continue
        for number, grant in enumerate(grants(kind, scope), start=1):
            sid = "".join(word.capitalize() for word in kind.split("-")) + (str(number) if number > 1 else "")
            key = json.dumps([grant.resources, grant.condition])
            grouped.setdefault(key, (sid, grant, []))[2].extend(needs)
    return tuple(Allowance(sid=sid, grant=grant, needs=tuple(needs)) for sid, grant, needs in grouped.values())


def documents(statements: Sequence[Allowance]) -> tuple[dict[str, Any], ...]:
    """The statements as policies of which each is small enough to be a managed one; mostly it is one alone."""
    found: list[list[dict[str, Any]]] = [[]]
    for statement in statements:
        for piece in _pieces(statement.document()):
            if found[-1] and characters(_policy([*found[-1], piece])) > MANAGED_CHARACTERS:
                found.append([])
            found[-1].append(piece)
    return tuple(_policy(some) for some in found)


def characters(document: dict[str, Any]) -> int:
    """The length of a policy as IAM counts it."""
    return len("".join(json.dumps(document, ensure_ascii=False).split()))


def _policy(statements: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": VERSION, "Statement": list(statements)}


def _pieces(statement: dict[str, Any]) -> list[dict[str, Any]]:
    """A statement whose resources alone are too long for a policy, as several."""
    if characters(_policy([statement])) <= MANAGED_CHARACTERS or len(statement["Resource"]) == 1:
        return [statement]
    middle = len(statement["Resource"]) // 2
    halves = [
        {**statement, "Sid": statement["Sid"] + letter, "Resource": statement["Resource"][where]}
        for letter, where in (("A", slice(None, middle)), ("B", slice(middle, None)))
    ]
    return [piece for half in halves for piece in _pieces(half)]
