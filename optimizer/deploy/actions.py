"""The closed union of what a deploy can do; a change set is a list of these, printed or executed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optimizer.build import Artifact
    from optimizer.deploy.remote import RemoteLayer


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """`subject` is what it acts on, `bytes` what it sends, `reason` why."""

    subject: str
    reason: str
    bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepLayer(_Step):
    """A layer whose fingerprint is published already."""

    layer: RemoteLayer


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishLayer(_Step):
    """A layer whose fingerprint is new."""

    artifact: Artifact
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRole(_Step):
    """A role for the function."""

    policy: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateFunction(_Step):
    """The function itself, with code, layers and settings at once."""

    artifact: Artifact
    settings: Mapping[str, Any]
    layers: tuple[str, ...]
    role_arn: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepCode(_Step):
    """Code that $LATEST has already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateCode(_Step):
    """Code that $LATEST does not have."""

    artifact: Artifact


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachLayers(_Step):
    """The whole list in attach order: names of our layers, ARNs of others; with settings that differ, in one call."""

    layers: tuple[str, ...]
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateSettings(_Step):
    """Settings that differ, layers left as they are."""

    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishVersion(_Step):
    """Code and layers frozen together."""

    description: str
    code_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check(_Step):
    """The new version called before anybody else calls it."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveAlias(_Step):
    """The alias pointed at the new version; `revision` guards it, None creates it."""

    revision: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PutUrl(_Step):
    """The alias's URL made, or its callers changed."""

    auth: str
    exists: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant(_Step):
    """One statement of the alias's policy."""

    statement: Mapping[str, Any]


Action = (
    KeepLayer
    | PublishLayer
    | CreateRole
    | CreateFunction
    | KeepCode
    | UpdateCode
    | AttachLayers
    | UpdateSettings
    | PublishVersion
    | Check
    | MoveAlias
    | PutUrl
    | Grant
)

NAMES: Mapping[type, tuple[str, str]] = {
    KeepLayer: ("keep-layer", "="),
    PublishLayer: ("publish-layer", "+"),
    CreateRole: ("create-role", "+"),
    CreateFunction: ("create-function", "+"),
    KeepCode: ("keep-code", "="),
    UpdateCode: ("update-code", "~"),
    AttachLayers: ("attach-layers", "~"),
    UpdateSettings: ("update-settings", "~"),
    PublishVersion: ("publish-version", "+"),
    Check: ("check", "?"),
    MoveAlias: ("move-alias", "~"),
    PutUrl: ("put-url", "~"),
    Grant: ("grant", "+"),
}
"""Each action's name in JSON, and its symbol in text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSet:
    """What one deploy does to one function in one region, in order; printed or executed, the same object.

    `url` is what stands there already, `version` the one that the alias points at before.
    """

    function: str
    region: str
    actions: tuple[Action, ...]
    layers: tuple[str, ...]
    fingerprints: Mapping[str, str]
    version: str | None
    url: str | None
    kept: tuple[RemoteLayer, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return all(isinstance(action, KeepLayer | KeepCode) for action in self.actions)

    @property
    def bytes(self) -> int:
        """What it sends."""
        return sum(action.bytes for action in self.actions)
