"""Executes a change set as it was printed; decides nothing, and each step is safe to repeat."""

from __future__ import annotations

from dataclasses import dataclass
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
    OwnLayer,
    PointAlias,
    PublishLayer,
    PublishVersion,
    PutPolicy,
    ReturnTraffic,
    Revoke,
    ShiftTraffic,
    UpdateCode,
    UpdateSettings,
    UpdateUrl,
    UseVersion,
    Watch,
)
from optimizer.deploy.adopt import copy_permission, freeze_latest, move_source, point_alias
from optimizer.deploy.check import ask
from optimizer.deploy.latest import Latest
from optimizer.deploy.mark import Mark, bare_text
from optimizer.deploy.publishing import Journal, publish_layers
from optimizer.deploy.rejections import CallRejectedError
from optimizer.deploy.settle import settled
from optimizer.deploy.shift import Shift
from optimizer.deploy.uploads import on_its_way
from optimizer.deploy.values import ALIAS
from optimizer.errors import DeployRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from optimizer.build import Manifest
    from optimizer.deploy.actions import Action, ChangeSet, Slot
    from optimizer.deploy.clock import Clock
    from optimizer.deploy.mark import Draft
    from optimizer.deploy.port import Aws
    from optimizer.deploy.values import LayerKey, LayerVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """What a function has after its change set."""

    version: str | None
    url: str | None
    layers: tuple[OwnLayer, ...]


