"""Metadata in formats made of chunks: PNG, WebP and GIF."""

import re
import struct
import zlib
from collections.abc import Iterator

from app.services.directories import EXIF, HEADERS, clean_exif, tells

GPS = re.compile(rb"GPS[A-Z][a-z]")  # tags' names, where text isn't known to be metadata

_METADATA = re.compile(rb"raw profile type|xmp|exif|iptc|geo", re.IGNORECASE)  # in a PNG's keyword
GIF_PICTURE, GIF_CONTROL = 0x2C, 0xF9
_GIF_BLOCK = re.compile(rb"[\x21\x2c\x3b]")
_GIF_HEADER, _GIF_IMAGE = 13, 10
_MOST_CHUNKS = 100_000
_MOST_TEXT = 1 << 20
_MOST_TEXTS = 64 << 20  # both as in Pillow's PngImagePlugin


def clean_png(data: bytes) -> bytes:
    """A PNG without chunks that tell a place; Exif stays without it.

    Raises:
        ValueError: It has more than 100,000 chunks.
    """
    cleaned, at = [data[:8]], 8
    room, has_exif = _MOST_TEXTS, b"eXIf" in data
    for kind, start, stop in walk(data, at, ">I4s"):
        at = min(stop + 4, len(data))
        if kind not in {b"eXIf", b"tEXt", b"zTXt", b"iTXt"}:
            cleaned.append(data[start - 8 : at])
            if kind == b"IEND":
                break
            continue
        body = data[start:stop]
        if kind == b"eXIf":
            kept = clean_exif(body)
        else:
            keyword, text = _text(kind, body, min(room, _MOST_TEXT))
            room -= _MOST_TEXT if text is None else len(text)  # it was inflated, though
            kept = b"" if text is None or _names_place(keyword, text) else body
            exif = _exif_profile(keyword, text or b"")
            if exif:
                kept = clean_exif(exif)
                if kept == exif:
                    kept = body
                elif has_exif:
                    kept = b""
                else:  # what else is in it, orientation above all, has a chunk of its own today
                    kind, kept, has_exif = b"eXIf", kept.removeprefix(EXIF), True  # noqa: PLW2901
        if kept == body:
            cleaned.append(data[start - 8 : at])
        elif kept:
            cleaned.append(struct.pack(">I4s", len(kept), kind) + kept + struct.pack(">I", zlib.crc32(kind + kept)))
    return b"".join([*cleaned, _harmless(data[at:])])


def clean_webp(data: bytes) -> bytes:
    """A WebP without XMP that tells a place, and with Exif that doesn't.

    Raises:
        ValueError: It has more than 100,000 chunks.
    """
    cleaned: list[bytes] = []
    gone, at, changed = 0, 12, False
    end = min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    for kind, start, stop in walk(data[:end], at, "<4sI"):
        at = min(stop + (stop - start) % 2, end)
        kept = body = data[start:stop]
        if kind == b"EXIF":
            kept = clean_exif(body)
        elif kind == b"XMP " and tells(body):
            kept = b""
        changed = changed or kept != body
        if kept or not body:
            cleaned.append(data[start - 8 : start] + kept + data[stop:at])
        else:
            gone |= 8 if kind == b"EXIF" else 4
    trailer = _harmless(data[at:])
    if not changed and len(trailer) == len(data) - at:
        return data
    content = b"".join(cleaned)
    if content.startswith(b"VP8X"):
        # The flags, of the WebP container specification: whether there is Exif (8) and XMP (4).
        content = content[:8] + bytes([content[8] & ~gone]) + content[9:]
    return b"RIFF" + struct.pack("<I", 4 + len(content)) + b"WEBP" + content + trailer


def clean_gif(data: bytes) -> bytes:
    """A GIF without extensions that tell a place: XMP and comments.

    Raises:
        ValueError: It has more than 100,000 blocks.
    """
    if not (b"XMP Data" in data or GPS.search(data)):
        return data
    cleaned: list[bytes] = []
    kept_to, end = 0, gif_start(data)
    for kind, start, end in gif_blocks(data):  # read behind the loop
        named = kind != GIF_PICTURE and (
            GPS.search(data, start, end) or (b"XMP Data" in data[start:end] and tells(data[start:end]))
        )
        if named:
            cleaned.append(data[kept_to:start])
            kept_to = end
    end = (data.find(b";", end) + 1) or len(data)
    return b"".join([*cleaned, data[kept_to:end], _harmless(data[end:])])


