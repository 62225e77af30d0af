"""The committed snapshot: which distribution changed on which day, so that planning needs no network.

One line a release, so that a difference between two snapshots can be read; no addresses.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date  # noqa: TC003  pydantic reads the annotations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from packaging.utils import canonicalize_name
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from optimizer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = 1
SNAPSHOT = Path("layers/history.json")
"""Where it is committed, relative to the project's root."""

Origin = Literal["index", "git"]


@dataclass(frozen=True, slots=True)
class Release:
    """A day (UTC) on which a newer version was to be had, or the team took it; `wheel_bytes` is 0 where unknown."""

    day: date
    version: str
    wheel_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Releases:
    """What is known of one distribution, oldest first: from the package index, or from the commits of a lock file."""

    origin: Origin
    releases: tuple[Release, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The releases of a stack's distributions between two days, both included.

    A distribution without an entry is one of which nothing is known; one with no releases did not change in that time.
    """

    runtime: str
    architecture: str
    since: date
    through: date
    distributions: Mapping[str, Releases]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Entry(_Strict):
    origin: Origin
    releases: tuple[tuple[date, str, Annotated[int, Field(ge=0)]], ...]


class _Document(_Strict):
    runtime: str
    architecture: str
    since: date
    through: date
    distributions: dict[str, _Entry]


def read_history(path: Path) -> History | None:
    """The snapshot, or None where there is none.

    Raises:
        UsageError: it can't be read, is cut off, or has another schema.
    """
    mend = "Take it from version control again, or remove it and run `python -m optimizer history update`."
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} can't be read: {error}", mend=mend) from error
    return parse_history(text, where=str(path), mend=mend)


def parse_history(text: str, *, where: str, mend: str) -> History:
    """The history that the text holds.

    Raises:
        UsageError: the text is cut off, or has another schema.
    """
    try:
        tables = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise UsageError(f"{where} is not whole JSON: {error}", mend=mend) from error
    schema = tables.pop("schema", None) if isinstance(tables, dict) else None
    if schema != SCHEMA:
        raise UsageError(f"{where} has schema {schema!r}; this program reads schema {SCHEMA}", mend=mend)
    try:
        document = _Document.model_validate(tables)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise UsageError(f"{where} is no history: {place}: {first['msg']}", mend=mend) from error
    if document.since > document.through:
        raise UsageError(f"{where} is no history: it ends on {document.through}, before it begins", mend=mend)
    return History(
        runtime=document.runtime,
        architecture=document.architecture,
        since=document.since,
        through=document.through,
        distributions={
            canonicalize_name(name): Releases(
                origin=entry.origin, releases=tuple(sorted((Release(*r) for r in entry.releases), key=lambda r: r.day))
            )
            for name, entry in document.distributions.items()
        },
    )


def snapshot_text(history: History) -> str:
    """The text that `read_history` reads."""
    head = [
        f'  "schema": {SCHEMA},',
        f'  "runtime": {json.dumps(history.runtime)},',
        f'  "architecture": {json.dumps(history.architecture)},',
        f'  "since": "{history.since}",',
        f'  "through": "{history.through}",',
        '  "distributions": {',
    ]
    entries = []
    for name, known in sorted(history.distributions.items()):
        rows = ",\n".join(
            f'      ["{release.day}", {json.dumps(release.version)}, {release.wheel_bytes}]'
            for release in known.releases
        )
        inside = f"\n{rows}\n    " if rows else ""
        entries.append(f'    {json.dumps(name)}: {{"origin": "{known.origin}", "releases": [{inside}]}}')
    return "\n".join(["{", *head, ",\n".join(entries), "  }", "}"]) + "\n"
