"""The port to AWS: one verb for each need. boto3 implements it in `aws`; tests stand in for it with a small fake."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from optimizer.deploy.planning.callers import Caller, CallingSource, Surroundings
    from optimizer.deploy.planning.statements import Permission, Statement
    from optimizer.deploy.values import (
        Absence,
        Alias,
        AuthType,
        Calls,
        CodeStorage,
        Configuration,
        Invocation,
        LayerFacts,
        LayerVersion,
        ListedLayer,
        Role,
        Upload,
        Url,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Direct:
    """A zip that goes with the call."""

    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A zip that lies in S3."""

    bucket: str
    key: str


Zip = Direct | Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What UpdateFunctionConfiguration is to change; None leaves as it is. `environment` replaces the whole."""

    handler: str | None = None
    runtime: str | None = None
    memory_mb: int | None = None
    timeout_seconds: int | None = None
    environment: dict[str, str] | None = None
    role: str | None = None
    layers: tuple[str, ...] | None = None

    @classmethod
    def of(cls, there: Configuration) -> Settings:
        """What a function or version has; its layers are compared by themselves."""
        return cls(
            handler=there.handler,
            runtime=there.runtime,
            memory_mb=there.memory_mb,
            timeout_seconds=there.timeout_seconds,
            environment=there.environment,
            role=there.role,
        )

    def given(self) -> dict[str, Any]:
        """Those that are not None, by name."""
        found = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {name: value for name, value in found.items() if value is not None}


class Aws(Protocol):
    """AWS in one region.

    What is not there is None or empty. Every verb raises CallRejectedError where AWS refuses, AnswerLostError where it
    may have acted all the same, AwsError where it is not reached. `revision` guards: a stale one is refused as
    PreconditionFailedException.
    """

    @property
    def region(self) -> str:
        """The region's name."""

    # functions
    def configuration(self, function: str, qualifier: str | None = None) -> Configuration | None:
        """The configuration of `$LATEST`, a version, or what an alias points at (GetFunction: 100 calls a second)."""

    def create_function(
        self, function: str, settings: Settings, code: Zip, *, architecture: str, role: str, tags: Mapping[str, str]
    ) -> Configuration:
        """Make it; it is Pending afterwards."""

    def tag(self, arn: str, tags: Mapping[str, str]) -> None:
        """Set tags of a function; its others stay."""

    def untag(self, arn: str, keys: Sequence[str]) -> None:
        """Take tags of a function away, as far as it has them."""

    def update_code(self, function: str, code: Zip, *, architecture: str, revision: str) -> None:
        """Send new code; the update is in progress afterwards."""

    def update_configuration(self, function: str, settings: Settings, *, revision: str) -> None:
        """Change settings or the list of layers; the update is in progress afterwards."""

    def publish_version(
        self, function: str, description: str, *, code_sha256: str, revision: str | None
    ) -> Configuration:
        """Freeze `$LATEST`; where nothing changed since the newest version, that one is the answer.

        `revision` is None where the update before has not been seen to settle: refused until then.
        """

    def invoke(self, function: str, version: str, event: bytes) -> Invocation:
        """Call one version once and wait: it is not tried again, as that may take as long as the first time."""

    # listings
    def versions(self, function: str) -> tuple[Configuration, ...]:
        """A function's published versions, oldest first."""

    def provisioned(self, function: str) -> dict[str, int]:
        """A function's provisioned concurrency, by version or alias."""

    def every_latest(self) -> Iterator[Configuration]:
        """`$LATEST` of every function, as they come; states are not told."""

    def every_version(self) -> Iterator[Configuration]:
        """`$LATEST` and every published version of every function, as they come; states are not told."""

    def aliases(self, function: str) -> tuple[Alias, ...]:
        """All of a function's aliases; none where the function is gone."""

    def layer_versions(self, layer: str) -> tuple[ListedLayer, ...] | None:
        """A layer's versions by name or ARN, newest first and without deleted ones.

        None where another account's can't be listed.
        """

    # aliases, URLs, permissions
    def alias(self, function: str, name: str) -> Alias | None:
        """Where it points."""

    def create_alias(self, function: str, name: str, version: str, *, description: str) -> None:
        """Name a version."""

    def move_alias(
        self, function: str, name: str, version: str, *, description: str, revision: str, shared: bool = True
    ) -> None:
        """Point the name at another version; `shared`: it may share its traffic, all of which goes there then."""

    def describe_alias(self, function: str, name: str, description: str) -> None:
        """Change the description alone."""

    def share_alias(self, function: str, name: str, weights: Mapping[str, float], *, revision: str) -> str:
        """Give shares of its traffic from 0 to 1 to other versions, or none to any; the new revision."""

    def calls_of(self, function: str, name: str, version: str, *, seconds: float) -> Calls:
        """How the calls of a version behind the alias ended in so many seconds up to now, by whole minutes."""

    def url(self, function: str, qualifier: str | None) -> Url | None:
        """The URL of an alias, or of `$LATEST` without one."""

    def create_url(self, function: str, qualifier: str, auth: AuthType, *, like: Url | None = None) -> Url:
        """Give the alias a URL, with the CORS and the invoke mode of another."""

    def update_url(self, function: str, qualifier: str, auth: AuthType, *, like: Url | None = None) -> None:
        """Change who may call the URL; and its CORS and invoke mode to those of another."""

    def delete_url(self, function: str, qualifier: str) -> None:
        """Take the URL away."""

    def statements(self, function: str, qualifier: str | None) -> tuple[str, ...]:
        """The ids of the statements in the resource policy."""

    def grant_url(self, function: str, qualifier: str, statement: str, *, via_url_only: bool) -> None:
        """Let anybody call the URL: lambda:InvokeFunctionUrl, or `via_url_only` lambda:InvokeFunction through it."""

    def policy(self, function: str, qualifier: str | None) -> tuple[Statement, ...]:
        """The statements of the resource policy."""

    def grant(self, function: str, qualifier: str, statement: str, permission: Permission) -> None:
        """Let somebody call it."""

    def revoke(self, function: str, qualifier: str | None, statement: str) -> None:
        """Remove a statement."""

    # callers of $LATEST
    def callers_of_latest(self, function: str) -> tuple[Caller, ...]:
        """Who calls `$LATEST`: unqualified URL, policy, event sources, aliases that point there or did."""

    def sources_of_latest(self) -> dict[str, tuple[CallingSource, ...]]:
        """The event sources that call `$LATEST`, by function, of the whole region in one listing."""

    def surroundings(self, function: str, sources: Sequence[str]) -> Surroundings:
        """What has to be known to move them: the alias's policy and event sources, and whom `sources` call."""

    def move_source(self, identifier: str, function: str, qualifier: str) -> None:
        """Let an event source call the alias; ResourceInUseException while an earlier change is under way."""

    def point_alias(self, function: str, name: str, version: str, *, description: str, revision: str) -> None:
        """Point an alias at a version, and describe it; the share of a second version stays as it is."""

    # layers
    def find_layer(self, name: str, fingerprint: str, *, runtime: str, architecture: str) -> LayerVersion | None:
        """The newest version that carries the fingerprint."""

    def layer_description(self, arn: str) -> str | None:
        """A layer version's description; None where it is deleted or not ours to read."""

    def layer_facts(self, arn: str) -> LayerFacts | Absence:
        """What a layer version tells of itself, or why it can't be read."""

    def publish_layer(
        self, name: str, fingerprint: str, content: Zip, *, runtime: str, architecture: str, commit: str | None
    ) -> LayerVersion:
        """Make a new version; tried once only, since each call that acts makes another version."""

    def layer_grants(self, layer: str, version: int) -> frozenset[str]:
        """The ids of the statements in a layer version's policy."""

    def share_layer(
        self, layer: str, version: int, statement: str, *, principal: str, organization: str | None
    ) -> None:
        """Let others attach a layer version."""

    def unshare_layer(self, layer: str, version: int, statement: str) -> None:
        """Remove such a statement."""

    # what can go
    def shared_with(self, layer: str, version: int) -> tuple[str, ...] | None:
        """Whom a layer version's policy lets in, a line for each statement; None where it can't be read."""

    def callers_of_version(self, function: str, version: str) -> tuple[str, ...]:
        """Who calls a published version by its number, a line for each: policy, event sources."""

    def calls_by_number(self, function: str, version: str, *, since: datetime) -> int | None:
        """How often a version was called by its number since then; None where these metrics can't be read."""

    def code_storage(self) -> CodeStorage:
        """The room that versions take in the region."""

    def delete_layer_version(self, layer: str, version: int) -> None:
        """Take a layer version away; where it is attached it works on. One that is gone is none to take away."""

    def delete_version(self, function: str, version: str) -> None:
        """Take a published version away; refused where an alias points at it. So with one that is gone."""

    # roles
    def role(self, name: str) -> Role | None:
        """The role, our inline policy, and what is attached."""

    def role_policy(self, name: str) -> dict[str, Any] | None:
        """Our inline policy alone."""

    def create_role(self, name: str) -> str:
        """A role that Lambda may take; its ARN."""

    def attach_policy(self, role: str, policy: str) -> None:
        """Attach a managed policy by ARN."""

    def put_policy(self, role: str, document: dict[str, Any]) -> None:
        """Write our inline policy."""

    def delete_policy(self, role: str) -> None:
        """Remove our inline policy."""

    # storage and parameters
    def store(self, bucket: str, key: str, path: Path, *, stopping: Callable[[], bool]) -> None:
        """Send a file to S3, in parts where it is large; none of them is left when it fails, or `stopping` says so."""

    def unstore(self, bucket: str, key: str, *, upload: str | None = None) -> None:
        """Remove an object, or an unfinished upload by its id; one that is gone is none the less removed."""

    def stored(self, bucket: str, prefix: str) -> tuple[Upload, ...]:
        """The objects whose keys begin so."""

    def unfinished(self, bucket: str, prefix: str) -> tuple[Upload, ...]:
        """The unfinished uploads of objects whose keys begin so."""

    def parameters(self, names: Sequence[str]) -> dict[str, str]:
        """SSM parameters by name, those that exist."""

    def put_parameter(self, name: str, value: str) -> None:
        """Write an SSM parameter."""
