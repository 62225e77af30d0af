"""Dominant colours: right to 1% on pictures of known shares, in each format and mode; even steps on a gradient."""

import itertools
import random
import struct
import zlib
from collections.abc import Sequence
from types import SimpleNamespace

import pytest
from PIL import Image, ImageChops, ImageCms

from app.core.settings import Settings
from app.schemas.analyze import Color
from app.services import colors, picture

SETTINGS = Settings()
FOUR = (("#ff0000", 0.5), ("#00ff00", 0.3), ("#0000ff", 0.15), ("#ffffff", 0.05))
HALVES = {"#ff0000": 0.6, "#0000ff": 0.4}


def found(data: bytes) -> list[Color]:
    return colors.dominant(picture.sample(data, SETTINGS))


def dominant(data: bytes) -> dict[str, float]:
    """Each colour's share, largest first."""
    return {color.hex: color.share for color in found(data)}


def blocks(size: tuple[int, int], *parts: tuple[str, float]) -> Image.Image:
    """A picture of vertical blocks, each with its share of the width."""
    image, left, share = Image.new("RGB", size), 0, 0.0
    for color, wide in parts:
        share += wide
        image.paste(color, (left, 0, round(size[0] * share), size[1]))
        left = round(size[0] * share)
    return image


def mosaic(parts: Sequence[tuple[str, float]], *, side: int = 100, tile: int = 8) -> Image.Image:
    """The same in tiles at random places: side by side of them."""
    order = [color for color, share in parts for _ in range(round(side**2 * share))]
    random.Random(1).shuffle(order)
    image = Image.frombytes("RGB", (side, side), b"".join(bytes.fromhex(color[1:]) for color in order))
    return image.resize((side * tile, side * tile), Image.Resampling.NEAREST)


def noisy(image: Image.Image, sigma: float) -> Image.Image:
    """With noise in each channel."""
    channels = [ImageChops.add(one, Image.effect_noise(image.size, sigma), offset=-128) for one in image.split()]
    return Image.merge("RGB", channels)


def chequered(size: tuple[int, int], tile: int) -> Image.Image:
    """Black and white squares."""
    squares = Image.frombytes("L", (2, 2), b"\xff\0\0\xff")
    board = Image.new("L", (-(-size[0] // tile), -(-size[1] // tile)))
    for x in range(0, board.width, 2):
        board.paste(squares, (x, 0))
    for y in range(2, board.height, 2):
        board.paste(board.crop((0, 0, board.width, 2)), (0, y))
    return board.resize((board.width * tile, board.height * tile), Image.Resampling.NEAREST).crop((0, 0, *size))


def check(color: Sequence[Color], parts: Sequence[tuple[str, float]], *, within: float = 6) -> None:
    """Each part is there with its share, in a colour that looks the same, and nothing else."""
    assert len(color) == len(parts), color
    ranked = sorted(parts, key=lambda part: -part[1])
    for one, (code, share) in zip(color, ranked, strict=True):
        assert one.share == pytest.approx(share, abs=0.01)
        assert all(abs(a - b) <= within for a, b in zip(one.rgb, bytes.fromhex(code[1:]), strict=True)), (one, code)


@pytest.mark.parametrize("size", [(100, 100), (1000, 777), (1920, 1080), (3000, 20), (21, 2000)])
@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "TIFF", "WEBP"])
def test_shares_are_right_to_one_percent(size: tuple[int, int], kind: str, tools: SimpleNamespace) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    parts = FOUR if size[0] > 50 else (("#ff0000", 9 / 21), ("#0000ff", 7 / 21), ("#ffffff", 5 / 21))
    assert dominant(tools.picture(blocks(size, *parts), kind, **options)) == pytest.approx(dict(parts), abs=0.01)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {"quality": 75}),
        ("JPEG", {"quality": 75, "progressive": True}),
        ("JPEG", {"quality": 75, "subsampling": "4:4:4"}),
        ("JPEG", {"quality": 75, "subsampling": "4:2:2"}),
        ("JPEG", {"quality": 30}),
        ("WEBP", {"quality": 80}),
        ("WEBP", {"quality": 80, "lossless": True}),
    ],
)
def test_lossy_formats_keep_shares_to_one_percent(
    kind: str, options: dict[str, int | str], tools: SimpleNamespace
) -> None:
    parts = (("#c81e1e", 0.6), ("#1e1ec8", 0.3), ("#f0f0f0", 0.08), ("#1e961e", 0.02))
    check(found(tools.picture(blocks((1280, 720), *parts), kind, **options)), parts)


