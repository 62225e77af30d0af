"""The closed union of what a deploy can do; each action is a value that can be printed and that execution obeys."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from optimizer.deploy.port import Settings

if TYPE_CHECKING:
    from optimizer.build import Artifact
    from optimizer.deploy.mark import Draft
    from optimizer.deploy.planning.statements import Permission
    from optimizer.deploy.values import AuthType, LayerVersion, Url


@dataclass(frozen=True, slots=True, kw_only=True)
class _Action:
    """What every action says: its `subject`, why, and the zipped `bytes` that it sends."""

    name: ClassVar[str]
    changes: ClassVar[bool] = True
    subject: str
    reason: str

    @property
    def bytes(self) -> int:
        """Zipped bytes that are sent for it."""
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sending(_Action):
    """An action that sends an artifact: in the call, or through S3 where `bucket` is named."""

    artifact: Artifact
    bucket: str | None

    @property
    def bytes(self) -> int:
        """Zipped bytes that are sent for it."""
        return self.artifact.zipped_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A place in the list of attached layers: `arn` is known, or it is that of the layer `name` published before."""

    name: str
    arn: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishLayer(_Sending):
    """Make a new version of a layer."""

    name: ClassVar[str] = "publish-layer"
    runtime: str
    architecture: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepLayer(_Action):
    """Use the version that holds this already; `found` is None where an earlier deployment of this run makes it."""

    name: ClassVar[str] = "keep-layer"
    changes: ClassVar[bool] = False
    found: LayerVersion | None
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareLayer(_Action):
    """Let an account, or all of an organisation's, attach one version of a layer; None is the one published before."""

    name: ClassVar[str] = "share-layer"
    statement: str
    principal: str
    organization: str | None
    fingerprint: str
    version: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnshareLayer(_Action):
    """Take such a permission of ours back."""

    name: ClassVar[str] = "unshare-layer"
    statement: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DropUpload(_Action):
    """Remove what a killed run left in S3: an object, or an unfinished upload where `upload` has its id."""

    name: ClassVar[str] = "drop-upload"
    bucket: str
    key: str
    upload: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRole(_Action):
    """Make a role that Lambda may take."""

    name: ClassVar[str] = "create-role"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachPolicy(_Action):
    """Attach a managed policy to the role."""

    name: ClassVar[str] = "attach-policy"
    policy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PutPolicy(_Action):
    """Write our inline policy of the role."""

    name: ClassVar[str] = "put-policy"
    document: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletePolicy(_Action):
    """Remove our inline policy of the role."""

    name: ClassVar[str] = "delete-policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateFunction(_Sending):
    """Make the function with code, layers and settings; `role` is None where CreateRole or an existing one gives it."""

    name: ClassVar[str] = "create-function"
    settings: Settings
    architecture: str
    role: str | None
    layers: tuple[Slot, ...]
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TagFunction(_Action):
    """Take the tags `drop` of the function of that `arn` away, and set `tags`; all others stay."""

    name: ClassVar[str] = "tag-function"
    arn: str
    tags: dict[str, str]
    drop: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateCode(_Sending):
    """Send new code to `$LATEST`.

    `room` is the list of layers that is attached first where Lambda says that the code does not fit beside those that
    are: those of them that stay. None where that can't be, or would be of no use.
    """

    name: ClassVar[str] = "update-code"
    architecture: str
    room: tuple[Slot, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepCode(_Action):
    """The code is there already."""

    name: ClassVar[str] = "keep-code"
    changes: ClassVar[bool] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachLayers(_Action):
    """Replace the list of attached layers of `$LATEST` by the whole of `layers`."""

    name: ClassVar[str] = "attach-layers"
    layers: tuple[Slot, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateSettings(_Action):
    """Change settings of `$LATEST`."""

    name: ClassVar[str] = "update-settings"
    settings: Settings = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishVersion(_Action):
    """Freeze `$LATEST`."""

    name: ClassVar[str] = "publish-version"
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check(_Action):
    """Ask the new version for `path` through the function's own router, before anybody else does."""

    name: ClassVar[str] = "check"
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateAlias(_Action):
    """Make the alias, at the new version; `mark` is what it says of this deploy, if nothing is done after it."""

    name: ClassVar[str] = "create-alias"
    mark: Draft | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveAlias(_Action):
    """Point the alias at the new version with all traffic; `mark` is as in CreateAlias.

    `revision` guards it, "" is that which FreezeLatest left.
    """

    name: ClassVar[str] = "move-alias"
    revision: str
    before: str
    mark: Draft | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnTraffic(_Action):
    """Give all of the alias's traffic to its own version again; `revision` guards it."""

    name: ClassVar[str] = "return-traffic"
    revision: str
    before: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftTraffic(_Action):
    """Send a `share` from 0 to 1 of the alias's traffic to the new version; what was there `before` keeps the rest.

    `revision` guards it, or that of the last change of the alias in this change set. Both are empty where the alias is
    made in this change set.
    """

    name: ClassVar[str] = "shift-traffic"
    revision: str
    before: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch(_Action):
    """Watch for so many `seconds` how the new version's calls end; over `max_error_rate` all traffic goes back."""

    name: ClassVar[str] = "watch"
    changes: ClassVar[bool] = False
    share: float
    seconds: float
    max_error_rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UseVersion(_Action):
    """Take a version that was published before, as soon as it can be called."""

    name: ClassVar[str] = "use-version"
    changes: ClassVar[bool] = False
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepAlias(_Action):
    """The alias serves what is wanted already, as `version`."""

    name: ClassVar[str] = "keep-alias"
    changes: ClassVar[bool] = False
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkAlias(_Action):
    """Write into the alias's description what this deploy leaves, when all of it is done."""

    name: ClassVar[str] = "mark-alias"
    mark: Draft


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateUrl(_Action):
    """Give the alias a URL; `like` is one whose CORS and invoke mode it gets."""

    name: ClassVar[str] = "create-url"
    auth: AuthType
    like: Url | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateUrl(_Action):
    """Change who may call the alias's URL; `like` is one whose CORS and invoke mode it gets."""

    name: ClassVar[str] = "update-url"
    auth: AuthType
    like: Url | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteUrl(_Action):
    """Take the alias's URL away."""

    name: ClassVar[str] = "delete-url"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepUrl(_Action):
    """The alias has the URL that is wanted."""

    name: ClassVar[str] = "keep-url"
    changes: ClassVar[bool] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant(_Action):
    """Let anybody call the alias's URL; `via_url_only` is the second of the two permissions that this takes."""

    name: ClassVar[str] = "grant"
    statement: str
    via_url_only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoke(_Action):
    """Remove a permission of ours from the alias."""

    name: ClassVar[str] = "revoke"
    statement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeLatest(_Action):
    """Publish `$LATEST` as it is before it changes, and point the alias at it, for callers who are moved there."""

    name: ClassVar[str] = "freeze-latest"


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveSource(_Action):
    """Let an event source that calls `$LATEST` call the alias."""

    name: ClassVar[str] = "move-source"
    identifier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PointAlias(_Action):
    """Point an alias that isn't ours at the version that ours serves at that moment."""

    name: ClassVar[str] = "point-alias"
    description: str
    revision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyPermission(_Action):
    """Grant on the alias what is granted on the function; `statement` is its id there."""

    name: ClassVar[str] = "copy-permission"
    statement: str
    permission: Permission


@dataclass(frozen=True, slots=True, kw_only=True)
class DropPermission(_Action):
    """Remove a permission from the function that nothing needs there."""

    name: ClassVar[str] = "drop-permission"
    statement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepCaller(_Action):
    """Somebody goes on calling `$LATEST`; the reason says why, and what its owner can do."""

    name: ClassVar[str] = "keep-caller"
    changes: ClassVar[bool] = False


Action = (
    PublishLayer
    | KeepLayer
    | ShareLayer
    | UnshareLayer
    | DropUpload
    | CreateRole
    | AttachPolicy
    | PutPolicy
    | DeletePolicy
    | CreateFunction
    | TagFunction
    | UpdateCode
    | KeepCode
    | AttachLayers
    | UpdateSettings
    | PublishVersion
    | Check
    | CreateAlias
    | MoveAlias
    | ReturnTraffic
    | ShiftTraffic
    | Watch
    | UseVersion
    | KeepAlias
    | MarkAlias
    | CreateUrl
    | UpdateUrl
    | DeleteUrl
    | KeepUrl
    | Grant
    | Revoke
    | FreezeLatest
    | MoveSource
    | PointAlias
    | CopyPermission
    | DropPermission
    | KeepCaller
)
"""Every action; whoever handles them ends with assert_never."""


def sent_artifact(action: Action) -> Artifact | None:
    """The artifact that an action sends, if it sends one."""
    return action.artifact if isinstance(action, PublishLayer | CreateFunction | UpdateCode) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLayer:
    """A layer of ours as the function gets it; `version` and `arn` are None until it is published."""

    name: str
    fingerprint: str
    version: int | None
    arn: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSet:
    """The actions that lead one function in one region from what is there to what is planned, in order.

    `layers` are ours in attach order. What is there before: `version` and `url` of the alias, `role` the function's
    role, and of `$LATEST` its `revision`, which guards the first update, the hash of its code, its `attached` list and
    its `settings`.
    `before` is the version that the alias served before the one that it serves after this, `words` what a person wrote
    into its description.
    `callers` are those of `$LATEST` who see it half-done meanwhile, which was accepted.
    """

    function: str
    region: str
    actions: tuple[Action, ...]
    layers: tuple[OwnLayer, ...]
    version: str | None = None
    url: str | None = None
    role: str | None = None
    revision: str = ""
    code_sha256: str = ""
    attached: tuple[str, ...] = ()
    settings: Settings = field(default_factory=Settings, repr=False)
    before: str | None = None
    words: str = ""
    callers: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether anything is to be done."""
        return any(action.changes for action in self.actions)

    @property
    def bytes(self) -> int:
        """Zipped bytes that are sent for it."""
        return sum(action.bytes for action in self.actions)
