"""The environment port: which distributions are installed, with their metadata and files as the disk has them."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import posixpath
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import Any, Protocol

import importlib_metadata
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name

from optimizer.errors import UsageError
from optimizer.inventory.defects import Report, some
from optimizer.models import Defect, InstalledFile

_ANY = SpecifierSet()


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """One installed distribution as it was found: nothing evaluated for a target yet.

    `requirements` are the lines of its metadata, `tags` those of its WHEEL file, `outside_bytes` what it has in files
    that are not in `folder` (scripts); `wheel` is the SHA-256 of the wheel that it is read from, where it is.
    """

    name: NormalizedName
    version: str
    requirements: tuple[str, ...]
    folder: str
    info: str
    tags: tuple[str, ...]
    files: tuple[InstalledFile, ...]
    outside_bytes: int
    defects: tuple[Defect, ...]
    wheel: str = ""


class Environment(Protocol):
    """Where distributions are looked up: the running interpreter's environment, a folder, wheels, or a test's fake.

    `source` is what it is called in a plan, `absent` how it is told that a distribution is not there, `mend` how what
    is wrong is mended, before the requirements file's path; `folders` are those whose names decide what is found, None
    where something else decides.
    """

    source: str
    absent: str
    mend: str
    folders: tuple[str, ...] | None

    def find(self, name: NormalizedName, specifier: SpecifierSet) -> Installed | None:
        """The distribution of that name, or None; where there is a choice, a version that the specifier admits."""

    def names(self) -> tuple[NormalizedName, ...]:
        """Every distribution there is, sorted."""


class InstalledEnvironment:
    """Distributions on a search path, as `importlib.metadata` finds them; the first on the path wins, as on import."""

    absent = "is not installed"
    mend = "Install what the requirements ask for, for the target: python -m pip install -r"

    def __init__(self, path: list[str], *, source: str, prefix: str | None = None) -> None:
        self.source = source
        self.folders: tuple[str, ...] | None = tuple(path)
        self._path = path
        self._prefix = prefix

    @classmethod
    def running(cls) -> InstalledEnvironment:
        """The environment of the interpreter that runs this."""
        path = (
            sys.path[1:] if sys.path[:1] == [str(Path.cwd())] else sys.path
        )  # `python -m` puts the folder it is in first
        return cls(list(path), source="installed", prefix=sys.prefix)

    @classmethod
    def of_folder(cls, folder: Path) -> InstalledEnvironment:
        """What `pip install --target` put into a folder, or a site-packages folder.

        Raises:
            UsageError: it is no folder, or no distribution is in it.
        """
        if not folder.is_dir():
            raise UsageError(
                f"--path {folder}: there is no such folder",
                mend="Name a folder that `pip install --target DIR` made, or a site-packages folder.",
            )
        environment = cls([str(folder)], source=str(folder))
        if next(iter(importlib_metadata.distributions(path=[str(folder)])), None) is None:
            raise UsageError(
                f"--path {folder}: no distribution is installed there (no .dist-info folder)",
                mend=f"Install into it: python -m pip install --target {folder} -r REQUIREMENTS",
            )
        return environment

    def names(self) -> tuple[NormalizedName, ...]:
        """Every distribution on the path, sorted."""
        found = importlib_metadata.distributions(path=self._path)
        names = set()
        for distribution in found:
            with contextlib.suppress(
                importlib_metadata.MetadataNotFound, UnicodeDecodeError
            ):  # the rest of an uninstall
                names.add(canonicalize_name(distribution.name or ""))
        return tuple(sorted(names - {""}))

    def find(self, name: NormalizedName, specifier: SpecifierSet = _ANY) -> Installed | None:
        """The first distribution of that name on the path; one whose metadata can't be read is an error of its own."""
        del specifier  # there is no choice
        found = list(importlib_metadata.distributions(name=name, path=self._path))
        if not found:
            return None
        try:
            return self._read(name, found)
        except (importlib_metadata.MetadataNotFound, KeyError, UnicodeDecodeError, csv.Error) as error:
            place = Path(str(found[0]._path))  # type: ignore[attr-defined]  # noqa: SLF001  see below
            report = Report(name)
            reason = str(error) or type(error).__name__
            report("unreadable", f"its metadata in {place} can't be read ({reason}). Install it again", "error")
            return Installed(
                name=name,
                version="0",
                requirements=(),
                folder=str(place.parent),
                info=place.name,
                tags=(),
                files=(),
                outside_bytes=0,
                defects=tuple(report.defects),
            )

    def _read(self, name: NormalizedName, found: list[Any]) -> Installed:
        first = found[0]
        info = Path(str(first._path))  # noqa: SLF001  importlib.metadata has no public name for it
        folder = str(info.parent)
        metadata = first.metadata  # parsed anew by each access
        requirements = tuple(metadata.get_all("Requires-Dist") or ())
        report = Report(name)
        beside = sorted({Path(str(d._path)).name for d in found if str(Path(str(d._path)).parent) == folder})  # noqa: SLF001
        if len(beside) > 1:
            report("two-versions", f"{' and '.join(beside)} lie side by side in {folder}. Install it again", "error")
        if info.suffix != ".dist-info":
            requirements = tuple(first.requires or ())
            report("egg-info", f"installed without a wheel ({info.name}): its files are taken from the disk", "warning")
            if (info.parent / "setup.py").exists() or (info.parent / "pyproject.toml").exists():
                report("editable", f"is an editable install of {info.parent}. Install it as a wheel", "error")
        self._check_editable(first, report)
        wheel = first.read_text("WHEEL") or ""
        tags = tuple(line[4:].strip() for line in wheel.splitlines() if line.startswith("Tag:"))
        record = first.read_text("RECORD")
        reader = _FileReader(folder, prefix=self._prefix, report=report)
        installed_files = first.read_text("installed-files.txt")
        if record is None and installed_files is not None:
            reader.read_installed_files(installed_files, info)
        elif record is None:
            if info.suffix == ".dist-info":
                report("no-record", "has no RECORD: its files are taken from the disk", "warning")
            reader.walk(info, first.read_text("top_level.txt"), name)
        elif record is not None:
            reader.read_record(record)
        return Installed(
            name=name,
            version=metadata["Version"],
            requirements=requirements,
            folder=folder,
            info=info.name,
            tags=tags,
            files=tuple(sorted(reader.files, key=lambda file: file.path)),
            outside_bytes=reader.outside_bytes,
            defects=tuple(report.defects),
        )

    @staticmethod
    def _check_editable(found: Any, report: Report) -> None:
        """An editable install has no files of its own: it points at a source tree (PEP 610's direct_url.json)."""
        direct_url = found.read_text("direct_url.json")
        try:
            origin = json.loads(direct_url) if direct_url else {}
        except ValueError:
            report("direct-url", "its direct_url.json is no JSON", "warning")
            return
        if isinstance(origin, dict) and (origin.get("dir_info") or {}).get("editable"):
            report(
                "editable",
                "is an editable install: its files lie elsewhere. Install it as a wheel: pip install --no-deps FOLDER",
                "error",
            )


