"""Resource policies of functions, aliases and versions: who may call them."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from optimizer.local.conditions import RESOURCE_MISSING, STALE_REVISION, STATEMENT_EXISTS
from optimizer.local.service import operation

if TYPE_CHECKING:
    from optimizer.local.protocol import Call
    from optimizer.local.service import Lambda
    from optimizer.local.state import Function

UNQUALIFIED = "$LATEST"
_EQUALS = {
    "FunctionUrlAuthType": "lambda:FunctionUrlAuthType",
    "SourceAccount": "AWS:SourceAccount",
    "PrincipalOrgID": "aws:PrincipalOrgID",
    "EventSourceToken": "lambda:EventSourceToken",
}
"""Parameters of AddPermission that become StringEquals conditions, by the condition's key."""


def _place(lam: Lambda, call: Call) -> tuple[Function, str]:
    region = lam.region(call)
    qualifier = call.parameters.get("Qualifier")
    function, _, _ = region.resolve(call.parameters["FunctionName"], qualifier)
    return function, qualifier or UNQUALIFIED


def _owner(function: Function, qualifier: str) -> dict[str, Any]:
    """What the policy belongs to: its RevisionId is the policy's too, and changes with it.

    So it was seen of `$LATEST`; that an alias and a version do likewise is not verified.
    """
    if qualifier == UNQUALIFIED:
        return function.latest.configuration
    if qualifier in function.aliases:
        return function.aliases[qualifier]
    return function.versions[int(qualifier)].configuration


@operation
def add_permission(lam: Lambda, call: Call) -> dict[str, Any]:
    """Add one statement; with a qualifier it belongs to that version or alias alone."""
    given = call.parameters
    function, qualifier = _place(lam, call)
    policy = function.policies.setdefault(qualifier, {})
    if given.get("RevisionId") not in {None, _owner(function, qualifier)["RevisionId"]}:
        raise STALE_REVISION.error()
    if given["StatementId"] in policy:
        raise STATEMENT_EXISTS.error(sid=given["StatementId"])
    principal = given["Principal"]
    conditions: dict[str, dict[str, str]] = {}
    if "InvokedViaFunctionUrl" in given:
        conditions["Bool"] = {"lambda:InvokedViaFunctionUrl": str(given["InvokedViaFunctionUrl"]).lower()}
    if "SourceArn" in given:
        conditions["ArnLike"] = {"AWS:SourceArn": given["SourceArn"]}
    for name, key in _EQUALS.items():
        if name in given:
            conditions.setdefault("StringEquals", {})[key] = given[name]
    statement: dict[str, Any] = {
        "Sid": given["StatementId"],
        "Effect": "Allow",
        "Principal": principal
        if principal == "*"
        else {"Service": principal}
        if principal.endswith(".amazonaws.com")
        else {"AWS": f"arn:aws:iam::{principal}:root" if principal.isdigit() else principal},
        "Action": given["Action"],
        "Resource": function.arn if qualifier == UNQUALIFIED else f"{function.arn}:{qualifier}",
    }
    if conditions:
        statement["Condition"] = conditions
    policy[given["StatementId"]] = statement
    _owner(function, qualifier)["RevisionId"] = str(uuid.uuid4())
    return {"Statement": json.dumps(statement)}


@operation
def get_policy(lam: Lambda, call: Call) -> dict[str, Any]:
    """The policy of a function, version or alias."""
    function, qualifier = _place(lam, call)
    policy = function.policies.get(qualifier)
    if not policy:
        raise RESOURCE_MISSING.error(message="The resource you requested does not exist.")
    document = {"Version": "2012-10-17", "Id": "default", "Statement": list(policy.values())}
    return {"Policy": json.dumps(document), "RevisionId": _owner(function, qualifier)["RevisionId"]}


@operation
def remove_permission(lam: Lambda, call: Call) -> dict[str, Any]:
    """Take one statement away."""
    given = call.parameters
    function, qualifier = _place(lam, call)
    if given.get("RevisionId") not in {None, _owner(function, qualifier)["RevisionId"]}:
        raise STALE_REVISION.error()
    if function.policies.get(qualifier, {}).pop(given["StatementId"], None) is None:
        raise RESOURCE_MISSING.error(message=f"Statement {given['StatementId']} is not found in resource policy.")
    _owner(function, qualifier)["RevisionId"] = str(uuid.uuid4())
    return {}


def open_to_everybody(function: Function, qualifier: str) -> bool:
    """Whether the policy lets anybody call a function URL.

    URLs made since October 2025 need both lambda:InvokeFunctionUrl and lambda:InvokeFunction.
    """
    statements = function.policies.get(qualifier, {}).values()
    granted = {s["Action"] for s in statements if s["Principal"] == "*" and _applies(s.get("Condition", {}))}
    return {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"} <= granted or "lambda:*" in granted


def _applies(condition: dict[str, dict[str, str]]) -> bool:
    """Whether a statement counts for a URL that asks for no signature: others name another caller or way."""
    known = {
        "StringEquals": {"lambda:FunctionUrlAuthType": "NONE"},
        "Bool": {"lambda:InvokedViaFunctionUrl": "true"},
    }
    return all(value == known.get(test, {}).get(key) for test, keys in condition.items() for key, value in keys.items())
