"""TIFF's directories, which are Exif's too: those that tell a place are taken out where they stand."""

import re
import struct
from collections.abc import Iterable

EXIF = b"Exif\0\0"
HEADERS = {b"II*\0": "<", b"MM\0*": ">"}

# Words of XMP: exif:GPS*, photoshop:City, Iptc4xmpExt:LocationShown, geo:lat, ... The prefix is the writer's choice.
_PLACE = re.compile(rb"GPS|Location|City|Country|Province|State|latitude|longitude|wgs84|geo:|coverage", re.IGNORECASE)
# City, sublocation, province, country, content location (IPTC IIM 4.2, record 2), or Exif and XMP among Photoshop's
# resources.
IPTC = re.compile(rb"\x1c\x02[\x1a\x1b\x5a\x5c\x5f\x64\x65]|8BIM\x04[\x22\x23\x24]")

_GPS, _MAKER_NOTE = 0x8825, 0x927C
_DIRECTORIES = frozenset({0x014A, 0x0190, 0x8769, 0xA005, _GPS})  # sub-directories, global parameters, Exif, interop
_TEXTS = frozenset({0x02BC, 0x83BB, 0x8649})  # XMP, IPTC, Photoshop's resources
_GEOTIFF = frozenset({33550, 33920, 33922, 34264, 34735, 34736, 34737, 42112})  # GeoTIFF 1.0, and GDAL's own
_BYTES = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}  # by type; others have one
_NUMBERS = {3: "H", 4: "I", 8: "h", 9: "i", 13: "I", 16: "Q"}
_ORIENTATION = 0x0112
_MOST_ENTRIES = 65_536
_SPARE_ENTRIES = 16
_MOST_EXIFS = 8

_Range = tuple[int, int]


def tells(metadata: bytes) -> bool:
    """Whether XMP or IPTC names a place; XMP may be in UTF-16 or UTF-32."""
    return bool(_PLACE.search(metadata.replace(b"\0", b"")) or IPTC.search(metadata))


def clean_exif(block: bytes) -> bytes:
    """Exif, with or without its prefix, without the place.

    Returns:
        As many bytes, or none where it can't be parsed.
    """
    cleaned, starts = bytearray(block), [len(EXIF) if block.startswith(EXIF) else 0]
    # A thumbnail or preview may have Exif of its own.
    starts += [found.end() for found in re.finditer(rb"Exif\0\0(?=II\*\0|MM\0\*)", block) if found.start()]
    if len(starts) > _MOST_EXIFS:
        return b""
    try:
        for start in starts:
            cleaned[start:] = clean_tiff(bytes(cleaned[start:]))
    except ValueError:
        return b""
    return bytes(cleaned)


def clean_tiff(data: bytes) -> bytes:
    """A TIFF file without what tells a place, in the same length: no offset in it changes.

    An entry that goes lets the later ones of its directory move up; what it points to becomes zeros. Pillow's own
    classes would write the directories anew, which a maker's note with offsets doesn't survive.

    Raises:
        ValueError: It is no TIFF, or its directories are too many or lie in each other.
    """
    order = HEADERS.get(data[:4], "")
    if not order or len(data) < 8:  # noqa: PLR2004  # the header's length
        raise ValueError("no TIFF header")
    found = _Walk(data, order)
    found.judge()
    if not found.doomed:
        return data
    cleaned = bytearray(data)
    for start, stop in _merged(found.blank):
        cleaned[start:stop] = bytes(stop - start)
    entries: dict[int, set[int]] = {}
    for directory, entry in found.doomed:
        entries.setdefault(directory, set()).add(entry)
    for directory, doomed in entries.items():
        first, count = directory + 2, found.directories[directory]
        kept = [data[at : at + 12] for at in range(first, first + 12 * count, 12) if at not in doomed]
        # The offset of the next directory stands right behind the entries.
        tail = data[first + 12 * count : first + 12 * count + 4]
        content = struct.pack(f"{order}H", len(kept)) + b"".join(kept) + tail
        cleaned[directory : directory + len(content) + 12 * len(doomed)] = content + bytes(12 * len(doomed))
    again = _Walk(bytes(cleaned), order)
    again.judge()
    if len(cleaned) != len(data) or again.doomed:
        raise ValueError("directories lie in each other")
    return bytes(cleaned)


def check(data: bytes) -> None:
    """Refuse a TIFF file whose entries share so many bytes that a reader who copies each runs out of memory.

    Raises:
        ValueError: They do, or it is no TIFF.
    """
    if _Walk(data, HEADERS[data[:4]]).claimed > 2 * len(data):
        raise ValueError("entries lie in each other")


def orientation(exif: bytes) -> int:
    """What Exif says of it, 1 to 8; 1 where it says nothing that counts."""
    try:
        value = First(exif.removeprefix(EXIF)).number(_ORIENTATION, 1)
    except ValueError:  # damaged Exif is no reason to refuse a picture
        return 1
    return value if 1 <= value <= 8 else 1  # noqa: PLR2004  # Exif's eight


