"""What AWS holds, as frozen values: configurations, aliases, URLs, policies, layer versions, roles."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from optimizer.deploy.planning.callers import Surroundings

if TYPE_CHECKING:
    from optimizer.deploy.mark import Mark
    from optimizer.deploy.planning.callers import Caller

AuthType = Literal["AWS_IAM", "NONE"]

LATEST = "$LATEST"
ALIAS = "live"
"""The alias that callers use; URL, permissions and event sources belong to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedLayer:
    """A layer version in a function's list; `zipped_bytes` is all that AWS tells of its weight."""

    arn: str
    zipped_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Code, layers and settings of `$LATEST` or of one published version.

    `code_sha256` is base64 as the API has it, `zipped_bytes` the code's, `revision` what guards the next update.
    `environment` is None where its variables are encrypted with a key that these credentials may not use; `image` is
    whether it is made from a container image, which has neither layers nor a zip; `tags` are the function's, None
    where they are not told (of a version, in a listing) or may not be read; `modified` is when it was changed last, as
    Lambda writes it, and `snap_start` whether snapshots are taken of versions (`On`, `Off`), empty without.
    """

    arn: str
    version: str
    description: str
    code_sha256: str
    zipped_bytes: int
    layers: tuple[AttachedLayer, ...]
    handler: str
    runtime: str
    architecture: str
    memory_mb: int
    timeout_seconds: int
    environment: dict[str, str] | None = field(repr=False)
    role: str
    revision: str
    state: str
    state_reason: str = ""
    update_status: str = "Successful"
    update_reason: str = ""
    image: bool = False
    modified: str = ""
    snap_start: str = ""
    tags: dict[str, str] | None = None

    @property
    def layer_arns(self) -> tuple[str, ...]:
        """The layer versions in attach order."""
        return tuple(layer.arn for layer in self.layers)

    @property
    def function(self) -> str:
        """The function's name."""
        return self.arn.split(":")[6]

    @property
    def account(self) -> str:
        """The account that owns the function."""
        return self.arn.split(":")[4]

    @property
    def settled(self) -> bool:
        """Whether no creation and no update is under way."""
        return self.state != "Pending" and self.update_status != "InProgress"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """A name for a version; `weights` are the shares from 0 to 1 that other versions get of its traffic."""

    name: str
    version: str
    revision: str
    arn: str = ""
    description: str = ""
    weights: dict[str, float] = field(default_factory=dict)

    @property
    def weighted(self) -> bool:
        """Whether a second version gets a share of its traffic."""
        return bool(self.weights)

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions that it sends callers to, its own first."""
        return (self.version, *self.weights)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """How the calls of one version behind an alias ended, as CloudWatch has counted them so far.

    `errors` of `invocations` ended with an exception or a timeout; `server_errors` of `requests` through the URL were
    answered with 5xx.
    """

    invocations: int = 0
    errors: int = 0
    requests: int = 0
    server_errors: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Url:
    """A function URL and who may call it; `cors` and the invoke `mode` are as the API has them."""

    address: str
    auth: AuthType
    cors: dict[str, Any] | None = None
    mode: str = "BUFFERED"


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerVersion:
    """One published version of a layer of ours.

    `fingerprint` is the whole one, or its first 32 digits where only a function version's description told it.
    """

    name: str
    version: int
    arn: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedLayer:
    """One version of any layer as ListLayerVersions shows it: no hash and no bytes, only the description.

    `created` is ISO 8601 as AWS writes it; `runtimes` and `architectures` are what it says it is for, empty for any.
    """

    arn: str
    version: int
    description: str = ""
    created: str = ""
    runtimes: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerFacts:
    """What a layer version tells of itself; `created` as Lambda writes it."""

    arn: str
    description: str
    zipped_bytes: int
    created: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeStorage:
    """Zipped bytes that all versions of functions and layers of a region take, and how many it has room for."""

    used_bytes: int
    limit_bytes: int


Absence = Literal["gone", "hidden"]
"""Why a layer version can't be read: it was deleted (or never was), or these credentials may not see it."""

LayerKey = tuple[str, str]
"""A layer's name and its whole fingerprint: two layers may hold the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """An IAM role: whether this project made it, our inline policy, and the managed ones' ARNs (None: not read)."""

    name: str
    arn: str
    ours: bool
    policy: dict[str, Any] | None
    attached: frozenset[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """What an invocation answered; `error` is Lambda's FunctionError, `log` the last 4 KB of its log."""

    payload: bytes
    error: str | None
    log: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteState:
    """One function in one region, as far as it had to be read.

    `mark` is what the last deploy left, if it is still true; `live` the version that the alias serves, `latest` is
    `$LATEST`. Where the mark tells that nothing or only code is to be changed, or `live` that nothing is, the rest is
    not read, and `whole` is False. `published` are the layer versions that carry a wanted fingerprint by layer,
    `fingerprints` the first 32 digits by the ARN of attached layers as far as they are known, `retired` the ARNs of
    attached layers that an earlier deploy of ours put there and this one does not want, and `callers` who calls
    `$LATEST`, with their `surroundings` where they are to be moved. `grants` are the ids of the alias's permissions.
    """

    region: str
    mark: Mark | None = None
    live: Configuration | None = None
    url: Url | None = None
    grants: frozenset[str] | None = None
    role: Role | None = None
    whole: bool = True
    latest: Configuration | None = None
    alias: Alias | None = None
    published: dict[str, LayerVersion] = field(default_factory=dict)
    fingerprints: dict[str, str] = field(default_factory=dict)
    retired: frozenset[str] = frozenset()
    callers: tuple[Caller, ...] = ()
    surroundings: Surroundings = field(default_factory=Surroundings)


def layer_name(arn: str) -> str:
    """The name in a layer version's ARN."""
    return arn.split(":")[6]


def layer_base(arn: str) -> str:
    """A layer version's ARN without the version: two versions of one layer can't be attached together."""
    return arn.rpartition(":")[0]


def layer_account(arn: str) -> str:
    """The account that owns a layer."""
    return arn.split(":")[4]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """An object in S3, or an unfinished upload of one, which has an `identifier`."""

    key: str
    age_seconds: float
    identifier: str | None = None
