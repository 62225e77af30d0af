"""What a folder of artifacts holds: each zip's files by the distribution that they belong to, read from the zips."""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import io
import zipfile
import zlib
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.metadata import parse_email
from packaging.utils import canonicalize_name

from optimizer.build.manifest import Artifact, Manifest
from optimizer.content import LAYER
from optimizer.content.payload import ENTRY_BYTES
from optimizer.errors import ArtifactError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_MEND = "Build again: python -m optimizer build"


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """One file as the zip's directory has it; CRC-32 and length tell contents apart, bytes with the entry's own."""

    crc32: int
    mode: int
    unzipped_bytes: int
    zipped_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a zip holds of one distribution, by path; `name` and `version` are empty for files that none has."""

    name: str
    version: str
    files: Mapping[str, Packed]


@dataclass(frozen=True, slots=True, kw_only=True)
class Zip:
    """One artifact and what is in it, sorted by name."""

    artifact: Artifact
    held: tuple[Held, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """One build: its manifest, and each of its zips."""

    manifest: Manifest
    zips: tuple[Zip, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    artifact: Artifact
    files: Mapping[str, Packed]
    owned: Mapping[str, tuple[str, str]]
    """(name, version) of the distribution by the paths that its RECORD names."""
    folders: Mapping[str, tuple[str, str]]
    """The same by what paths begin with, for distributions that have no RECORD."""


def read_contents(folder: Path) -> Contents:
    """The artifacts in a folder that `build` wrote.

    A distribution's RECORD may name files of another layer (its parts); bytecode belongs to its source.

    Raises:
        ArtifactError: the manifest or a zip is missing, damaged, or not what the manifest says.
    """
    manifest = Manifest.read(folder)
    read = [_read(manifest, artifact) for artifact in manifest.artifacts]
    owned = {path: owner for one in read for path, owner in one.owned.items()}
    return Contents(manifest=manifest, zips=tuple(_sorted_out(one, owned) for one in read))


def _read(manifest: Manifest, artifact: Artifact) -> _Read:
    place = manifest.zip_path(artifact)
    try:
        with place.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != artifact.sha256:
                raise ArtifactError(f"{place} is not the zip that its manifest describes", mend=_MEND)
            with zipfile.ZipFile(file) as archive:
                files = {
                    info.filename: Packed(
                        crc32=info.CRC,
                        mode=info.external_attr >> 16,
                        unzipped_bytes=info.file_size,
                        zipped_bytes=ENTRY_BYTES + 2 * len(info.filename.encode()) + info.compress_size,
                    )
                    for info in archive.infolist()
                }
                owned, folders = _owners(archive, files) if artifact.kind == "layer" else ({}, {})
    except FileNotFoundError:
        raise ArtifactError(f"{place} is missing, though {manifest.folder} has its manifest", mend=_MEND) from None
    except (OSError, zipfile.BadZipFile, zlib.error, ValueError, NotImplementedError, csv.Error) as error:
        raise ArtifactError(f"{place} can't be read: {error}", mend=_MEND) from error
    return _Read(artifact=artifact, files=files, owned=owned, folders=folders)


def _owners(
    archive: zipfile.ZipFile, files: Iterable[str]
) -> tuple[dict[str, tuple[str, str]], dict[str, tuple[str, str]]]:
    """The distributions by the paths of their RECORD, and by folders where they have none (an .egg-info)."""
    paths = {path for path in files if path.startswith(LAYER.prefix)}
    infos = {path.removeprefix(LAYER.prefix).split("/")[0] for path in paths}
    owned, folders = {}, {}
    for info in sorted(name for name in infos if name.endswith((".dist-info", ".egg-info"))):
        base = f"{LAYER.prefix}{info}"
        text = next((p for p in (f"{base}/METADATA", f"{base}/PKG-INFO", base) if p in paths), None)
        owner = _identity(info, archive.read(text) if text else b"")
        folders[base] = owner
        if f"{base}/RECORD" in paths:
            record = archive.read(f"{base}/RECORD").decode()
            owned.update({LAYER.prefix + row[0]: owner for row in csv.reader(io.StringIO(record, newline="")) if row})
        else:
            top = archive.read(f"{base}/top_level.txt").decode() if f"{base}/top_level.txt" in paths else owner[0]
            folders.update({LAYER.prefix + name: owner for name in top.split()})
    return owned, folders


def _identity(info: str, metadata: bytes) -> tuple[str, str]:
    """Name and version, by the metadata or else by the name of its folder."""
    fields, _ = parse_email(metadata)
    stem, _, version = info.rpartition(".")[0].partition("-")
    return canonicalize_name(fields.get("name", stem)), fields.get("version", version)


def _sorted_out(one: _Read, owned: Mapping[str, tuple[str, str]]) -> Zip:
    """The zip's files by distribution."""
    found: defaultdict[tuple[str, str], dict[str, Packed]] = defaultdict(dict)
    for path, packed in one.files.items():
        source = source_of(path)
        owner = owned.get(source) if one.artifact.kind == "layer" else None
        if owner is None:
            top = "/".join(source.split("/")[:2])
            owner = one.folders.get(top) or one.folders.get(top.split(".")[0]) or ("", "")
        found[owner][path] = packed
    held = [Held(name=name, version=version, files=files) for (name, version), files in sorted(found.items())]
    return Zip(artifact=one.artifact, held=tuple(held))


def source_of(path: str) -> str:
    """The path of the source of bytecode; another path is its own."""
    try:
        return importlib.util.source_from_cache(path) if path.endswith(".pyc") else path
    except ValueError:  # no bytecode beside a source
        return path