@pytest.mark.parametrize("share", [0.01, 0.02, 0.05])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_small_shares_are_found(share: float, kind: str, tools: SimpleNamespace) -> None:
    parts = (("#303030", 0.7 - share), ("#a0b0c0", 0.3), ("#e02020", share))
    check(found(tools.picture(blocks((1100, 900), *parts), kind)), parts, within=10)
    if kind == "PNG":  # JPEG smears tiles of this size
        check(found(tools.picture(mosaic(parts))), parts)


def test_colours_close_by_count_apart_and_those_that_look_alike_do_not(tools: SimpleNamespace) -> None:
    parts = (("#808080", 0.5), ("#a8a8a8", 0.3), ("#806060", 0.2))
    check(found(tools.picture(mosaic(parts))), parts, within=0)
    ((code, share),) = dominant(tools.picture(blocks((100, 100), ("#808080", 0.5), ("#888888", 0.5)))).items()
    assert (code, share) == ("#848484", 1)


@pytest.mark.parametrize("sigma", [2, 4])
def test_noise_around_a_colour_is_that_colour(sigma: float, tools: SimpleNamespace) -> None:
    parts = (("#285a96", 0.5), ("#c8b464", 0.37), ("#5a8c5a", 0.1), ("#dc5050", 0.02), ("#3c3c3c", 0.01))
    check(found(tools.picture(noisy(mosaic(parts), sigma))), parts)


def test_where_colours_are_more_than_eight_the_closest_count_as_one(tools: SimpleNamespace) -> None:
    pure = [f"#{red:02x}{green:02x}{blue:02x}" for red in (0, 255) for green in (0, 255) for blue in (0, 255)]
    parts = [*((code, 0.11) for code in pure), ("#f0c8c8", 0.12)]
    shares = dominant(tools.picture(mosaic(parts)))
    assert len(shares) == 8
    assert sum(shares.values()) == pytest.approx(1, abs=0.001)
    assert {code: shares.get(code) for code in pure if code != "#ffffff"} == pytest.approx(
        dict.fromkeys(pure[:-1], 0.11), abs=0.01
    )


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize(("size", "tile"), [((1536, 1536), 1), ((767, 769), 1), ((1600, 1200), 2), ((640, 480), 5)])
def test_fine_patterns_show_both_colours(kind: str, size: tuple[int, int], tile: int, tools: SimpleNamespace) -> None:
    """A regular sample, or a JPEG decoded at half its size, would see one of them, or what lies between."""
    board = chequered(size, tile)
    stripes = board.crop((0, 0, size[0], 1)).resize(size, Image.Resampling.NEAREST)
    for image in (board, stripes, stripes.transpose(Image.Transpose.ROTATE_90)):
        dark, bright = sorted(found(tools.picture(image, kind)), key=lambda color: color.rgb)
        assert (max(dark.rgb) < 8, min(bright.rgb) > 247) == (True, True)
        assert dark.share == pytest.approx(0.5, abs=0.01)
        assert bright.share == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize(
    ("first", "last"),
    [
        ((0, 0, 0), (255, 255, 255)),
        ((255, 0, 0), (0, 0, 255)),
        ((255, 255, 0), (0, 0, 128)),
        ((0, 255, 0), (255, 0, 255)),
        ((0, 40, 80), (250, 240, 190)),
    ],
)
@pytest.mark.parametrize("upright", [False, True])
def test_gradient_is_even_steps_in_order(
    kind: str, first: tuple[int, ...], last: tuple[int, ...], *, upright: bool, tools: SimpleNamespace
) -> None:
    ramp = Image.linear_gradient("L").resize((900, 700))
    image = Image.merge(
        "RGB",
        [
            ramp.point([round(begin + (end - begin) * value / 255) for value in range(256)])
            for begin, end in zip(first, last, strict=True)
        ],
    )
    steps = found(tools.picture(image if upright else image.transpose(Image.Transpose.ROTATE_90), kind))
    assert 4 <= len(steps) <= 8
    assert sum(step.share for step in steps) == pytest.approx(1, abs=0.001)
    along = [end - begin for begin, end in zip(first, last, strict=True)]
    length = sum(way**2 for way in along)
    # Where on the way from the first colour to the last each stands, and how far from the straight line.
    places = sorted(
        (sum((value - begin) * way for value, begin, way in zip(step.rgb, first, along, strict=True)) / length, step)
        for step in steps
    )
    for place, step in places:
        line = [begin + place * way for begin, way in zip(first, along, strict=True)]
        assert all(abs(value - there) < 6 for value, there in zip(step.rgb, line, strict=True))
    ends = [0.0, *(place for place, _ in places), 1.0]
    gaps = [after - before for before, after in itertools.pairwise(ends)]
    # Even to the eye: in the numbers of RGB dark steps are narrower, blue and red ones wider.
    assert max(gaps) < 0.26
    assert min(gaps[1:-1]) > 0.06
    # The share is the way from halfway to the neighbour before to halfway to the one after.
    for (before, here, after), (_, step) in zip(zip(ends, ends[1:], ends[2:], strict=False), places, strict=False):
        left = before if before == 0 else (before + here) / 2
        right = after if after == 1 else (here + after) / 2
        assert step.share == pytest.approx(right - left, abs=0.05)


