"""Pictures: colours in their true shares, dimensions upright, and hostile files refused quickly."""

import io
import struct
import time
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from app.core.errors import ProblemError
from app.core.settings import Settings
from app.schemas.analyze import ImageInfo
from app.services import colors, picture

SETTINGS = Settings()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_dimensions_are_those_of_the_upright_picture(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    target = io.BytesIO()
    Image.new("RGB", (30, 20)).save(target, kind, exif=exif)
    info = picture.inspect(target.getvalue(), SETTINGS)
    assert info.orientation == orientation
    assert (info.width, info.height) == ((30, 20) if orientation < 5 else (20, 30))


def test_pictures_are_decoded_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever runs side by side, no two have their pixels in memory at once."""
    target = io.BytesIO()
    Image.new("RGB", (30, 20)).save(target, "WEBP")
    data = target.getvalue()
    info = picture.inspect(data, SETTINGS)
    opened = picture._open
    now, most = 0, 0

    class Watched:
        def __init__(self, image: Any) -> None:
            self.image = image

        def __enter__(self) -> Any:
            nonlocal now, most
            now += 1
            most = max(most, now)
            time.sleep(0.02)
            return self.image.__enter__()

        def __exit__(self, *error: object) -> None:
            nonlocal now
            now -= 1
            self.image.__exit__(*error)

    monkeypatch.setattr(picture, "_open", lambda *given: Watched(opened(*given)))
    with ThreadPoolExecutor(8) as pool:
        done = [pool.submit(picture.sample, data, SETTINGS) for _ in range(4)]
        done += [pool.submit(picture.for_rekognition, data, info, SETTINGS) for _ in range(4)]  # type: ignore[misc]
        assert all(one.result() for one in done)
    assert most == 1


# Pillow warns of the very damage that a test made; in production that is a line on stderr, and must change nothing.
with_pillow_warning = pytest.mark.filterwarnings("ignore::UserWarning:PIL")


def dominant(data: bytes) -> list[tuple[str, float]]:
    return [(color.hex, color.share) for color in colors.dominant(picture.sample(data, SETTINGS))]


def refused(data: bytes) -> tuple[int, str]:
    """Status and code of the refusal, of the header alone or of the pixels; it must not take long."""
    began = time.monotonic()
    try:
        picture.inspect(data, SETTINGS)
        picture.sample(data, SETTINGS)
    except ProblemError as problem:
        assert time.monotonic() - began < 5
        return problem.status, problem.code
    pytest.fail("the picture was taken")


def blocks(size: tuple[int, int], *parts: tuple[str, float]) -> Image.Image:
    """A picture of vertical blocks, each with its share of the width."""
    image, left = Image.new("RGB", size), 0
    for color, share in parts:
        width = round(size[0] * share)
        image.paste(color, (left, 0, left + width, size[1]))
        left += width
    return image


@pytest.mark.parametrize("size", [(100, 100), (1000, 777), (1920, 1080), (3000, 20)])
@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "TIFF"])
def test_shares_are_right_to_one_percent(size: tuple[int, int], kind: str, tools: SimpleNamespace) -> None:
    parts = (("#ff0000", 0.5), ("#00ff00", 0.3), ("#0000ff", 0.15), ("#ffffff", 0.05))
    found = dict(dominant(tools.picture(blocks(size, *parts), kind)))
    assert found == pytest.approx(dict(parts), abs=0.01)


@pytest.mark.parametrize(("kind", "options"), [("JPEG", {"quality": 75}), ("WEBP", {"quality": 80})])
def test_lossy_formats_keep_shares_to_one_percent(kind: str, options: dict[str, int], tools: SimpleNamespace) -> None:
    found = dominant(tools.picture(blocks((1280, 720), ("#c81e1e", 0.7), ("#1e1ec8", 0.3)), kind, **options))
    assert [share for _, share in found] == pytest.approx([0.7, 0.3], abs=0.01)
    names = [colors.name(tuple(bytes.fromhex(code[1:]))) for code, _ in found]  # type: ignore[arg-type]
    assert names == ["firebrick", "mediumblue"]


def test_chequered_picture_shows_both_colours(tools: SimpleNamespace) -> None:
    """A sampling grid with an even stride would land on one of them only."""
    tile = Image.new("RGB", (2, 2), "black")
    tile.putpixel((0, 0), (255, 255, 255))
    tile.putpixel((1, 1), (255, 255, 255))
    board = Image.new("RGB", (1536, 1536))
    for x in range(0, 1536, 2):
        board.paste(tile, (x, 0))
    strip = board.crop((0, 0, 1536, 2))
    for y in range(2, 1536, 2):
        board.paste(strip, (0, y))
    assert dict(dominant(tools.picture(board))) == pytest.approx({"#000000": 0.5, "#ffffff": 0.5}, abs=0.01)


def test_gradient_is_steps_of_like_size_from_dark_to_light(tools: SimpleNamespace) -> None:
    gradient = Image.linear_gradient("L").resize((512, 512)).convert("RGB")
    found = dominant(tools.picture(gradient))
    assert sum(share for _, share in found) == pytest.approx(1, abs=0.01)
    assert 4 <= len(found) <= 8
    assert max(share for _, share in found) < 0.35
    levels = sorted(int(code[1:3], 16) for code, _ in found)
    assert levels[0] < 40
    assert levels[-1] > 215


def test_what_cannot_be_seen_does_not_count(tools: SimpleNamespace) -> None:
    image = Image.new("RGBA", (100, 100), (255, 0, 0, 0))
    assert dominant(tools.picture(image)) == []
    image.paste((0, 128, 0, 255), (0, 0, 50, 100))
    assert dominant(tools.picture(image)) == [("#008000", 1.0)]


def test_palette_with_transparency_is_read(tools: SimpleNamespace) -> None:
    image = blocks((100, 100), ("#ff0000", 0.4), ("#0000ff", 0.6)).quantize(2)
    data = tools.picture(image, "GIF", transparency=image.getpixel((0, 0)))
    assert dominant(data) == [("#0000ff", 1.0)]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_mode_of_png_is_read(mode: str, tools: SimpleNamespace) -> None:
    if mode == "I;16":
        image = Image.new("I;16", (50, 50), 0x8080)
    elif mode == "P":
        image = Image.new("RGB", (50, 50), "#808080").quantize(4)
    else:
        image = Image.new("RGB", (50, 50), "white" if mode == "1" else "#808080").convert(mode)
    data = tools.picture(image)
    assert dominant(data) == [("#ffffff" if mode == "1" else "#808080", 1.0)]


def test_cmyk_jpeg_is_read(tools: SimpleNamespace) -> None:
    data = tools.picture(Image.new("RGB", (80, 80), "red").convert("CMYK"), "JPEG")
    assert picture.inspect(data, SETTINGS).mode == "CMYK"
    ((code, share),) = dominant(data)
    assert colors.name(tuple(bytes.fromhex(code[1:]))) == "red"  # type: ignore[arg-type]
    assert share == 1


def test_sixteen_bit_and_float_tiff_are_stretched(tools: SimpleNamespace) -> None:
    image = Image.new("F", (40, 40), 1000.0)
    image.paste(-5.0, (0, 0, 20, 40))
    assert dominant(tools.picture(image, "TIFF")) == [("#000000", 0.5), ("#ffffff", 0.5)]


def test_animation_is_told_and_its_first_frame_counts(tools: SimpleNamespace) -> None:
    frames = [Image.new("RGB", (30, 30), color) for color in ("red", "blue", "green")]
    for kind in ("GIF", "WEBP", "PNG"):
        options = {"lossless": True} if kind == "WEBP" else {}
        data = tools.picture(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        info = picture.inspect(data, SETTINGS)
        assert (info.format, info.animated) == (kind, True)
        assert dominant(data) == [("#ff0000", 1.0)]


def test_format_comes_from_the_content(tools: SimpleNamespace) -> None:
    """There is no name to go by, and a data: URL's media type isn't believed."""
    info = picture.inspect(tools.picture(Image.new("RGB", (5, 4)), "WEBP"), SETTINGS)
    assert (info.format, info.media_type, info.bytes > 0) == ("WEBP", "image/webp", True)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF", "BMP"])
def test_rekognition_gets_a_format_that_it_takes(kind: str, tools: SimpleNamespace) -> None:
    data = tools.picture(Image.new("RGB", (90, 90), "orange"), kind)
    converted = picture.for_rekognition(data, picture.inspect(data, SETTINGS), SETTINGS)
    assert picture.inspect(converted, SETTINGS).format == "JPEG"
    ((code, _),) = dominant(converted)
    assert colors.name(tuple(bytes.fromhex(code[1:]))) == "orange"  # type: ignore[arg-type]


def test_rekognition_gets_large_pictures_smaller_and_upright(tools: SimpleNamespace) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = tools.picture(Image.new("RGB", (4400, 110), "orange"), "WEBP", exif=exif)
    info = picture.inspect(data, SETTINGS)
    sent = picture.inspect(picture.for_rekognition(data, info, SETTINGS), SETTINGS)
    assert (info.width, info.height) == (110, 4400)
    assert (sent.width, sent.height, sent.orientation) == (102, 4096, 1)


def test_rekognition_gets_jpeg_and_png_untouched(tools: SimpleNamespace) -> None:
    for kind in ("JPEG", "PNG"):
        data = tools.picture(Image.new("RGB", (9, 9)), kind)
        assert picture.for_rekognition(data, picture.inspect(data, SETTINGS), SETTINGS) is data


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 100, b"MZ" + b"\0" * 100, b"%PDF-1.7", b"<svg xmlns='http://www.w3.org/2000/svg'/>"]
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    assert refused(data) == (415, "image_format_unsupported")


@with_pillow_warning
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_truncated_picture_is_refused(kind: str, share: float, tools: SimpleNamespace) -> None:
    noise = Image.effect_noise((200, 200), 90).convert("RGB")
    data = tools.picture(noise, kind)
    status, code = refused(data[: max(12, int(len(data) * share))])
    assert (status, code) == (422, "image_damaged")


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it is huge, in a few bytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(6400, 6400), (10_000, 10_000), (50_000, 50_000), (2**31 - 1, 2**31 - 1)])
@pytest.mark.parametrize("action", ["error", "ignore"])
def test_bomb_is_refused_by_its_header(size: tuple[int, int], action: str) -> None:
    """Below Pillow's own limits, at its warning and at its error alike; whether the warning raises or not."""
    with warnings.catch_warnings():
        warnings.simplefilter(action, Image.DecompressionBombWarning)  # type: ignore[arg-type]
        assert refused(bomb(*size)) == (422, "image_too_many_pixels")


def test_largest_picture_allowed_is_read(tools: SimpleNamespace) -> None:
    settings = Settings(max_pixels=10_000)
    picture.inspect(tools.picture(Image.new("RGB", (100, 100))), settings)
    with pytest.raises(ProblemError, match="image_too_many_pixels"):
        picture.inspect(tools.picture(Image.new("RGB", (100, 101))), settings)
    picture.inspect(tools.picture(Image.new("RGB", (100, 200)), "JPEG"), settings)
    with pytest.raises(ProblemError, match="image_too_many_pixels"):
        picture.inspect(tools.picture(Image.new("RGB", (100, 201)), "JPEG"), settings)


def test_base64_is_taken_with_breaks_and_refused_over_the_limit(tools: SimpleNamespace) -> None:
    settings = Settings(max_image_bytes=30)
    text = tools.encode(b"x" * 30)
    assert picture.decode_base64(text[:20] + "\r\n" + text[20:], settings) == b"x" * 30
    for length in (31, 32, 33, 3000):
        with pytest.raises(ProblemError, match="image_too_large"):
            picture.decode_base64(tools.encode(b"x" * length), settings)


@pytest.mark.parametrize(
    ("rgb", "name"),
    [((255, 0, 0), "red"), ((0, 255, 255), "aqua"), ((128, 128, 128), "gray"), ((1, 2, 3), "black")],
)
def test_colour_has_the_nearest_css_name(rgb: tuple[int, int, int], name: str) -> None:
    assert colors.name(rgb) == name


@with_pillow_warning
def test_damaged_exif_is_no_reason_to_refuse(tools: SimpleNamespace) -> None:
    data = tools.picture(Image.new("RGB", (60, 40)), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    info = picture.inspect(data, SETTINGS)
    assert isinstance(info, ImageInfo)
    assert info.orientation == 1
