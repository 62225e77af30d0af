"""[pure] Two builds → what differs between them, and which layers are published again for it.

Example: urllib3 2.8.0 came for 2.7.0, so the layer that holds it has another fingerprint and is published; a layer that
only another compressor wrote has the same fingerprint and other bytes, and is not.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from optimizer.build.contents import source_of
from optimizer.build.difference import (
    Change,
    Difference,
    FileChange,
    FileKind,
    Kind,
    SettingChange,
    Status,
    ZipDifference,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optimizer.build.contents import Contents, Held, Packed, Zip
    from optimizer.build.manifest import Function

_VERSIONED = re.compile(r"^(python/[^/-]+)-[^/]+(\.(?:dist|egg)-info)(?=/|$)")
_SECRET = frozenset({"environment", "policy"})
"""Settings of which only that they differ is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Move:
    """The other end of a move."""

    layer: str
    held: Held


def compare(old: Contents, new: Contents) -> Difference:
    """What differs between two builds, as if the old one were live."""
    before = {(z.artifact.kind, z.artifact.name): z for z in old.zips}
    after = {(z.artifact.kind, z.artifact.name): z for z in new.zips}
    moved = _moves(_homes(old), _homes(new))
    retargeted = old.manifest.target != new.manifest.target
    return Difference(
        before=old.manifest.target,
        after=new.manifest.target,
        zips=tuple(
            _zip(before.get(key), after.get(key), moved, retargeted=retargeted)
            for key in (*after, *sorted(before.keys() - after.keys()))
        ),
        settings=tuple(_settings(old.manifest.functions, new.manifest.functions)),
    )


def _zip(
    old: Zip | None, new: Zip | None, moved: Mapping[tuple[str, str], _Move], *, retargeted: bool
) -> ZipDifference:
    present = new or old
    if present is None:
        raise ValueError("an artifact of neither build")
    artifact = present.artifact
    before, after = old.artifact if old else None, new.artifact if new else None
    if before is None or after is None:
        status: Status = "new" if before is None else "removed"
    elif before.fingerprint != after.fingerprint or retargeted:
        status = "published"
    else:
        status = "unchanged" if before.sha256 == after.sha256 else "same-content"
    held = {one.name: one for one in old.held} if old else {}
    holds = {one.name: one for one in new.held} if new else {}
    changes = [
        change
        for name in sorted(held.keys() | holds.keys())
        if (change := _change(name, held.get(name), holds.get(name), moved.get((artifact.name, name)))) is not None
    ]
    return ZipDifference(
        name=artifact.name,
        kind=artifact.kind,
        status=status,
        before=before,
        after=after,
        changes=tuple(changes),
    )


def _change(name: str, old: Held | None, new: Held | None, move: _Move | None) -> Change | None:
    """What differs of a distribution in one zip; what moved is compared with what it was in the other layer."""
    was, now = old.files if old else {}, new.files if new else {}
    before, after = old.version if old else None, new.version if new else None
    files = _files(was, now)
    if before == after and not files:
        return None
    if old is None:
        kind: Kind = "came" if move else "added"
        before, files = (move.held.version, _files(move.held.files, now)) if move else (None, files)
    elif new is None:
        kind = "left" if move else "removed"
        after, files = (move.held.version, ()) if move else (None, files)
    else:
        kind = "changed" if before == after else "updated"
    return Change(
        name=name,
        kind=kind,
        before=before,
        after=after,
        other=move.layer if move and kind in {"came", "left"} else None,
        unzipped_bytes=sum(f.unzipped_bytes for f in now.values()) - sum(f.unzipped_bytes for f in was.values()),
        zipped_bytes=sum(f.zipped_bytes for f in now.values()) - sum(f.zipped_bytes for f in was.values()),
        files=files,
    )


def _files(was: Mapping[str, Packed], now: Mapping[str, Packed]) -> tuple[FileChange, ...]:
    """The source files that differ; bytecode follows from them, and a metadata folder is the same in each version."""
    old, new = _sources(was), _sources(now)
    found = []
    for key in old.keys() | new.keys():
        (before, a), (after, b) = old.get(key, ("", None)), new.get(key, ("", None))
        if a and b and (a.crc32, a.unzipped_bytes, a.mode) == (b.crc32, b.unzipped_bytes, b.mode):
            continue
        kind: FileKind = "added" if a is None else "removed" if b is None else "changed"
        sizes = (a.unzipped_bytes if a else 0, b.unzipped_bytes if b else 0)
        found.append(FileChange(path=after or before, kind=kind, before=sizes[0], after=sizes[1]))
    return tuple(sorted(found, key=lambda f: (-abs(f.after - f.before), f.path)))


def _sources(files: Mapping[str, Packed]) -> dict[str, tuple[str, Packed]]:
    """The sources with their paths, by the path without the version in a metadata folder's name."""
    return {_VERSIONED.sub(r"\1\2", path): (path, packed) for path, packed in files.items() if source_of(path) == path}


def _homes(contents: Contents) -> dict[str, dict[str, Held]]:
    """What each layer holds of each distribution."""
    homes: defaultdict[str, dict[str, Held]] = defaultdict(dict)
    for one in contents.zips:
        if one.artifact.kind == "layer":
            for held in one.held:
                if held.name:
                    homes[held.name][one.artifact.name] = held
    return homes


def _moves(
    old: Mapping[str, Mapping[str, Held]], new: Mapping[str, Mapping[str, Held]]
) -> dict[tuple[str, str], _Move]:
    """For (layer, distribution) that it left or came to, the other end.

    Parts of a distribution may lie in several layers: those left and those come to are paired by name.
    """
    moves = {}
    for name in old.keys() & new.keys():
        left = sorted(old[name].keys() - new[name].keys())
        come = sorted(new[name].keys() - old[name].keys())
        for source, destination in zip(left, come, strict=False):
            moves[source, name] = _Move(layer=destination, held=new[name][destination])
            moves[destination, name] = _Move(layer=source, held=old[name][source])
    return moves


def _settings(old: tuple[Function, ...], new: tuple[Function, ...]) -> list[SettingChange]:
    """What differs of the functions that both builds have, beside their code."""
    before = {function.name: function for function in old}
    found = []
    for function in new:
        was = before.get(function.name)
        for field in dataclasses.fields(function) if was else ():
            a, b = getattr(was, field.name), getattr(function, field.name)
            if a != b:
                told = field.name not in _SECRET
                found.append(
                    SettingChange(
                        function=function.name,
                        name=field.name,
                        before=_json(a) if told else None,
                        after=_json(b) if told else None,
                    )
                )
    return found


def _json(value: Any) -> str:
    return json.dumps(value, default=dataclasses.asdict, ensure_ascii=False)
