"""Commands of the AWS CLI for what a deploy makes: layers, roles, code and settings of `$LATEST`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from optimizer.deploy import descriptions
from optimizer.deploy.actions import (
    AttachLayers,
    AttachPolicy,
    CreateFunction,
    CreateRole,
    DeletePolicy,
    DropUpload,
    PublishLayer,
    PutPolicy,
    ShareLayer,
    TagFunction,
    UnshareLayer,
    UpdateCode,
    UpdateSettings,
)
from optimizer.deploy.boto.account import MADE_BY, POLICY_NAME, TRUST
from optimizer.deploy.execution.uploads import key_of
from optimizer.deploy.wanted import code_sha256
from optimizer.report.shell import Command, Option, Var, Word, options, shell, word

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from optimizer.build import Artifact
    from optimizer.deploy import ChangeSet
    from optimizer.deploy.actions import Slot
    from optimizer.deploy.port import Settings

_ROLE_SECONDS = 10
"""A new role is known everywhere after some seconds; until then Lambda can't assume it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What all change sets of one run share: layers, roles and the names of variables.

    `zip_path` says where an artifact lies, `commit` what it was built from, and `endpoint_url` where AWS is, if not at
    its own addresses.
    """

    zip_path: Callable[[Artifact], Path]
    commit: str | None = None
    endpoint_url: str | None = None
    _layers: dict[tuple[str, str, str], Var] = field(default_factory=dict)
    _roles: set[str] = field(default_factory=set)

    def layer(self, region: str, name: str, fingerprint: str) -> Var:
        """The variable with the ARN of a layer version that is published in this run."""
        key = (region, name, fingerprint)
        if key not in self._layers:
            plain = "LAYER_" + re.sub(r"\W", "_", name.replace("-", "_")).upper()
            taken = {one.name for one in self._layers.values()}
            names = [plain, f"{plain}_{region.upper().replace('-', '_')}"]
            names += [f"{names[-1]}_{number}" for number in range(2, len(taken) + 3)]
            self._layers[key] = Var(name=next(one for one in names if one not in taken))
        return self._layers[key]

    def makes(self, role: str) -> bool:
        """Whether a role, which is the same in all regions, is still to be made; it is asked once."""
        new = role not in self._roles
        self._roles.add(role)
        return new


@dataclass(slots=True, kw_only=True)
class Writer:
    """One change set on its way into commands: what is known at each point, or which variable has it."""

    run: Run
    changes: ChangeSet
    version: Word = ""
    url: Word | None = None
    role: Word = ""
    code: str = ""
    revision: Word = ""
    alias_revision: Word | None = None
    shared: bool = False

    def before_any(self) -> None:
        """Take over what there is."""
        changes = self.changes
        self.version, self.url, self.role = changes.version or "", changes.url, changes.role or ""
        self.code, self.revision = changes.code_sha256, changes.revision

    def aws(self, service: str, operation: str, into: str | None = None, /, **given: Option) -> Command:
        """A command; `query` is what `into` takes of its answer."""
        given |= {"output": "text" if "query" in given else None, "region": self.changes.region}
        given["endpoint_url"] = self.run.endpoint_url
        return Command(parts=(f"aws {service} {operation}", *options(given)), into=into)

    def lambda_(self, operation: str, into: str | None = None, /, **given: Option) -> Command:
        """A command of Lambda's."""
        return self.aws("lambda", operation, into, **given)

    def function(self, operation: str, into: str | None = None, /, **given: Option) -> Command:
        """A command about the function."""
        return self.lambda_(operation, into, function_name=self.changes.function, **given)

    def publish_layer(self, action: PublishLayer) -> list[Command]:
        """Publish a layer; its ARN is in a variable then."""
        arn = self.run.layer(self.changes.region, action.subject, action.artifact.fingerprint)
        direct, stored = self._zip(action)
        publish = self.lambda_(
            "publish-layer-version",
            arn.name,
            layer_name=action.subject,
            description=descriptions.of_layer(action.artifact.fingerprint, self.run.commit),
            compatible_runtimes=[action.runtime],
            compatible_architectures=[action.architecture],
            zip_file=direct,
            content=stored and f"S3Bucket={stored[0]},S3Key={stored[1]}",
            query="LayerVersionArn",
        )
        return self._through_s3(action, publish)

    def _zip(self, action: PublishLayer | CreateFunction | UpdateCode) -> tuple[str | None, tuple[str, str] | None]:
        """A zip that goes with the call; or its bucket and key."""
        if action.bucket is None:
            return f"fileb://{self.run.zip_path(action.artifact)}", None
        return None, (action.bucket, key_of(action.artifact))

    def _through_s3(self, action: PublishLayer | CreateFunction | UpdateCode, command: Command) -> list[Command]:
        if action.bucket is None:
            return [command]
        there = f"s3://{action.bucket}/{key_of(action.artifact)}"
        copy, remove = self.aws("s3", "cp"), self.aws("s3", "rm")
        path = word(str(self.run.zip_path(action.artifact)))
        return [
            Command(parts=(f"aws s3 cp {path} {word(there)}", *copy.parts[1:])),
            command,
            Command(parts=(f"aws s3 rm {word(there)}", *remove.parts[1:])),
        ]

    def share(self, action: ShareLayer | UnshareLayer) -> Command:
        """Let somebody attach a layer version, or no more."""
        if isinstance(action, UnshareLayer):
            return self.lambda_(
                "remove-layer-version-permission",
                layer_name=action.subject,
                version_number=action.version,
                statement_id=action.statement,
            )
        published = self.run.layer(self.changes.region, action.subject, action.fingerprint)
        return self.lambda_(
            "add-layer-version-permission",
            layer_name=action.subject,
            version_number=action.version or Var(name=published.name, number=True),
            statement_id=action.statement,
            action="lambda:GetLayerVersion",
            principal=action.principal,
            organization_id=action.organization,
        )

    def drop_upload(self, action: DropUpload) -> Command:
        """Remove an object from S3, or what there is of one."""
        given: dict[str, Option] = {"bucket": action.bucket, "key": action.key}
        if action.upload is None:
            return self.aws("s3api", "delete-object", **given)
        return self.aws("s3api", "abort-multipart-upload", **given, upload_id=action.upload)

    def tag(self, action: TagFunction) -> list[Command]:
        """Take tags away, and set others."""
        keys: list[Word] = [*action.drop]
        untag = self.lambda_("untag-resource", resource=action.arn, tag_keys=keys)
        tag = self.lambda_("tag-resource", resource=action.arn, tags=json.dumps(action.tags))
        return [*([untag] if action.drop else []), *([tag] if action.tags else [])]

    def role_(self, action: CreateRole | AttachPolicy | PutPolicy | DeletePolicy) -> list[Command]:
        """Make the function's role, or what it may do."""
        name = action.subject
        match action:
            case CreateRole():
                self.role = Var(name="ROLE")
                if not self.run.makes(name):
                    return [self.aws("iam", "get-role", "ROLE", role_name=name, query="Role.Arn")]
                trust = json.dumps(TRUST)
                return [
                    self.aws(
                        "iam",
                        "create-role",
                        "ROLE",
                        role_name=name,
                        assume_role_policy_document=trust,
                        description=MADE_BY,
                        query="Role.Arn",
                    ),
                    self.aws("iam", "wait role-exists", role_name=name),
                    shell(f"sleep {_ROLE_SECONDS} # until Lambda may assume a new role"),
                ]
            case AttachPolicy():
                return [self.aws("iam", "attach-role-policy", role_name=name, policy_arn=action.policy)]
            case PutPolicy():
                text = json.dumps(action.document)
                given: dict[str, Option] = {"role_name": name, "policy_name": POLICY_NAME, "policy_document": text}
                return [self.aws("iam", "put-role-policy", **given)]
            case DeletePolicy():
                return [self.aws("iam", "delete-role-policy", role_name=name, policy_name=POLICY_NAME)]

    def update(self, action: CreateFunction | UpdateCode | AttachLayers | UpdateSettings) -> list[Command]:
        """Make it or change it, wait until that has settled, and read the revision that guards the next change."""
        made: list[Command] = []
        revision = self.revision
        match action:
            case CreateFunction():
                direct, stored = self._zip(action)
                create = self.function(
                    "create-function",
                    role=action.role or self.role,
                    architectures=[action.architecture],
                    zip_file=direct,
                    code=stored and f"S3Bucket={stored[0]},S3Key={stored[1]}",
                    layers=self._arns(action.layers) or None,
                    tags=json.dumps(action.tags) if action.tags else None,
                    **self._settings(action.settings),
                )
                made += [*self._environment(action.settings), *self._through_s3(action, create)]
            case UpdateCode():
                direct, stored = self._zip(action)
                update = self.function(
                    "update-function-code",
                    architectures=[action.architecture],
                    revision_id=revision,
                    zip_file=direct,
                    s3_bucket=stored and stored[0],
                    s3_key=stored and stored[1],
                )
                made += self._through_s3(action, update)
            case AttachLayers():
                arns: list[Word] = self._arns(action.layers) or ["[]"]
                made.append(self.function("update-function-configuration", layers=arns, revision_id=revision))
            case UpdateSettings():
                given = self._settings(action.settings)
                role = action.settings.role
                made += self._environment(action.settings)
                made.append(self.function("update-function-configuration", role=role, revision_id=revision, **given))
        if isinstance(action, CreateFunction | UpdateCode):
            self.code = code_sha256(action.artifact)
        waiter = "function-active-v2" if isinstance(action, CreateFunction) else "function-updated-v2"
        return [*made, self.function(f"wait {waiter}"), self.read_revision()]

    def read_revision(self) -> Command:
        """Read the revision of `$LATEST`, when it has settled."""
        self.revision = Var(name="REVISION")
        return self.function("get-function", "REVISION", query="Configuration.RevisionId")

    def _arns(self, slots: Sequence[Slot]) -> list[Word]:
        coming = {layer.name: layer.fingerprint for layer in self.changes.layers}
        return [slot.arn or self.run.layer(self.changes.region, slot.name, coming[slot.name]) for slot in slots]

    def _settings(self, settings: Settings) -> dict[str, Option]:
        return {
            "handler": settings.handler,
            "runtime": settings.runtime,
            "memory_size": settings.memory_mb,
            "timeout": settings.timeout_seconds,
            "environment": None if settings.environment is None else f"file://{self._environment_file()}",
        }

    def _environment_file(self) -> str:
        return f"{self.changes.function}.environment.json"

    def _environment(self, settings: Settings) -> list[Command]:
        """What the file of variables holds: their values may be secret, and are not printed."""
        if settings.environment is None:
            return []
        holds = json.dumps({"Variables": dict.fromkeys(sorted(settings.environment), "...")})
        file = self._environment_file()
        return [shell(f"test -r {word(file)} # {holds}, with the values, which are not printed", first=True)]
