"""A function's own source folder, read like a distribution."""

from __future__ import annotations

import os
from pathlib import Path

from optimizer.errors import DiskError, UsageError
from optimizer.models import InstalledFile


def read_source(folder: Path) -> tuple[InstalledFile, ...]:
    """Every file in the folder, sorted by path.

    Raises:
        UsageError: there is no such folder, or it holds a link that leads out of it.
    """
    if not folder.is_dir():
        raise UsageError(
            f"There is no source folder at {folder}", mend="Mend `source` of the function in the configuration."
        )
    files = []
    for parent, folders, names in os.walk(folder, onerror=_unreadable):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in folders:
            if Path(parent, name).is_symlink():
                raise UsageError(f"{Path(parent, name)} is a link to a folder", mend="Put the files themselves there.")
        for name in names:
            place = Path(parent, name)
            if place.is_symlink() and not place.resolve().is_relative_to(folder.resolve()):
                raise UsageError(f"{place} is a link out of {folder}", mend="Put the file itself there.")
            if not place.is_file():
                continue
            stat = place.stat()
            files.append(
                InstalledFile(
                    path=place.relative_to(folder).as_posix(),
                    location=str(place),
                    bytes=stat.st_size,
                    mtime_ns=stat.st_mtime_ns,
                    inode=stat.st_ino,
                    executable=bool(stat.st_mode & 0o111),
                )
            )
    return tuple(sorted(files, key=lambda file: file.path))


def _unreadable(error: OSError) -> None:
    raise DiskError(f"{error.filename} can't be read: {error.strerror}", mend="Mend its permissions.") from error