def test_what_cannot_be_seen_does_not_count(tools: SimpleNamespace) -> None:
    image = Image.new("RGBA", (100, 100), (255, 0, 0, 0))
    assert dominant(tools.picture(image)) == {}
    image.paste((0, 128, 0, 255), (0, 0, 50, 100))
    assert dominant(tools.picture(image)) == {"#008000": 1.0}
    hidden = noisy(Image.new("RGB", (400, 300), "#808080"), 90).convert("RGBA")
    hidden.putalpha(0)
    assert dominant(tools.picture(hidden)) == {}
    hidden.paste(noisy(Image.new("RGB", (200, 300), "#325a96"), 4), (0, 0))
    check(found(tools.picture(hidden)), [("#325a96", 1.0)])


def test_palette_with_transparency_is_read(tools: SimpleNamespace) -> None:
    image = blocks((1000, 500), ("#ff0000", 0.4), ("#0000ff", 0.6)).quantize(2)
    for kind in ("GIF", "PNG"):
        data = tools.picture(image, kind, transparency=image.getpixel((0, 0)))
        assert dominant(data) == {"#0000ff": 1.0}


@pytest.mark.parametrize("size", [(1, 1), (1, 3), (7, 1), (50, 50), (401, 3)])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_mode_of_png_is_read(mode: str, size: tuple[int, int], tools: SimpleNamespace) -> None:
    if mode == "I;16":
        image = Image.new("I;16", size, 0x8080)
    elif mode == "P":
        image = Image.new("RGB", size, "#808080").quantize(4)
    else:
        image = Image.new("RGB", size, "white" if mode == "1" else "#808080").convert(mode)
    assert dominant(tools.picture(image)) == {"#ffffff" if mode == "1" else "#808080": 1.0}


def test_cmyk_jpeg_is_read(tools: SimpleNamespace) -> None:
    data = tools.picture(blocks((800, 600), *HALVES.items()).convert("CMYK"), "JPEG")
    assert picture.inspect(data, SETTINGS).mode == "CMYK"
    check(found(data), list(HALVES.items()))


TIFF_MODES = {
    "1": ["raw", "tiff_lzw", "tiff_deflate", "tiff_adobe_deflate", "packbits", "group3", "group4", "zstd", "lzma"],
    "L": ["raw", "tiff_lzw", "tiff_deflate", "tiff_adobe_deflate", "packbits", "jpeg", "zstd", "lzma", "lerc"],
    "P": ["raw", "tiff_lzw", "packbits", "zstd"],
    "LA": ["raw", "tiff_lzw"],
    "RGB": ["raw", "tiff_lzw", "tiff_deflate", "tiff_adobe_deflate", "packbits", "jpeg", "zstd", "lzma", "lerc"],
    "RGBA": ["raw", "tiff_lzw", "tiff_deflate"],
    "CMYK": ["raw", "tiff_lzw", "jpeg"],
    "YCbCr": ["tiff_lzw", "jpeg", "zstd"],
    "LAB": ["raw", "tiff_lzw"],
}


