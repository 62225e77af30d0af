"""What Pillow gets to see of a file: pixels and what they need, not the metadata.

Pillow reads metadata whole, once for each entry that points there, and joins its parts one by one: 5 MB of Exif take
more memory than any machine has, 5 MB of a GIF's comments take minutes (measured, Pillow 12.2).
"""

from dataclasses import dataclass

from app.services import chunks
from app.services.directories import EXIF, First, check
from app.services.location import MARKER, MOST_SEGMENTS, REMARKS

_SOI, _EOI, _TEM, _SOS = 0xD8, 0xD9, 0x01, 0xDA
_MOST_SCANS = 100  # a progressive JPEG has about ten; each goes over all its pixels, however few its bytes
_PIXELS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_WIDTH, _HEIGHT, _STRIPS, _SAMPLES, _ROWS, _PLANAR = 256, 257, 273, 277, 278, 284
_TILE_WIDTH, _TILE_HEIGHT, _TILES = 322, 323, 324
_PER_SAMPLE = (258, 338, 339)  # bits, extra samples, format
_MOST_SAMPLES = 64
_MOST_PROFILES = 8  # a PNG has one of a kind; each inflates to 1 MB


@dataclass(frozen=True, slots=True)
class Bare:
    """A file for Pillow."""

    data: bytes
    exif: bytes = b""  # as far as it holds the orientation
    animated: bool | None = None  # whether there are further frames; None where Pillow tells quickly


def bare(data: bytes, kind: str, max_pixels: int) -> Bare:
    """Leave out what Pillow would waste memory or time on.

    Args:
        data: A file.
        kind: Its format, as in `ImageInfo.format`.
        max_pixels: Most pixels that a tile of a TIFF may have, whatever the picture has.

    Raises:
        ValueError: Parts, scans, strips or values are more than such a picture can have.
    """
    match kind:
        case "JPEG":
            return _jpeg(data)
        case "PNG":
            return _png(data)
        case "GIF":
            return _gif(data)
        case "TIFF":
            _tiff(data, max_pixels)
    return Bare(data)


def _jpeg(data: bytes) -> Bare:
    kept, exif, at, scans = [data[:2]], b"", 2, 0
    for _ in range(MOST_SEGMENTS):
        found = MARKER.search(data, at)
        if found is None or found[1][0] == _EOI:
            return Bare(b"".join(kept), exif, animated=False)
        marker, start, at = found[1][0], found.start(), found.end()
        if marker in {_SOI, _TEM}:
            continue
        at += max(2, int.from_bytes(data[at : at + 2]))
        if marker == _SOS:
            scans += 1
            if scans == 1:  # the rest belongs to the pixels
                kept.append(data[start:])
            elif scans > _MOST_SCANS:
                raise ValueError("too many scans")
        elif not scans and marker not in REMARKS:
            kept.append(data[start:at])
        elif not exif and data.startswith(EXIF, start + 4):
            exif = data[start + 4 : at]
    raise ValueError("too many segments")


def _png(data: bytes) -> Bare:
    kept, exif, animated, profiles = [data[:8]], b"", False, 0
    for kind, start, stop in chunks.walk(data, 8, ">I4s"):
        if kind in _PIXELS:
            kept.append(data[start - 8 : stop + 4])
        elif kind == b"acTL":
            animated = int.from_bytes(data[start : start + 4]) > 1
        elif kind == b"eXIf":
            exif = data[start:stop]
        elif not exif and profiles < _MOST_PROFILES:
            profile = chunks.exif_text(kind, data[start:stop])
            profiles += profile is not None
            exif = profile or b""
        if kind == b"IEND":
            break
    return Bare(b"".join(kept), exif, animated)


def _gif(data: bytes) -> Bare:
    """Up to the first picture: all that follows is other frames."""
    kept, control, pictures = [data[: chunks.gif_start(data)]], b"", 0
    for kind, start, stop in chunks.gif_blocks(data):
        if kind == chunks.GIF_CONTROL:
            control = data[start:stop]
        elif kind == chunks.GIF_PICTURE:
            pictures += 1
            if pictures > 1:
                break
            kept += [control, data[start:stop]]
    return Bare(b"".join([*kept, b";" * (pictures > 1)]), animated=pictures > 1)


def _tiff(data: bytes, max_pixels: int) -> None:
    check(data)
    first = First(data)
    width, height = first.number(_WIDTH), first.number(_HEIGHT)
    tiled = first.count(_TILE_WIDTH) or first.count(_TILES)
    across = first.number(_TILE_WIDTH) if tiled else width
    down = first.number(_TILE_HEIGHT) if tiled else min(first.number(_ROWS, height), height)
    if not (width and height and across and down):
        raise ValueError("no dimensions")
    parts = -(-width // across) * -(-height // down) * (first.number(_SAMPLES, 1) if first.number(_PLANAR) == 2 else 1)  # noqa: PLR2004  # planes one by one
    if max(first.count(_STRIPS), first.count(_TILES)) > parts or (tiled and across * down > max_pixels):
        raise ValueError("more strips than rows, or a tile larger than any picture")
    if any(first.count(tag) > _MOST_SAMPLES for tag in _PER_SAMPLE):
        raise ValueError("too many samples")
