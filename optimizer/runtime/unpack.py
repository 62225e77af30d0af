"""Unpacks each zip once, and merges layers in attach order into one folder; both are found again by their content."""

from __future__ import annotations

import calendar
import hashlib
import json
import os
import shutil
import tempfile
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer.errors import DiskError
from optimizer.runtime.archives import checked_files
from optimizer.runtime.errors import BadArchiveError
from optimizer.runtime.glibc import Library, from_facts, read_libraries, to_facts

if TYPE_CHECKING:
    from collections.abc import Iterator

_TREE = "tree"
_LIBRARIES = "libraries.json"
_FOLDER_MODE = 0o555
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """A zip's read-only content under `folder`, with its shared objects by their path in it."""

    sha256: str
    folder: Path
    libraries: dict[str, Library]


def unpack(archive: Path, cache: Path) -> Unpacked:
    """The archive's content as a folder in the cache; safe with several threads and processes.

    Files keep the date that the zip gives them, as UTC, and whether they may be executed; nothing is writable.

    Raises:
        BadArchiveError: it is no zip, or is damaged.
        UnsafeArchiveError: it holds names that leave the folder, links, or two entries for one path.
        RuntimeMissingError: pyelftools is not installed and there is a shared object to read.
        DiskError: the cache can't be written.
    """
    try:
        stat = archive.stat()
        sha256 = _sha256(archive, stat.st_size, stat.st_mtime_ns, stat.st_ino)
    except OSError as error:
        raise BadArchiveError(f"{archive} can't be read: {error}", mend="Build the archive again.") from error
    place = cache / "zips" / sha256
    if not place.is_dir():
        with settled(place) as scratch:
            tree = scratch / _TREE
            tree.mkdir()
            _extract(archive, tree)
            facts = {path: to_facts(library) for path, library in read_libraries(tree).items()}
            (scratch / _LIBRARIES).write_text(json.dumps(facts), "utf-8")
            _seal(tree)
    facts = json.loads((place / _LIBRARIES).read_text("utf-8"))
    libraries = {path: from_facts(each) for path, each in facts.items()}
    return Unpacked(sha256=sha256, folder=place / _TREE, libraries=libraries)


def merge(layers: tuple[Unpacked, ...], cache: Path) -> Path:
    """What /opt is: the layers' files in one folder, a later layer's in place of an earlier one's of the same path.

    The files are hard links where the file system has them, so that merging costs no bytes.

    Raises:
        DiskError: the cache can't be written.
    """
    if len(layers) == 1:
        return layers[0].folder
    place = cache / "merged" / hashlib.sha256(" ".join(layer.sha256 for layer in layers).encode()).hexdigest()
    if not place.is_dir():
        with settled(place) as scratch:
            tree = scratch / _TREE
            tree.mkdir()
            for layer in layers:
                _link_into(layer.folder, tree)
            _seal(tree)
    return place / _TREE


def remove(folder: Path) -> None:
    """Delete a folder, read-only ones in it too; what can't be deleted stays."""
    for parent, _, _ in os.walk(folder):
        Path(parent).chmod(0o755)
    shutil.rmtree(folder, ignore_errors=True)


@lru_cache(maxsize=256)
def _sha256(path: Path, _bytes: int, _mtime_ns: int, _inode: int) -> str:
    """The file's hash, remembered by what stat says of it."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def settled(place: Path) -> Iterator[Path]:
    """A scratch folder that becomes `place` at the end; where another was first, its folder is as good.

    Raises:
        DiskError: it can't be made.
    """
    scratch = None
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".part-", dir=place.parent))
        yield scratch
        scratch.chmod(0o755)
        try:
            scratch.rename(place)
        except OSError:
            if not place.is_dir():
                raise
    except OSError as error:
        raise DiskError(
            f"{place.parent} can't be written: {error}", mend="Free some space there, or choose another cache folder."
        ) from error
    finally:
        if scratch is not None and scratch.is_dir():
            remove(scratch)


def _extract(archive: Path, tree: Path) -> None:
    """Write every file; the declared sizes hold, since zipfile reads no further and checks the CRC."""
    made = {tree}
    try:
        with zipfile.ZipFile(archive) as opened:
            for info in checked_files(opened, str(archive)):
                target = tree / info.filename
                if target.parent not in made:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    made.add(target.parent)
                with opened.open(info) as source, target.open("xb") as sink:
                    shutil.copyfileobj(source, sink, _CHUNK)
                executable = (info.external_attr >> 16) & 0o111
                target.chmod(0o555 if executable else 0o444)
                seconds = calendar.timegm((*info.date_time, 0, 0, 0))
                os.utime(target, (seconds, seconds))
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError, zlib.error) as error:
        raise BadArchiveError(f"{archive} is not a zip that can be read: {error}", mend="Build it again.") from error


def _link_into(folder: Path, tree: Path) -> None:
    """Lay a layer over what is in the tree; where a file meets a folder, the later one wins."""
    for parent, folders, files in os.walk(folder):
        inside = tree / Path(parent).relative_to(folder)
        for name in folders:
            target = inside / name
            if target.is_file():
                target.unlink()
            target.mkdir(exist_ok=True)
        for name in files:
            target = inside / name
            if target.is_dir():
                remove(target)
            target.unlink(missing_ok=True)
            try:
                os.link(Path(parent, name), target)
            except OSError:  # another file system, or too many links
                shutil.copy2(Path(parent, name), target)


def _seal(tree: Path) -> None:
    """Make the folders read-only, as code and layers are on Lambda."""
    for parent, _, _ in os.walk(tree, topdown=False):
        Path(parent).chmod(_FOLDER_MODE)