@pytest.mark.parametrize(("mode", "compression"), [(mode, how) for mode, hows in TIFF_MODES.items() for how in hows])
def test_every_mode_and_compression_of_tiff_is_read(mode: str, compression: str, tools: SimpleNamespace) -> None:
    grey = mode in {"1", "L", "LA"}
    parts = (("#ffffff", 0.6), ("#000000", 0.4)) if grey else (("#ff0000", 0.6), ("#0000ff", 0.4))
    image = blocks((500, 400), *parts)
    if mode == "LAB":
        profiles = (ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"))
        made = ImageCms.profileToProfile(image, *profiles, outputMode="LAB")
        assert made is not None
        image = made
    elif mode == "P":
        image = image.quantize(2)
    else:
        image = image.convert(mode)
    options = {} if compression == "raw" else {"compression": compression}
    check(found(tools.picture(image, "TIFF", **options)), parts, within=24 if mode == "LAB" else 2)


def tiff(
    pixels: bytes,
    size: tuple[int, int],
    bits: int,
    *,
    photometric: int = 1,
    samples: int = 1,
    sort: int = 1,
    order: str = "<",
) -> bytes:
    """An uncompressed TIFF in one strip (TIFF 6.0); `sort` is SampleFormat: 1 unsigned, 2 signed, 3 floating point."""
    values = {256: size[0], 257: size[1], 258: bits, 259: 1, 262: photometric, 277: samples, 278: size[1], 339: sort}
    count = len(values) + 2
    behind = 8 + 2 + 12 * count + 4
    entries = {tag: struct.pack(f"{order}HHIHxx", tag, 3, 1, value) for tag, value in values.items()}
    if samples > 1:
        entries[258] = struct.pack(f"{order}HHII", 258, 3, samples, behind)
    long = struct.pack(f"{order}{samples}H", *[bits] * samples)
    entries[273] = struct.pack(f"{order}HHII", 273, 4, 1, behind + len(long))
    entries[279] = struct.pack(f"{order}HHII", 279, 4, 1, len(pixels))
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8)
    directory = struct.pack(f"{order}H", count) + b"".join(entry for _, entry in sorted(entries.items())) + bytes(4)
    return head + directory + long + pixels


@pytest.mark.parametrize("order", ["<", ">"])
def test_sixteen_bits_of_tiff_are_read_in_both_orders(order: str) -> None:
    row = struct.pack(f"{order}H", 0x4011) * 30 + struct.pack(f"{order}H", 0xC0FF) * 20
    assert dominant(tiff(row * 40, (50, 40), 16, order=order)) == {"#404040": 0.6, "#c0c0c0": 0.4}
    row = struct.pack(f"{order}3H", 0xFF00, 0x8000, 0) * 30 + struct.pack(f"{order}3H", 0, 0x4000, 0xC000) * 20
    assert dominant(tiff(row * 40, (50, 40), 16, photometric=2, samples=3, order=order)) == {
        "#ff8000": 0.6,
        "#0040c0": 0.4,
    }


def test_twelve_bits_of_tiff_are_as_bright_as_they_say() -> None:
    row = bytes.fromhex("800800") * 15 + bytes.fromhex("ffffff") * 10
    assert dominant(tiff(row * 40, (50, 40), 12)) == {"#808080": 0.6, "#ffffff": 0.4}


@pytest.mark.parametrize(("bits", "zero", "grey"), [(8, b"\0", b"\xbf"), (16, b"\0\0", b"\0\xbf")])
def test_tiff_in_which_zero_is_white_is_turned(bits: int, zero: bytes, grey: bytes) -> None:
    data = tiff((zero * 30 + grey * 20) * 40, (50, 40), bits, photometric=0)
    assert dominant(data) == {"#ffffff": 0.6, "#404040": 0.4}


def test_thirty_two_bits_are_stretched(tools: SimpleNamespace) -> None:
    image = Image.new("F", (40, 40), 1000.0)
    image.paste(-5.0, (0, 0, 20, 40))
    assert dominant(tools.picture(image, "TIFF")) == {"#000000": 0.5, "#ffffff": 0.5}
    row = struct.pack("<i", -7) * 30 + struct.pack("<i", 93) * 10 + struct.pack("<i", 33) * 10
    assert dominant(tiff(row * 40, (50, 40), 32, sort=2)) == {"#000000": 0.6, "#666666": 0.2, "#ffffff": 0.2}
    assert dominant(tools.picture(Image.new("I", (40, 40), 7), "TIFF")) == {"#000000": 1.0}


