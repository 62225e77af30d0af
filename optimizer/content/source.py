"""A file's bytes as they ship: as the disk or a wheel has them, but for what the selection changes in them."""

from __future__ import annotations

import base64
import hashlib
import os
from typing import TYPE_CHECKING

from zlib_ng import zlib_ng

from optimizer.content import rewrites
from optimizer.content.comments import uncommented
from optimizer.content.deflate import DEFLATED
from optimizer.errors import DiskError, InventoryError, LimitError
from optimizer.limits import UNZIPPED_BYTES

if TYPE_CHECKING:
    from optimizer.models import InstalledFile, Packed


def shipped(file: InstalledFile) -> bytes:
    """The file's bytes as they ship.

    Raises:
        DiskError: it can't be read.
    """
    return changed(file, raw(file))


def raw(file: InstalledFile) -> bytes:
    """The file's bytes as an installer leaves them.

    Raises:
        DiskError: it can't be read.
        InventoryError: it lies in a wheel that is damaged or was tampered with.
        LimitError: it lies in a wheel and has more bytes than Lambda takes.
    """
    return read(file)[0]


def read(file: InstalledFile) -> tuple[bytes, bytes | None]:
    """The file's bytes, and the deflate stream of them that ships as it is: the wheel's, where it lies in one.

    Raises:
        DiskError, InventoryError, LimitError: see raw.
    """
    packed = file.packed
    if packed is not None:
        stream = read_stream(file.location, packed.offset, packed.bytes)
        return _unpacked(file, packed, stream), stream if ships_as_packed(file) else None
    return read_stream(file.location), None


def read_stream(location: str, offset: int = 0, length: int | None = None) -> bytes:
    """So many bytes of a file, or all.

    Raises:
        DiskError: it can't be read.
    """
    try:
        with open(location, "rb") as opened:  # noqa: PTH123  thousands of files: a Path for each costs more than the call
            return opened.read() if length is None else os.pread(opened.fileno(), length, offset)
    except OSError as error:
        raise DiskError(
            f"{location} can't be read: {error.strerror}",
            mend="Install its distribution again, or mend its permissions.",
        ) from error


def ships_as_packed(file: InstalledFile) -> bool:
    """Whether the file ships with the wheel's own stream."""
    return file.packed is not None and file.packed.method == DEFLATED and not is_changed(file)


def identity(file: InstalledFile) -> str:
    """What tells, without reading the file, that it is another: the wheel's hash, or else what stat says."""
    packed = file.packed
    if packed is not None:
        return f"{packed.wheel}\0{packed.offset}\0{packed.bytes}"
    return f"{file.location}\0{file.bytes}\0{file.mtime_ns}\0{file.inode}"


def _unpacked(file: InstalledFile, packed: Packed, stream: bytes) -> bytes:
    """What the wheel holds in the stream, as long as its directory says and with RECORD's hash."""
    if file.bytes > UNZIPPED_BYTES:
        raise LimitError(
            f"{file.path} of {file.location} has {file.bytes} bytes unzipped; Lambda takes {UNZIPPED_BYTES} in all",
            mend="Leave the distribution out, or ship the function as a container image.",
        )
    data = stream
    if packed.method == DEFLATED:
        inflater = zlib_ng.decompressobj(-15)
        try:
            data = inflater.decompress(stream, file.bytes + 1)  # a bomb is not unpacked further than it says
        except zlib_ng.error as error:  # type: ignore[misc]  # the stubs do not say that it is an exception
            raise _damaged(file, f"can't be unpacked ({error})") from error
        if not inflater.eof or inflater.unused_data:
            raise _damaged(file, "is longer or shorter than the wheel's directory says")
    if len(data) != file.bytes or zlib_ng.crc32(data) != packed.crc32:
        raise _damaged(file, "is not what the wheel's directory says")
    algorithm, _, expected = packed.recorded.partition("=")
    if expected:
        found = base64.urlsafe_b64encode(hashlib.new(algorithm, data).digest()).rstrip(b"=").decode()
        if found != expected.rstrip("="):
            raise _damaged(file, f"has {algorithm}={found}, but RECORD says {packed.recorded}")
    return data


def _damaged(file: InstalledFile, what: str) -> InventoryError:
    return InventoryError(
        (f"{file.path} {what}: the wheel is damaged or was tampered with",),
        where=file.location,
        mend="Download the wheel again, and do not use this one before you know why it differs.",
    )


def changed(file: InstalledFile, data: bytes) -> bytes:
    """Those bytes with what the selection changes in them."""
    if file.undocumented:
        data = rewrites.undocumented(data)
    if file.endpoints:
        data = rewrites.only_endpoints(data, frozenset(file.endpoints))
    if file.uncommented:
        data = uncommented(data, file.unread)
    if file.unstamped:
        data = rewrites.unstamped(data)
    return data + file.added.encode()


def is_changed(file: InstalledFile) -> bool:
    """Whether the file ships with other bytes than an installer leaves."""
    return bool(file.unstamped or file.undocumented or file.endpoints or file.added or file.uncommented)


def changes(file: InstalledFile) -> str:
    """What tells one way of changing a file from another; empty where nothing is."""
    if not is_changed(file):
        return ""
    return f"\0{file.unstamped}\0{file.undocumented}\0{file.endpoints}\0{file.added}\0{file.uncommented}\0{file.unread}"
