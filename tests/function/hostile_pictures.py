"""Pictures that are meant to do harm, and odd ones that are not: made by code, each with what it must come to."""

import io
import itertools
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

from PIL import Image, ImageOps

HALVES = {"red": 0.5, "blue": 0.5}
LIMIT = 5 * 1024 * 1024  # `ANALYZER_MAX_IMAGE_BYTES`, and Rekognition's `Image.Bytes`
PIXELS = 20_000_000  # `ANALYZER_MAX_PIXELS`

DAMAGED, PIXELS_CODE, UNKNOWN = "image_damaged", "image_too_many_pixels", "image_format_unsupported"
LARGE, EMPTY = ("image_too_large", "body_too_large"), "invalid_request"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A file and what may come of it.

    Attributes:
        make: Makes it.
        codes: Problems that are right. Empty: it must be analysed.
        colors: CSS names with shares that are right. Empty: it must be refused.
        size: Width and height, upright; None where any will do.
        format: What the content is.
        heavy: It takes a second or more.
        s3: It lies in S3, where it may have 15 MB.
    """

    make: Callable[[], bytes]
    codes: tuple[str, ...] = ()
    colors: Mapping[str, float] = field(default_factory=dict)
    size: tuple[int, int] | None = None
    format: str | None = None
    heavy: bool = False
    s3: bool = False


def save(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The picture's file."""
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def halves(width: int = 80, height: int = 60) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", (width, height), "red")
    image.paste("blue", (width // 2, 0, width, height))
    return image


def right(make: Callable[[], bytes], **more: Any) -> Case:
    """A picture of two halves that must be analysed."""
    return Case(make=make, **{"colors": HALVES, "size": (80, 60), **more})


def either(make: Callable[[], bytes], *codes: str, **more: Any) -> Case:
    """A picture of two halves that may be analysed, and may be refused."""
    return Case(make=make, codes=codes or (DAMAGED,), **{"colors": HALVES, **more})


def refused(make: Callable[[], bytes], *codes: str, **more: Any) -> Case:
    """What must be refused."""
    return Case(make=make, codes=codes or (DAMAGED,), **more)


def of(image: Callable[[], Image.Image], kind: str, **options: Any) -> Callable[[], bytes]:
    """Save later."""
    return lambda: save(image(), kind, **options)


# PNG


def chunk(kind: bytes, content: bytes) -> bytes:
    """A PNG's chunk."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, pixels: bytes, *, depth: int = 8, color: int = 2, extra: bytes = b"") -> bytes:
    """A PNG of ready-made rows in deflate."""
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def with_chunks(*chunks: bytes) -> bytes:
    """A good PNG with chunks behind its header."""
    data = save(halves(), "PNG")
    return b"".join([data[:33], *chunks, data[33:]])


def rows(width: int, height: int, red: bytes, blue: bytes) -> bytes:
    """A PNG's rows of two halves, in deflate."""
    row = b"\0" + red * (width // 2) + blue * (width - width // 2)
    packer = zlib.compressobj(1)
    return b"".join([*(packer.compress(row) for _ in range(height)), packer.flush()])


@lru_cache
def zeros(megabytes: int) -> bytes:
    """A bomb: zeros in deflate, a thousandth of their length. Made of one block: what is flushed fully stands alone."""
    packer = zlib.compressobj(9)
    begin = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return (
        begin
        + block * (megabytes - 1)
        + zlib.compress(b"")[2:-4]
        + struct.pack(">I", 1 | (megabytes << 20) % 65_521 << 16)
    )


def largest_png() -> bytes:
    """Most pixels, of 16 bits in four channels."""
    red, blue = b"\xff\xff\0\0\0\0\xff\xff", b"\0\0\0\0\xff\xff\xff\xff"
    return png(4472, 4472, rows(4472, 4472, red, blue), depth=16, color=6)


def apng() -> bytes:
    """Two frames."""
    return save(halves(), "PNG", save_all=True, append_images=[Image.new("RGB", (80, 60), "lime")])


# Exif and TIFF


def directory(entries: list[tuple[int, int, int, int]], *, following: int = 0, order: str = "<") -> bytes:
    """A TIFF directory of (tag, type, count, value or offset)."""
    body = b"".join(struct.pack(order + "HHII", *entry) for entry in sorted(entries))
    return struct.pack(order + "H", len(entries)) + body + struct.pack(order + "I", following)


def tiff(entries: list[tuple[int, int, int, int]], content: bytes = b"", *, following: int = 0) -> bytes:
    """A TIFF file: header, a directory, and what it points to; `end_of(entries)` is where that begins."""
    return b"II*\0" + struct.pack("<I", 8) + directory(entries, following=following) + content


def end_of(count: int) -> int:
    """Where the content of a TIFF file begins whose directory has so many entries."""
    return 8 + 2 + 12 * count + 4


def picture_tiff(
    width: int, height: int, more: dict[int, tuple[int, int, int]], content: bytes = b"", *, bits: int = 8
) -> bytes:
    """A grey TIFF with other tags in place of its own; values that lie in the content count from its beginning."""
    tags = {256: (4, 1, width), 257: (4, 1, height), 258: (3, 1, bits), 259: (3, 1, 1), 262: (3, 1, 1), 277: (3, 1, 1)}
    tags.update({278: (4, 1, height), **more})
    start = end_of(len(tags))
    lengths = {1: 1, 2: 1, 3: 2, 4: 4, 7: 1}
    entries = [
        (tag, kind, count, value + start if tag in {273, 324} or lengths[kind] * count > 4 else value)
        for tag, (kind, count, value) in tags.items()
    ]
    return tiff(entries, content)


def deflated_tiff(width: int, height: int) -> bytes:
    """One strip in deflate."""
    content = zeros(-(-width * height >> 20))
    more = {259: (3, 1, 8), 273: (4, 1, 0), 279: (4, 1, len(content))}
    return picture_tiff(width, height, more, content)


def tiled_tiff(side: int) -> bytes:
    """A small picture in one tile that is far larger than it."""
    content = zeros(-(-side * side >> 20))
    more = {259: (3, 1, 8), 322: (4, 1, side), 323: (4, 1, side), 324: (4, 1, 0), 325: (4, 1, len(content))}
    return picture_tiff(80, 60, more, content)


def stripped_tiff(strips: int, *, compression: int = 1, height: int = 2000) -> bytes:
    """Strips without end, all of the same bytes."""
    content = bytes(2000 * height) if compression == 1 else zlib.compress(bytes(2000))
    base = len(content)
    content += struct.pack(f"<{strips}I", *([end_of(9)] * strips)) + struct.pack(f"<{strips}I", *([2000] * strips))
    start = end_of(9)
    entries = [
        (256, 4, 1, 2000),
        (257, 4, 1, height),
        (258, 3, 1, 8),
        (259, 3, 1, compression),
        (262, 3, 1, 1),
        (273, 4, strips, start + base),
        (277, 3, 1, 1),
        (278, 4, 1, 1 if compression != 1 else height - 1),
        (279, 4, strips, start + base + 4 * strips),
    ]
    return tiff(entries, content)


def overlapping(prefix: list[tuple[int, int, int, int]], length: int) -> bytes:
    """A directory of very many entries, each of which says that all the file is its value."""
    taken = {tag for tag, *_ in prefix}
    free = [tag for tag in range(40_000, 65_000) if tag not in taken]
    return tiff(prefix + [(tag, 7, length - 4096, 8) for tag in free], bytes(length - 12 * len(free)))


def upright(orientation: int, image: Image.Image | None = None) -> Image.Image:
    """Pixels that the orientation turns into two halves, red on the left."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = image or halves()
    # Each turn is undone by itself, but for those by 90 degrees, which undo each other.
    inverse = {6: 8, 8: 6}.get(orientation, orientation)
    image.getexif()[0x0112] = inverse
    return ImageOps.exif_transpose(image)


def turned(kind: str, orientation: int) -> bytes:
    """A file whose pixels lie in another way than its Exif has them shown."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    options: dict[str, Any] = {"quality": 95, "subsampling": 0} if kind == "JPEG" else {}
    return save(
        upright(orientation), kind, exif=exif.tobytes(), **(options or ({"lossless": True} if kind == "WEBP" else {}))
    )


def with_exif(kind: str, block: bytes) -> bytes:
    """A picture with this Exif, whatever it is worth."""
    if kind == "PNG":
        return with_chunks(chunk(b"eXIf", block))
    if kind == "WEBP":
        return save(halves(), "WEBP", lossless=True, exif=block)
    return with_segments(*(exif_segments(block)))


# JPEG


def segment(marker: int, content: bytes) -> bytes:
    """A JPEG's segment."""
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def exif_segments(block: bytes, most: int = 65_000) -> list[bytes]:
    """Exif in as many segments as it needs."""
    return [segment(0xE1, b"Exif\0\0" + block[at : at + most]) for at in range(0, len(block), most)]


def crossed(depth: int = 7) -> bytes:
    """64 kB of Exif in each other, whose twelve directories each begin five bytes into the one before."""
    places = struct.pack("<12I", *range(2000, 2060, 5))
    inner = b"Exif\0\0" + crossed(depth - 1) if depth else b"\x7f" * 64_000
    return tiff([(0x8769, 4, 12, end_of(1))], places + inner)


def jpeg(image: Image.Image | None = None, **options: Any) -> bytes:
    """A JPEG of the two halves, without a density: Pillow then looks for one in the Exif."""
    data = save(image or halves(), "JPEG", **{"quality": 95, "subsampling": 0, **options})
    return data[:2] + data[20:] if data[2:4] == b"\xff\xe0" else data


def with_segments(*segments: bytes) -> bytes:
    """A good JPEG with segments at its beginning."""
    data = jpeg()
    return b"".join([data[:2], *segments, data[2:]])


def padded_jpeg(length: int) -> bytes:
    """A JPEG of exactly so many bytes."""
    data, parts = jpeg(), []
    room = length - len(data)
    while room:
        size = min(room, 65_000)
        size = size if room - size == 0 or room - size >= 4 else size - 8
        parts.append(segment(0xEC, b"x" * (size - 4)))
        room -= size
    return with_segments(*parts)


def placed_jpeg(length: int, side: int) -> bytes:
    """A JPEG of noise beside two halves that tells its place, too large for Rekognition's `Image.Bytes`."""
    image = halves(side, side)
    image.paste(Image.effect_noise((side // 8, side), 90).convert("RGB"), (0, 0))
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (1.0, 2.0, 3.0)}
    data = save(image, "JPEG", quality=95, exif=exif)
    tail = [segment(0xEC, b"x" * 65_000) for _ in range(max(0, -(-(length - len(data)) // 65_004)))]
    return b"".join([data[:2], *tail, data[2:]])


def many_scans(side: int, length: int, **options: Any) -> bytes:
    """A progressive JPEG that says the same again and again, for a few bytes each."""
    data = save(Image.new("RGB", (side, side), "red"), "JPEG", progressive=True, **options)
    starts = [found.start() for found in re.finditer(rb"\xff\xda", data)] + [len(data) - 2]
    scans = [data[start:stop] for start, stop in itertools.pairwise(starts)]
    # Tables stand between scans: those of one without.
    alone = [scan for scan in scans if b"\xff\xc4" not in scan] or [scans[-1]]
    least = min(alone, key=len)
    return data[:-2] + least * ((length - len(data)) // len(least)) + data[-2:]


def cmyk(*, marked: bool) -> bytes:
    """Inverted, as Adobe's programs write it and all decoders take it, with Adobe's marker or without."""
    data = save(halves().convert("CMYK"), "JPEG", quality=95)
    at = data.index(b"\xff\xee")
    return data if marked else data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4]) :]


def header_jpeg(width: int, height: int) -> bytes:
    """A JPEG that says it is as large as can be."""
    data = jpeg()
    at = data.index(b"\xff\xc0")
    return data[: at + 5] + struct.pack(">HH", height, width) + data[at + 9 :]


# GIF, WebP, BMP


def gif_header(width: int, height: int) -> bytes:
    """Screen, and a table of black, red, blue, white."""
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x91, 0, 0) + b"\0\0\0\xff\0\0\0\0\xff\xff\xff\xff"


def with_extension(*parts: bytes) -> bytes:
    """A good GIF with extensions in front of its picture."""
    data = save(halves(), "GIF")
    at = 13 + (3 << (data[10] % 8 + 1))
    return b"".join([data[:at], *parts, data[at:]])


def gif_frame(width: int, height: int, pixels: bytes = b"\x02\x02\x4c\x01\0") -> bytes:
    """An image block."""
    return b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + pixels


def many_frames(count: int) -> bytes:
    """Very many further frames."""
    return save(halves(), "GIF")[:-1] + gif_frame(1, 1) * count + b";"


def webp_canvas(width: int, height: int) -> bytes:
    """A WebP that announces a large canvas, with a small picture on it."""
    inner = save(halves(), "WEBP", lossless=True)[12:]
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    frame = b"\0" * 6 + (79).to_bytes(3, "little") + (59).to_bytes(3, "little") + b"\x64\0\0\0" + inner
    body = b"VP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + size
    body += b"ANIM" + struct.pack("<I", 6) + bytes(6) + b"ANMF" + struct.pack("<I", len(frame)) + frame
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def webp_frames(count: int) -> bytes:
    """Very many further frames."""
    data = webp_canvas(80, 60)
    frame = data[data.index(b"ANMF") :]
    body = data[12:] + frame * count
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def bmp(width: int, height: int, content: bytes, *, compression: int = 1) -> bytes:
    """A BMP of eight bits with a palette."""
    palette = b"".join(bytes((index, 0, 0, 0)) for index in range(256))
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, compression, len(content), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 54 + 1024 + len(content), 0, 0, 54 + 1024) + info + palette + content


# Polyglots


def jpeg_and_zip() -> bytes:
    """A JPEG that is a zip archive too."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", bytes(50_000_000))
    return jpeg() + target.getvalue()


def gif_and_script() -> bytes:
    """`GIF89a/*...*/=1;` is a script, and a GIF of 10,799 by 1."""
    body = gif_header(0x2A2F, 1)[:13] + gif_header(1, 1)[13:]
    return body + b"!\xfe\x0d*/=1;alert(1)\0" + gif_frame(1, 1) + b";"


BIG = 4472  # squared, just below the limit of pixels
BIG_JPEG = 6324  # that of JPEG


def _truncated() -> dict[str, Case]:
    cases: dict[str, Case] = {}
    for kind in ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP"):
        for share in (0.02, 0.3, 0.6, 0.98):

            def cut(kind: str = kind, share: float = share) -> bytes:
                data = save(Image.effect_noise((200, 200), 90).convert("RGB"), kind)
                return data[: max(12, int(len(data) * share))]

            cases[f"truncated {kind} {share:.0%}"] = refused(cut, DAMAGED, UNKNOWN)
        cases[f"without its last byte {kind}"] = either(lambda kind=kind: save(halves(), kind)[:-1], DAMAGED, UNKNOWN)
        cases[f"four bytes {kind}"] = refused(lambda kind=kind: save(halves(), kind)[:4], DAMAGED, UNKNOWN)
    return cases


def _dimensions() -> dict[str, Case]:
    return {
        "PNG 50,000 square": refused(lambda: png(50_000, 50_000, zlib.compress(bytes(1000))), PIXELS_CODE),
        "PNG 2^31 square": refused(lambda: png(2**31 - 1, 2**31 - 1, zlib.compress(bytes(9))), PIXELS_CODE, DAMAGED),
        "PNG 2^31 by 1": refused(lambda: png(2**31 - 1, 1, zlib.compress(bytes(9))), PIXELS_CODE, DAMAGED),
        "PNG of no width": refused(lambda: png(0, 5, zlib.compress(b""))),
        "PNG just over the limit": refused(lambda: png(4473, 4473, zlib.compress(b"")), PIXELS_CODE),
        "JPEG 65,500 square": refused(lambda: header_jpeg(65_500, 65_500), PIXELS_CODE),
        "JPEG of no height": refused(lambda: header_jpeg(80, 0), DAMAGED),
        "GIF screen 65,535 square": refused(lambda: gif_header(65_535, 65_535) + gif_frame(1, 1) + b";", PIXELS_CODE),
        "GIF frame beyond its screen": refused(
            lambda: gif_header(1, 1) + gif_frame(65_535, 65_535) + b";", PIXELS_CODE
        ),
        "GIF second frame beyond": right(
            lambda: save(halves(), "GIF")[:-1] + gif_frame(65_535, 65_535) + b";", size=(80, 60)
        ),
        "WebP canvas 16,383 square": refused(lambda: webp_canvas(16_383, 16_383), PIXELS_CODE, DAMAGED),
        "WebP canvas 2^24 by 2^7": refused(lambda: webp_canvas(1 << 24, 1 << 7), PIXELS_CODE, DAMAGED),
        "BMP 2^31 square": refused(lambda: bmp(2**31 - 1, 2**31 - 1, b""), PIXELS_CODE, DAMAGED),
        "BMP -2^31 high": refused(lambda: bmp(9, -(2**31), b""), PIXELS_CODE, DAMAGED),
        "TIFF 2^32 square": refused(
            lambda: picture_tiff(2**32 - 1, 2**32 - 1, {273: (4, 1, 0), 279: (4, 1, 9)}, b"x" * 9), PIXELS_CODE, DAMAGED
        ),
    }


def _bombs() -> dict[str, Case]:
    big = partial(halves, BIG, BIG)
    big_jpeg = partial(halves, BIG_JPEG, BIG_JPEG)
    square = {"size": (BIG, BIG), "heavy": True}
    square_jpeg = {"size": (BIG_JPEG, BIG_JPEG), "heavy": True}
    wide = {"size": (40_000, 1000), "heavy": True}
    return {
        "PNG of most pixels, 16 bits": right(largest_png, **square),
        "PNG, 1 GB behind its pixels": either(lambda: png(80, 60, zeros(1000)), colors={"black": 1}),
        "PNG, 1 GB in iTXt": right(lambda: with_chunks(chunk(b"iTXt", b"Comment\0\1\0\0\0" + zeros(1000)))),
        "PNG, 1 GB in zTXt": right(lambda: with_chunks(chunk(b"zTXt", b"Comment\0\0" + zeros(1000)))),
        "PNG, 1 GB in iCCP": right(lambda: with_chunks(chunk(b"iCCP", b"icc\0\0" + zeros(1000)))),
        "PNG, 64 MB in each of many texts": either(
            lambda: with_chunks(*[chunk(b"zTXt", b"Comment\0\0" + zeros(64))] * 70)
        ),
        "PNG, 1 MB of Exif's profile in each of many texts": either(
            lambda: with_chunks(
                *[chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(b"\n" * 1_048_567))] * 4500
            )
        ),
        "PNG, more than 1 MB of it in each": either(
            lambda: with_chunks(
                *[chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(b"\n" * 1_048_581))] * 4500
            )
        ),
        "PNG of 400,000 chunks": either(lambda: with_chunks(*[chunk(b"tEXt", b"")] * 400_000)),
        "PNG of 400,000 empty IDATs": either(lambda: with_chunks(*[chunk(b"IDAT", b"")] * 400_000)),
        "PNG palette bomb": refused(lambda: png(80, 60, b"", color=3, extra=chunk(b"PLTE", bytes(3_000_000)))),
        "WebP of most pixels": right(of(big, "WEBP", lossless=True, quality=0, method=0), **square),
        "WebP lossy of most pixels": right(of(big, "WEBP", quality=50, method=0), **square),
        "WebP of 200,000 frames": either(lambda: webp_frames(40_000)),
        "GIF of most pixels": right(of(big, "GIF"), **square),
        "GIF of 500,000 frames": either(lambda: many_frames(330_000)),
        "GIF comment of 2,500,000 blocks": either(lambda: with_extension(b"!\xfe" + b"\1x" * 2_500_000 + b"\0")),
        "GIF comment of 5 MB": either(lambda: with_extension(b"!\xfe" + (b"\xff" + b"x" * 255) * 20_000 + b"\0")),
        "GIF of 1,000,000 comments": either(lambda: with_extension(b"!\xfe\1x\0" * 1_000_000)),
        "TIFF deflate of most pixels": right(of(big, "TIFF", compression="tiff_adobe_deflate"), **square),
        "TIFF LZW of most pixels": right(of(big, "TIFF", compression="tiff_lzw"), **square),
        "TIFF packbits of most pixels": right(
            lambda: save(big().quantize(4), "TIFF", compression="packbits"), **square
        ),
        "TIFF deflate, one strip of 1 GB": refused(lambda: deflated_tiff(40_000, 25_000), PIXELS_CODE),
        "TIFF deflate, one tile of 1 GB": refused(lambda: tiled_tiff(32_768)),
        "TIFF of 500,000 strips": refused(lambda: stripped_tiff(120_000)),
        "TIFF of 500,000 strips, deflate": refused(lambda: stripped_tiff(500_000, compression=8)),
        "TIFF directory on top of itself": refused(
            lambda: overlapping([(256, 4, 1, 80), (257, 4, 1, 60), (258, 3, 1, 8), (262, 3, 1, 1)], 5_000_000)
        ),
        "TIFF directory of itself": either(lambda: self_referring("TIFF"), colors={"black": 1}),
        "TIFF sub-directory on top of itself": refused(sub_directory_tiff),
        "JPEG of most pixels": right(of(big_jpeg, "JPEG"), **square_jpeg),
        "JPEG of most pixels, progressive": right(of(big_jpeg, "JPEG", progressive=True, subsampling=0), **square_jpeg),
        "JPEG of most pixels, CMYK progressive": right(
            lambda: save(big_jpeg().convert("CMYK"), "JPEG", progressive=True), **square_jpeg
        ),
        "JPEG 40,000 by 1,000, CMYK progressive": right(
            lambda: save(halves(40_000, 1000).convert("CMYK"), "JPEG", progressive=True), **wide
        ),
        "JPEG of very many scans": refused(lambda: many_scans(4000, 100_000)),
        "JPEG of very many scans, small": refused(lambda: many_scans(400, LIMIT - 100)),
        "JPEG of 5 MB padding": either(lambda: (data := jpeg())[:2] + b"\xff" * 5_000_000 + data[2:]),
        "JPEG of 5 MB junk": either(lambda: (data := jpeg())[:4] + b"\0" * 5_000_000 + data[4:], DAMAGED, UNKNOWN),
        "JPEG of 1,200,000 segments": either(lambda: with_segments(*[segment(0xE5, b"")] * 1_200_000)),
        "JPEG of 45,000 ends": either(lambda: jpeg() + b"\xff\xd8\xff\xd9" * 45_000 + bytes(5_000_000)),
        "JPEG of 75 Exifs on top of themselves": either(
            lambda: with_segments(*[segment(0xE1, b"Exif\0\0" + crossed())] * 75)
        ),
        "JPEG Exif in 400,000 segments": either(lambda: with_segments(*exif_segments(b"II*\0" + bytes(400_000), 1))),
        "BMP in runs of one pixel": either(
            lambda: bmp(2200, 1180, (b"\1\0" * 2200 + b"\0\0") * 1180), *LARGE, colors={"black": 1}
        ),
        "BMP of most pixels in runs": Case(
            make=lambda: bmp(BIG, BIG, (b"\xff\0" * (BIG // 255) + bytes((BIG % 255, 0, 0, 0))) * BIG),
            colors={"black": 1},
            **square,
        ),
        "BMP of empty runs": refused(lambda: bmp(BIG, BIG, b"\0\0" * 2_600_000), *LARGE),
        "BMP of runs of one pixel, 15 MB": either(
            lambda: bmp(2700, 2700, (b"\1\0" * 2700 + b"\0\0") * 2700), *LARGE, colors={"black": 1}, s3=True, heavy=True
        ),
    }


def self_referring(kind: str) -> bytes:
    """Directories that are their own next, child and Exif."""
    entries = [(0x0112, 3, 1, 1), (0x014A, 4, 1, 8), (0x8769, 4, 1, 8), (0x8825, 4, 1, 8), (0xA005, 4, 1, 8)]
    if kind != "TIFF":
        return tiff(entries, following=8)
    entries += [(256, 4, 1, 80), (257, 4, 1, 60), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (277, 3, 1, 1)]
    entries += [(273, 4, 1, end_of(13)), (278, 4, 1, 60)]
    return tiff(entries, bytes(4800), following=8)


def sub_directory_tiff() -> bytes:
    """A good grey picture whose Exif directory has very many entries of all the file."""
    start, child = end_of(9), end_of(9) + 4800
    entries = [(256, 4, 1, 80), (257, 4, 1, 60), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (277, 3, 1, 1)]
    entries += [(273, 4, 1, start), (278, 4, 1, 60), (0x8769, 4, 1, child)]
    inner = directory([(tag, 7, 4_000_000, 8) for tag in range(40_000, 60_000)])
    return tiff(entries, bytes(4800) + inner + bytes(4_500_000))


def _exif() -> dict[str, Case]:
    blocks: dict[str, Callable[[], bytes]] = {
        "loop": lambda: self_referring("Exif"),
        "giant offsets": lambda: tiff([(0x8769, 4, 1, 2**32 - 1), (0x010F, 2, 2**32 - 1, 2**32 - 1)], following=2**31),
        "giant counts": lambda: tiff([(0x010F, 12, 2**32 - 1, 8), (0x0112, 4, 2**32 - 1, 8)]),
        "first directory nowhere": lambda: b"MM\0*\xff\xff\xff\xff",
        "nothing in it": lambda: b"II*\0",
        "orientation 9": lambda: tiff([(0x0112, 3, 1, 9)]),
        "orientation in words": lambda: tiff([(0x0112, 2, 4, 0x36)]),
        "orientation in BigTIFF": lambda: (
            b"II+\0\x08\0\0\0" + struct.pack("<QQHHQH", 16, 1, 0x112, 3, 1, 6) + bytes(14)
        ),
    }
    cases = {
        f"Exif {name} {kind}": right(lambda kind=kind, block=block: with_exif(kind, block()))
        for name, block in blocks.items()
        for kind in ("JPEG", "PNG", "WEBP")
    }
    for kind in ("JPEG", "PNG", "WEBP"):
        cases[f"Exif on top of itself {kind}"] = right(
            lambda kind=kind: with_exif(kind, overlapping([(0x0112, 3, 1, 1)], 4_900_000))
        )
    for kind in ("JPEG", "PNG", "WEBP", "TIFF"):
        for orientation in range(1, 9):
            cases[f"orientation {orientation} {kind}"] = right(partial(turned, kind, orientation))
    return cases


def _odd() -> dict[str, Case]:
    grey = {"colors": {"black": 0.5, "white": 0.5}}
    rgba = halves().convert("RGBA")
    sixteen = rows(80, 60, b"\xff\xff\0\0\0\0", b"\0\0\0\0\xff\xff")

    def grey_halves(mode: str) -> Image.Image:
        image = Image.new(mode, (80, 60), 0)
        image.paste({"I;16": 65_535, "I": 65_535, "F": 1.0, "1": 1}.get(mode, 255), (0, 0, 40, 60))
        return image

    frames = [Image.new("RGB", (80, 60), "lime")] * 3
    return {
        "no bytes": refused(lambda: b"", EMPTY),
        "one byte": refused(lambda: b"\xff", UNKNOWN),
        "PDF before a JPEG": refused(lambda: b"%PDF-1.7\n" + jpeg(), UNKNOWN),
        "HTML before a PNG": refused(lambda: b"<script>1</script>" + save(halves(), "PNG"), UNKNOWN),
        "SVG": refused(lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", UNKNOWN),
        "JPEG and zip": right(jpeg_and_zip, format="JPEG"),
        "JPEG with a page in its comment": right(lambda: with_segments(segment(0xFE, b"<script>alert(1)</script>"))),
        "GIF and script": right(gif_and_script, colors={"black": 1}, size=None),
        "PNG and program": right(lambda: save(halves(), "PNG") + b"MZ" + bytes(5000), format="PNG"),
        "two JPEGs in one": right(lambda: jpeg() + jpeg(Image.new("RGB", (80, 60), "lime")), format="JPEG"),
        "JPEG of 5.9 MB": refused(lambda: padded_jpeg(5_900_000), *LARGE),
        "JPEG of 5.9 MB in S3": right(lambda: padded_jpeg(5_900_000), s3=True),
        "JPEG at the limit": right(lambda: padded_jpeg(LIMIT)),
        "JPEG one byte over": refused(lambda: padded_jpeg(LIMIT + 1), *LARGE),
        "JPEG with its place, 14 MB in S3": right(
            lambda: placed_jpeg(14_000_000, 1600), s3=True, size=(1600, 1600), colors={"red": 0.375, "blue": 0.5}
        ),
        "JPEG CMYK, Adobe's inverted": right(lambda: cmyk(marked=True)),
        "JPEG CMYK without Adobe's marker": right(lambda: cmyk(marked=False)),
        "PNG 16 bits": right(lambda: png(80, 60, sixteen, depth=16)),
        "PNG 16 bits grey": right(lambda: save(grey_halves("I;16"), "PNG"), **grey),
        "PNG 1 bit": right(lambda: save(grey_halves("1"), "PNG"), **grey),
        "PNG palette": right(lambda: save(halves().quantize(4), "PNG")),
        "PNG LA": right(lambda: save(grey_halves("L").convert("LA"), "PNG"), **grey),
        "PNG RGBA": right(lambda: save(rgba, "PNG")),
        "TIFF 16 bits grey": right(lambda: save(grey_halves("I;16"), "TIFF"), **grey),
        "TIFF 32 bits grey": right(lambda: save(grey_halves("I"), "TIFF"), **grey),
        "TIFF float": right(lambda: save(grey_halves("F"), "TIFF"), **grey),
        "TIFF CMYK": right(lambda: save(halves().convert("CMYK"), "TIFF")),
        "GIF animated": right(lambda: save(halves(), "GIF", save_all=True, append_images=frames)),
        "WebP animated": right(lambda: save(halves(), "WEBP", save_all=True, append_images=frames, lossless=True)),
        "APNG": right(apng),
        "JPEG progressive": right(lambda: jpeg(progressive=True)),
    }


CASES: dict[str, Case] = {**_odd(), **_truncated(), **_dimensions(), **_exif(), **_bombs()}
