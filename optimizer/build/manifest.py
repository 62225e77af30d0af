"""manifest.json: what was built, and how each function wants it; the seam between build and deploy."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from optimizer.errors import ArtifactError
from optimizer.models import Target
from optimizer.outputs import MANIFEST

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = 1
NAME = MANIFEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One zip: `path` relative to the manifest, `sha256` of the zip in hex, `files` how many it holds.

    `sbom` is the path of its CycloneDX document, where one was asked for.
    """

    name: str
    kind: Literal["layer", "function"]
    path: str
    sha256: str
    zipped_bytes: int
    unzipped_bytes: int
    fingerprint: str
    files: int
    sbom: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class External:
    """A layer that is not ours, attached as it is and counted."""

    arn: str
    unzipped_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """How one function is deployed; `artifact` and `layers` name artifacts, the layers in attach order.

    `policy` is the IAM policy document of its role beside writing logs, `check_path` what is called before the alias
    moves, `url` who may call its URL, `tags` those of its tags that are ours.
    """

    name: str
    artifact: str
    layers: tuple[str, ...]
    external_layers: tuple[External, ...]
    handler: str
    runtime: str
    architecture: str
    regions: tuple[str, ...]
    memory_mb: int
    timeout_seconds: int
    environment: dict[str, str]
    role_arn: str | None
    policy: dict[str, Any] | None
    check_path: str | None
    url: Literal["iam", "public", "none"]
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Who else may attach the layers: accounts, and all accounts of an organisation."""

    accounts: tuple[str, ...]
    organization: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The whole of it; `folder` is where it was read from or written to, and is not in the file.

    `share` is None where nothing is configured: then nobody's permissions are looked at. `commit` is the id in hex of
    what it was built from, with `-dirty` where files differ from that; None where nothing tells. `searched` is whether
    secrets were looked for in what the zips hold when they were made, as `build` does.
    """

    target: Target
    artifacts: tuple[Artifact, ...]
    functions: tuple[Function, ...]
    compressor: str
    share: Share | None = None
    searched: bool = False
    commit: str | None = None
    folder: Path | None = field(default=None, compare=False)

    def artifact(self, name: str, kind: Literal["layer", "function"]) -> Artifact:
        """The artifact of that name and kind.

        Raises:
            ArtifactError: there is none.
        """
        for artifact in self.artifacts:
            if (artifact.name, artifact.kind) == (name, kind):
                return artifact
        raise ArtifactError(
            f"{self._place}: there is no {kind} artifact {name!r}",
            mend="Build again: python -m optimizer build",
        )

    def zip_path(self, artifact: Artifact) -> Path:
        """Where the artifact's zip lies."""
        if self.folder is None:
            raise ArtifactError("this manifest has no folder", mend="Read it from the folder that build wrote.")
        return self.folder / artifact.path

    @property
    def _place(self) -> str:
        return str(self.folder / NAME) if self.folder else NAME

    def to_json(self) -> str:
        """The file's text."""
        values = dataclasses.asdict(dataclasses.replace(self, folder=None))
        del values["folder"]
        for key in ("share", "commit", "searched"):
            if not values[key]:
                del values[key]
        for artifact in values["artifacts"]:
            if artifact["sbom"] is None:  # whoever reads manifests of an earlier version knows no such key
                del artifact["sbom"]
        for function in values["functions"]:
            if not function["tags"]:
                del function["tags"]
        return json.dumps({"schema": SCHEMA, **values}, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """The manifest in a folder.

        Raises:
            ArtifactError: it is missing, or not what build writes; with the dotted place.
        """
        place = folder / NAME
        try:
            values = json.loads(place.read_text("utf-8"))
        except FileNotFoundError:
            raise ArtifactError(
                f"There is no {NAME} in {folder}", mend=f"Build first: python -m optimizer build --output {folder}"
            ) from None
        except (OSError, ValueError) as error:
            raise ArtifactError(f"{place} can't be read: {error}", mend="Build again.") from error
        if not isinstance(values, dict) or values.get("schema") != SCHEMA:
            raise ArtifactError(
                f"{place}: schema {values.get('schema') if isinstance(values, dict) else None!r} is not {SCHEMA}",
                mend="Build again with this version of the optimizer.",
            )
        del values["schema"]
        faults: list[str] = []
        manifest = _typed(cls, {**values, "folder": folder}, "", faults)
        if faults:
            raise ArtifactError(f"{place}: {'; '.join(faults)}", mend="Build again: python -m optimizer build")
        return typing.cast("Manifest", manifest)


def _typed(kind: Any, value: Any, place: str, faults: list[str]) -> Any:  # noqa: PLR0911  one return for each kind
    """The value as its annotated type; what does not fit is a fault with its dotted place."""
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        if not isinstance(value, dict):
            faults.append(f"{place or 'the document'} must be an object")
            return None
        hints = typing.get_type_hints(kind, localns={"Path": _path_type(), "Target": Target})
        known = {f.name: f for f in dataclasses.fields(kind)}
        faults += [f"{_dotted(place, key)} is unknown" for key in value if key not in known]
        faults += [
            f"{_dotted(place, f.name)} is missing"
            for f in known.values()
            if f.name not in value and f.default is f.default_factory is dataclasses.MISSING
        ]
        given = {
            name: _typed(hints[name], value[name], _dotted(place, name), faults) for name in known if name in value
        }
        return None if faults else kind(**given)
    origin = typing.get_origin(kind)
    if origin is tuple:
        if not isinstance(value, list):
            faults.append(f"{place} must be an array")
            return ()
        inner = typing.get_args(kind)[0]
        return tuple(_typed(inner, item, f"{place}[{i}]", faults) for i, item in enumerate(value))
    if origin in {typing.Union, types.UnionType}:
        if value is None:
            return None
        return _typed(next(k for k in typing.get_args(kind) if k is not type(None)), value, place, faults)
    if origin is Literal:
        if value not in typing.get_args(kind):
            faults.append(f"{place} must be one of {', '.join(typing.get_args(kind))}")
        return value
    plain = origin or kind
    if not isinstance(value, plain) or (plain is int and isinstance(value, bool)):
        faults.append(f"{place} must be {plain.__name__}")
    return value


def _dotted(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key


def _path_type() -> type:
    from pathlib import Path

    return Path
