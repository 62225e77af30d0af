"""Which file says what a function requires, and, where that is none that pip reads, the file to be written of it."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from optimizer.discover.declared import declared
from optimizer.discover.files import is_test, joined, listed
from optimizer.history.lockfiles import UnreadableLockError, locked_versions
from optimizer.inventory.requirements import includes_of, requirements_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optimizer.discover.declared import Declared
    from optimizer.discover.files import Project
    from optimizer.discover.values import Value
    from optimizer.models import Target

_PLAIN = (
    "requirements.txt",
    "requirements/prod.txt",
    "requirements/production.txt",
    "requirements/base.txt",
    "requirements/main.txt",
)
_SOURCES = ("requirements.in", "requirements/base.in")
_LOCKS = {
    "uv.lock": "uv export --no-dev --no-emit-project --no-hashes -o",
    "poetry.lock": "poetry export --without-hashes -o",
    "pdm.lock": "pdm export --prod --without-hashes -o",
    "pylock.toml": "",
}
_VIA = re.compile(r"^\s*#\s+(?:via\s+)?(\S.*)$")
LOOKED_FOR = (*_PLAIN, *_SOURCES, "pyproject.toml", "Pipfile", *_LOCKS, "Pipfile.lock")


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A requirements file to be written: its `lines`, the `constraints` beside them, and where both come from."""

    source: str
    lines: tuple[str, ...]
    constraints: tuple[str, ...]
    lock: str = ""
    again: str = ""
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Required:
    """What a function requires: by an existing `file`, or by an `export`; `direct` are the names that a person chose.

    `place` says where that was found, `others` which files say it too, `lock` is the path of a lock beside it.
    """

    place: str
    requirements: tuple[Requirement, ...]
    direct: tuple[str, ...]
    file: str = ""
    export: Export | None = None
    others: tuple[str, ...] = ()
    lock: str = ""
    versions: dict[str, str] = field(default_factory=dict)


def find_required(
    project: Project, folder: str, target: Target, *, named: Value | None = None, layer: Value | None = None
) -> Required | None:
    """What the function whose source lies in that folder requires: the nearest file says it, from there outwards.

    Args:
        project: the project.
        folder: the function's source folder, relative to the project.
        target: which markers and locks are evaluated for.
        named: the file that a tool's file names, where it does.
        layer: the file of a layer that the project's own tool makes; it counts before files outside the source folder.
    """
    first = _named(project, named)
    if first is not None:
        return first
    here = "" if folder == "." else folder
    while True:
        found = list(_in_folder(project, here))
        for index, path in enumerate(found):
            others = tuple(p for p in found[index + 1 :] if posixpath.basename(p) != "Pipfile")
            required = _read(project, path, others, target)
            if required is not None:
                return required
        of_layer, layer = _named(project, layer), None
        if of_layer is not None or not here:
            return of_layer
        here = posixpath.dirname(here)


def _named(project: Project, named: Value | None) -> Required | None:
    """What the file requires that a tool's file names, relative to the project; None where there is none."""
    path = joined("", str(named.value)) if named is not None and named.value else None
    return _of_file(project, path, ()) if path is not None and project.has(path) else None


def elsewhere(project: Project) -> tuple[str, ...]:
    """Requirements files anywhere in the project, to be named where none was found for a function."""
    names = {posixpath.basename(name) for name in LOOKED_FOR}
    return tuple(path for path in project.named(*names) if not is_test(path))


def _in_folder(project: Project, folder: str) -> Iterator[str]:
    for name in (*_PLAIN, "pyproject.toml", "Pipfile", *_SOURCES):
        path = posixpath.join(folder, name)
        if project.has(path):
            yield path


def _read(project: Project, path: str, others: tuple[str, ...], target: Target) -> Required | None:
    base = posixpath.basename(path)
    if base not in {"pyproject.toml", "Pipfile"}:
        return _of_file(project, path, others)
    found = declared(project, path)
    if found is None or not (found.requirements or found.unread):
        return None
    lock, versions = _locked(project, posixpath.dirname(path), base, target)
    return _exported(found, path, lock, versions, others)


