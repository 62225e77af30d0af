"""A distribution's files as a few folders, for the innermost boxes of the treemap."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from optimizer.content import LAYER
from optimizer.content.payload import ENTRY_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from optimizer.models import Entry

_MOST = 12
"""So many folders a distribution is shown with; what is smaller is added up."""
_WORTH = 0.15
"""A folder with this share of its distribution is shown by its own folders."""
REST = "…"
"""The path of what is added up."""


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    unzipped_bytes: int
    zipped_bytes: int


def folders(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """`{"path", "unzipped_bytes", "zipped_bytes", "files"}` of at most thirteen, largest first; together all entries.

    Paths are relative to the folder on sys.path; bytecode counts where its source is. A folder that is opened, since
    it holds much, keeps the files that lie in it directly.
    """
    files = [
        _File(
            entry.path.removeprefix(LAYER.prefix).replace("__pycache__/", ""),
            entry.bytes,
            ENTRY_BYTES + 2 * len(entry.path.encode()) + entry.stream_bytes,
        )
        for entry in entries
    ]
    whole = _unzipped(files)
    open_: dict[str, list[_File]] = _inside("", files)
    closed: dict[str, list[_File]] = {}
    while open_:
        path = max(open_, key=lambda name: (_unzipped(open_[name]), name))
        held = open_.pop(path)
        parts = _inside(path, held)
        room = _MOST - len(open_) - len(closed)
        if len(parts) == 1 and path not in parts:
            open_ |= parts  # a folder that holds one folder alone
        elif len(parts) > 1 and room > 1 and _unzipped(held) >= _WORTH * whole:
            closed |= {path: parts.pop(path)} if path in parts else {}
            largest = sorted(parts, key=lambda name: (-_unzipped(parts[name]), name))
            few = largest if len(largest) <= room else largest[: room - 1]
            open_ |= {name: parts[name] for name in few}
            rest = [file for name in largest[len(few) :] for file in parts[name]]
            closed |= {f"{path}/{REST}": rest} if rest else {}
        else:
            closed[path] = held
    return _rows(closed)


def _inside(path: str, files: Iterable[_File]) -> dict[str, list[_File]]:
    """The files by the folder right below `path` that they are in, those directly in it by `path` itself."""
    found: defaultdict[str, list[_File]] = defaultdict(list)
    start = f"{path}/" if path else ""
    for file in files:
        folder, below, _ = file.path.removeprefix(start).partition("/")
        found[start + folder if below else path or file.path].append(file)
    return dict(found)


def _unzipped(files: Iterable[_File]) -> int:
    return sum(file.unzipped_bytes for file in files)


def _rows(found: dict[str, list[_File]]) -> list[dict[str, Any]]:
    rows = [_row(path, files) for path, files in found.items()]
    rows.sort(key=lambda row: (-row["unzipped_bytes"], row["path"]))
    rest = rows[_MOST:]
    if rest:
        rows[_MOST:] = [_row(REST, [file for row in rest for file in found[row["path"]]])]
    return rows


def _row(path: str, files: Sequence[_File]) -> dict[str, Any]:
    return {
        "path": path,
        "unzipped_bytes": _unzipped(files),
        "zipped_bytes": sum(file.zipped_bytes for file in files),
        "files": len(files),
    }