class First:
    """The first directory of a TIFF file or of Exif; of a tag that it has twice the last counts, as in Pillow."""

    def __init__(self, data: bytes) -> None:
        """Read it.

        Raises:
            ValueError: There is none.
        """
        self._data, self._order = data, HEADERS.get(data[:4], "")
        if not self._order:
            raise ValueError("no TIFF header")
        at = self._read("I", 4)
        count = min(self._read("H", at), (len(data) - at - 2) // 12)
        self._places = {self._read("H", place): place for place in range(at + 2, at + 2 + 12 * count, 12)}

    def count(self, tag: int) -> int:
        """How many values a tag has; 0 where it is absent."""
        return self._read("I", self._places[tag] + 4) if tag in self._places else 0

    def number(self, tag: int, default: int = 0) -> int:
        """A tag's first value; the default where it has none that is a whole number.

        Raises:
            ValueError: It isn't in the file.
        """
        place = self._places.get(tag)
        code = _NUMBERS.get(self._read("H", place + 2)) if place is not None else None
        if place is None or code is None or not self.count(tag):
            return default
        inline = struct.calcsize(code) * self.count(tag) <= 4  # noqa: PLR2004  # four stand in the entry
        return self._read(code, place + 8 if inline else self._read("I", place + 8))

    def _read(self, code: str, at: int) -> int:
        try:
            return int(struct.unpack_from(self._order + code, self._data, at)[0])
        except struct.error as error:
            raise ValueError("an offset isn't in the file") from error


class _Walk:
    """A walk through all directories of a file, each once.

    Attributes:
        directories: Offset of each, with the number of its entries that the file holds.
        doomed: Offsets of entries that tell a place, each behind its directory's.
        blank: Ranges of the file that hold a place.
        claimed: Bytes that the entries say they have, all together.
    """

    def __init__(self, data: bytes, order: str) -> None:
        self.directories: dict[int, int] = {}
        self.doomed: list[tuple[int, int]] = []
        self.blank: list[_Range] = []
        self.claimed = 0
        self._data, self._order = data, order
        # What lies in each other would have more entries than fit, in each of a thousand blocks of a file.
        self._left = min(_MOST_ENTRIES, len(data) // 12 + _SPARE_ENTRIES)
        self._texts: list[tuple[int, int, _Range]] = []
        self._notes: list[tuple[int, int, _Range]] = []
        (first,) = self._read("I", 4)
        if not self._inside(first):
            raise ValueError("the first directory isn't in the file")
        self._queue = [(first, 0)]
        while self._queue:
            directory, tag = self._queue.pop()
            if self._inside(directory) and directory not in self.directories:
                self._directory(directory, tag)

    def judge(self) -> None:
        """Add what tells a place by what stands in it, or beside it."""
        data = self._data
        if self.doomed:
            # Vendors repeat the place in it (Panasonic has city and landmark), each in a form of its own.
            self._doom(self._notes)
        if any(tells(data[start:stop]) for start, stop in _merged(value for _, _, value in self._texts)):
            self._doom(self._texts)

    def _directory(self, directory: int, tag: int) -> None:
        count = min(self._read("H", directory)[0], (len(self._data) - directory - 2) // 12)
        end = directory + 2 + 12 * count
        self.directories[directory] = count
        self._spend(count + 1)
        for at in range(directory + 2, end, 12):
            entry, kind, number = self._read("HHI", at)
            size = _BYTES.get(kind, 1) * number
            start = at + 8 if size <= 4 else self._read("I", at + 8)[0]  # noqa: PLR2004  # four stand in the entry
            value = (start, min(start + size, len(self._data)))
            self.claimed += max(value[1] - start, 0)
            if tag == _GPS:
                self.blank.append(value)
            elif entry in _DIRECTORIES:
                self._pointer(directory, at, entry, kind, value)
            elif entry in _GEOTIFF:
                self._doom([(directory, at, value)])
            elif entry in _TEXTS:
                self._texts.append((directory, at, value))
            elif entry == _MAKER_NOTE:
                self._notes.append((directory, at, value))
        if tag == _GPS:
            self.blank.append((directory, end))
        elif end + 4 <= len(self._data):
            self._queue.append((self._read("I", end)[0], 0))

    def _pointer(self, directory: int, at: int, entry: int, kind: int, value: _Range) -> None:
        code, start = _NUMBERS.get(kind, ""), value[0]
        number = max(value[1] - start, 0) // _BYTES[kind] if code else 0
        self._spend(number)
        targets = self._read(f"{number}{code}", start) if number else ()
        if entry == _GPS:
            if targets and all(self._version_alone(target) for target in targets):
                return
            self.doomed.append((directory, at))
        self._queue += [(target, entry) for target in targets]

    def _version_alone(self, directory: int) -> bool:
        """Whether a GPS directory tells nothing: many cameras write one that has its version and no more."""
        return self._inside(directory + 2) and self._read("HH", directory) == (1, 0)

    def _inside(self, directory: int) -> bool:
        return 8 <= directory <= len(self._data) - 2  # noqa: PLR2004  # behind the header

    def _doom(self, entries: Iterable[tuple[int, int, _Range]]) -> None:
        for directory, at, value in entries:
            self.doomed.append((directory, at))
            self.blank.append(value)

    def _spend(self, entries: int) -> None:
        self._left -= entries
        if self._left < 0:
            raise ValueError("too many entries")

    def _read(self, code: str, at: int) -> tuple[int, ...]:
        return struct.unpack_from(self._order + code, self._data, at)


def _merged(ranges: Iterable[_Range]) -> list[_Range]:
    """Ranges that don't overlap: together no longer than the file, however often an offset comes up."""
    merged: list[_Range] = []
    for start, stop in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        elif start < stop:
            merged.append((start, stop))
    return merged
