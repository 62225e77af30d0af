"""Where a picture was taken is told to nobody: every place for it in every format is emptied, and pixels stay."""

import io
import struct
import zlib
from functools import cache
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


@cache
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


@pytest.mark.parametrize(
    "segments",
    [
        [segment(0xE1, XMP + LATITUDE)],
        [segment(0xE1, XMP + LATITUDE.decode().encode("utf-16"))],
        [segment(0xED, CITY)],
        [segment(0xED, CITY[:30]), segment(0xED, b"Photoshop 3.0\0" + CITY[30:])],
        [segment(0xFE, b"exif:GPSLatitude=1,17.4N")],
    ],
    ids=["XMP", "XMP in UTF-16", "IPTC", "IPTC in two segments", "comment"],
)
def test_segment_that_names_a_place_goes_and_offsets_hold(segments: list[bytes], tools: SimpleNamespace) -> None:
    data = jpeg(tools, *segments)
    assert len(is_clean(data, "JPEG")) == len(data)


@pytest.mark.parametrize("harmless", [segment(0xE1, XMP + HARMLESS), segment(0xED, KEYWORD), segment(0xFE, b"hello")])
def test_segment_that_names_none_stays(harmless: bytes, tools: SimpleNamespace) -> None:
    data = jpeg(tools, harmless)
    assert location.remove(data, "JPEG") is data


def test_extended_xmp_is_read_in_its_order(tools: SimpleNamespace) -> None:
    """The word may be cut by a segment's end, and its segments may stand in any order."""
    text = HARMLESS.replace(b"tiff:Make", b"photoshop:City")
    cut = text.index(b"ty=")

    def part(offset: int, content: bytes) -> bytes:
        return segment(0xE1, XMP_MORE + b"0" * 32 + struct.pack(">II", len(text), offset) + content)

    data = jpeg(tools, segment(0xE1, XMP + HARMLESS), part(cut, text[cut:]), part(0, text[:cut]))
    cleaned = location.remove(data, "JPEG")
    assert b"photoshop:Ci" not in cleaned
    assert pixels(cleaned) == pixels(data)


def test_exif_over_two_segments_is_one(tools: SimpleNamespace) -> None:
    block = exif()
    cut = block.index(b"Pear")
    data = jpeg(tools, segment(0xE1, block[:cut]), segment(0xE1, b"Exif\0\0" + block[cut:]))
    cleaned = location.remove(data, "JPEG")
    assert b"CELLID" not in cleaned
    assert gps_of(cleaned) == {}
    with Image.open(io.BytesIO(cleaned)) as image:
        assert image.getexif()[ExifTags.Base.Make] == "Pear"
    assert picture.inspect(cleaned, SETTINGS).orientation == 6


def test_thumbnail_in_exif_keeps_no_place_either(tools: SimpleNamespace) -> None:
    thumbnail = tools.picture(Image.new("RGB", (8, 8)), "JPEG", exif=exif())
    data = jpeg(tools, segment(0xE1, exif(gps=False) + thumbnail))
    cleaned = location.remove(data, "JPEG")
    assert b"CELLID" in data
    assert b"CELLID" not in cleaned
    assert picture.inspect(cleaned, SETTINGS).orientation == 6


def test_later_pictures_of_an_mpo_are_cleaned_and_found(tools: SimpleNamespace) -> None:
    first = tools.picture(noise(), "JPEG", exif=exif())
    data = tools.picture(noise(), "MPO", save_all=True, append_images=[Image.open(io.BytesIO(first))], exif=exif())
    end = data.index(b"\xff\xd9")
    assert b"CELLID" in data[:end]
    if b"CELLID" not in data[end:]:  # Pillow writes no Exif there; cameras do
        at = data.index(b"\xff\xd8\xff", end) + 2
        data = data[:at] + segment(0xE1, exif()) + data[at:]
    cleaned = is_clean(data, "JPEG")
    assert len(cleaned) == len(data)


def test_film_behind_a_picture_goes_where_it_tells_the_place(tools: SimpleNamespace) -> None:
    data = jpeg(tools)
    assert location.remove(data + b"\0\0\0\x20ftypmp42moov\0\0\0\x1e\xa9xyz+01.29+103.85/", "JPEG") == data
    other = data + b"\0\0\0\x20ftypmp42moov"
    assert location.remove(other, "JPEG") is other


