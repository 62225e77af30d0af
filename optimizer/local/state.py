"""What the embedded Lambda remembers, by region: layers, functions with their versions, aliases, policies, URLs."""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from optimizer.local.conditions import FUNCTION_MISSING, RESOURCE_MISSING

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT = "123456789012"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """An uploaded zip: `sha256` in hex, its bytes, and what it has unzipped."""

    sha256: str
    path: Path
    zipped_bytes: int
    unzipped_bytes: int

    @property
    def code_sha256(self) -> str:
        """The hash as the API has it: base64."""
        return base64.b64encode(bytes.fromhex(self.sha256)).decode()


@dataclass(slots=True)
class LayerVersion:
    """One immutable version of a layer; a deleted one works on where it is attached."""

    arn: str
    version: int
    blob: Blob
    facts: dict[str, Any]
    created: str
    deleted: bool = False
    policy: dict[str, dict[str, Any]] = field(default_factory=dict)
    policy_revision: str = ""


@dataclass(slots=True)
class Snapshot:
    """Code and configuration that belong together: `$LATEST` has one, each published version another.

    `ready_at` is when a published version's snapshot is made.
    """

    configuration: dict[str, Any]
    blob: Blob
    layers: tuple[LayerVersion, ...]
    ready_at: float = 0.0

    def settle(self) -> None:
        """Turn a version whose snapshot is made from Pending to Active."""
        configuration = self.configuration
        if configuration["State"] == "Pending" and time.monotonic() >= self.ready_at:
            configuration["State"] = "Active"
            configuration["SnapStart"] = {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"}
            for reason in ("StateReason", "StateReasonCode"):
                configuration.pop(reason, None)

    @property
    def attached_bytes(self) -> int:
        """Unzipped bytes of the layers."""
        return sum(layer.blob.unzipped_bytes for layer in self.layers)


@dataclass(slots=True)
class FunctionUrl:
    """A function URL: its id, its configuration, and where it listens."""

    identifier: str
    configuration: dict[str, Any]


@dataclass(slots=True)
class Function:
    """One function. `serving` is what invocations of $LATEST run while an update has not settled.

    An alias with provisioned concurrency that is moved leads to its old version until the new one is allocated: Lambda
    itself gives the old one a weight of 1 meanwhile. `allocated_at` is when that is over, by alias.
    """

    name: str
    arn: str
    latest: Snapshot
    serving: Snapshot
    settles_at: float
    versions: dict[int, Snapshot] = field(default_factory=dict)
    next_version: int = 1
    aliases: dict[str, dict[str, Any]] = field(default_factory=dict)
    policies: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    urls: dict[str, FunctionUrl] = field(default_factory=dict)
    provisioned: dict[str, dict[str, Any]] = field(default_factory=dict)
    allocated_at: dict[str, float] = field(default_factory=dict)
    reserved_concurrency: int | None = None
    tags: dict[str, str] = field(default_factory=dict)

    def settle(self) -> None:
        """Finish an update whose time has come: states turn, and the revision changes a second time."""
        configuration = self.latest.configuration
        if configuration["LastUpdateStatus"] == "InProgress" and time.monotonic() >= self.settles_at:
            configuration.update(LastUpdateStatus="Successful", State="Active", RevisionId=str(uuid.uuid4()))
            for reason in ("StateReason", "StateReasonCode", "LastUpdateStatusReason", "LastUpdateStatusReasonCode"):
                configuration.pop(reason, None)
            self.serving = self.latest
        for version in self.versions.values():
            version.settle()
        for name in [name for name, at in self.allocated_at.items() if time.monotonic() >= at]:
            del self.allocated_at[name]
            if name in self.aliases:
                self.aliases[name].pop("RoutingConfig", None)

    def begin_update(self, seconds: float) -> None:
        """Mark an update as begun: the revision changes a first time."""
        self.latest.configuration.update(
            LastUpdateStatus="InProgress",
            LastUpdateStatusReason="The function is being updated.",
            LastUpdateStatusReasonCode="Creating",
            RevisionId=str(uuid.uuid4()),
            LastModified=timestamp(),
        )
        self.settles_at = time.monotonic() + seconds


@dataclass(slots=True)
class Region:
    """Everything in one region."""

    name: str
    layers: dict[str, list[LayerVersion]] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    mappings: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def stored_bytes(self) -> int:
        """Zipped bytes of every layer version and function version that was not deleted."""
        layers = (v.blob.zipped_bytes for versions in self.layers.values() for v in versions if not v.deleted)
        code = (s.blob.zipped_bytes for f in self.functions.values() for s in (f.latest, *f.versions.values()))
        return sum(layers) + sum(code)

    def function(self, reference: str) -> Function:
        """The function that a name or ARN names, settled.

        Raises:
            ServiceError: there is none.
        """
        name, _ = split_reference(reference)
        found = self.functions.get(name)
        if found is None:
            raise FUNCTION_MISSING.error(arn=f"arn:aws:lambda:{self.name}:{ACCOUNT}:function:{name}")
        found.settle()
        return found

    def resolve(self, reference: str, qualifier: str | None) -> tuple[Function, str, Snapshot]:
        """Function, version and snapshot of a name or ARN with a qualifier; an alias's weights are not looked at.

        Raises:
            ServiceError: there is none.
        """
        function = self.function(reference)
        wanted = qualifier or split_reference(reference)[1] or "$LATEST"
        if wanted == "$LATEST":
            return function, wanted, function.latest
        number = function.aliases[wanted]["FunctionVersion"] if wanted in function.aliases else wanted
        if number == "$LATEST":
            return function, number, function.latest
        if not number.isdigit() or int(number) not in function.versions:
            raise FUNCTION_MISSING.error(arn=f"{function.arn}:{wanted}")
        return function, number, function.versions[int(number)]

    def layer_version(self, arn: str) -> LayerVersion | None:
        """The attachable layer version of that ARN, or None."""
        name, _, number = arn.partition(":layer:")[2].partition(":")
        for version in self.layers.get(name, []):
            if str(version.version) == number and version.arn == arn and not version.deleted:
                return version
        return None

    def layer(self, reference: str, number: int) -> LayerVersion:
        """One version of a layer by name or ARN.

        Raises:
            ServiceError: there is none, or it was deleted.
        """
        name = reference.rpartition(":layer:")[2].partition(":")[0] if ":" in reference else reference
        for version in self.layers.get(name, []):
            if version.version == number and not version.deleted:
                return version
        raise RESOURCE_MISSING.error(message="The resource you requested does not exist.")


class State:
    """All regions, one lock around them, and the folder of uploaded zips."""

    def __init__(self, blobs: Path) -> None:
        self.lock = threading.RLock()
        self.blobs = blobs
        blobs.mkdir(parents=True, exist_ok=True)
        self._regions: dict[str, Region] = {}

    def region(self, name: str) -> Region:
        """The region of that name, made when it is first asked for."""
        return self._regions.setdefault(name, Region(name=name))

    def regions(self) -> list[Region]:
        """Those that were asked for."""
        return list(self._regions.values())

    def blob(self, data: bytes, unzipped_bytes: int) -> Blob:
        """An upload by its content; `keep` stores it."""
        digest = hashlib.sha256(data).hexdigest()
        return Blob(
            sha256=digest,
            path=self.blobs / f"{digest}.zip",
            zipped_bytes=len(data),
            unzipped_bytes=unzipped_bytes,
        )

    @staticmethod
    def keep(blob: Blob, data: bytes) -> None:
        """Store an upload, whole or not at all."""
        if not blob.path.exists():
            part = blob.path.with_suffix(f".{secrets.token_hex(4)}.part")
            part.write_bytes(data)
            part.replace(blob.path)


def split_reference(reference: str) -> tuple[str, str | None]:
    """Name and qualifier of a function's name, partial ARN or ARN."""
    rest = reference.partition("function:")[2] if "function:" in reference else reference
    name, _, qualifier = rest.partition(":")
    return name, qualifier or None


def timestamp() -> str:
    """Now, as Lambda writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"
