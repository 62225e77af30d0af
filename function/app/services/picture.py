"""Pictures: format from the content, dimensions from the header, pixels only after both are known to be harmless."""

import base64
import binascii
import io
from threading import Lock
from typing import TYPE_CHECKING

from app.core.errors import ProblemError
from app.core.settings import Settings
from app.schemas.analyze import ImageInfo
from app.schemas.problem import FieldProblem
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
REKOGNITION_FORMATS = frozenset({"JPEG", "PNG"})
_SIDEWAYS = frozenset({5, 6, 7, 8})
_ORIENTATION = 0x0112
# Pixels are decoded one picture at a time: each may take half of the memory that the function has, and parts and
# pictures of one request run side by side.
_decoding = Lock()
_SENT_SIDE = 4096


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
        orientation = _orientation(image)
        # Pillow has turned a TIFF's size already.
        turned = orientation in _SIDEWAYS and image.format != "TIFF"
        width, height = image.size[::-1] if turned else image.size
        kind = "JPEG" if image.format == "MPO" else str(image.format)  # MPO: a JPEG with further ones behind it
        return ImageInfo(
            format=kind,
            media_type=f"image/{kind.lower()}",
            width=width,
            height=height,
            mode=image.mode,
            bytes=len(data),
            animated=_animated(image),
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
            if image.width * image.height > settings.max_pixels:  # JPEG alone may
                image.draft("RGB", (image.width // 2, image.height // 2))
            return samples.pick(image)
        except Exception as error:  # decoders raise nearly anything for a hostile file
            raise _damaged() from error


def for_rekognition(data: bytes, info: ImageInfo, settings: Settings) -> bytes:
    """The picture in a format that Rekognition takes: JPEG and PNG as they are, others as JPEG.

    Args:
        data: A file.
        info: What `inspect` said of it.
        settings: Has the limits.

    Raises:
        ProblemError: The pixels can't be decoded (422), or are too many bytes as JPEG (413).
    """
    if info.format in REKOGNITION_FORMATS:
        return data
    from PIL import Image, ImageOps  # see _open

    with _decoding, _open(data, settings) as image:
        try:
            # Boxes are shares of width and height, so they are as right in the smaller picture.
            image.thumbnail((_SENT_SIDE, _SENT_SIDE))
            upright = ImageOps.exif_transpose(image).convert("RGBA")
            # Transparency on white, as a browser shows it.
            flat = Image.new("RGB", upright.size, "white")
            flat.paste(upright, mask=upright.getchannel("A"))
            target = io.BytesIO()
            flat.save(target, "JPEG", quality=90)
        except Exception as error:  # decoders raise nearly anything for a hostile file
            raise _damaged() from error
    if target.tell() > settings.max_image_bytes:
        raise too_large(settings.max_image_bytes)
    return target.getvalue()


def _open(data: bytes, settings: Settings) -> "Image.Image":
    """Open a file without decoding its pixels; Pillow is imported with the first one."""
    from PIL import Image  # 40 ms that most requests don't need

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
    try:
        image = Image.open(io.BytesIO(data), formats=(kind,))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels(settings.max_pixels) from error
    except Exception as error:  # parsers raise nearly anything for a hostile file
        raise _damaged() from error
    limit = settings.max_pixels * (2 if kind == "JPEG" else 1)
    if image.width * image.height > limit:
        image.close()
        raise _too_many_pixels(limit)
    return image


def _orientation(image: "Image.Image") -> int:
    # A PNG's EXIF may stand behind the pixels: asking for it would decode them.
    if image.format == "PNG" and not {"exif", "Raw profile type exif"} & image.info.keys():
        return 1
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001  # damaged EXIF is no reason to refuse a picture
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1  # noqa: PLR2004  # EXIF's eight


def _animated(image: "Image.Image") -> bool:
    try:
        return bool(getattr(image, "is_animated", False)) and image.format != "MPO"
    except Exception:  # noqa: BLE001  # a damaged second frame is none
        return False


def too_large(limit: int) -> ProblemError:
    """The problem of a picture with more bytes than `limit`."""
    return ProblemError(status=413, code="image_too_large", detail=f"A picture may have {limit} bytes.")


def _too_many_pixels(limit: int) -> ProblemError:
    return ProblemError(status=422, code="image_too_many_pixels", detail=f"A picture may have {limit} pixels.")


def _damaged() -> ProblemError:
    return ProblemError(status=422, code="image_damaged", detail="The picture is damaged or incomplete.")