@pytest.mark.parametrize(
    "extra",
    [
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + LATITUDE),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(LATITUDE)),
        chunk(b"zTXt", b"Raw profile type xmp\0\0" + zlib.compress(raw_profile(b"xmp", LATITUDE))),
        chunk(b"zTXt", b"Raw profile type iptc\0\0" + zlib.compress(raw_profile(b"iptc", CITY))),
        chunk(b"tEXt", b"Raw profile type APP1\0" + raw_profile(b"APP1", XMP + LATITUDE)),
        chunk(b"tEXt", b"exif:GPSLatitude\0001,17.4N"),
        chunk(b"zTXt", b"Raw profile type exif\0\0garbage"),
        chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(2 << 20))),
    ],
    ids=["XMP", "packed XMP", "raw XMP", "raw IPTC", "raw APP1", "tag", "undecodable", "bomb"],
)
@pytest.mark.parametrize("behind", [False, True])
def test_text_chunk_of_a_png_goes(extra: bytes, behind: bool, tools: SimpleNamespace) -> None:  # noqa: FBT001
    """Before the pixels and behind them, and the file is then what it would be without it."""
    data = png(tools, behind=extra) if behind else png(tools, extra)
    assert location.remove(data, "PNG") == png(tools)


def test_other_text_of_a_png_stays(tools: SimpleNamespace) -> None:
    data = png(
        tools, chunk(b"tEXt", b"Comment\0City of London"), chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + HARMLESS)
    )
    assert location.remove(data, "PNG") is data


def test_raw_exif_profile_becomes_an_exif_chunk_without_the_place(tools: SimpleNamespace) -> None:
    data = png(tools, chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(raw_profile(b"exif", exif()))))
    assert gps_of(data)
    cleaned = is_clean(data, "PNG")
    assert picture.inspect(cleaned, SETTINGS).orientation == picture.inspect(data, SETTINGS).orientation == 6


def test_xmp_of_a_webp_goes_with_its_flag(tools: SimpleNamespace) -> None:
    turned = Image.Exif()
    turned[ExifTags.Base.Orientation] = 6
    data = tools.picture(noise(), "WEBP", lossless=True, xmp=LATITUDE, exif=turned)
    cleaned = is_clean(data, "WEBP")
    assert int.from_bytes(cleaned[4:8], "little") == len(cleaned) - 8
    assert (data[20] & 12, cleaned[20] & 12) == (12, 8)
    assert picture.inspect(cleaned, SETTINGS).orientation == 6
    harmless = tools.picture(noise(), "WEBP", xmp=HARMLESS)
    assert location.remove(harmless, "WEBP") is harmless


def test_xmp_of_a_gif_goes_and_its_frames_stay(tools: SimpleNamespace) -> None:
    frames = [Image.new("RGB", (30, 30), color) for color in ("red", "blue")]
    plain = tools.picture(frames[0], "GIF", save_all=True, append_images=frames[1:])
    at = 13 + 3 * 2 ** ((plain[10] & 7) + 1)
    trailer = b"\1" + bytes(range(255, -1, -1)) + b"\0"  # of XMP's specification: leads any reader to the end
    for text, same in ((LATITUDE, False), (HARMLESS, True)):
        data = plain[:at] + b"!\xff\x0bXMP DataXMP" + text + trailer + plain[at:]
        cleaned = location.remove(data, "GIF")
        assert cleaned is data if same else cleaned == plain


@pytest.mark.parametrize("tag", [34735, 33922])
def test_geotiff_loses_its_ties_to_the_ground(tag: int, tools: SimpleNamespace) -> None:
    data = tools.picture(noise(), "TIFF", tiffinfo={tag: (1, 2, 3, 4)} if tag == 34735 else {tag: (0.0, 1.0, 103.85)})
    cleaned = location.remove(data, "TIFF")
    with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(cleaned)) as after:
        assert tag in before.tag_v2  # type: ignore[attr-defined]
        assert tag not in after.tag_v2  # type: ignore[attr-defined]
    assert pixels(cleaned) == pixels(data)