def gif_start(data: bytes) -> int:
    """Where a GIF's first block is, behind header and colour table."""
    return _GIF_HEADER + _table(data, 10)


def gif_blocks(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Kind, start and stop of each block in front of the trailer: `GIF_PICTURE`, or an extension's label.

    Raises:
        ValueError: There are more than 100,000 blocks.
    """
    at = gif_start(data)
    for _ in range(_MOST_CHUNKS):
        # Decoders skip what is no block.
        block = _GIF_BLOCK.search(data, at)
        if block is None or block[0] == b";":
            return
        start = block.start()
        extension = block[0] == b"!"
        at = start + 2 if extension else start + _GIF_IMAGE + _table(data, start + 9) + 1
        while at < len(data) and data[at]:
            at += 1 + data[at]
        at += 1
        yield (data[start + 1] if extension and start + 1 < len(data) else block[0][0]), start, min(at, len(data))
    raise ValueError("too many blocks")


def walk(data: bytes, at: int, header: str) -> Iterator[tuple[bytes, int, int]]:
    """Type, start and stop of the body of each chunk: PNG's with a checksum behind it, or RIFF's of even length.

    Raises:
        ValueError: There are more than 100,000 chunks.
    """
    png = header.startswith(">")
    for _ in range(_MOST_CHUNKS):
        if at + 8 > len(data):
            return
        one, other = struct.unpack_from(header, data, at)
        kind, length = (other, one) if png else (one, other)
        stop = min(at + 8 + length, len(data))
        yield kind, at + 8, stop
        at = stop + (4 if png else length % 2)
    raise ValueError("too many chunks")


def _table(data: bytes, at: int) -> int:
    """Bytes of the colour table that a GIF's flags announce."""
    flags = data[at] if at < len(data) else 0
    return 3 << (flags % 8 + 1) if flags & 128 else 0


def _text(kind: bytes, body: bytes, room: int) -> tuple[bytes, bytes | None]:
    """Keyword and text of a PNG's text chunk; None for a text that can't be read or needs more room."""
    keyword, _, text = body.partition(b"\0")
    packed = kind == b"zTXt"
    if packed:
        text = text[1:]
    elif kind == b"iTXt":
        packed = text[:1] != b"\0"
        text = text[2:].split(b"\0", 2)[-1]
    if not packed:
        return keyword, text
    try:
        text = zlib.decompressobj().decompress(text, max(room, 0) + 1)
    except zlib.error:
        return keyword, None
    return keyword, text if len(text) <= room else None


def _names_place(keyword: bytes, text: bytes) -> bool:
    if GPS.search(keyword) or GPS.search(text):
        return True
    profile = _profile(text) if b"raw profile type" in keyword.lower() else text
    return profile is None or bool(_METADATA.search(keyword) and tells(profile))


def exif_text(kind: bytes, body: bytes) -> bytes | None:
    """Exif in a PNG's text chunk, as ImageMagick wrote it before there was a chunk for it; None in no profile."""
    if kind not in {b"tEXt", b"zTXt", b"iTXt"} or b"raw profile type" not in body[:80].lower():
        return None
    keyword, text = _text(kind, body, _MOST_TEXT)
    return _exif_profile(keyword, text or b"")


def _exif_profile(keyword: bytes, text: bytes) -> bytes:
    profile = _profile(text) if b"raw profile type" in keyword.lower() else None
    return profile if profile and profile.startswith((EXIF, *HEADERS)) else b""


def _profile(text: bytes) -> bytes | None:
    """What ImageMagick writes: an empty line, name, length, then the profile in hex."""
    try:
        return bytes.fromhex(b"".join(text.split(b"\n", 3)[3:]).replace(b"\n", b"").decode("ascii"))
    except ValueError:
        return None


def _harmless(trailer: bytes) -> bytes:
    return b"" if GPS.search(trailer) else trailer