@pytest.mark.parametrize("missing", [float("nan"), float("inf"), float("-inf")])
def test_what_has_no_value_in_floating_point_cannot_be_seen(missing: float) -> None:
    row = struct.pack("<50f", *[missing] * 25, *[1.0] * 20, *[9.0] * 5)
    assert dominant(tiff(row * 40, (50, 40), 32, sort=3)) == {"#000000": 0.8, "#ffffff": 0.2}
    assert dominant(tiff(struct.pack("<f", missing) * 16, (4, 4), 32, sort=3)) == {}


ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def interlaced(image: Image.Image) -> bytes:
    """A PNG in Adam7's order, which Pillow doesn't write (PNG specification, 8)."""
    kinds = {"L": 0, "RGB": 2, "LA": 4, "RGBA": 6}
    lines = bytearray()
    for left, top, right, down in ADAM7:
        for y in range(top, image.height, down):
            row = [image.crop((x, y, x + 1, y + 1)).tobytes() for x in range(left, image.width, right)]
            lines += b"\0" + b"".join(row) if row else b""
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", *image.size, 8, kinds[image.mode], 0, 0, 1)),
        (b"IDAT", zlib.compress(lines)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


@pytest.mark.parametrize("mode", ["L", "RGB", "LA", "RGBA"])
@pytest.mark.parametrize("size", [(60, 45), (5, 1)])
def test_interlaced_png_is_read(mode: str, size: tuple[int, int]) -> None:
    parts = (("#ffffff", 0.6), ("#000000", 0.4))
    assert dominant(interlaced(blocks(size, *parts).convert(mode))) == dict(parts)


def test_interlaced_gif_is_read(tools: SimpleNamespace) -> None:
    image = blocks((101, 37), *HALVES.items())
    assert dominant(tools.picture(image, "GIF", interlace=1)) == pytest.approx(HALVES, abs=0.01)


def bmp(bits: int, compression: int, pixels: bytes, size: tuple[int, int] = (50, 40)) -> bytes:
    """A BMP with the palette red, blue."""
    palette = b"\0\0\xff\0" + b"\xff\0\0\0" if bits <= 8 else b""
    header = struct.pack("<IiiHHIIiiII", 40, *size, 1, bits, compression, len(pixels), 2835, 2835, len(palette) // 4, 0)
    start = 14 + len(header) + len(palette)
    return struct.pack("<2sIHHI", b"BM", start + len(pixels), 0, 0, start) + header + palette + pixels


@pytest.mark.parametrize(
    ("bits", "compression", "row"),
    [
        (1, 0, b"\0\0\0\3\xff\xff\xff\0"),
        (4, 0, b"\0" * 15 + b"\x11" * 10 + b"\0" * 3),
        (8, 0, b"\0" * 30 + b"\1" * 20 + b"\0" * 2),
        (8, 1, b"\x1e\0\x14\1\0\0"),
        (4, 2, b"\x1e\0\x14\x11\0\0"),
        (16, 0, b"\0\x7c" * 30 + b"\x1f\0" * 20),
        (24, 0, b"\0\0\xff" * 30 + b"\xff\0\0" * 20 + b"\0\0"),
        (32, 0, b"\0\0\xff\0" * 30 + b"\xff\0\0\0" * 20),
    ],
)
def test_every_depth_and_compression_of_bmp_is_read(bits: int, compression: int, row: bytes) -> None:
    end = b"\0\1" if compression else b""
    assert dominant(bmp(bits, compression, row * 40 + end)) == HALVES


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP"])
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (3, 1), (17, 13)])
def test_smallest_pictures_have_one_colour(kind: str, size: tuple[int, int], tools: SimpleNamespace) -> None:
    check(found(tools.picture(Image.new("RGB", size, "#3c78b4"), kind)), [("#3c78b4", 1.0)])


def test_largest_jpeg_is_averaged_2_by_2(tools: SimpleNamespace) -> None:
    """Its pixels take no more memory than those of the largest picture in another format."""
    data = tools.picture(chequered((600, 400), 1), "JPEG", quality=95)
    for limit, count in ((240_000, 2), (239_999, 1)):
        assert len(colors.dominant(picture.sample(data, Settings(max_pixels=limit)))) == count


@pytest.mark.parametrize(
    ("rgb", "name"),
    [((255, 0, 0), "red"), ((0, 255, 255), "aqua"), ((128, 128, 128), "gray"), ((1, 2, 3), "black")],
)
def test_colour_has_the_nearest_css_name(rgb: tuple[int, int, int], name: str) -> None:
    assert colors.name(rgb) == name