def _of_file(project: Project, path: str, others: tuple[str, ...]) -> Required | None:
    text = project.text(path)
    if text is None:
        return None
    requirements = tuple(_all_of(project, path, set()))
    return Required(
        place=path,
        file=path,
        requirements=requirements,
        direct=_direct(project, path, text, requirements),
        others=others,
    )


def _all_of(project: Project, path: str, seen: set[str]) -> Iterator[Requirement]:
    """The requirements of a file and of those that it includes, in the project."""
    text = project.text(path) if path not in seen else None
    if text is None:
        return
    seen.add(path)
    yield from requirements_of(text)
    for name in includes_of(text):
        inner = joined(posixpath.dirname(path), name)
        if inner is None or not project.has(inner):
            project.note(f"{path} includes {name}, which is no file of the project")
        else:
            yield from _all_of(project, inner, seen)


def _direct(project: Project, path: str, text: str, requirements: tuple[Requirement, ...]) -> tuple[str, ...]:
    """The names that a person chose: those of the .in file it was compiled from, those with no other `via`, or all."""
    names = tuple(dict.fromkeys(canonicalize_name(r.name) for r in requirements))
    source = f"{path.removesuffix('.txt')}.in"
    chosen = project.text(source) if path.endswith(".txt") and project.has(source) else None
    if chosen is not None:
        told = {canonicalize_name(r.name) for r in requirements_of(chosen)}
        return tuple(name for name in names if name in told) or names
    followers: set[str] = set()
    current, vias = "", []
    for line in [*text.splitlines(), "end"]:
        via = _VIA.match(line)
        if via and current:
            vias.append(via[1])
        elif line and not line[0].isspace() and not line.startswith("#"):
            if vias and not any(v.startswith("-r") or "(" in v for v in vias if v != "via"):
                followers.add(current)
            first = requirements_of(line.partition("\\")[0].partition("--hash")[0])
            current, vias = (canonicalize_name(first[0].name) if first else ""), []
    return tuple(name for name in names if name not in followers) or names


def _locked(project: Project, folder: str, base: str, target: Target) -> tuple[str, dict[str, str]]:
    """The first lock beside the file that can be read: its path and its versions."""
    for name in ("Pipfile.lock",) if base == "Pipfile" else _LOCKS:
        path = posixpath.join(folder, name)
        text = project.text(path) if project.has(path) else None
        if text is None:
            continue
        try:
            return path, locked_versions(name, text, target)
        except UnreadableLockError as error:
            project.note(f"{path} can't be read: {error}")
    return "", {}


def _exported(found: Declared, path: str, lock: str, versions: dict[str, str], others: tuple[str, ...]) -> Required:
    lines = []
    for requirement in found.requirements:
        version = versions.get(canonicalize_name(requirement.name))
        extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
        marker = f" ; {requirement.marker}" if requirement.marker else ""
        pinned = f"{requirement.name}{extras}=={version}{marker}"
        lines.append(pinned if version and not requirement.url else str(requirement))
    direct = tuple(dict.fromkeys(canonicalize_name(r.name) for r in found.requirements))
    export = Export(
        source=path,
        lines=tuple(lines),
        constraints=tuple(f"{name}=={version}" for name, version in versions.items()),
        lock=lock,
        again=_LOCKS.get(posixpath.basename(lock), ""),
        unread=found.unread,
    )
    return Required(
        place=found.place,
        requirements=tuple(_parsed(line) or r for line, r in zip(lines, found.requirements, strict=True)),
        direct=direct,
        export=export,
        others=others,
        lock=lock,
        versions=versions,
    )


def _parsed(line: str) -> Requirement | None:
    """The requirement with the lock's version; None where the lock has something that is no version."""
    try:
        return Requirement(line)
    except InvalidRequirement:
        return None


def told_of(required: Required) -> str:
    """Where it was found, as a comment tells it."""
    also = f"; there is {listed(required.others)} too" if required.others else ""
    if required.export is not None:
        of = f", versions of {required.lock}" if required.lock else ""
        return f"from {required.place}{of}{also}"
    return f"found there{also}"
