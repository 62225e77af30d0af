"""The commits of the team's lock file → the days on which it took other versions.

The main line of history counts (`--first-parent`): a merge brings what its branch changed on the day it is merged.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from optimizer.errors import UsageError
from optimizer.history.lockfiles import UnreadableLockError, locked_versions
from optimizer.history.snapshot import Release, Releases

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from optimizer.models import Target

_COMMIT = "\x01"
_SHORT = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """The file as one commit has it: `text` None where it was removed; `day` is the commit's, in UTC."""

    commit: str
    day: date
    path: str
    text: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What the commits tell: the day of the first one that locks anything, each distribution's changes, and notes."""

    began: date
    distributions: dict[str, Releases]
    notes: tuple[str, ...]


def read_revisions(file: Path) -> tuple[Revision, ...]:
    """Every revision of the file on the main line, oldest first, followed through renames.

    Raises:
        UsageError: there is no git, no repository, or the file is not in it; or the clone is shallow.
    """
    if not file.is_file():
        raise UsageError(f"There is no lock file at {file}", mend="Name the team's lock file with --lock.")
    folder, name = file.resolve().parent, file.resolve().name
    inside = _run(folder, "rev-parse", "--is-inside-work-tree")
    if inside.stdout.strip() != b"true":
        said = inside.stderr.decode("utf-8", "replace").strip().splitlines()
        raise UsageError(
            f"{file} is in no git repository that can be read{f' ({said[0]})' if said else ''}",
            mend="Name a committed lock file with --lock, or leave out --from-git to ask the package index.",
        )
    if _git(folder, "rev-parse", "--is-shallow-repository").strip() == b"true":
        raise UsageError(
            f"{file} is in a shallow clone, which has not all of its commits",
            mend="Fetch them (git fetch --unshallow; in CI, a full clone) and run the command again.",
        )
    format_ = f"--format={_COMMIT}%H %ct"
    line = ("--first-parent", "--diff-merges=first-parent", "--follow", "--name-status", "-z")
    log = _run(folder, "log", *line, format_, "--", name)  # it fails where nothing is committed yet
    commits = list(_parse_log(log.stdout.decode("utf-8", "surrogateescape")))
    if not commits:
        raise UsageError(f"{file} has no commits", mend="Commit it, or name a committed lock file with --lock.")
    texts = _texts(folder, [f"{commit}:{path}" for commit, _, path, removed in commits if not removed])
    return tuple(
        Revision(
            commit=commit,
            day=datetime.fromtimestamp(seconds, UTC).date(),
            path=path,
            text=None if removed else texts[f"{commit}:{path}"],
        )
        for commit, seconds, path, removed in reversed(commits)
    )


def team_pace(revisions: Sequence[Revision], names: Iterable[str], target: Target) -> Pace:
    """The changes of each name's locked version.

    The first revision that locks anything changes nothing; what a later one is the first to lock does. A day on which
    a version changed more than once holds the last; a day that ends as it began holds none.

    Raises:
        UsageError: no revision locks anything, or none changes anything.
    """
    skipped: list[str] = []
    states: list[tuple[date, dict[str, str]]] = []
    for revision in revisions:
        if revision.text is None:
            continue
        try:
            locked = locked_versions(revision.path, revision.text, target)
        except UnreadableLockError:
            locked = {}
        if locked:
            day = max(revision.day, states[-1][0]) if states else revision.day  # clocks of committers differ
            states.append((day, locked))
        else:
            skipped.append(revision.commit[:_SHORT])
    if not states:
        raise UsageError(
            f"No commit of {revisions[-1].path} locks a version",
            mend="Name a lock file with --lock: requirements with ==, uv.lock, poetry.lock, pdm.lock, pylock.toml or "
            "Pipfile.lock.",
        )
    notes = []
    if skipped:
        shown = ", ".join(skipped[-3:])
        several = "1 commit is" if len(skipped) == 1 else f"{len(skipped)} commits are"
        notes.append(f"{several} skipped, where the lock file locks nothing that can be read: {shown}")
    ever = {name for _, locked in states for name in locked}
    found = {
        name: Releases(origin="git", releases=tuple(_changes([(day, locked.get(name)) for day, locked in states])))
        for name in sorted(set(names) & ever)
    }
    if not any(entry.releases for entry in found.values()):
        raise UsageError(
            f"No commit of {revisions[-1].path} since {states[0][0]} changes a version of the plan's distributions: "
            "it shows no pace",
            mend="Leave out --from-git to ask the package index, or name another lock file with --lock.",
        )
    return Pace(began=states[0][0], distributions=found, notes=tuple(notes))


def _changes(states: list[tuple[date, str | None]]) -> Iterable[Release]:
    """The days on which the version is another than the day before."""
    by_day = dict(states)  # the last state of each day
    (_, before), *_rest = states
    for day, version in sorted(by_day.items()):
        if version is not None and not _same(version, before):
            yield Release(day, version)
        before = version


def _same(version: str, other: str | None) -> bool:
    if other is None:
        return False
    try:
        return Version(version) == Version(other)
    except InvalidVersion:
        return version == other


def _parse_log(text: str) -> Iterable[tuple[str, int, str, bool]]:
    """(commit, seconds, path, whether it was removed) of each, newest first."""
    for block in text.split(_COMMIT)[1:]:
        head, *fields = [field.lstrip("\n") for field in block.split("\0") if field.strip("\n")]
        commit, seconds = head.split()
        if fields:
            yield commit, int(seconds), fields[-1], fields[0].startswith("D")


def _texts(folder: Path, objects: list[str]) -> dict[str, str]:
    """The texts of those `commit:path`, in one run of git."""
    answer = _git(folder, "cat-file", "--batch", given="".join(f"{name}\n" for name in objects).encode())
    texts, place = {}, 0
    for name in objects:
        end = answer.index(b"\n", place)
        head = answer[place:end].rsplit(b" ", 2)
        if len(head) != 3 or not head[2].isdigit():  # noqa: PLR2004  "<hash> blob <bytes>", else "<name> missing"
            texts[name], place = "", end + 1
            continue
        start, count = end + 1, int(head[2])
        texts[name] = answer[start : start + count].decode("utf-8", "replace")
        place = start + count + 1
    return texts


def _git(folder: Path, *arguments: str, given: bytes | None = None) -> bytes:
    done = _run(folder, *arguments, given=given)
    if done.returncode:
        reason = done.stderr.decode("utf-8", "replace").strip()
        raise UsageError(f"git {arguments[0]} failed in {folder}: {reason}", mend="Look at the repository with git.")
    return done.stdout


def _run(folder: Path, *arguments: str, given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    git = shutil.which("git")
    if git is None:
        raise UsageError(
            "git is not installed, and --from-git reads commits",
            mend="Install git, or leave out --from-git to ask the package index.",
        )
    return subprocess.run([git, "-C", str(folder), *arguments], input=given, capture_output=True, check=False)
