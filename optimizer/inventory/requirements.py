"""Requirements files → requirements: the lines pip understands that name distributions; everything else is told."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement

from optimizer.errors import InventoryError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_COMMENT = re.compile(r"(^|\s)#.*$")
_INCLUDE = re.compile(r"""^(?:-r\s*|--requirement[\s=]\s*)(?P<quote>["']?)(?P<file>.+?)(?P=quote)$""")
_IGNORED = re.compile(
    r"^(-c|--constraint|--require-hashes|--only-binary|--no-binary|--prefer-binary|--pre|-i|--index-url|--extra-index-url"
    r"|--no-index|-f|--find-links|--trusted-host|--use-feature)(\b|=|$)"
)
"""What changes where and how pip looks, not what is required."""
_CONSTRAINT = re.compile(r"""^(?:-c\s*|--constraint[\s=]\s*)(?P<quote>["']?)(?P<file>.+?)(?P=quote)$""")
_INDEX = re.compile(r"^(-i|--index-url|--extra-index-url|--no-index|-f|--find-links)(\b|=|$)")
"""Those of them that say where wheels come from."""
_FOLDER = re.compile(r"^(?:-f\s*|--find-links[\s=]\s*)(?P<place>\S+)$")
_HASH = re.compile(r"\s--(hash|config-settings?)[= ](?P<value>\S+)")


@dataclass(frozen=True, slots=True)
class RequirementLine:
    """One requirement, the place (`file:line`) that names it, and the hashes it asks for, as in `sha256:...`."""

    requirement: Requirement
    where: str
    hashes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Statement:
    """One logical line without its comment, and the file and line it stands in."""

    text: str
    file: Path
    line: int
    constraint: bool = False


def read_requirements(path: Path) -> tuple[RequirementLine, ...]:
    """The file's requirements, those of the files that it includes too.

    Raises:
        UsageError: a file is missing or unreadable.
        InventoryError: lines that are no requirements; all of them at once.
    """
    faults: list[str] = []
    lines = tuple(_read(path, faults, seen=set()))
    if faults:
        raise InventoryError(
            tuple(faults),
            where=str(path),
            mend="Name distributions, one a line, as in `boto3==1.40.0`; compile the file with pip-tools or uv.",
        )
    return lines


def requirement_files(path: Path) -> tuple[Path, ...]:
    """The file and those that it includes; all of them are there, since they were read before."""
    seen: set[Path] = set()
    _read(path, [], seen)
    return tuple(sorted(seen))


def requirements_of(text: str) -> tuple[Requirement, ...]:
    """Those lines of a requirements file's text that are requirements; everything else is passed over."""
    found = []
    for _, logical in _logical_lines(text):
        line = _HASH.sub("", _COMMENT.sub("", logical)).strip()
        with contextlib.suppress(InvalidRequirement):
            found.append(Requirement(line))
    return tuple(found)


def includes_of(text: str) -> tuple[str, ...]:
    """The files that a requirements file's text includes with `-r`, as it names them."""
    lines = (_COMMENT.sub("", logical).strip() for _, logical in _logical_lines(text))
    return tuple(match["file"] for line in lines if (match := _INCLUDE.match(line)))


def normalised_lines(path: Path) -> tuple[str, ...]:
    """What the file and those that it includes, constraints too, say: without comments and spacing, sorted.

    Raises:
        UsageError: a file is missing or unreadable.
    """
    statements = _statements(path, seen=set(), constraints=True)
    return tuple(sorted({("-c " if s.constraint else "") + " ".join(s.text.split()) for s in statements}))


def index_options(path: Path) -> tuple[str, ...]:
    """The options of the file, and of those that it includes, that say where wheels come from.

    Raises:
        UsageError: a file is missing or unreadable.
    """
    return tuple(dict.fromkeys(_from_anywhere(s) for s in _statements(path, seen=set()) if _INDEX.match(s.text)))


def _from_anywhere(statement: _Statement) -> str:
    """The option; a folder that it names relative to its file is named in full."""
    named = _FOLDER.match(statement.text)
    if named and (folder := statement.file.parent / named["place"]).is_dir():
        return f"--find-links {folder.resolve()}"
    return statement.text


def _read(path: Path, faults: list[str], seen: set[Path]) -> list[RequirementLine]:
    found = []
    for statement in _statements(path, seen):
        where = f"{statement.file}:{statement.line}"
        line = _HASH.sub("", statement.text).strip()
        if not line or _IGNORED.match(line):
            continue
        if line.startswith(("-e", "--editable")):
            faults.append(f"{where}: {line!r} is an editable install; Lambda needs the files themselves")
            continue
        if line.startswith("-"):
            faults.append(f"{where}: {line!r} is an option that is not known here")
            continue
        hashes = tuple(option["value"] for option in _HASH.finditer(statement.text) if option[1] == "hash")
        try:
            found.append(RequirementLine(Requirement(line), where, hashes))
        except InvalidRequirement as error:
            faults.append(f"{where}: {line!r} is no requirement: {str(error).splitlines()[0]}")
    return found


def _statements(path: Path, seen: set[Path], *, constraints: bool = False) -> Iterator[_Statement]:
    """The logical lines of the file, and of those that it includes where it includes them.

    With `constraints` those of constraint files too, each marked; without, what names such a file is a line itself.
    """
    if path.resolve() in seen:
        return
    seen.add(path.resolve())
    for number, logical in _logical_lines(_text(path)):
        line = _COMMENT.sub("", logical).strip()
        include = _INCLUDE.match(line)
        constraint = _CONSTRAINT.match(line) if constraints else None
        if include:
            yield from _statements(path.parent / include["file"], seen, constraints=constraints)
        elif constraint:
            inner = _statements(path.parent / constraint["file"], seen, constraints=True)
            yield from (replace(statement, constraint=True) for statement in inner)
        elif line:
            yield _Statement(line, path, number)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise UsageError(
            f"There is no requirements file at {path}",
            mend="Mend `requirements` in the configuration, or name the file with --requirements.",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} can't be read: {error}", mend="Name a readable requirements file.") from error


def _logical_lines(text: str) -> list[tuple[int, str]]:
    """Lines joined where a backslash ends them, each with the number of its first line."""
    joined: list[tuple[int, str]] = []
    pending, start = "", 0
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1):
        start = start or number
        if line.endswith("\\") and not line.lstrip().startswith("#"):
            pending += line[:-1] + " "
            continue
        joined.append((start, pending + line))
        pending, start = "", 0
    if pending:
        joined.append((start, pending))
    return joined
