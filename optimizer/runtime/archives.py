"""Looks into a zip without unpacking it, and refuses what must never be unpacked."""

from __future__ import annotations

import io
import stat
import zipfile
from dataclasses import dataclass
from pathlib import Path

from optimizer.runtime.errors import BadArchiveError, UnsafeArchiveError

_UNIX = 3
_ENCRYPTED = 0x1
_MEND = "Build the archive again from plain files and folders."


@dataclass(frozen=True, slots=True, kw_only=True)
class ZipFacts:
    """What a zip's directory says: how many files it holds and their unzipped bytes together."""

    files: int
    unzipped_bytes: int


def inspect_zip(data_or_path: bytes | Path) -> ZipFacts:
    """Count a zip's files and bytes without unpacking it.

    Raises:
        BadArchiveError: it is no zip, is damaged, or can't be read.
        UnsafeArchiveError: it holds names that leave the folder, links, or two entries for one path.
    """
    name = str(data_or_path) if isinstance(data_or_path, Path) else "The archive"
    source = data_or_path if isinstance(data_or_path, Path) else io.BytesIO(data_or_path)
    try:
        with zipfile.ZipFile(source) as archive:
            files = checked_files(archive, name)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise BadArchiveError(f"{name} is not a zip that can be read: {error}", mend=_MEND) from error
    return ZipFacts(files=len(files), unzipped_bytes=sum(info.file_size for info in files))


def checked_files(archive: zipfile.ZipFile, name: str) -> list[zipfile.ZipInfo]:
    """The archive's entries for files; those for folders say nothing that the files' names don't.

    Raises:
        UnsafeArchiveError: one entry can't be unpacked safely; `name` is how the archive is called in the message.
    """
    files: list[zipfile.ZipInfo] = []
    paths: set[str] = set()
    folders: set[str] = set()
    for info in archive.infolist():
        fault = _fault(info)
        path = info.filename.rstrip("/")
        if not fault and info.is_dir():
            folders.update(_folders(f"{path}/"))
            continue
        if not fault and path in paths:
            fault = "appears twice"
        if fault:
            raise UnsafeArchiveError(f"{name}: {info.orig_filename!r} {fault}", mend=_MEND)
        paths.add(path)
        folders.update(_folders(path))
        files.append(info)
    if both := sorted(paths & folders):
        raise UnsafeArchiveError(f"{name}: {both[0]!r} is both a file and a folder", mend=_MEND)
    return files


def _fault(info: zipfile.ZipInfo) -> str | None:
    """Why one entry can't be unpacked safely."""
    name = info.orig_filename
    if "\\" in name or "\0" in name or ":" in name.split("/", 1)[0]:
        return "is no plain relative path"
    if name.startswith("/") or ".." in name.split("/"):
        return "leaves the folder"
    parts = name.rstrip("/").split("/")
    if "" in parts or "." in parts:
        return "is no plain relative path"
    mode = info.external_attr >> 16
    kind = stat.S_IFMT(mode) if info.create_system == _UNIX else 0
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        return "is a link" if kind == stat.S_IFLNK else "is no plain file"
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted"
    return None


def _folders(path: str) -> list[str]:
    """Every folder above a path."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[: i + 1]) for i in range(len(parts))]
