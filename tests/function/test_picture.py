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
from PIL.PngImagePlugin import PngInfo

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


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_rekognition_gets_what_is_over_its_limit_as_a_smaller_jpeg(kind: str, tools: SimpleNamespace) -> None:
    """An object in S3 that told its place can't be read there by Rekognition, and may have 15 MB."""
    image = Image.merge("RGB", [Image.effect_noise((2400, 1800), 120)] * 3)
    image.paste("red", (0, 0, 1200, 1800))
    data = tools.picture(image, kind, **({"quality": 100} if kind == "JPEG" else {"compress_level": 1}))
    data += bytes(max(0, 5_242_881 - len(data)))
    sent = picture.for_rekognition(data, picture.inspect(data, SETTINGS), SETTINGS)
    assert len(sent) <= 5_242_880 < len(data)
    info = picture.inspect(sent, SETTINGS)
    assert (info.format, info.width * 3) == ("JPEG", info.height * 4)
    red, green, _ = Image.open(io.BytesIO(sent)).getpixel((info.width // 4, info.height // 2))  # type: ignore[misc]
    assert (red > 200, green < 50) == (True, True)


def test_noise_without_end_is_shrunk_until_it_fits(monkeypatch: pytest.MonkeyPatch, tools: SimpleNamespace) -> None:
    """Quality alone may not do."""
    monkeypatch.setattr(picture, "_SENT_BYTES", 5000)
    data = tools.picture(Image.effect_noise((400, 300), 200), "GIF")
    sent = picture.for_rekognition(data, picture.inspect(data, SETTINGS), SETTINGS)
    assert len(sent) <= 5000
    assert Image.open(io.BytesIO(sent)).size == (100, 75)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(2, 9))
def test_rekognition_gets_upright_what_it_would_not_turn(kind: str, orientation: int, tools: SimpleNamespace) -> None:
    """It reads the Exif of JPEG alone."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.new("RGB", (64, 32), "white")
    image.paste("red", (0, 0, 16, 16))
    data = tools.picture(image, kind, exif=exif)
    info = picture.inspect(data, SETTINGS)
    assert not picture.fits_rekognition(info)
    sent = Image.open(io.BytesIO(picture.for_rekognition(data, info, SETTINGS)))
    assert sent.format == "JPEG"
    assert sent.size == (info.width, info.height)
    # The corner to which Exif 2.3 has row 0 and column 0 go.
    right, below = orientation in {2, 3, 6, 7}, orientation in {3, 4, 7, 8}
    corner = (sent.width - 8 if right else 8, sent.height - 8 if below else 8)
    assert sent.getpixel(corner)[1] < 60  # type: ignore[index]
    assert sent.getpixel((sent.width - corner[0], sent.height - corner[1]))[1] > 200  # type: ignore[index]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_orientation_in_xmp_does_not_count(kind: str, tools: SimpleNamespace) -> None:
    """Neither browsers nor Rekognition read it; Pillow does."""
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF tiff:Orientation="6"/></x:xmpmeta>'
    options: dict[str, Any] = {"xmp": xmp}
    if kind == "PNG":
        text = PngInfo()
        text.add_itxt("XML:com.adobe.xmp", xmp.decode())
        options = {"pnginfo": text}
    elif kind == "TIFF":
        options = {"tiffinfo": {700: xmp}}
    data = tools.picture(Image.new("RGB", (30, 20)), kind, **options)
    assert b"tiff:Orientation" in data
    info = picture.inspect(data, SETTINGS)
    assert (info.width, info.height, info.orientation) == (30, 20, 1)
    assert Image.open(io.BytesIO(picture.for_rekognition(data, info, SETTINGS))).size == (30, 20)
    assert picture.sample(data, SETTINGS).size == (30, 20)


def test_sixteen_bits_reach_rekognition_as_dark_as_they_are(tools: SimpleNamespace) -> None:
    """Pillow's own conversion would make all of it white."""
    data = tools.picture(Image.new("I;16", (30, 20), 0x4000), "TIFF")
    sent = picture.for_rekognition(data, picture.inspect(data, SETTINGS), SETTINGS)
    assert Image.open(io.BytesIO(sent)).getpixel((5, 5)) == (64, 64, 64)


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


@with_pillow_warning
def test_damaged_exif_is_no_reason_to_refuse(tools: SimpleNamespace) -> None:
    data = tools.picture(Image.new("RGB", (60, 40)), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    info = picture.inspect(data, SETTINGS)
    assert isinstance(info, ImageInfo)
    assert info.orientation == 1
