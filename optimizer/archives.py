"""What a zip's directory must not hold, whoever unpacks or reads it: a wheel or an artifact."""

from __future__ import annotations

import stat
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zipfile import ZipInfo

_UNIX = 3
_ENCRYPTED = 0x1


def look_through(directory: Iterable[ZipInfo]) -> tuple[list[ZipInfo], list[str]]:
    """The entries for files, and what is wrong with the rest: each fault names its entry.

    Entries for folders say nothing that the files' names don't, and are in neither.
    """
    files: list[ZipInfo] = []
    faults: list[str] = []
    paths: set[str] = set()
    folders: set[str] = set()
    for info in directory:
        fault = _fault(info)
        path = info.filename.rstrip("/")
        if not fault and info.is_dir():
            folders.update(_folders(f"{path}/"))
            continue
        if not fault and path in paths:
            fault = "appears twice"
        if fault:
            faults.append(f"{info.orig_filename!r} {fault}")
            continue
        paths.add(path)
        folders.update(_folders(path))
        files.append(info)
    faults += [f"{path!r} is both a file and a folder" for path in sorted(paths & folders)]
    return files, faults


def case_clashes(paths: Iterable[str]) -> list[tuple[str, ...]]:
    """Paths that differ in case alone, together: only one of them is left where a disk makes no difference."""
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for path in paths:
        alike[path.casefold()].append(path)
    return sorted(tuple(sorted(same)) for same in alike.values() if len(same) > 1)


def _fault(info: ZipInfo) -> str | None:
    """Why one entry can't be unpacked safely."""
    name = info.orig_filename
    if "\\" in name or "\0" in name or ":" in name.split("/", 1)[0]:
        return "is no plain relative path"
    if name.startswith("/") or ".." in name.split("/"):
        return "leaves the folder"
    parts = name.rstrip("/").split("/")
    if "" in parts or "." in parts:
        return "is no plain relative path"
    mode = info.external_attr >> 16
    kind = stat.S_IFMT(mode) if info.create_system == _UNIX else 0
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        return "is a link" if kind == stat.S_IFLNK else "is no plain file"
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted"
    return None


def _folders(path: str) -> list[str]:
    """Every folder above a path."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[: i + 1]) for i in range(len(parts))]
