"""Pictures: format from the content, dimensions from the header, pixels only after both are known to be harmless."""

import base64
import binascii
import io
from threading import Lock
from typing import TYPE_CHECKING

from app.core.errors import FieldProblem, ProblemError
from app.core.settings import Settings
from app.schemas.analyze import ImageInfo
from app.services import samples

if TYPE_CHECKING:
    from PIL import Image

_MAGIC = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"BM", "BMP"),
)
_SIDEWAYS = frozenset({5, 6, 7, 8})
# What turns a picture upright, by Exif's orientation: Pillow's names.
_UPRIGHT = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
# Pixels are decoded one picture at a time: each may take half of the memory that the function has, and parts and
# pictures of one request run side by side.
_decoding = Lock()
_SENT_SIDE = 4096
_SENT_BYTES = 5_242_880  # of Rekognition's `Image.Bytes`, says its model in botocore
_BLOCK_BYTES = 64 << 20
_MOST_RUNS = 1 << 20


def decode_base64(text: str, settings: Settings) -> bytes:
    """The picture that a request carries.

    Args:
        text: Base64, with or without line breaks and a `data:` prefix.
        settings: Has the limit.

    Raises:
        ProblemError: 422 for what isn't base64 or is empty, 413 for far too much: the rest is `check_bytes`'s.
    """
    if text.startswith("data:"):
        text = text.partition(",")[2]
    compact = text.encode("ascii", "replace")
    if any(space in compact for space in b" \t\r\n"):
        compact = compact.translate(None, b" \t\r\n")
    if len(compact) // 4 * 3 > settings.max_image_bytes + 2:
        raise too_large(settings.max_image_bytes)
    try:
        data = base64.b64decode(compact, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if not data:
        raise ProblemError(
            status=422,
            code="invalid_base64",
            detail="The field `image` isn't a picture in base64.",
            errors=[FieldProblem(field="body.image", message="not base64, or empty")],
        )
    return data


def check_bytes(data: bytes, settings: Settings) -> None:
    """Refuse a picture that came in a request and is empty or too large.

    Raises:
        ProblemError: 422 or 413.
    """
    if not data:
        raise ProblemError(status=422, code="image_empty", detail="The picture has no bytes.")
    if len(data) > settings.max_image_bytes:
        raise too_large(settings.max_image_bytes)


def inspect(data: bytes, settings: Settings) -> ImageInfo:
    """Format, dimensions and orientation, from the header.

    Args:
        data: A file.
        settings: Has the limit of pixels.

    Raises:
        ProblemError: 415 for what is no picture of a known format, 422 for a damaged one or one with too many pixels.
    """
    with _open(data, settings) as image:
        orientation = image.info["orientation"]
        # Pillow has turned a TIFF's size already.
        turned = orientation in _SIDEWAYS and image.format != "TIFF"
        width, height = image.size[::-1] if turned else image.size
        kind = str(image.format)
        return ImageInfo(
            format=kind,
            media_type=f"image/{kind.lower()}",
            width=width,
            height=height,
            mode=image.mode,
            bytes=len(data),
            animated=image.info["animated"],
            orientation=orientation,
            gps_removed=False,
        )


def clean(data: bytes, settings: Settings) -> tuple[bytes, ImageInfo]:
    """A picture without the place where it was taken, fit to be kept or sent on.

    Args:
        data: A file.
        settings: Has the limit of pixels.

    Returns:
        The same object where nothing had to go, and what `inspect` says of it; `bytes` are those received.

    Raises:
        ProblemError: As in `inspect`.
    """
    from app.services import location  # with the first picture

    info = inspect(data, settings)
    try:
        cleaned = location.remove(data, info.format)
    except ValueError as error:
        raise _damaged() from error
    if cleaned is data:
        return data, info
    # Orientation may have gone with metadata that couldn't be parsed.
    return cleaned, inspect(cleaned, settings).model_copy(update={"bytes": len(data), "gps_removed": True})


def sample(data: bytes, settings: Settings) -> "Image.Image":
    """A small RGBA picture with colours that the large one has, in the same shares.

    It is `samples.pick` of the whole picture; of a JPEG with more than `max_pixels`, of its average, 2 by 2.

    Args:
        data: A file.
        settings: Has the limit of pixels.

    Raises:
        ProblemError: As in `inspect`, and 422 where the pixels can't be decoded.
    """
    with _decoding, _open(data, settings) as image:
        try:
            _halve(image, settings)
            return samples.pick(image)
        except Exception as error:  # decoders raise nearly anything for a hostile file
            raise _damaged() from error


def fits_rekognition(info: ImageInfo) -> bool:
    """Whether Rekognition takes the format as it is: of others than JPEG it reads no Exif."""
    return info.format == "JPEG" or (info.format == "PNG" and info.orientation == 1)


def for_rekognition(data: bytes, info: ImageInfo, settings: Settings) -> bytes:
    """The picture as Rekognition takes it: as it is, or else as a JPEG, upright, on white and as large as may be.

    Args:
        data: A file.
        info: What `inspect` said of it.
        settings: Has the limit of pixels.

    Raises:
        ProblemError: The pixels can't be decoded (422).
    """
    if fits_rekognition(info) and len(data) <= _SENT_BYTES:
        return data
    from PIL import Image  # see _open

    with _decoding:
        pixels = _pixels(data, settings)
        try:
            # Boxes are shares of width and height, so they are as right in the smaller picture.
            pixels.thumbnail((_SENT_SIDE, _SENT_SIDE))
            if info.format != "TIFF" and info.orientation in _UPRIGHT:  # Pillow has turned a TIFF already
                pixels = pixels.transpose(Image.Transpose[_UPRIGHT[info.orientation]])
            pixels = pixels.convert("RGBA")
            # Transparency on white, as a browser shows it.
            flat = Image.new("RGB", pixels.size, "white")
            flat.paste(pixels, mask=pixels.getchannel("A"))
            return _jpeg(flat)
        except Exception as error:  # Pillow raises nearly anything for a hostile file
            raise _damaged() from error


def _pixels(data: bytes, settings: Settings) -> "Image.Image":
    """The pixels alone: what decoded them (a WebP's decoder has two frames) goes before more memory is taken."""
    with _open(data, settings) as image:
        try:
            _halve(image, settings)
            pixels = image.copy()
            if image.mode.startswith("I;16"):
                return samples.sixteen_bits(pixels, getattr(image, "tag_v2", {}))
            if image.mode not in {"I", "F"}:
                return pixels
            # As in `samples`: no range is agreed on.
            low, high = (float(str(end)) for end in pixels.getextrema())
            scale = 255 / (high - low) if high > low else 0.0
            return pixels.convert("F").point(lambda value: value * scale - low * scale).convert("L")
        except Exception as error:  # decoders raise nearly anything for a hostile file
            raise _damaged() from error


def _halve(image: "Image.Image", settings: Settings) -> None:
    """Have a JPEG, which alone may have more than `max_pixels`, decoded at half its size or less."""
    if image.width * image.height > settings.max_pixels:
        image.draft("RGB", (image.width // 2, image.height // 2))


def _jpeg(image: "Image.Image") -> bytes:
    """A JPEG that fits into Rekognition's `Image.Bytes`: of less quality, then of fewer pixels."""
    while True:
        for quality in (90, 75, 50):
            target = io.BytesIO()
            image.save(target, "JPEG", quality=quality)
            if target.tell() <= _SENT_BYTES:
                return target.getvalue()
        image = image.reduce(2)


def _open(data: bytes, settings: Settings) -> "Image.Image":
    """Open a file without decoding its pixels; Pillow is imported with the first one."""
    from PIL import Image  # 40 ms that most requests don't need

    from app.services import bare, directories  # with the first picture

    # Blocks over 32 MiB are the system's own, and go back to it: smaller ones stay with the thread that freed them.
    Image.core.set_block_size(_BLOCK_BYTES)  # type: ignore[attr-defined]  # in C
    kind = next((name for magic, name in _MAGIC if data.startswith(magic)), None)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        kind = "WEBP"
    if kind is None:
        raise ProblemError(
            status=415,
            code="image_format_unsupported",
            detail="This is no JPEG, PNG, GIF, WebP, TIFF or BMP picture.",
        )
    if kind == "TIFF":
        from PIL import TiffImagePlugin  # noqa: F401  # else Pillow would load all its plugins
    elif kind == "WEBP":
        from PIL import WebPImagePlugin  # noqa: F401
    if kind == "BMP" and data[14:15] != b"\x0c" and data[30:31] in {b"\1", b"\2"} and len(data) > _MOST_RUNS:
        raise too_large(_MOST_RUNS)  # run lengths are decoded in Python, 1 s for each MB
    try:
        seen = bare.bare(data, kind, settings.max_pixels)
        image = Image.open(io.BytesIO(seen.data), formats=(kind,))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels(settings.max_pixels) from error
    except Exception as error:  # parsers raise nearly anything for a hostile file
        raise _damaged() from error
    limit = settings.max_pixels * (2 if kind == "JPEG" else 1)
    if image.width * image.height > limit:
        image.close()
        raise _too_many_pixels(limit)
    if kind == "TIFF":
        image.info.pop("xmp", None)  # Pillow would turn the picture by it; browsers and Rekognition don't
    exif = data if kind == "TIFF" else image.info.get("exif") or seen.exif
    animated = image.is_animated if seen.animated is None and hasattr(image, "is_animated") else bool(seen.animated)
    image.info.update(orientation=directories.orientation(exif), animated=animated)
    return image


def too_large(limit: int) -> ProblemError:
    """The problem of a picture with more bytes than `limit`."""
    return ProblemError(status=413, code="image_too_large", detail=f"A picture may have {limit} bytes.")


def _too_many_pixels(limit: int) -> ProblemError:
    return ProblemError(status=422, code="image_too_many_pixels", detail=f"A picture may have {limit} pixels.")


def _damaged() -> ProblemError:
    return ProblemError(status=422, code="image_damaged", detail="The picture is damaged or incomplete.")
