"""One wheel → the distribution as an installer would lay it out, with the place of each file's stream in the wheel.

The rules are those of the binary distribution format. `purelib` and `platlib` go to the root, scripts to another
folder, which Lambda has no use for; modes are as pip sets them. What is wrong with the wheel are defects that name it.
"""

from __future__ import annotations

import csv
import email.message
import email.parser
import io
import mmap
import stat
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from optimizer.archives import case_clashes, look_through
from optimizer.inventory.defects import some
from optimizer.inventory.environment import Installed
from optimizer.models import InstalledFile, Packed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from packaging.utils import NormalizedName

    from optimizer.inventory.defects import Report

_LIBRARIES = ("purelib", "platlib")
_SIGNATURES = ("RECORD.jws", "RECORD.p7s")
_HASHES = ("sha256", "sha384", "sha512")
_METADATA_BYTES = 1 << 26
"""More than any METADATA or RECORD has: a bomb is not unpacked."""
_LOCAL = struct.Struct("<4s22xHH")
"""A local header's signature, and how long the name and the extra field are that stand before the stream."""
_UTF8 = 0x800
"""General purpose bit 11: the name is UTF-8 (APPNOTE 4.4.4)."""
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


class _FaultyWheelError(Exception):
    """What makes the whole wheel unusable; the message says what."""


def read_wheel(
    path: Path, name: NormalizedName, version: str, *, sha256: Callable[[Path], str], report: Report
) -> Installed:
    """The wheel as it would be installed; where it can't be, the report says why and there are no files."""
    try:
        with (
            zipfile.ZipFile(path) as archive,
            path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
        ):
            return _Reader(path, archive, content, report).read(name, version, sha256(path))
    except _FaultyWheelError as error:
        report("wheel", f"{path.name} {error}", "error")
    except zipfile.BadZipFile as error:
        report("wheel", f"{path.name} is no whole zip ({error}). Download it again", "error")
    except (OSError, ValueError, RuntimeError, zlib.error, csv.Error, EOFError, struct.error) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        report("wheel", f"{path.name} can't be read ({reason}). Download it again", "error")
    return unusable(path, name, version, report)


def unusable(path: Path, name: NormalizedName, version: str, report: Report) -> Installed:
    """A wheel that nothing is taken from; the report says why."""
    return Installed(
        name=name,
        version=version,
        requirements=(),
        folder=str(path.parent),
        info="",
        tags=(),
        files=(),
        outside_bytes=0,
        defects=tuple(report.defects),
    )


