"""A file's bytes as they ship: as the disk has them, but for what the selection changes in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.errors import DiskError

if TYPE_CHECKING:
    from optimizer.models import InstalledFile

_GZIP = b"\x1f\x8b\x08"


def shipped(file: InstalledFile) -> bytes:
    """The file's bytes as they ship.

    Raises:
        DiskError: it can't be read.
    """
    return changed(file, raw(file))


def raw(file: InstalledFile) -> bytes:
    """The file's bytes as an installer left them.

    Raises:
        DiskError: it can't be read.
    """
    try:
        with open(file.location, "rb") as opened:  # noqa: PTH123  thousands of files: a Path for each costs more than the call
            return opened.read()
    except OSError as error:
        raise DiskError(
            f"{file.location} can't be read: {error.strerror}",
            mend="Install its distribution again, or mend its permissions.",
        ) from error


def changed(file: InstalledFile, data: bytes) -> bytes:
    """Those bytes with what the selection changes: gzip's MTIME set to 0, which says that there is none (RFC 1952)."""
    if file.unstamped and data.startswith(_GZIP):
        data = data[:4] + bytes(4) + data[8:]
    return data + file.added.encode()


def is_changed(file: InstalledFile) -> bool:
    """Whether the file ships with other bytes than the disk has."""
    return file.unstamped or bool(file.added)
