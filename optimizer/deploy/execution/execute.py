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
    OwnLayer,
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
from optimizer.deploy.execution.access_calls import create_role, create_url, grant
from optimizer.deploy.execution.adoption_calls import copy_permission, freeze_latest, move_source, point_alias
from optimizer.deploy.execution.check import ask
from optimizer.deploy.execution.latest import Latest
from optimizer.deploy.execution.publishing import Journal, publish_layers
from optimizer.deploy.execution.shift import Shift
from optimizer.deploy.execution.uploads import send
from optimizer.deploy.mark import Mark, bare_text
from optimizer.deploy.planning.sharing import share_layer
from optimizer.deploy.rejections import CallRejectedError
from optimizer.deploy.settle import settled
from optimizer.deploy.values import ALIAS
from optimizer.errors import DeployRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from optimizer.build import Manifest
    from optimizer.deploy.actions import Action, ChangeSet, Slot
    from optimizer.deploy.clock import Clock
    from optimizer.deploy.mark import Draft
    from optimizer.deploy.port import Aws, Zip
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

    `published` holds what this run has published in the region, and is shared between its change sets. `stopping` is
    asked between two actions.
    """

    aws: Aws
    manifest: Manifest
    changes: ChangeSet
    clock: Clock
    journal: Journal
    published: dict[LayerKey, LayerVersion]
    progress: Callable[[str], None]
    stopping: Callable[[], bool] = lambda: False
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
            KeyboardInterrupt: it is to stop.
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
            settings=changes.settings,
        )
        self._await_others()
        publish_layers(
            self.aws,
            self.manifest,
            [action for action in changes.actions if isinstance(action, PublishLayer)],
            published=self.published,
            journal=self.journal,
            progress=self.progress,
            stopping=self.stopping,
        )
        shift = Shift(aws=self.aws, function=changes.function, clock=self.clock, progress=self.progress)
        with shift.put_back():
            for action in changes.actions:
                if self.stopping():
                    raise KeyboardInterrupt
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
            case ShareLayer() | UnshareLayer():
                share_layer(aws, action, self.published)
            case DropUpload():
                aws.unstore(action.bucket, action.key, upload=action.upload)
            case CreateRole():
                self.progress(f"making the role {action.subject}")
                self.role = create_role(aws, action)
            case AttachPolicy():
                aws.attach_policy(action.subject, action.policy)
            case PutPolicy():
                self.progress(f"writing the policy of {action.subject}")
                aws.put_policy(action.subject, action.document)
            case DeletePolicy():
                aws.delete_policy(action.subject)
            case CreateFunction():
                self.progress(f"making {action.subject} ({action.bytes:,} bytes), and waiting until it is active")
                role, layers = self.role or "", self._arns(action.layers)
                self._send(action, lambda code: latest.create(action, code, role=role, layers=layers))
            case TagFunction():
                if action.drop:  # first: the tag that lists ours, which the others are set with, is to forget them last
                    aws.untag(action.arn, action.drop)
                if action.tags:
                    aws.tag(action.arn, action.tags)
            case UpdateCode():
                self.progress(f"sending the code of {action.subject} ({action.bytes:,} bytes)")
                self._update_code(action, latest)
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
                shift.create(self.version or "", self._mark(action.mark))
            case MoveAlias():
                shift.move(
                    self.version or "",
                    self._mark(action.mark),
                    before=action.before or self.before or "",
                    planned=action.revision or self.frozen,
                )
            case ReturnTraffic():
                shift.take_back(action)
            case ShiftTraffic():
                shift.give(
                    action,
                    self.version or "",
                    before=action.before or self.before or "",
                    planned=action.revision or self.frozen,
                )
            case Watch():
                shift.watch(action)
            case UseVersion():
                self.version = settled(aws, function, self.clock, action.version).version
            case MarkAlias():
                aws.describe_alias(function, ALIAS, self._mark(action.mark))
            case CreateUrl():
                self.url = create_url(aws, function, action)
            case UpdateUrl():
                aws.update_url(function, ALIAS, action.auth, like=action.like)
            case DeleteUrl():
                aws.delete_url(function, ALIAS)
                self.url = None
            case Grant():
                grant(aws, function, action)
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

    def _update_code(self, action: UpdateCode, latest: Latest) -> None:
        """Send the code; once more beside fewer layers where it does not fit beside those that are attached."""
        try:
            self._send(action, lambda code: latest.update_code(action, code))
        except CallRejectedError as error:
            if action.room is None or not error.too_large:
                raise
            self.progress(f"it does not fit beside the attached layers: leaving {len(action.room)} of them for now")
            latest.attach(self._arns(action.room))
            self._send(action, lambda code: latest.update_code(action, code))

    def _send(self, action: CreateFunction | UpdateCode, use: Callable[[Zip], None]) -> None:
        path = self.manifest.zip_path(action.artifact)
        send(self.aws, path, action.artifact, action.bucket, use, progress=self.progress, stopping=self.stopping)

    def _arns(self, slots: Sequence[Slot]) -> tuple[str, ...]:
        """The ARNs of a list, those of layers that were published meanwhile too."""
        coming = {layer.name: layer.fingerprint for layer in self.changes.layers}
        return tuple(slot.arn or self.published[slot.name, coming[slot.name]].arn for slot in slots)

    def _await_others(self) -> None:
        """See that another function of this run has published what this one was planned to share with it.

        Raises:
            DeployRefusedError: that one was stopped before.
        """
        for action in self.changes.actions:
            if isinstance(action, KeepLayer) and action.found is None:
                if (action.subject, action.fingerprint) in self.published:
                    continue
                raise DeployRefusedError(
                    f"{self.changes.function} in {self.changes.region} needs the layer {action.subject}, which was to "
                    "be published with another function of this run, and was not. Nothing of it was changed",
                    mend="Mend what stopped that one; then run the same command again.",
                )

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

    def _mark(self, draft: Draft | None) -> str:
        """The alias's description."""
        done, before = self.so_far(), self.changes.before
        if self.changes.words:
            return self.changes.words
        if draft is None:
            return bare_text(done.version or "", before)
        layers = tuple(layer.version or 0 for layer in done.layers)
        return Mark(draft=draft, version=done.version or "", layers=layers, url=done.url, before=before).text()