class _Reader:
    """Reads one open wheel."""

    def __init__(self, path: Path, archive: zipfile.ZipFile, content: mmap.mmap, report: Report) -> None:
        self.path = path
        self.archive = archive
        self.content = content
        self.report = report

    def read(self, name: NormalizedName, version: str, sha256: str) -> Installed:
        members, faults = look_through(self.archive.infolist())
        if faults:
            raise _FaultyWheelError(f"holds what must not be unpacked: {some(faults)}")
        by_name = {member.filename: member for member in members}
        info = _info(by_name, name)
        for needed in ("METADATA", "WHEEL", "RECORD"):
            if f"{info}/{needed}" not in by_name:
                raise _FaultyWheelError(f"has no {info}/{needed}: it is no wheel. Download it again")
        metadata = self._headers(by_name[f"{info}/METADATA"])
        found = str(metadata["Version"])
        if canonicalize_name(str(metadata["Name"])) != name or not _same_version(found, version):
            raise _FaultyWheelError(f"says in its METADATA that it is {metadata['Name']} {found}. Download it again")
        wheel = self._headers(by_name[f"{info}/WHEEL"])
        if not str(wheel["Wheel-Version"] or "1.0").startswith("1."):
            raise _FaultyWheelError(f"is of wheel version {wheel['Wheel-Version']}, which is not known here")
        recorded = self._recorded(by_name, info)
        files, outside_bytes = self._lay_out(members, info, recorded, sha256)
        return Installed(
            name=name,
            version=found,
            requirements=tuple(map(str, metadata.get_all("Requires-Dist") or ())),
            folder=str(self.path.parent),
            info=info,
            tags=tuple(str(tag).strip() for tag in wheel.get_all("Tag") or ()),
            files=files,
            outside_bytes=outside_bytes,
            defects=tuple(self.report.defects),
            wheel=sha256,
        )

    def _headers(self, member: zipfile.ZipInfo) -> email.message.Message:
        return email.parser.HeaderParser().parsestr(self._text(member))

    def _text(self, member: zipfile.ZipInfo) -> str:
        if member.file_size > _METADATA_BYTES:
            raise _FaultyWheelError(f"says that {member.filename} has {member.file_size} bytes")
        return self.archive.read(member).decode("utf-8")

    def _recorded(self, by_name: dict[str, zipfile.ZipInfo], info: str) -> dict[str, str]:
        """The hash that RECORD gives of each member, as `algorithm=digest`; what it leaves out is reported."""
        own = f"{info}/RECORD"
        recorded, missing, faults = {}, [], []
        for row in csv.reader(io.StringIO(self._text(by_name[own]), newline="")):
            if not row or row[0] == own:
                continue
            path, given, size = (*row, "", "")[:3]
            member = by_name.get(path)
            if member is None:
                missing.append(path)
            elif size and size != str(member.file_size):
                faults.append(f"{path} has {member.file_size} bytes, and {size} by RECORD")
            elif given and given.partition("=")[0] not in _HASHES:
                faults.append(f"{path} has the hash {given!r} in RECORD, which proves nothing")
            elif given:
                recorded[path] = given
        if faults:
            raise _FaultyWheelError(f"is damaged or was tampered with: {some(faults)}. Download it again")
        if missing:
            self.report(
                "record-missing", f"RECORD of {self.path.name} names {some(missing)} that it does not hold", "warning"
            )
        bare = by_name.keys() - recorded.keys() - {own, *(f"{info}/{name}" for name in _SIGNATURES)}
        if bare:
            detail = f"RECORD of {self.path.name} has no hash of {some(sorted(bare))}, so that nobody can check it"
            self.report("unrecorded", detail, "warning")
        return recorded

    def _lay_out(
        self, members: list[zipfile.ZipInfo], info: str, recorded: dict[str, str], sha256: str
    ) -> tuple[tuple[InstalledFile, ...], int]:
        """The files that go to the root, and the bytes of scripts, which do not."""
        data = f"{info.removesuffix('.dist-info')}.data/"
        files: dict[str, InstalledFile] = {}
        outside_bytes, outside = 0, []
        for member in members:
            path = member.filename
            if path.startswith(data):
                kind, _, path = path.removeprefix(data).partition("/")
                if kind == "scripts":
                    outside_bytes += member.file_size
                    continue
                if kind not in _LIBRARIES:
                    outside.append(member.filename)
                    continue
            if path in files:
                raise _FaultyWheelError(f"would install {path} twice")
            files[path] = self._file(member, path, recorded.get(member.filename, ""), sha256)
        if outside:
            detail = f"{self.path.name} holds {some(outside)} for outside the folder; not shipped"
            self.report("outside", detail, "warning")
        for clash in case_clashes(files):
            detail = f"{' and '.join(clash)} differ in case alone: where a disk makes no difference one is lost"
            self.report("case", detail, "warning")
        return tuple(sorted(files.values(), key=lambda file: file.path)), outside_bytes

    def _file(self, member: zipfile.ZipInfo, path: str, recorded: str, sha256: str) -> InstalledFile:
        mode = member.external_attr >> 16
        return InstalledFile(
            path=path,
            location=str(self.path),
            bytes=member.file_size,
            mtime_ns=0,
            inode=0,
            executable=stat.S_ISREG(mode) and bool(mode & 0o111),  # what pip asks before it sets the bits
            packed=Packed(
                wheel=sha256,
                offset=self._offset(member),
                bytes=member.compress_size,
                method=member.compress_type,
                crc32=member.CRC,
                recorded=recorded,
            ),
        )

    def _offset(self, member: zipfile.ZipInfo) -> int:
        """Where the member's stream begins, by its local header."""
        if member.compress_type not in _METHODS:
            raise _FaultyWheelError(f"holds {member.filename} in a form that is not deflate. Pack it again with zip")
        header = member.header_offset
        signature, length, extra = _LOCAL.unpack_from(self.content, header)
        start: int = header + _LOCAL.size + length + extra
        encoded = member.orig_filename.encode("utf-8" if member.flag_bits & _UTF8 else "cp437")
        if (
            signature != b"PK\x03\x04"
            or self.content[header + _LOCAL.size : header + _LOCAL.size + length] != encoded
            or start + member.compress_size > len(self.content)
        ):
            raise _FaultyWheelError(f"is damaged: {member.filename} is not where its directory says. Download it again")
        return start


def _info(by_name: dict[str, zipfile.ZipInfo], name: NormalizedName) -> str:
    """The one metadata folder, which has to be the distribution's."""
    found = sorted({top for member in by_name if (top := member.partition("/")[0]).endswith(".dist-info")})
    if len(found) != 1:
        raise _FaultyWheelError(
            f"has {' and '.join(found) or 'no .dist-info folder'}: it is no wheel. Download it again"
        )
    if canonicalize_name(found[0].partition("-")[0]) != name:
        raise _FaultyWheelError(f"holds {found[0]}: it is another distribution's. Download it again")
    return found[0]


def _same_version(first: str, second: str) -> bool:
    try:
        return Version(first) == Version(second)
    except InvalidVersion:
        return False
