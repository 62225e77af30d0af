"""What is on AWS, as frozen values: read before anything is decided, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

MARK = "lo1"
"""Begins the description of every layer version and function version that is published here."""
_SHORT = 32
"""Hex digits of each fingerprint in a version's description, which has room for 256 characters."""


def layer_description(fingerprint: str) -> str:
    """A layer version's description: the mark and its whole fingerprint."""
    return f"{MARK} {fingerprint}"


def version_description(code: str, layers: tuple[str, ...]) -> str:
    """A function version's description: the mark and the fingerprints of code and of layers in attach order."""
    return " ".join([MARK, code[:_SHORT], *(layer[:_SHORT] for layer in layers)])


def fingerprints_of(description: str) -> tuple[str, ...]:
    """The fingerprints that a description names; none where it is not ours."""
    mark, *rest = description.split(" ")
    return tuple(rest) if mark == MARK else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteLayer:
    """One version of a layer of ours; `fingerprint` is empty where the version was not published here."""

    name: str
    version: int
    arn: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteVersion:
    """$LATEST, or what the alias points at: code's base64 SHA-256, layers' ARNs in attach order, settings."""

    version: str
    description: str
    code_sha256: str
    layers: tuple[str, ...]
    role: str
    handler: str
    runtime: str
    memory_mb: int
    timeout_seconds: int
    environment: Mapping[str, str]
    revision: str
    settled: bool

    @classmethod
    def of(cls, configuration: Mapping[str, Any]) -> RemoteVersion:
        """From a FunctionConfiguration of the API."""
        return cls(
            version=configuration["Version"],
            description=configuration.get("Description", ""),
            code_sha256=configuration["CodeSha256"],
            layers=tuple(layer["Arn"] for layer in configuration.get("Layers", ())),
            role=configuration["Role"],
            handler=configuration["Handler"],
            runtime=configuration["Runtime"],
            memory_mb=configuration["MemorySize"],
            timeout_seconds=configuration["Timeout"],
            environment=dict(configuration.get("Environment", {}).get("Variables", {})),
            revision=configuration["RevisionId"],
            settled=configuration.get("LastUpdateStatus", "Successful") == "Successful"
            and configuration.get("State", "Active") != "Pending",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteUrl:
    """The alias's URL and who may call it: AWS_IAM or NONE."""

    url: str
    auth: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteState:
    """Everything that a deploy of one function in one region looks at.

    `whole` is False where `live` alone was read, which is enough to see that nothing changed. `granted` are the ids of
    the statements in the alias's policy, `latest_callers` what calls $LATEST without naming an alias.
    """

    region: str
    whole: bool
    live: RemoteVersion | None = None
    latest: RemoteVersion | None = None
    alias_revision: str | None = None
    url: RemoteUrl | None = None
    granted: frozenset[str] = frozenset()
    layers: Mapping[str, tuple[RemoteLayer, ...]] | None = None
    role_arn: str | None = None
    latest_callers: tuple[str, ...] = ()
