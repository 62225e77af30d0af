"""Which Python a project is for, where no tool's file names a runtime."""

from __future__ import annotations

import posixpath
import re
import sys
import tomllib
from typing import TYPE_CHECKING, Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from optimizer import limits
from optimizer.discover.files import line_of, listed
from optimizer.discover.values import Value

if TYPE_CHECKING:
    from optimizer.discover.files import Project

_MINOR = re.compile(r"(?:python-|cpython-)?3\.(\d+)(?:\.\d+)?\b")


def default_runtime() -> str:
    """The runtime of the Python that runs this, else the newest: `plan` reads what is installed here."""
    running = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    return running if running in usable() else usable()[-1]


def usable() -> tuple[str, ...]:
    """The runtimes that have not ended, oldest first."""
    return tuple(name for name, runtime in limits.RUNTIMES.items() if runtime.ended is None)


def python_version(project: Project, folder: str) -> Value | None:
    """The runtime that .python-version, .tool-versions, runtime.txt or requires-python asks for; the nearest file wins.

    Where a range admits several, it is the default, if that is among them, else the newest; `how` names all of them.
    """
    while True:
        for name in (".python-version", ".tool-versions", "runtime.txt"):
            path = posixpath.join(folder, name)
            text = project.text(path) if project.has(path) else None
            for number, line in enumerate((text or "").splitlines(), 1):
                version = line.partition("python ")[2] if name == ".tool-versions" else line
                match = _MINOR.match(version.strip())
                if match:
                    return Value(value=f"python3.{match[1]}", where=f"{path}:{number}", how=version.strip())
        found = _required(project, posixpath.join(folder, "pyproject.toml"))
        if found is not None or not folder:
            return found
        folder = posixpath.dirname(folder)


def _required(project: Project, path: str) -> Value | None:
    text = project.text(path) if project.has(path) else None
    table = read_toml(project, path, text) if text else {}
    given = _at(table, "project", "requires-python")
    if not isinstance(given, str):
        given = _at(table, "tool", "poetry", "dependencies", "python")
    if not isinstance(given, str) or text is None:
        return None
    try:
        admitted = SpecifierSet(re.sub(r"\^(\d+)\.(\d+)(\.\d+)?", r">=\1.\2,<4", given))
    except InvalidSpecifier:
        project.note(f"{path}:{line_of(text, given)}: {given!r} is no range of versions")
        return None
    fitting = [
        name
        for name in usable()
        if any(admitted.contains(limits.RUNTIMES[name].version + patch) for patch in (".99", ""))
    ]
    where = f"{path}:{line_of(text, given)}"
    if not fitting:
        return Value(value=None, where=where, how=f"Python {given}, which no runtime is")
    chosen = default_runtime() if default_runtime() in fitting else fitting[-1]
    others = [name for name in fitting if name != chosen]
    return Value(value=chosen, where=where, how=f"Python {given}" + (f" admits {listed(others)} too" if others else ""))


def read_toml(project: Project, path: str, text: str) -> dict[str, Any]:
    """The tables of the text; none, with a note, where it is no TOML."""
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        note = f"{path} can't be read as TOML: {error}; passed over"
        if note not in project.notes:
            project.notes.append(note)
        return {}


def _at(table: Any, *keys: str) -> Any:
    for key in keys:
        table = table.get(key) if isinstance(table, dict) else None
    return table