class _FileReader:
    """Turns RECORD, or the disk where there is none, into files inside the folder; what does not fit is reported."""

    def __init__(self, folder: str, *, prefix: str | None, report: Report) -> None:
        self.folder = folder
        self.prefix = prefix
        self.report = report
        self.files: list[InstalledFile] = []
        self.outside_bytes = 0

    def read_record(self, record: str) -> None:
        """The files that RECORD lists, compared with the disk's."""
        missing, differing, outside = [], [], []
        seen = set()
        for row in csv.reader(io.StringIO(record, newline="")):
            if not row or not row[0]:
                continue
            path = self._normalised(row[0])
            if path in seen:
                continue
            seen.add(path)
            if path.startswith(("../", "/")) or path == ".." or "\0" in path:
                if not self._count_script(path):
                    outside.append(path)
                continue
            if not self._add(path, row[1] if len(row) > 1 else ""):
                if not path.endswith(".pyc"):
                    missing.append(path)
            elif len(row) > 2 and row[2].isdecimal() and int(row[2]) != self.files[-1].bytes:  # noqa: PLR2004  path, hash, size
                differing.append(path)
        if missing:
            self.report("record-missing", f"RECORD names {some(missing)} that the disk does not have", "warning")
        if differing:
            self.report("record-differs", f"{some(differing)} changed since the install; the disk's ships", "warning")
        if outside:
            self.report("outside", f"RECORD names {some(outside)} outside the folder; not shipped", "warning")

    def _normalised(self, path: str) -> str:
        """The path relative to the folder, in its plain form: RECORD may hold absolute ones and dots (PEP 376)."""
        if "\\" in path:
            path = path.replace("\\", "/")
        if path.startswith(f"{self.folder}/"):
            path = path[len(self.folder) + 1 :]
        return posixpath.normpath(path) if "./" in path or "//" in path or path.endswith("/..") else path

    def read_installed_files(self, text: str, info: Path) -> None:
        """The files that an .egg-info's installed-files.txt lists, relative to it."""
        for line in text.splitlines():
            path = posixpath.normpath(posixpath.join(info.name, line.strip()))
            if not path.startswith(("../", "/")):
                self._add(path)

    def walk(self, info: Path, top_level: str | None, name: str) -> None:
        """Without RECORD: the metadata folder and the modules that top_level.txt (or else the name) tells."""
        stems = (top_level or name.replace("-", "_")).split()
        before = len(self.files)
        for stem in stems:
            place = Path(self.folder, stem)
            if "/" in stem or ".." in stem:
                continue
            if place.is_dir():
                self._add_tree(place)
            for module in Path(self.folder).glob(f"{stem}*"):
                if module.name == f"{stem}.py" or (module.suffix == ".so" and module.name.split(".")[0] == stem):
                    self._add(module.name)
        if len(self.files) == before:
            self.report(
                "no-files",
                f"no module of it is found in {self.folder} ({', '.join(stems)}). Install it again from a wheel",
                "error",
            )
        if info.is_dir():
            self._add_tree(info)
        else:
            self._add(info.name)

    def _add_tree(self, place: Path) -> None:
        for parent, folders, names in os.walk(place):
            folders[:] = sorted(f for f in folders if f != "__pycache__")
            for file in names:
                self._add(Path(parent, file).relative_to(self.folder).as_posix())

    def _add(self, path: str, recorded: str = "") -> bool:
        """Whether there is such a file."""
        location = f"{self.folder}/{path}"
        try:
            stat = os.stat(location)  # noqa: PTH116  a Path for each of thousands of files costs more than the call
        except OSError:
            return False
        if not S_ISREG(stat.st_mode):
            return False
        self.files.append(
            InstalledFile(
                path=path,
                location=location,
                bytes=stat.st_size,
                mtime_ns=stat.st_mtime_ns,
                inode=stat.st_ino,
                executable=bool(stat.st_mode & 0o111),
                recorded=recorded.removeprefix("sha256=") if recorded.startswith("sha256=") else "",
            )
        )
        return True

    def _count_script(self, path: str) -> bool:
        """Whether the path is a script or data file that pip put elsewhere in the same environment."""
        place = os.path.normpath(f"{self.folder}/{path}")
        if self.prefix is None:
            # `pip install --target` leaves `../../bin/x` in RECORD and moves the file to `bin/x`
            return "/bin/" in path and path.startswith("../")
        if not place.startswith(os.path.normpath(self.prefix) + "/"):
            return False
        if not re.search(r"(^|/)(bin|Scripts|share/man)/", path) and not path.endswith(".pyc"):
            return False  # data that the function may want: told, since it does not ship
        try:
            self.outside_bytes += os.stat(place).st_size  # noqa: PTH116
        except OSError:
            return path.endswith(".pyc") or "/bin/" in path
        return True
