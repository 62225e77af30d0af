"""What a deploy wants of one function, and whether a version that is there is that already."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

from optimizer import tags
from optimizer.deploy import descriptions
from optimizer.deploy.mark import rest_of
from optimizer.deploy.port import Settings
from optimizer.deploy.values import LATEST, AuthType, Configuration, RemoteState, layer_account, layer_name
from optimizer.errors import DeployRefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optimizer.build import Artifact, Function, Manifest
    from optimizer.deploy.mark import Mark
    from optimizer.deploy.planning.canary import Canary

AUTH: dict[str, AuthType | None] = {"iam": "AWS_IAM", "public": "NONE", "none": None}
"""A function's `url` as Lambda's AuthType."""

_ROLE_LENGTH = 64
"""A role's name has at most so many characters (IAM's API model); a function's name may have as many."""


def code_sha256(artifact: Artifact) -> str:
    """The hash of an artifact's zip as Lambda has it: base64."""
    return base64.b64encode(bytes.fromhex(artifact.sha256)).decode()


def role_name(function: str) -> str:
    """The role that is made for a function where none is configured."""
    return f"{function[: _ROLE_LENGTH - len('-role')]}-role"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line says: see `deploy --help`."""

    code_only: bool = False
    accept_latest: bool = False
    adopt: bool = False
    bucket: str | None = None
    canary: Canary | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One function as the manifest has it.

    `layers` is None where only its code is deployed; `fingerprints` are its layers' in attach order, None where they
    are not known then; `rest` is the digest of all but the code, None with them. `commit`
    is what it was built from.
    """

    function: Function
    code: Artifact
    layers: tuple[Artifact, ...] | None
    fingerprints: tuple[str, ...] | None
    rest: str | None
    commit: str | None

    @classmethod
    def of(
        cls, manifest: Manifest, function: Function, *, code_only: bool, planned: Mapping[str, str] | None = None
    ) -> Wanted:
        """What the manifest says of the function.

        Args:
            manifest: what was built.
            function: one of its functions.
            code_only: only its code is deployed; its layers need not have been built.
            planned: the fingerprints by name of layers that were planned and not built.

        Raises:
            ArtifactError: the manifest names an artifact that it does not hold.
        """
        layers = None if code_only else tuple(manifest.artifact(name, "layer") for name in function.layers)
        known = {a.name: a.fingerprint for a in manifest.artifacts if a.kind == "layer"} | dict(planned or {})
        told = tuple(known[name] for name in function.layers) if known.keys() >= set(function.layers) else None
        return cls(
            function=function,
            code=manifest.artifact(function.artifact, "function"),
            layers=layers,
            fingerprints=told,
            rest=None if told is None else rest_of(function, told),
            commit=manifest.commit,
        )

    @property
    def role_name(self) -> str:
        """The role that is made for the function where none is configured."""
        return role_name(self.function.name)

    def has_own_role(self, configuration: Configuration) -> bool:
        """Whether a deploy made the function's role."""
        return not self.function.role_arn and configuration.role.endswith(f":role/{self.role_name}")

    def own(self, configuration: Configuration) -> tuple[str, ...]:
        """The ARNs of attached layers that are ours by name and account, in attach order."""
        return tuple(
            arn
            for arn in configuration.layer_arns
            if layer_name(arn) in self.function.layers and layer_account(arn) == configuration.account
        )

    def settings(self, there: Configuration) -> Settings:
        """What of the settings differs from what is there; variables that somebody else set are kept.

        Raises:
            DeployRefusedError: variables are to be set beside others that can't be read, and would be lost.
        """
        function = self.function
        if there.environment is None and function.environment:
            raise DeployRefusedError(
                f"The environment variables of {function.name} can't be read, so none can be set beside them",
                mend="Allow kms:Decrypt, with the key that they are encrypted with, to the identity that deploys.",
            )
        environment = {**(there.environment or {}), **function.environment}
        return Settings(
            handler=function.handler if function.handler != there.handler else None,
            runtime=function.runtime if function.runtime != there.runtime else None,
            memory_mb=function.memory_mb if function.memory_mb != there.memory_mb else None,
            timeout_seconds=function.timeout_seconds if function.timeout_seconds != there.timeout_seconds else None,
            environment=environment if environment != (there.environment or {}) else None,
            role=function.role_arn if function.role_arn and function.role_arn != there.role else None,
        )

    def has_settings(self, there: Configuration) -> bool:
        """Whether a configuration has the settings that are wanted, as far as it can be read."""
        readable = there.environment is not None or not self.function.environment
        return readable and self.settings(there) == Settings()

    def is_marked_by(self, mark: Mark | None) -> bool:
        """Whether the last deploy left what is wanted."""
        return mark is not None and mark.draft.code == self.short and self.has_rest(mark)

    def has_rest(self, mark: Mark) -> bool:
        """Whether the last deploy left what is wanted besides the code."""
        return mark.draft.rest == self.rest

    @property
    def short(self) -> str:
        """The short fingerprint of the code."""
        return self.code.fingerprint[: descriptions.SHORT]

    def is_served_by(self, live: Configuration) -> bool:
        """Whether a published version is what is wanted, by the fingerprints in its description."""
        told = descriptions.version_fingerprints(live.description)
        if live.version == LATEST or not told or told[0] != self.short:
            return False
        own = self.own(live)
        if len(told) != len(own) + 1 or tuple(layer_name(arn) for arn in own) != self.function.layers:
            return False
        if self.fingerprints is not None and told[1:] != tuple(
            fingerprint[: descriptions.SHORT] for fingerprint in self.fingerprints
        ):
            return False
        return self.layers is None or (
            {external.arn for external in self.function.external_layers} <= set(live.layer_arns)
            and self.settings(live) == Settings()
            and live.architecture == self.function.architecture
        )

    def has_tags(self, there: Configuration) -> bool:
        """Whether our tags are what is wanted, as far as they may be read."""
        ours = there.tags or {}
        given = tags.marked(self.function.tags)
        return given.items() <= ours.items() and bool(given) == (tags.MARKER in ours)

    def has_access(self, state: RemoteState) -> bool:
        """Whether URL, permissions and role are what is wanted, as far as they were read."""
        if self.layers is None:
            return True
        auth = AUTH[self.function.url]
        if (state.url.auth if state.url else None) != auth:
            return False
        if state.grants is not None and (state.grants & STATEMENTS.keys()) != (
            STATEMENTS.keys() if auth == "NONE" else frozenset()
        ):
            return False
        return state.role is None or state.role.policy == self.function.policy


STATEMENTS = {"layer-optimizer-url": False, "layer-optimizer-invoke": True}
"""Our statements in the alias's policy of a public URL: which of the two needs to be limited to calls through the URL.

Function URLs made since October 2025 need both lambda:InvokeFunctionUrl and lambda:InvokeFunction.
"""


def known_fingerprints(wanted: Wanted, live: Configuration | None) -> dict[str, str]:
    """The short fingerprints by ARN of those layers of ours that the live version's description tells of."""
    if live is None:
        return {}
    told = descriptions.version_fingerprints(live.description)[1:]
    own = wanted.own(live)
    return dict(zip(own, told, strict=True)) if len(own) == len(told) else {}