def test_exif_that_cannot_be_parsed_goes(tools: SimpleNamespace) -> None:
    data = jpeg(tools, segment(0xE1, b"Exif\0\0XX*\0 GPS N 1 17 24"))
    cleaned, info = picture.clean(data, SETTINGS)
    assert b"N 1 17" not in cleaned
    assert (info.gps_removed, info.bytes) == (True, len(data))


def tiff(*directories: bytes) -> bytes:
    return b"II*\0\x08\0\0\0" + b"".join(directories)


def entry(tag: int, kind: int, count: int, value: int) -> bytes:
    return struct.pack("<HHII", tag, kind, count, value)


HOSTILE = {
    "directory that is its own next": tiff(struct.pack("<HI", 0, 8)),
    "directories in a circle": tiff(b"\1\0", entry(0x8769, 4, 1, 8), struct.pack("<I", 8)),
    "GPS that is the first directory": tiff(b"\1\0", entry(0x8825, 4, 1, 8), struct.pack("<I", 0)),
    "GPS behind the end": tiff(b"\1\0", entry(0x8825, 4, 1, 2**32 - 1), struct.pack("<I", 0)),
    "value of four gigabytes": tiff(b"\1\0", entry(0x8825, 4, 2**32 - 1, 8), struct.pack("<I", 0)),
    "more entries than bytes": tiff(b"\xff\xff", entry(0x8825, 4, 1, 10)),
    "directory at every offset": tiff(b"\1\0", entry(0x014A, 4, 14_000, 26), struct.pack("<14000I", *range(8, 14_008))),
    "one value of all, often": tiff(struct.pack("<H", 4000), entry(0x02BC, 7, 60_000, 8) * 4000),
}


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # of the damage that the test made
@pytest.mark.parametrize("block", HOSTILE.values(), ids=HOSTILE)
def test_hostile_exif_leaves_a_picture_without_a_place(block: bytes, tools: SimpleNamespace) -> None:
    data = jpeg(tools, segment(0xE1, b"Exif\0\0" + block))
    cleaned = location.remove(data, "JPEG")
    assert pixels(cleaned) == pixels(data)
    assert location.remove(cleaned, "JPEG") is cleaned
    assert struct.pack("<H", 0x8825) not in cleaned[: 2 + len(block)]


def test_directories_in_a_circle_are_each_read_once(tools: SimpleNamespace) -> None:
    for name in ("directory that is its own next", "directories in a circle"):
        data = jpeg(tools, segment(0xE1, b"Exif\0\0" + HOSTILE[name]))
        assert location.remove(data, "JPEG") is data


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP"])
def test_truncated_anywhere_it_is_cleaned_or_refused(kind: str, tools: SimpleNamespace) -> None:
    data = tools.picture(noise().resize((16, 12)), kind, **({"exif": exif()} if kind not in {"GIF", "BMP"} else {}))
    for length in range(len(data)):
        try:
            cleaned = location.remove(data[:length], kind)
        except ValueError:
            assert kind == "TIFF"
        else:
            assert b"CELLID" not in cleaned or kind == "TIFF"


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("JPEG", b"\xff\xd8" + b"\xff\xfe\0\2" * 100_001),
        ("PNG", b"\x89PNG\r\n\x1a\n" + chunk(b"abCd", b"") * 100_001),
        ("WEBP", b"RIFF\xff\xff\xff\xffWEBP" + b"abcd\0\0\0\0" * 100_001),
        ("GIF", b"GIF89a" + bytes(7) + b"!\xfe\0" * 100_001 + b"GPSLatitude"),
        ("TIFF", tiff(b"\1\0", entry(0x014A, 4, 70_000, 26), bytes(280_000))),
    ],
)
def test_too_many_parts_are_refused(kind: str, data: bytes) -> None:
    with pytest.raises(ValueError, match="too many"):
        location.remove(data, kind)


def test_run_of_marker_bytes_takes_no_longer_than_its_length() -> None:
    data = b"\xff\xd8" + b"\xff" * 3_000_000 + b"\0"
    assert location.remove(data, "JPEG") is data
