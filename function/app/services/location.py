"""Location taken out of a picture's metadata, without touching its pixels."""

import re

from app.services import chunks
from app.services.directories import EXIF, HEADERS, IPTC, clean_exif, clean_tiff, tells

_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_XMP_MORE = b"http://ns.adobe.com/xmp/extension/\0"
_XMP_MORE_HEADER = len(_XMP_MORE) + 40  # a digest, the whole's length and this part's offset
_PHOTOSHOP = b"Photoshop 3.0\0"
_FILM = re.compile(rb"\xa9xyz|ISO6709|\0loci")  # a film behind the picture (QuickTime, 3GPP TS 26.244)

# Any marker but RSTn, which stands among the pixels. One byte of 0xff: of a run of them each would be tried.
MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
_SOI, _EOI, _TEM, _APP1, _APP13 = 0xD8, 0xD9, 0x01, 0xE1, 0xED
REMARKS = frozenset({*range(0xE1, 0xEE), 0xEF, 0xFE})  # APPn but JFIF's and Adobe's, and comments
MOST_SEGMENTS = 100_000


def remove(data: bytes, kind: str) -> bytes:
    """Take out what tells where a picture was taken: GPS and place names in Exif, XMP, IPTC and GeoTIFF.

    Pixels stay as they are, to the bit. JPEG and TIFF keep their length (what goes becomes zeros), so that offsets in
    them hold. Exif loses its GPS directory and with it the maker's note; other metadata goes as a whole where a place
    is in it, or where it can't be parsed. The work grows with the file's length and no faster, and nothing recurs.

    What was written in free text, what the picture shows, and what lies compressed behind its end stay.

    Args:
        data: A picture.
        kind: Its format, as in `ImageInfo.format`; MPO is JPEG.

    Returns:
        The same object where there is nothing to take out.

    Raises:
        ValueError: Its parts are too many or lie in each other: nobody could be sure.
    """
    match kind:
        case "JPEG":
            cleaned = _Jpeg(data).clean()
        case "PNG":
            cleaned = chunks.clean_png(data)
        case "WEBP":
            cleaned = chunks.clean_webp(data)
        case "GIF":
            cleaned = chunks.clean_gif(data)
        case "TIFF":
            cleaned = clean_tiff(data)
        case _:
            return data  # BMP has no room for it
    return data if cleaned == data else cleaned


class _Jpeg:
    """JPEG's segments. Metadata may be spread over several, so each picture's are gathered first."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._cleaned = bytearray(data)
        self._exif: list[list[slice]] = []
        self._xmp: list[slice] = []
        self._photoshop: list[slice] = []

    def clean(self) -> bytes:
        data, at, segments, ended = self._data, 0, 0, False
        while found := MARKER.search(data, at):
            marker, at, segments = found[1][0], found.end(), segments + 1
            if segments > MOST_SEGMENTS:
                raise ValueError("too many segments")
            if marker == _SOI:
                self._settle()
            elif marker == _EOI:
                # Once: behind the first end is all that is behind later ones.
                if not ended and _FILM.search(data, at):
                    del self._cleaned[at:]
                    break
                ended = True
                # MPO's further pictures, and previews that no directory names.
                following = data.find(b"\xff\xd8\xff", at)
                following = len(data) if following < 0 else following
                self._remark(slice(at, following))
                at = following
            elif marker != _TEM:
                length = int.from_bytes(data[at : at + 2])
                body = slice(at + 2, max(at + 2, min(at + length, len(data))))
                at = body.stop
                self._segment(marker, body)
        self._settle()
        return bytes(self._cleaned)

    def _segment(self, marker: int, body: slice) -> None:
        if marker == _APP1 and self._data.startswith(EXIF, body.start):
            part = slice(body.start + len(EXIF), body.stop)
            if self._exif and not self._data.startswith(tuple(HEADERS), part.start):
                self._exif[-1].append(part)
            else:
                self._exif.append([part])
        elif marker == _APP1 and self._data.startswith((_XMP, _XMP_MORE), body.start):
            self._xmp.append(body)
        elif marker == _APP13 and self._data.startswith(_PHOTOSHOP, body.start):
            self._photoshop.append(body)
        elif marker in REMARKS:
            self._remark(body)

    def _remark(self, part: slice) -> None:
        if chunks.GPS.search(self._data, part.start, part.stop):
            self._blank([part])

    def _settle(self) -> None:
        """Clean what was gathered."""
        data = self._data
        for parts in self._exif:
            whole = clean_exif(b"".join(data[part] for part in parts))
            if not whole:
                self._blank(parts)
            for part in parts if whole else ():
                self._cleaned[part], whole = whole[: part.stop - part.start], whole[part.stop - part.start :]
        texts = [data[part] for part in self._xmp if data.startswith(_XMP, part.start)]
        more = sorted(data[part] for part in self._xmp if data.startswith(_XMP_MORE, part.start))
        if tells(b"".join([*texts, *(text[_XMP_MORE_HEADER:] for text in more)])):
            self._blank(self._xmp)
        if IPTC.search(b"".join(data[part].removeprefix(_PHOTOSHOP) for part in self._photoshop)):
            self._blank(self._photoshop)
        self._exif, self._xmp, self._photoshop = [], [], []

    def _blank(self, parts: list[slice]) -> None:
        for part in parts:
            self._cleaned[part] = bytes(part.stop - part.start)
