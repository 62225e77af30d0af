"""Statements of a function's resource policy, and those that can be said again to AddPermission, word for word."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

_ACCOUNT_ROOT = re.compile(r"arn:[a-z-]+:iam::(\d{12}):root")
_PRINCIPAL = re.compile(r"arn:[a-z-]+:(iam|sts)::\d{12}:.+|\d{12}")
_CONDITIONS = {
    ("arnlike", "aws:sourcearn"): "source_arn",
    ("stringequals", "aws:sourceaccount"): "source_account",
    ("stringequals", "aws:principalorgid"): "organization",
    ("stringequals", "lambda:eventsourcetoken"): "event_source_token",
    ("stringequals", "lambda:functionurlauthtype"): "url_auth",
    ("bool", "lambda:invokedviafunctionurl"): "via_url_only",
}
"""What AddPermission makes of each of its parameters: the test and the key of a condition, and our name for it.

Tests and keys of conditions are compared without regard to case, as IAM does.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """Who may do what under which conditions, as AddPermission takes it; "" and False are conditions not made."""

    principal: str
    action: str
    source_arn: str = ""
    source_account: str = ""
    organization: str = ""
    event_source_token: str = ""
    url_auth: str = ""
    via_url_only: bool = False

    @property
    def for_url(self) -> bool:
        """Whether it lets somebody call a function URL and nothing else."""
        return self.action == "lambda:InvokeFunctionUrl" or self.via_url_only


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement of a resource policy, as the policy has it."""

    sid: str
    document: dict[str, Any] = field(repr=False)

    def permission(self) -> Permission | None:
        """What AddPermission would have to be told for it; None where it can't be told."""
        document = self.document
        principal = _principal(document.get("Principal"))
        action = document.get("Action")
        known = {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}
        if principal is None or not isinstance(action, str) or document.get("Effect") != "Allow":
            return None
        if not known >= document.keys():
            return None
        given: dict[str, Any] = {}
        for test, keys in document.get("Condition", {}).items():
            for key, value in keys.items():
                name = _CONDITIONS.get((test.lower(), key.lower()))
                if name is None or not isinstance(value, str):
                    return None
                given[name] = value
        if "via_url_only" in given:
            if given["via_url_only"].lower() != "true":
                return None
            given["via_url_only"] = True
        return Permission(principal=principal, action=action, **given)

    @property
    def source_arn(self) -> str:
        """The one resource that it lets call, where it names one whole."""
        permission = self.permission()
        return permission.source_arn if permission is not None and "*" not in permission.source_arn else ""


def _principal(found: Any) -> str | None:
    """A policy's principal as AddPermission takes it; a user or role that is gone stands there as an id, and is not."""
    if found == "*":
        return "*"
    if not isinstance(found, dict) or len(found) != 1:
        return None
    ((kind, value),) = found.items()
    if not isinstance(value, str):
        return None
    if kind == "Service" or (kind == "AWS" and value == "*"):
        return value
    if kind != "AWS" or not _PRINCIPAL.fullmatch(value):
        return None
    root = _ACCOUNT_ROOT.fullmatch(value)
    return root[1] if root else value
