"""What of that which ships is secret: found once for each content, told by file and line."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from optimizer.content.credentials import Hit, find
from optimizer.content.payload import CODE
from optimizer.content.source import shipped
from optimizer.errors import DiskError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from optimizer.content.store import Store
    from optimizer.models import InstalledFile, Payload, Selection

_FORMAT = 1
"""Part of every key: raised when what counts as secret changes, as a rule of `credentials` that does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """Something secret in a file that ships.

    `name` is the distribution's, or the function's where the file is its `own`; `line` is 0 where it is the whole file.
    """

    name: str
    own: bool
    path: str
    what: str
    line: int

    @property
    def place(self) -> str:
        """File and line."""
        return f"{self.path}:{self.line}" if self.line else self.path


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unit:
    """What is remembered under one key: a file of a function's own, which changes often, or a whole distribution."""

    key: str
    name: str
    own: bool
    files: tuple[InstalledFile, ...]
    contents: frozenset[str]
    """The SHA-256 of what ships of them."""


def find_exposures(
    store: Store,
    distributions: Iterable[tuple[Selection, Payload]],
    functions: Iterable[tuple[Selection, Payload]],
) -> tuple[Exposure, ...]:
    """What is secret of that which ships of distributions and of functions' own source, sorted, the latter first.

    Keys are made of the payloads' content hashes, which `build` computes from the files again.

    Raises:
        DiskError: a file can't be read, or changed since its payload was computed.
    """
    units = [_whole(selection, payload) for selection, payload in distributions]
    units += [unit for selection, payload in functions for unit in _each(selection, payload)]
    known = store.facts({unit.key for unit in units})
    fresh: dict[str, str] = {}
    found = []
    for unit in units:
        hits = _parsed(known.get(unit.key))
        if hits is None:
            hits = [
                (file.path, hit)
                for file in unit.files
                for hit in find(file.path, partial(_read, file, unit.contents), own=unit.own)
            ]
            fresh[unit.key] = json.dumps([(path, hit.what, hit.line) for path, hit in hits], separators=(",", ":"))
        found += [Exposure(name=unit.name, own=unit.own, path=path, what=h.what, line=h.line) for path, h in hits]
    if fresh:
        store.remember(fresh)
    return tuple(sorted(found, key=lambda e: (not e.own, e.name, e.path, e.line, e.what)))


def _whole(selection: Selection, payload: Payload) -> _Unit:
    contents = frozenset(line.rpartition("\0")[2] for line in payload.sources)
    key = _key(payload.digest, own=False)
    return _Unit(key=key, name=selection.name, own=False, files=selection.files, contents=contents)


def _each(selection: Selection, payload: Payload) -> Iterator[_Unit]:
    contents = {path: content for path, _, content in (line.split("\0") for line in payload.sources)}
    for file in selection.files:
        content = contents[CODE.prefix + file.path]
        key = _key(f"{file.path}\0{content}", own=True)
        yield _Unit(key=key, name=selection.name, own=True, files=(file,), contents=frozenset({content}))


def _read(file: InstalledFile, contents: frozenset[str]) -> bytes:
    """The bytes that ship: nothing else is to be remembered under their hash."""
    data = shipped(file)
    if hashlib.sha256(data).hexdigest() not in contents:
        raise DiskError(
            f"{file.location} changed while it was read", mend="Run the command again when nothing installs or edits."
        )
    return data


def _key(content: str, *, own: bool) -> str:
    return hashlib.sha256(f"secrets {_FORMAT} {own}\n{content}".encode("utf-8", "surrogateescape")).hexdigest()


def _parsed(text: str | None) -> list[tuple[str, Hit]] | None:
    """What was found as it was remembered; None where it was not, or is damaged."""
    try:
        return [(str(path), Hit(what=str(what), line=int(line))) for path, what, line in json.loads(text or "")]
    except (ValueError, TypeError):
        return None
