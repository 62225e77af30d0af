"""Reads the artifacts of a build, and finds what is wrong with the zips themselves."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.metadata import parse_email
from packaging.utils import canonicalize_name

from optimizer import limits
from optimizer.collisions import METADATA_FOLDER
from optimizer.content import LAYER
from optimizer.errors import ArtifactError
from optimizer.runtime.archives import inspect_zip
from optimizer.verify.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from optimizer.build import Artifact, Function, Manifest

_READ = ("METADATA", "RECORD")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """One distribution in the layers: `version` is None where it has no METADATA, `record` is its RECORD's rows."""

    name: str
    version: str | None
    info: str
    record: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadZip:
    """One artifact with the SHA-256 in hex of each file by its path; `texts` are what metadata folders say."""

    artifact: Artifact
    contents: Mapping[str, str]
    texts: Mapping[str, str]


def check_zip(manifest: Manifest, artifact: Artifact) -> list[Finding]:
    """What of one zip is not what the manifest says, or can't be unpacked."""
    path = manifest.zip_path(artifact)
    subject = artifact.path
    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        facts = inspect_zip(path)
    except OSError as error:
        reason = error.strerror or str(error)
        return [Finding(check="artifact", subject=subject, expected="a zip that can be read", actual=reason)]
    except ArtifactError as error:
        return [Finding(check="artifact", subject=subject, expected="a zip that can be unpacked", actual=error.message)]
    pairs = (
        ("sha256", artifact.sha256, sha256),
        ("zipped bytes", artifact.zipped_bytes, path.stat().st_size),
        ("unzipped bytes", artifact.unzipped_bytes, facts.unzipped_bytes),
        ("files", artifact.files, facts.files),
    )
    return [
        Finding(check="artifact", subject=f"{subject}: {what}", expected=str(said), actual=str(found))
        for what, said, found in pairs
        if said != found
    ]


def check_size(manifest: Manifest, function: Function) -> list[Finding]:
    """Whether Lambda would take the function with its layers."""
    artifacts = [manifest.artifact(function.artifact, "function")]
    artifacts += [manifest.artifact(name, "layer") for name in function.layers]
    total = sum(a.unzipped_bytes for a in artifacts) + sum(x.unzipped_bytes for x in function.external_layers)
    if total <= limits.UNZIPPED_BYTES:
        return []
    expected = f"at most {limits.UNZIPPED_BYTES} bytes unzipped, layers included"
    return [Finding(check="size", subject=function.name, expected=expected, actual=f"{total} bytes")]


def read_zip(manifest: Manifest, artifact: Artifact) -> ReadZip:
    """Every file's hash, and the texts that tell of distributions.

    Raises:
        ArtifactError: the zip is damaged.
    """
    contents, texts = {}, {}
    try:
        with zipfile.ZipFile(manifest.zip_path(artifact)) as archive:
            for info in archive.infolist():
                if info.is_dir():
                    continue
                data = archive.read(info)
                contents[info.filename] = hashlib.sha256(data).hexdigest()
                folder, _, name = info.filename.rpartition("/")
                if name in _READ and folder.endswith(".dist-info"):
                    texts[info.filename] = data.decode("utf-8", "replace")
    except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, ValueError) as error:
        raise ArtifactError(f"{artifact.path} can't be read: {error}", mend="Build again.") from error
    return ReadZip(artifact=artifact, contents=contents, texts=texts)


def read_metadata(zips: Sequence[ReadZip]) -> tuple[Metadata, ...]:
    """The distributions whose metadata folders the layers hold, sorted by name."""
    texts = {path: text for one in zips for path, text in one.texts.items()}
    folders = {path.rpartition("/")[0] for one in zips for path in one.contents}
    infos = [folder for folder in folders if METADATA_FOLDER.fullmatch(folder) and folder.startswith(LAYER.prefix)]
    return tuple(sorted((_metadata(info, texts) for info in infos), key=lambda m: (m.name, m.info)))


def _metadata(info: str, texts: Mapping[str, str]) -> Metadata:
    stem, _, _ = info.rpartition("/")[2].removesuffix(".dist-info").partition("-")
    fields = parse_email(texts[f"{info}/METADATA"])[0] if f"{info}/METADATA" in texts else {}
    rows = csv.reader(io.StringIO(texts.get(f"{info}/RECORD", ""), newline=""))
    base = info.rpartition("/")[0]
    record = tuple((f"{base}/{row[0]}", row[1] if len(row) > 1 else "") for row in rows if row)
    return Metadata(
        name=canonicalize_name(fields.get("name", stem)), version=fields.get("version"), info=info, record=record
    )


def check_records(metadata: Sequence[Metadata], zips: Sequence[ReadZip]) -> Iterator[Finding]:
    """Files that a RECORD names and the layers don't have with that content."""
    contents = {path: content for one in zips for path, content in one.contents.items()}
    for each in metadata:
        lost = [path for path, _ in each.record if path not in contents]
        other = [path for path, said in each.record if path in contents and said and said != _said(contents[path])]
        for paths, what in ((lost, "is missing"), (other, "has other bytes")):
            if paths:
                more = f", as {len(paths) - 1} more" if len(paths) > 1 else ""
                yield Finding(
                    check="record",
                    subject=each.name,
                    expected="the files that its RECORD names",
                    actual=f"{paths[0]} {what}{more}",
                )


def _said(content: str) -> str:
    """A hash in hex as RECORD writes it."""
    import base64

    return "sha256=" + base64.urlsafe_b64encode(bytes.fromhex(content)).rstrip(b"=").decode()
