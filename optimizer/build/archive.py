"""Deterministic zips from precompressed streams: sorted paths, one date, fixed modes, no directory entries."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from optimizer.content.deflate import DEFLATED
from optimizer.errors import LimitError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from optimizer.content import Stream
    from optimizer.models import Entry

_DATE, _TIME = (1980 - 1980) << 9 | 1 << 5 | 1, 0
"""1 January 1980, the earliest date a zip can hold (MS-DOS format)."""
_UNIX_FILE = 0o100000
_MADE_BY_UNIX = 3 << 8 | 20
_UTF8 = 0x800
"""General purpose bit 11: the name is UTF-8 (APPNOTE 4.4.4)."""
_ZIP64_ENTRIES, _ZIP64_BYTES = 0xFFFF, 0xFFFFFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One zip as it was written: `sha256` in hex, its length in bytes, and how many files it holds."""

    sha256: str
    zipped_bytes: int
    unzipped_bytes: int
    files: int


def write_archive(file: BinaryIO, entries: Iterable[tuple[Entry, Stream]]) -> Written:
    """Write the entries, sorted by path, as one zip.

    Raises:
        LimitError: it would need Zip64, which Lambda's limits never leave room for.
        ValueError: a path stands twice.
    """
    digest = hashlib.sha256()
    offset = unzipped = 0
    central = []

    def put(data: bytes) -> None:
        nonlocal offset
        file.write(data)
        digest.update(data)
        offset += len(data)

    last = None
    for entry, stream in sorted(entries, key=lambda e: e[0].path.encode()):
        if entry.path == last:
            raise ValueError(f"{entry.path} stands twice in one zip")
        last = entry.path
        name = entry.path.encode()
        flags = 0 if entry.path.isascii() else _UTF8
        needed = 20 if stream.method == DEFLATED else 10
        common = struct.pack(
            "<HHHHHIIIHH",
            needed,
            flags,
            stream.method,
            _TIME,
            _DATE,
            stream.crc32,
            len(stream.data),
            stream.size,
            len(name),
            0,
        )
        central.append(
            struct.pack("<4sH", b"PK\x01\x02", _MADE_BY_UNIX)
            + common
            + struct.pack("<HHHII", 0, 0, 0, (_UNIX_FILE | entry.mode) << 16, offset)
            + name
        )
        put(b"PK\x03\x04" + common + name)
        put(stream.data)
        unzipped += stream.size
        if offset > _ZIP64_BYTES or len(central) >= _ZIP64_ENTRIES:
            raise LimitError(
                f"a zip of {len(central)} files and {offset} bytes would need Zip64, which is far over Lambda's limits",
                mend="Leave distributions out, or ship the function as a container image.",
            )
    start = offset
    put(b"".join(central))
    put(struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, len(central), len(central), offset - start, start, 0))
    return Written(sha256=digest.hexdigest(), zipped_bytes=offset, unzipped_bytes=unzipped, files=len(central))