@dataclass(slots=True, kw_only=True)
class Execution:
    """One change set on its way.

    `published` holds what this run has published in the region, and is shared between its change sets.
    """

    aws: Aws
    manifest: Manifest
    changes: ChangeSet
    clock: Clock
    journal: Journal
    published: dict[LayerKey, LayerVersion]
    progress: Callable[[str], None]
    version: str | None = None
    url: str | None = None
    role: str | None = None
    before: str | None = None
    frozen: str = ""

    def run(self) -> Deployed:
        """Carry out every action in order; layers that are to be published go side by side.

        Raises:
            AwsError: a call failed; the journal holds what was done, and the next run goes on from there.
            DeployRefusedError: somebody else deployed meanwhile, or the check failed; the alias was not moved.
        """
        changes = self.changes
        self.version, self.url, self.role = changes.version, changes.url, changes.role
        self.before = changes.version
        latest = Latest(
            aws=self.aws,
            function=changes.function,
            clock=self.clock,
            code_sha256=changes.code_sha256,
            layers=changes.attached,
            revision=changes.revision,
        )
        publish_layers(
            self.aws,
            self.manifest,
            [action for action in changes.actions if isinstance(action, PublishLayer)],
            published=self.published,
            journal=self.journal,
            progress=self.progress,
        )
        shift = Shift(aws=self.aws, function=changes.function, clock=self.clock, progress=self.progress)
        with shift.put_back():
            for action in changes.actions:
                if not isinstance(action, PublishLayer):
                    self._do(action, latest, shift)
                    self.journal.done.append(action)
        return self.so_far()

    def so_far(self) -> Deployed:
        """What there is now; `version` is what was published last, whether or not the alias serves it."""
        layers = tuple(self._own(layer) for layer in self.changes.layers)
        return Deployed(version=self.version, url=self.url, layers=layers)

    def _do(self, action: Action, latest: Latest, shift: Shift) -> None:  # noqa: C901, PLR0912, PLR0915  one arm for each action
        aws, function = self.aws, self.changes.function
        match action:
            case PublishLayer() | KeepLayer() | KeepCode() | KeepAlias() | KeepUrl() | KeepCaller():
                pass
            case CreateRole():
                self.progress(f"making the role {action.subject}")
                self.role = self._create_role(action)
            case AttachPolicy():
                aws.attach_policy(action.subject, action.policy)
            case PutPolicy():
                self.progress(f"writing the policy of {action.subject}")
                aws.put_policy(action.subject, action.document)
            case DeletePolicy():
                aws.delete_policy(action.subject)
            case CreateFunction():
                self.progress(f"making {action.subject} ({action.bytes:,} bytes), and waiting until it is active")
                with on_its_way(aws, self._zip(action), action.artifact, action.bucket, self.progress) as code:
                    latest.create(action, code, role=self.role or "", layers=self._arns(action.layers))
            case UpdateCode():
                self.progress(f"sending the code of {action.subject} ({action.bytes:,} bytes)")
                with on_its_way(aws, self._zip(action), action.artifact, action.bucket, self.progress) as code:
                    latest.update_code(action, code)
            case AttachLayers():
                self.progress(f"attaching {len(action.layers)} layers to {action.subject}")
                latest.attach(self._arns(action.layers))
            case UpdateSettings():
                self.progress(f"changing settings of {action.subject}")
                latest.update_settings(action.settings)
            case PublishVersion():
                self.version = latest.publish(action.description)
                self.progress(f"{action.subject} has version {self.version}")
            case Check():
                self._check(action)
            case CreateAlias():
                self._create_alias(action)
            case MoveAlias():
                self._move_alias(action, shift)
            case ReturnTraffic():
                shift.take_back(action)
            case ShiftTraffic():
                shift.give(action, self.version or "")
            case Watch():
                shift.watch(action)
            case UseVersion():
                self.version = settled(aws, function, self.clock, action.version).version
            case MarkAlias():
                aws.describe_alias(function, ALIAS, self._mark(action.mark))
            case CreateUrl():
                self.url = self._create_url(action)
            case UpdateUrl():
                aws.update_url(function, ALIAS, action.auth, like=action.like)
            case DeleteUrl():
                aws.delete_url(function, ALIAS)
                self.url = None
            case Grant():
                self._grant(action)
            case Revoke():
                aws.revoke(function, ALIAS, action.statement)
            case FreezeLatest() | MoveSource() | PointAlias() | CopyPermission() | DropPermission():
                self._adopt(action, latest)
            case _:
                assert_never(action)

    def _adopt(
        self, action: FreezeLatest | MoveSource | PointAlias | CopyPermission | DropPermission, latest: Latest
    ) -> None:
        aws, function = self.aws, self.changes.function
        match action:
            case FreezeLatest():
                self.version, self.frozen = freeze_latest(aws, function, latest)
                self.before = self.version
                self.progress(f"{ALIAS} serves version {self.version}, which is $LATEST as it is now")
            case MoveSource():
                self.progress(f"moving the event source {action.subject} to {ALIAS}")
                move_source(aws, function, action, self.clock)
            case PointAlias():
                point_alias(aws, function, action, self.version or "")
            case CopyPermission():
                copy_permission(aws, function, action)
            case DropPermission():
                aws.revoke(function, None, action.statement)

    def _zip(self, action: CreateFunction | UpdateCode) -> Path:
        return self.manifest.zip_path(action.artifact)

    def _arns(self, slots: Sequence[Slot]) -> tuple[str, ...]:
        """The ARNs of a list, those of layers that were published meanwhile too."""
        coming = {layer.name: layer.fingerprint for layer in self.changes.layers}
        return tuple(slot.arn or self.published[slot.name, coming[slot.name]].arn for slot in slots)

    def _own(self, layer: OwnLayer) -> OwnLayer:
        version = self.published.get((layer.name, layer.fingerprint))
        if layer.arn is not None or version is None:
            return layer
        return OwnLayer(name=layer.name, fingerprint=layer.fingerprint, version=version.version, arn=version.arn)

    def _check(self, action: Check) -> None:
        """Ask the new version before anybody else does.

        Raises:
            DeployRefusedError: it does not answer well.
        """
        function, version = self.changes.function, self.version or ""
        self.progress(f"checking version {version} of {function}: GET {action.path}")
        wrong = ask(self.aws, function, version, action.path, self.clock)
        if wrong is None:
            return
        serves = f"still serves version {self.before}" if self.before else "was not made"
        if any(isinstance(one, UseVersion) for one in self.changes.actions):
            raise DeployRefusedError(
                f"Version {version} of {function} in {self.changes.region} did not pass its check, GET {action.path}: "
                f"{wrong}\nThe alias {ALIAS!r} {serves}; nobody was sent to it.",
                mend="Name another version with --to.",
            )
        raise DeployRefusedError(
            f"Version {version} of {function} in {self.changes.region} did not pass its check, GET {action.path}: "
            f"{wrong}\nThe alias {ALIAS!r} {serves}; nobody was sent to the new version, which $LATEST holds too.",
            mend="Mend what the function says, build, and deploy again.",
        )

    def _create_role(self, action: CreateRole) -> str:
        try:
            return self.aws.create_role(action.subject)
        except CallRejectedError as error:
            there = self.aws.role(action.subject)
            if error.aws_code != "EntityAlreadyExists" or there is None:
                raise
            return there.arn

    def _mark(self, draft: Draft | None) -> str:
        """The alias's description."""
        done, before = self.so_far(), self.changes.before
        if draft is None:
            return bare_text(done.version or "", before)
        layers = tuple(layer.version or 0 for layer in done.layers)
        return Mark(draft=draft, version=done.version or "", layers=layers, url=done.url, before=before).text()

    def _create_alias(self, action: CreateAlias) -> None:
        function, version = self.changes.function, self.version or ""
        try:
            self.aws.create_alias(function, ALIAS, version, description=self._mark(action.mark))
        except CallRejectedError as error:
            if error.aws_code != "ResourceConflictException" or not self._alias_is(version):
                raise
        self.progress(f"{ALIAS} serves version {version}")

    def _move_alias(self, action: MoveAlias, shift: Shift) -> None:
        """Compare and swap: an alias that somebody else moved meanwhile stays where they put it.

        Raises:
            DeployRefusedError: somebody did.
        """
        function, version = self.changes.function, self.version or ""
        try:
            self.aws.move_alias(
                function,
                ALIAS,
                version,
                description=self._mark(action.mark),
                revision=shift.revision(action.revision or self.frozen),
                shared=shift.shares,
            )
        except CallRejectedError as error:
            if error.aws_code != "PreconditionFailedException":
                raise
            if not self._alias_is(version):  # else only the answer was lost
                raise DeployRefusedError(
                    f"The alias {ALIAS!r} of {function} in {self.changes.region} was changed by somebody else while "
                    f"version {version} was made; it stays as they left it",
                    mend="Look who deploys there; then deploy again.",
                ) from error
        shift.moved()
        self.progress(f"{ALIAS} serves version {version}, and no more version {action.before or self.before}")

    def _alias_is(self, version: str) -> bool:
        there = self.aws.alias(self.changes.function, ALIAS)
        return there is not None and there.version == version

    def _create_url(self, action: CreateUrl) -> str:
        try:
            return self.aws.create_url(self.changes.function, ALIAS, action.auth, like=action.like).address
        except CallRejectedError as error:
            there = self.aws.url(self.changes.function, ALIAS)
            if error.aws_code != "ResourceConflictException" or there is None or there.auth != action.auth:
                raise
            return there.address

    def _grant(self, action: Grant) -> None:
        try:
            self.aws.grant_url(self.changes.function, ALIAS, action.statement, via_url_only=action.via_url_only)
        except CallRejectedError as error:
            if error.aws_code != "ResourceConflictException":  # else the statement is there
                raise
