"""Plans what surrounds the code: the role and its policy, the alias's URL and who may call it, tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer import tags
from optimizer.deploy.actions import (
    AttachPolicy,
    CreateRole,
    CreateUrl,
    DeletePolicy,
    DeleteUrl,
    Grant,
    KeepUrl,
    PutPolicy,
    Revoke,
    TagFunction,
    UpdateUrl,
)
from optimizer.deploy.wanted import AUTH, STATEMENTS
from optimizer.errors import DeployRefusedError

if TYPE_CHECKING:
    from optimizer.deploy.actions import Action
    from optimizer.deploy.values import RemoteState, Url
    from optimizer.deploy.wanted import Wanted

_LOGS = "service-role/AWSLambdaBasicExecutionRole"
_PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}
"""By how the names of a partition's regions begin; all others are in `aws` (botocore's partitions)."""
_WHO = {"AWS_IAM": "callers sign with IAM", "NONE": "anybody may call it"}


def role_actions(wanted: Wanted, state: RemoteState) -> tuple[Action, ...]:
    """What makes the function's role, or makes a role of ours what it should be; somebody else's is left alone."""
    function, role, name, latest = wanted.function, state.role, wanted.role_name, state.latest
    missing = role is None and state.whole and (latest is None or wanted.has_own_role(latest))
    if wanted.layers is None or function.role_arn or (role is None and not missing):
        return ()
    policy = logs_policy(state.region)
    logs = AttachPolicy(subject=name, reason="the function writes its log", policy=policy)
    if role is None:
        made: list[Action] = [
            CreateRole(subject=name, reason="the function has none" if latest is None else "it is gone"),
            logs,
        ]
        if function.policy is not None:
            made.append(PutPolicy(subject=name, reason="what the function may do", document=function.policy))
        return tuple(made)
    if not role.ours:
        return ()
    actions: list[Action] = [] if role.attached is None or policy in role.attached else [logs]
    if function.policy is not None and role.policy != function.policy:
        why = "what the function may do" if role.policy is None else "the policy differs"
        actions.append(PutPolicy(subject=name, reason=why, document=function.policy))
    elif function.policy is None and role.policy is not None:
        actions.append(DeletePolicy(subject=name, reason="no policy is configured any more"))
    return tuple(actions)


def url_actions(wanted: Wanted, state: RemoteState, *, like: Url | None = None) -> tuple[Action, ...]:
    """What gives the alias the URL that is wanted, at no moment turning away whom it lets in before and after.

    A public URL has its permissions before it is, and as long as it is: so by itself it tells of them.
    `like` is a URL whose CORS and invoke mode it gets, unless it has CORS of its own.
    """
    if wanted.layers is None:
        return ()
    auth = AUTH[wanted.function.url]
    subject = f"{wanted.function.name}:live"
    grants = state.grants or frozenset()
    if state.grants is None:
        permissions: list[Action] = []  # not read, since the URL is what is wanted
    elif auth == "NONE":
        permissions = [
            Grant(subject=subject, reason="anybody may call the URL", statement=statement, via_url_only=via_url_only)
            for statement, via_url_only in STATEMENTS.items()
            if statement not in grants
        ]
    else:
        permissions = [
            Revoke(subject=subject, reason="the URL is not public any more", statement=statement)
            for statement in STATEMENTS
            if statement in grants
        ]
    url = _url(subject, auth, state, like)
    return (*permissions, *url) if auth == "NONE" else (*url, *permissions)


def _url(subject: str, auth: str | None, state: RemoteState, like: Url | None) -> tuple[Action, ...]:
    there = state.url
    match auth:
        case None:
            return (DeleteUrl(subject=subject, reason="no URL is configured"),) if there else ()
        case "AWS_IAM" | "NONE":
            if there is None:
                return (CreateUrl(subject=subject, reason=_WHO[auth], auth=auth, like=like),)
            if there.auth != auth:
                return (UpdateUrl(subject=subject, reason=_WHO[auth], auth=auth),)
            if like is not None and like.cors is not None and there.cors is None:
                why = "CORS as the URL without a qualifier has it"
                return (UpdateUrl(subject=subject, reason=why, auth=auth, like=like),)
            return (KeepUrl(subject=subject, reason=there.address),)
        case _:
            raise AssertionError(auth)


def tag_actions(wanted: Wanted, state: RemoteState) -> tuple[Action, ...]:
    """What makes our tags of a function that is there what they should be; those of others stay.

    Raises:
        DeployRefusedError: tags are configured, and those that are there can't be read.
    """
    latest = state.latest
    if wanted.layers is None or latest is None:
        return ()
    given = tags.marked(wanted.function.tags)
    if latest.tags is None:
        if not given:
            return ()
        raise DeployRefusedError(
            f"The tags of {wanted.function.name} in {state.region} can't be read, so ours can't be told from others'",
            mend="Allow lambda:ListTags to the identity that deploys, or leave `tags` out.",
        )
    there = latest.tags
    ours = {*tags.keys_in(there.get(tags.MARKER, "")), *([tags.MARKER] if tags.MARKER in there else [])}
    put = {key: value for key, value in given.items() if there.get(key) != value}
    drop = tuple(sorted(key for key in ours if key in there and key not in given))
    if not (put or drop):
        return ()
    told = [f"{key}={value}" for key, value in put.items() if key != tags.MARKER]
    told += [f"without {key}" for key in drop if key != tags.MARKER]
    reason = ", ".join(told) or "which of them are ours"
    return (TagFunction(subject=wanted.function.name, reason=reason, arn=latest.arn, tags=put, drop=drop),)


def logs_policy(region: str) -> str:
    """The ARN of the managed policy that lets a function write its log."""
    return f"arn:{partition_of(region)}:iam::aws:policy/{_LOGS}"


def partition_of(region: str) -> str:
    """The partition that a region belongs to."""
    return next((partition for prefix, partition in _PARTITIONS.items() if region.startswith(prefix)), "aws")
