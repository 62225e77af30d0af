"""What pyproject.toml or a Pipfile declares → requirements, in Poetry's words too."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement, Requirement

from optimizer.discover.files import line_of
from optimizer.discover.runtimes import read_toml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optimizer.discover.files import Project

_VERSION = re.compile(r"(\^|~)?\s*(\d+(?:\.\d+)*)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """The requirements that a file declares, and its `place`, as `file:line`; `unread` are those in other words."""

    place: str
    requirements: tuple[Requirement, ...]
    unread: tuple[str, ...] = ()


def declared(project: Project, path: str) -> Declared | None:
    """What the file declares for running the project; None where it declares nothing (it may be dynamic)."""
    text = project.text(path)
    tables = read_toml(project, path, text) if text else {}
    if text is None:
        return None
    lines = _table(tables, "project").get("dependencies")
    poetry = _table(tables, "tool", "poetry", "dependencies")
    pipfile = _table(tables, "packages") if path.endswith("Pipfile") else {}
    found: list[Requirement] = []
    unread: list[str] = []
    if isinstance(lines, list):
        key = "dependencies"
        for line in lines:
            try:
                found.append(Requirement(str(line)))
            except InvalidRequirement:
                unread.append(str(line))
    elif poetry or pipfile:
        key = "[tool.poetry.dependencies]" if poetry else "[packages]"
        for name, given in (poetry or pipfile).items():
            if name == "python" and poetry:
                continue
            try:
                found += _poetry(name, given)
            except (InvalidRequirement, KeyError):
                unread.append(name)
    else:
        return None
    return Declared(place=f"{path}:{line_of(text, key)}", requirements=tuple(found), unread=tuple(unread))


def _poetry(name: str, given: Any) -> Iterator[Requirement]:
    """One dependency in Poetry's or Pipenv's form; a list has one for each environment.

    Raises:
        KeyError: it is a folder, a repository or an address.
        InvalidRequirement: it can't be said as a requirement.
    """
    for one in given if isinstance(given, list) else [given]:
        table = one if isinstance(one, dict) else {"version": str(one)}
        if table.get("optional"):
            continue
        extras = ",".join(map(str, table.get("extras", [])))
        marker = table.get("markers")
        text = f"{name}[{extras}]" if extras else name
        yield Requirement(f"{text}{_range(str(table['version']))}" + (f" ; {marker}" if marker else ""))


def _range(given: str) -> str:
    """Poetry's version constraint as PEP 440 has it: `^1.2` is `>=1.2,<2`, `~1.2` is `>=1.2,<1.3`, `1.2` is `==1.2`."""
    parts = []
    for part in given.split(","):
        match = _VERSION.fullmatch(part.strip())
        if part.strip() in {"*", ""}:
            continue
        if match is None:
            parts.append(part.strip())
        elif match[1]:
            parts.append(f">={match[2]},<{_next(match[1], [int(n) for n in match[2].split('.')])}")
        else:
            parts.append(f"=={match[2]}")
    return ",".join(parts)


def _next(sign: str, numbers: list[int]) -> str:
    """The first version that the constraint does not take."""
    if sign == "~":
        kept = numbers[:2]
    else:
        leading = next((i for i, n in enumerate(numbers) if n), len(numbers) - 1)
        kept = numbers[: leading + 1]
    return ".".join(map(str, [*kept[:-1], kept[-1] + 1]))


def _table(tables: Any, *keys: str) -> dict[str, Any]:
    for key in keys:
        tables = tables.get(key) if isinstance(tables, dict) else None
    return tables if isinstance(tables, dict) else {}
