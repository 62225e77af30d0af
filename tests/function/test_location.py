"""Where a picture was taken is told to nobody: every place for it in every format is emptied, and pixels stay."""

import io
import struct
import zlib
from types import SimpleNamespace

import pytest
from PIL import ExifTags, Image

from app.core.settings import Settings
from app.services import location, picture

SETTINGS = Settings()
XMP = b"http://ns.adobe.com/xap/1.0/\0"
XMP_MORE = b"http://ns.adobe.com/xmp/extension/\0"
LATITUDE = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description e:GPSLatitude="1,17.4N" tiff:Make="Pear"/></x:xmpmeta>'
)
HARMLESS = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Make="Pear"/></x:xmpmeta>'
CITY = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x0e\x1c\x02\x5a\0\x09Singapore"
KEYWORD = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x08\x1c\x02\x19\0\x03cat"


def exif(*, orientation: int = 6, gps: bool = True) -> bytes:
    """Exif of a phone: make, orientation, camera settings, a maker's note with a place, and where it was."""
    block = Image.Exif()
    block[ExifTags.Base.Make] = "Pear"
    block[ExifTags.Base.Orientation] = orientation
    camera = block.get_ifd(ExifTags.IFD.Exif)
    camera[ExifTags.Base.FocalLength] = 4.25
    camera[ExifTags.Base.MakerNote] = b"Pear\0Singapore, Merlion"
    if gps:
        place = block.get_ifd(ExifTags.IFD.GPSInfo)
        place[ExifTags.GPS.GPSLatitudeRef] = "N"
        place[ExifTags.GPS.GPSLatitude] = (1.0, 17.0, 24.125)
        place[ExifTags.GPS.GPSProcessingMethod] = b"ASCII\0\0\0CELLID-4711"
    return block.tobytes()


def gps_of(data: bytes) -> dict[int, object]:
    with Image.open(io.BytesIO(data)) as image:
        return dict(image.getexif().get_ifd(ExifTags.IFD.GPSInfo))


def pixels(data: bytes, frame: int = 0) -> bytes:
    with Image.open(io.BytesIO(data)) as image:
        image.seek(frame)
        return image.convert("RGBA").tobytes()


def noise() -> Image.Image:
    return Image.merge("RGB", [Image.effect_noise((64, 48), 60 + 30 * band) for band in range(3)])


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def jpeg(tools: SimpleNamespace, *segments: bytes) -> bytes:
    data: bytes = tools.picture(noise(), "JPEG")
    return data[:2] + b"".join(segments) + data[2:]


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(tools: SimpleNamespace, *chunks: bytes, behind: bytes = b"") -> bytes:
    data: bytes = tools.picture(noise(), "PNG")
    return data[:33] + b"".join(chunks) + data[33:-12] + behind + data[-12:]


def raw_profile(name: bytes, content: bytes) -> bytes:
    return b"\n" + name + b"\n%8d\n" % len(content) + content.hex().encode() + b"\n"


def is_clean(data: bytes, kind: str) -> bytes:
    """Assert that the place is gone, the rest is not, and a second time finds nothing more; the picture cleaned."""
    cleaned = location.remove(data, kind)
    assert cleaned != data
    for trace in (b"CELLID", b"Latitude", b"Merlion", b"Singapore", b"".join(f"{n:02x}".encode() for n in b"CELLID")):
        assert trace not in cleaned
    assert gps_of(cleaned) == {}
    assert pixels(cleaned) == pixels(data)
    assert location.remove(cleaned, kind) is cleaned
    return cleaned


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_gps_goes_and_the_rest_of_exif_stays(kind: str, tools: SimpleNamespace) -> None:
    data = tools.picture(noise(), kind, exif=exif(orientation=6))
    assert gps_of(data)
    assert b"CELLID" in data
    cleaned = is_clean(data, kind)
    with Image.open(io.BytesIO(cleaned)) as image:
        assert image.getexif()[ExifTags.Base.Make] == "Pear"
        assert image.getexif().get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FocalLength] == 4.25
    info = picture.inspect(data, SETTINGS)
    assert picture.clean(data, SETTINGS) == (cleaned, info.model_copy(update={"gps_removed": True}))
    assert info.orientation == 6


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP"])
def test_picture_without_a_place_is_the_same_object(kind: str, tools: SimpleNamespace) -> None:
    options = {"exif": exif(gps=False)} if kind not in {"GIF", "BMP"} else {}
    data = tools.picture(noise(), kind, **options)
    assert location.remove(data, kind) is data
    cleaned, info = picture.clean(data, SETTINGS)
    assert cleaned is data
    assert not info.gps_removed


def test_gps_directory_with_its_version_alone_tells_nothing(tools: SimpleNamespace) -> None:
    block = Image.Exif()
    block.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSVersionID] = b"\2\3\0\0"
    data = tools.picture(noise(), "JPEG", exif=block)
    assert gps_of(data)
    assert location.remove(data, "JPEG") is data


@pytest.mark.parametrize("order", ["<", ">"])
def test_gps_goes_from_both_byte_orders(order: str, tools: SimpleNamespace) -> None:
    block = Image.Exif()
    block.endian = order
    block.load(exif())
    block.endian = order
    is_clean(tools.picture(noise(), "JPEG", exif=block.tobytes()), "JPEG")
