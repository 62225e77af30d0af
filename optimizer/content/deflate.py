"""Raw deflate streams as a zip holds them: one library, one level, so that every machine computes the same bytes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from zlib_ng import zlib_ng

LEVEL = 6
COMPRESSOR = f"zlib-ng {zlib_ng.ZLIBNG_VERSION} level {LEVEL}"
STORED, DEFLATED = 0, 8
"""The zip format's numbers for the two methods (APPNOTE 4.4.5)."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A content as it stands in a zip: `method` STORED where deflating gains nothing; `size` is unzipped bytes."""

    method: int
    crc32: int
    size: int
    data: bytes


def deflate(content: bytes) -> Stream:
    """The content's stream."""
    compressor = zlib_ng.compressobj(LEVEL, zlib_ng.DEFLATED, -15)
    packed = compressor.compress(content) + compressor.flush()
    crc = zlib_ng.crc32(content)
    if len(packed) >= len(content):
        return Stream(STORED, crc, len(content), content)
    return Stream(DEFLATED, crc, len(content), packed)


def is_whole(stream: Stream, content: str) -> bool:
    """Whether the stream still holds the content of that SHA-256 in hex, and says so of itself."""
    try:
        data = inflate(stream)
    except zlib_ng.error:  # type: ignore[misc]  # the stubs do not say that it is an exception
        return False
    return (
        hashlib.sha256(data).hexdigest() == content and stream.size == len(data) and stream.crc32 == zlib_ng.crc32(data)
    )


def inflate(stream: Stream) -> bytes:
    """The content again; zlib_ng.error where the stream is damaged."""
    return stream.data if stream.method == STORED else zlib_ng.decompress(stream.data, -15)
