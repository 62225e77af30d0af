"""The index's answers, kept in the user's cache folder: an update that was broken off goes on where it was.

One small JSON file a project; one that is damaged, or of another schema, is as if it were not there.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import platformdirs
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from optimizer.errors import NetworkError
from optimizer.history.index import IndexFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from optimizer.history.index import PackageIndex

SCHEMA = 2
FRESH = timedelta(hours=6)
"""How long an answer is taken for the present."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the index said of one project, and when; `files` is None where it knows no such project."""

    fetched: datetime
    files: tuple[IndexFile, ...] | None


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=False)

    schema_: int
    fetched: AwareDatetime
    files: tuple[tuple[str, AwareDatetime | None, int, str | None, bool, str, str], ...] | None


class Answers:
    """The folder of one index's answers."""

    def __init__(self, folder: Path | None = None, *, index: str | None = None) -> None:
        """Name the folder; nothing is read or written yet.

        Args:
            folder: where answers lie; by default in the platform's cache folder for the user.
            index: the index's address, since answers of different ones are not to be mixed.
        """
        place = folder or platformdirs.user_cache_path("layer-optimizer") / f"index-{SCHEMA}"
        self.folder = place / (hashlib.sha256(index.encode()).hexdigest()[:16] if index else "default")

    def get(self, name: str, now: datetime) -> Answer | None:
        """The answer, where there is one that is fresh."""
        try:
            document = _Document.model_validate_json(self._path(name).read_bytes())
        except (OSError, ValidationError):
            return None
        if document.schema_ != SCHEMA or not now - FRESH < document.fetched <= now:
            return None
        files = document.files
        return Answer(
            fetched=document.fetched.astimezone(UTC),
            files=None
            if files is None
            else tuple(
                IndexFile(
                    filename=filename,
                    uploaded=uploaded and uploaded.astimezone(UTC),
                    bytes=count,
                    requires_python=requires_python,
                    yanked=yanked,
                    url=url,
                    sha256=sha256,
                )
                for filename, uploaded, count, requires_python, yanked, url, sha256 in files
            ),
        )

    def put(self, name: str, answer: Answer) -> None:
        """Keep the answer; where the disk refuses, the next run asks again."""
        document = _Document(
            schema_=SCHEMA,
            fetched=answer.fetched,
            files=None
            if answer.files is None
            else tuple(
                (f.filename, f.uploaded, f.bytes, f.requires_python, f.yanked, f.url, f.sha256) for f in answer.files
            ),
        )
        path = self._path(name)
        part = path.with_name(f".{path.name}.{os.getpid()}")
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            part.write_text(document.model_dump_json(), "utf-8")
            part.replace(path)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.json"


def ask(
    index: PackageIndex,
    answers: Answers,
    names: Iterable[str],
    *,
    clock: Callable[[], datetime],
    fresh: bool = False,
    tell: Callable[[int, int], None] = lambda _done, _total: None,
) -> dict[str, Answer]:
    """Every name's answer, from the cache where it is fresh, else from the index, one request at a time.

    Args:
        index: what is asked.
        answers: what it said before; each new answer is kept at once.
        names: the projects.
        clock: says what time it is, in UTC.
        fresh: ask for each one, whatever is kept.
        tell: called with how many are here, of how many.

    Raises:
        NetworkError: the index failed; what was fetched is kept.
    """
    names = sorted(set(names))
    found: dict[str, Answer] = {}
    for name in names:
        answer = None if fresh else answers.get(name, clock())
        if answer is None:
            try:
                files = index.files(name)
            except NetworkError as error:
                again = " without --fresh" if fresh else ""
                raise NetworkError(
                    f"{error.message}. {len(found)} of {len(names)} distributions are here; no snapshot was written",
                    mend=f"{error.mend} Run the command again{again}: it goes on from there.",
                ) from error
            answer = Answer(fetched=clock(), files=files)
            answers.put(name, answer)
        found[name] = answer
        tell(len(found), len(names))
    return found
