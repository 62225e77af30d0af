"""Looks into a zip without unpacking it, and refuses what must never be unpacked."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

from optimizer.archives import look_through
from optimizer.runtime.errors import BadArchiveError, UnsafeArchiveError

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
    files, faults = look_through(archive.infolist())
    if faults:
        raise UnsafeArchiveError(f"{name}: {faults[0]}", mend=_MEND)
    return files
