"""Executes a change set as it was printed; it decides nothing."""

from __future__ import annotations

import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, assert_never

from optimizer.deploy.actions import (
    Action,
    AttachLayers,
    ChangeSet,
    Check,
    CreateFunction,
    CreateRole,
    Grant,
    KeepCode,
    KeepLayer,
    MoveAlias,
    PublishLayer,
    PublishVersion,
    PutUrl,
    UpdateCode,
    UpdateSettings,
)
from optimizer.deploy.aws import ALIAS
from optimizer.deploy.change_set import zip_sha256
from optimizer.errors import AwsError, DeployRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from optimizer.build import Manifest
    from optimizer.deploy.aws import Aws
    from optimizer.deploy.remote import RemoteLayer, RemoteVersion

_OK = range(200, 300)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """What a function has after its change set was executed."""

    version: str | None
    url: str | None
    layers: tuple[RemoteLayer, ...]


@dataclass(slots=True)
class Execution:
    """One change set on its way; `done` says in words what has happened, for whoever has to be told."""

    aws: Aws
    manifest: Manifest
    changes: ChangeSet
    progress: Callable[[str], None]
    done: list[str] = field(default_factory=list)
    layers: dict[str, RemoteLayer] = field(default_factory=dict)
    role_arn: str | None = None
    version: str | None = None
    url: str | None = None

    def run(self) -> Deployed:
        """Carry out every action in order.

        Raises:
            AwsError: AWS refuses or can't be reached; what was done stays and is found by the next run.
            DeployRefusedError: the check failed; the alias was not moved.
        """
        self.version, self.url = self.changes.version, self.changes.url
        self.layers = {layer.name: layer for layer in self.changes.kept}
        publishes = [action for action in self.changes.actions if isinstance(action, PublishLayer)]
        if len(publishes) > 1:
            with ThreadPoolExecutor(len(publishes)) as pool:
                list(pool.map(self._act, publishes))
        for action in self.changes.actions:
            if not (isinstance(action, PublishLayer) and action.subject in self.layers):
                self._act(action)
        return Deployed(
            version=self.version,
            url=self.url,
            layers=tuple(self.layers[name] for name in self.changes.layers if name in self.layers),
        )

    def _act(self, action: Action) -> None:
        function = self.changes.function
        match action:
            case KeepLayer() | KeepCode():
                return
            case PublishLayer():
                self.progress(f"publishing layer {action.subject} ({action.bytes:,} bytes)")
                target = self.manifest.target
                path = self.manifest.zip_path(action.artifact)
                self.layers[action.subject] = self.aws.publish_layer(
                    action.artifact, path, action.description, target.runtime, target.architecture
                )
            case CreateRole():
                self.progress(f"creating role {action.subject}")
                self.role_arn = self.aws.create_role(action.subject, action.policy)
            case CreateFunction():
                self._create(action)
            case UpdateCode():
                self.progress(f"sending code ({action.bytes:,} bytes)")
                before = self.aws.settled(function)
                self.aws.update_code(function, self.manifest.zip_path(action.artifact), before.revision)
                self._settle(code_sha256=zip_sha256(action.artifact))
            case AttachLayers():
                self.progress(f"attaching {action.subject}")
                arns = self._arns(action.layers)
                before = self.aws.settled(function)
                self.aws.update_configuration(function, {"Layers": arns, **action.settings}, before.revision)
                self._settle(layers=tuple(arns))
            case UpdateSettings():
                self.progress(f"updating settings: {', '.join(action.settings)}")
                before = self.aws.settled(function)
                self.aws.update_configuration(function, action.settings, before.revision)
                self._settle()
            case PublishVersion():
                latest = self.aws.settled(function)
                done = self.aws.publish_version(function, action.description, latest.code_sha256, latest.revision)
                self.version = done.version
                self.progress(f"published version {done.version}")
            case Check():
                self._check(action)
            case MoveAlias():
                if self.version is None:
                    raise AwsError("There is no version to point the alias at", mend="Deploy again.")
                self.aws.point_alias(function, self.version, action.revision)
                self.progress(f"alias {ALIAS} points at version {self.version}")
            case PutUrl():
                self.url = self.aws.put_url(function, action.auth, exists=action.exists)
            case Grant():
                self.aws.grant(function, action.statement)
            case _:
                assert_never(action)
        self.done.append(f"{type(action).__name__} {action.subject}")

    def _create(self, action: CreateFunction) -> None:
        self.progress(f"creating function {action.subject} ({action.bytes:,} bytes)")
        settings = {
            **action.settings,
            "Role": action.role_arn or self.role_arn,
            "Layers": self._arns(action.layers),
        }
        self.aws.create_function(self.manifest.zip_path(action.artifact), settings)
        self._settle(code_sha256=zip_sha256(action.artifact), layers=tuple(settings["Layers"]))

    def _arns(self, wanted: tuple[str, ...]) -> list[str]:
        return [name if name.startswith("arn:") else self.layers[name].arn for name in wanted]

    def _settle(self, *, code_sha256: str | None = None, layers: tuple[str, ...] | None = None) -> RemoteVersion:
        """Wait, then see that what was sent is what is there.

        Raises:
            AwsError: somebody else changed it meanwhile.
        """
        latest = self.aws.settled(self.changes.function)
        if (code_sha256 is not None and latest.code_sha256 != code_sha256) or (
            layers is not None and latest.layers != layers
        ):
            raise AwsError(
                f"{self.changes.function} in {self.changes.region} is not what was sent: somebody else changed it",
                mend="See who deploys at the same time, then deploy again.",
            )
        return latest

    def _check(self, action: Check) -> None:
        """Call the new version through its own router.

        Raises:
            DeployRefusedError: it did not answer well; the alias stays where it is.
        """
        function, version = self.changes.function, self.version or "$LATEST"
        self.progress(f"checking version {version}: {action.subject}")
        began = time.perf_counter()
        answer = self.aws.invoke(function, version, url_event(action.path))
        status = None
        if answer.error is None:
            try:
                status = json.loads(answer.payload).get("statusCode")
            except (ValueError, AttributeError):
                status = None
        if status not in _OK:
            shown = answer.payload.decode("utf-8", "replace")[:600]
            tail = "\n".join(answer.log.splitlines()[-12:])
            stays = f"stays at version {self.changes.version}" if self.changes.version else "was not created"
            raise DeployRefusedError(
                f"Version {version} of {function} did not answer {action.subject} well: "
                f"{answer.error or f'status {status}'}\n{shown}\n{tail}\nThe alias {ALIAS} {stays}; "
                "$LATEST has the new code and layers.",
                mend="Mend the cause and deploy again.",
            )
        self.progress(f"version {version} answered {status} in {(time.perf_counter() - began) * 1000:.0f} ms")


def url_event(path: str) -> Mapping[str, Any]:
    """A GET as a function URL sends it (payload format 2.0)."""
    host = "check.lambda-url.internal"
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": host, "user-agent": "layer-optimizer"},
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "check",
            "domainName": host,
            "domainPrefix": "check",
            "http": {
                "method": "GET",
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "layer-optimizer",
            },
            "requestId": str(uuid.uuid4()),
            "routeKey": "$default",
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime()),
            "timeEpoch": int(time.time() * 1000),
        },
        "isBase64Encoded": False,
    }
