"""How many calls to AWS each action of a change set takes, where nothing goes wrong and nothing is waited for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, assert_never

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
from optimizer.deploy.execution.shift import readings

if TYPE_CHECKING:
    from optimizer.deploy.actions import Action, ChangeSet

_PART_BYTES = 8 << 20
"""s3transfer sends what has so many bytes in parts of so many."""


def calls_of(changes: ChangeSet) -> tuple[int, ...]:
    """The least calls of each action; one more for each update that settles late, or call that is repeated."""
    counts, moving = [], False
    for action in changes.actions:
        # an update before has to settle first, and what it left guards this one
        waits = moving and isinstance(action, UpdateCode | AttachLayers | UpdateSettings)
        counts.append(_calls(action, changes) + waits)
        if isinstance(action, CreateFunction | UpdateCode | AttachLayers | UpdateSettings):
            moving = True
        elif isinstance(action, FreezeLatest):
            moving = False
    return tuple(counts)


def _calls(action: Action, changes: ChangeSet) -> int:  # noqa: PLR0911  a number each
    match action:
        case KeepLayer() | KeepCode() | KeepAlias() | KeepUrl() | KeepCaller():
            return 0
        case PublishLayer() | CreateFunction() | UpdateCode():
            return 1 + (0 if action.bucket is None else _stored(action.bytes))
        case TagFunction():
            return bool(action.drop) + bool(action.tags)
        case Watch():
            return 2 * readings(action.seconds)  # the metrics, and whether the alias is as it was left
        case FreezeLatest():
            return 4 if changes.version is not None else 5  # an alias may serve just that already
        case PointAlias():
            return 2  # it is read first
        case (
            ShareLayer()
            | UnshareLayer()
            | DropUpload()
            | CreateRole()
            | AttachPolicy()
            | PutPolicy()
            | DeletePolicy()
            | AttachLayers()
            | UpdateSettings()
            | PublishVersion()
            | Check()
            | UseVersion()
            | CreateAlias()
            | MoveAlias()
            | ReturnTraffic()
            | ShiftTraffic()
            | MarkAlias()
            | CreateUrl()
            | UpdateUrl()
            | DeleteUrl()
            | Grant()
            | Revoke()
            | MoveSource()
            | CopyPermission()
            | DropPermission()
        ):
            return 1
        case _:
            assert_never(action)


def _stored(size: int) -> int:
    """Into S3, in parts where it is large; removed again, and looked for what is unfinished."""
    return (1 if size < _PART_BYTES else 2 + math.ceil(size / _PART_BYTES)) + 2
