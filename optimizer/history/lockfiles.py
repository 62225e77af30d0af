"""[pure] A lock file's text, whatever tool wrote it → the version of each distribution that it locks on the target."""

from __future__ import annotations

import json
import tomllib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, cast

from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from optimizer.inventory.requirements import requirements_of
from optimizer.inventory.target import marker_environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from optimizer.models import Target


class UnreadableLockError(ValueError):
    """The text is no lock file of that name; says why."""


def locked_versions(name: str, text: str, target: Target) -> dict[str, str]:
    """The versions that the text locks, by normalised name; empty where it locks none.

    `uv.lock`, `poetry.lock`, `pdm.lock`, `pylock.toml` and `Pipfile.lock` are known by their names; any other is read
    as requirements with `==`, as pip-compile writes them. Where a file locks several versions of one distribution, the
    one counts whose marker holds on the target, and the newest of those.

    Raises:
        UnreadableLockError: it can't be parsed.
    """
    base = PurePosixPath(name).name
    try:
        if base == "Pipfile.lock":
            rows = _pipfile(json.loads(text))
        elif base in {"uv.lock", "poetry.lock", "pdm.lock"}:
            rows = _packages(tomllib.loads(text), "package")
        elif base.startswith("pylock.") and base.endswith(".toml"):
            rows = _packages(tomllib.loads(text), "packages")
        else:
            rows = _requirements(text)
        values = cast("dict[str, str | AbstractSet[str]]", {**marker_environment(target), "extra": ""})
        found: dict[str, list[str]] = {}
        for project, version, markers in rows:
            if _hold(markers, values):
                found.setdefault(canonicalize_name(project), []).append(version)
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise UnreadableLockError(
            f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        ) from error
    return {project: max(versions, key=_order) for project, versions in sorted(found.items())}


def _requirements(text: str) -> Iterator[tuple[str, str, list[str]]]:
    for requirement in requirements_of(text):
        exact = [s.version for s in requirement.specifier if s.operator in {"==", "==="} and "*" not in s.version]
        if exact:
            yield requirement.name, exact[0], [str(requirement.marker)] if requirement.marker else []


def _packages(tables: dict[str, Any], key: str) -> Iterator[tuple[str, str, list[str]]]:
    """Rows of TOML: uv has `resolution-markers` (any of them), poetry `markers` (by group), pdm and pylock `marker`."""
    for package in tables.get(key, []):
        if "version" not in package:  # a project from a folder or a repository
            continue
        told = package.get("resolution-markers") or package.get("markers") or package.get("marker") or []
        if isinstance(told, dict):
            told = list(told.values())
        yield package["name"], package["version"], [told] if isinstance(told, str) else list(told)


def _pipfile(document: dict[str, Any]) -> Iterator[tuple[str, str, list[str]]]:
    for name, entry in document["default"].items():
        version = entry.get("version", "")
        if version.startswith("=="):
            yield name, version.lstrip("="), [entry["markers"]] if "markers" in entry else []


def _hold(markers: list[str], values: dict[str, str | AbstractSet[str]]) -> bool:
    """Whether there is no marker or one holds; one that means nothing here (a tool's own words) holds."""
    for marker in markers:
        try:
            if Marker(marker).evaluate(values):
                return True
        except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName):
            return True
    return not markers


def _order(version: str) -> tuple[bool, Version]:
    try:
        return True, Version(version)
    except InvalidVersion:
        return False, Version("0")
