"""Carries out what `adoption` plans: freezing `$LATEST`, moving event sources, aliases and permissions."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from optimizer.deploy.clock import waits
from optimizer.deploy.mark import words_of
from optimizer.deploy.planning.callers import FOLLOWS
from optimizer.deploy.rejections import CallRejectedError
from optimizer.deploy.values import ALIAS, LATEST
from optimizer.errors import DeployRefusedError

if TYPE_CHECKING:
    from optimizer.deploy.actions import CopyPermission, MoveSource, PointAlias
    from optimizer.deploy.clock import Clock
    from optimizer.deploy.execution.latest import Latest
    from optimizer.deploy.port import Aws

_BUSY_SECONDS = 120.0
"""An event-source mapping takes some seconds for each change, and takes no other meanwhile."""
FROZEN = "what $LATEST was when its callers were moved to an alias"
"""The description of the version that `$LATEST` is frozen as."""


def freeze_latest(aws: Aws, function: str, latest: Latest) -> tuple[str, str]:
    """Publish `$LATEST` as it is and point the alias at it; that version, and the alias's revision then.

    Raises:
        DeployRefusedError: somebody else changed the function meanwhile.
    """
    version = latest.freeze(FROZEN)
    there = aws.alias(function, ALIAS)
    try:
        if there is None:
            aws.create_alias(function, ALIAS, version, description="")
        elif there.version == LATEST:
            aws.move_alias(function, ALIAS, version, description=words_of(there), revision=there.revision)
    except CallRejectedError as error:
        if error.aws_code not in {"ResourceConflictException", "PreconditionFailedException"}:
            raise
    there = aws.alias(function, ALIAS)
    if there is None or there.version != version:
        raise DeployRefusedError(
            f"The alias {ALIAS!r} of {function} in {aws.region} was changed by somebody else at the same time",
            mend="Look who deploys there; then deploy again.",
        )
    return version, there.revision


def move_source(aws: Aws, function: str, action: MoveSource, clock: Clock) -> None:
    """Let an event source call the alias, as soon as the mapping takes a change.

    Raises:
        CallRejectedError: it is refused, or busy for two minutes.
    """
    busy: CallRejectedError | None = None
    for _ in chain((None,), waits(clock, within=_BUSY_SECONDS)):
        try:
            aws.move_source(action.identifier, function, ALIAS)
        except CallRejectedError as error:
            if error.aws_code != "ResourceInUseException":
                raise
            busy = error
        else:
            return
    if busy is not None:
        raise busy


def copy_permission(aws: Aws, function: str, action: CopyPermission) -> None:
    """Grant on the alias what is granted on the function; where an earlier answer was lost it is there.

    Raises:
        CallRejectedError: it is refused, or another statement has the id meanwhile.
    """
    try:
        aws.grant(function, ALIAS, action.statement, action.permission)
    except CallRejectedError as error:
        if error.aws_code != "ResourceConflictException":
            raise
        there = {statement.sid: statement.permission() for statement in aws.policy(function, ALIAS)}
        if there.get(action.statement) != action.permission:
            raise


def point_alias(aws: Aws, function: str, action: PointAlias, version: str) -> None:
    """Compare and swap: as it was planned on, or on its way since then.

    Raises:
        DeployRefusedError: somebody else changed the alias meanwhile.
    """
    there = aws.alias(function, action.subject)
    if there is not None and (there.version, there.description) == (version, action.description):
        return
    ours = there is not None and (there.revision == action.revision or there.description.endswith(FOLLOWS))
    try:
        if there is not None and ours:
            aws.point_alias(function, action.subject, version, description=action.description, revision=there.revision)
            return
    except CallRejectedError as error:
        if error.aws_code != "PreconditionFailedException":
            raise
        there = aws.alias(function, action.subject)
        if there is not None and there.version == version:  # only the answer was lost
            return
    raise DeployRefusedError(
        f"The alias {action.subject!r} of {function} in {aws.region} was changed by somebody else at the same time; "
        "it stays as they left it",
        mend="Look who changes it; then deploy again.",
    )
