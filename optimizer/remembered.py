"""[cache] Builds made before, found by the content of everything that they read, as ccache finds what it compiled.

A build's key is what the process is given: its arguments, folder, interpreter, sys.path and PATH. Its record names each
input, with a witness of what was found there, and the zips by their SHA-256. Where every witness is again what it was,
planning would read the same bytes and so write the same zips: they are written at once. Anything else (a key that is
not known, an input that changed, came or went, a record or zip that is damaged) says that nothing is remembered, and
the build goes the whole way. Nothing that ships is trusted to dates, but for the programs themselves:

- `content`: a file's SHA-256 and whether it may be run, or that it is absent;
- `names`: what a folder holds directly, or that it is absent: nothing may come that would be read as well;
- `tree`: the same of a folder and those in it;
- `program`: bytes and mtime of each module in a folder, this optimizer's own, or of one file: an executable, or one
  that only the receipt of what does not ship speaks of.

An input that changed when the build had begun may not be what was read: such a build is not remembered.

Only the standard library is imported, and little of it: what a remembered build takes is mostly reading and hashing.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import mmap
import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optimizer.commit import commit_of
from optimizer.outputs import scratch_in, settle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

STARTED_NS = time.time_ns()
"""When this process began."""
LIMIT_BYTES = 1 << 29
"""How large the zips may grow together before the longest unused ones go."""
_FORMAT = 2
_ABSENT = "absent"
_TICK_NS = 100_000_000
"""More than the clock of a file system lags behind."""

_MAPPED_BYTES = 1 << 18
"""Larger files are hashed where the system has them, without a copy."""

Input = tuple[str, str]
"""What kind of witness, and the place."""


def builds_folder() -> Path:
    """Where remembered builds lie: in the platform's cache folder for the user."""
    import platformdirs

    return platformdirs.user_cache_path("layer-optimizer") / f"builds-{_FORMAT}"


def key(arguments: Sequence[str]) -> str:
    """What a process is given, but for the folder that it names to write to: that changes nothing of what it writes."""
    rest, output = _split(arguments)
    given = [
        _FORMAT,
        rest,
        output is None,
        str(Path.cwd()),
        sys.version,
        sys.executable,
        sys.path,
        os.environ.get("PATH"),
    ]
    return hashlib.sha256(json.dumps(given).encode("utf-8", "surrogateescape")).hexdigest()


def _split(arguments: Sequence[str]) -> tuple[list[str], str | None]:
    """The arguments without the output folder, and that folder where one is named: the last, as the parser takes it."""
    rest: list[str] = []
    output = None
    given = iter(arguments)
    for argument in given:
        if argument in {"--output", "-o"}:
            named = next(given, "")
        elif argument.startswith("--output="):
            named = argument.removeprefix("--output=")
        else:
            rest.append(argument)
            continue
        if named:
            output = named
        else:
            rest.append(argument)  # nothing that the parser takes: it is told the whole way
    return rest, output


def again(arguments: Sequence[str], *, folder: Path | None = None) -> list[str] | None:
    """Write a build that was made with the same arguments from the same inputs; None where none is remembered.

    Returns what there is to say of it, line by line.
    """
    try:
        place = folder or builds_folder()
        known = place / f"{key(arguments)}.json"
        record = json.loads(known.read_text("utf-8"))
        if not _unchanged(record["inputs"]):
            return None
        lines = [str(line) for line in record["lines"]]
        files: dict[str, str] = record["files"]
        output = Path(_split(arguments)[1] or record["output"])
        if any(kind == "tree" and output.absolute().is_relative_to(source) for kind, source, _ in record["inputs"]):
            return None  # what is written there would be read by the next build
        with scratch_in(output) as scratch:
            whole = _in_threads(lambda item: _fetch(place / item[1], scratch / item[0]), files.items())
            if not all(whole):
                return None
            settle(scratch, output, files, _with_commit(record["manifest"], commit_of(Path(record["root"]), output)))
        for sha256 in files.values():
            os.utime(place / sha256)  # used today: the last to go
        os.utime(known)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # the whole way tells what is wrong, if anything is
    return lines


def keep(
    arguments: Sequence[str],
    inputs: Iterable[Input],
    output: Path,
    files: dict[str, str],
    *,
    manifest: str,
    root: Path,
    lines: Sequence[str],
    folder: Path | None = None,
) -> None:
    """Remember a build that was just made; where that is not possible, nothing happens.

    Args:
        arguments: those of the process.
        inputs: everything that was read.
        output: where the files are.
        files: the SHA-256 in hex of each file by its name in `output`: zips and the receipt.
        manifest: the text of what is written last, without the commit, which is asked for each time.
        root: the project's folder, which is of a commit.
        lines: what there is to say of it.
        folder: where to remember it.
    """
    with contextlib.suppress(OSError):
        place = folder or builds_folder()
        place.mkdir(parents=True, exist_ok=True)
        witnesses = [(kind, path, _witness(kind, path)) for kind, path in sorted(set(inputs))]
        if not all(_is_older(place) for kind, path, _ in witnesses for place in _places(kind, path)):
            return
        for name, sha256 in files.items():
            part = place / f".{sha256}-{os.getpid()}"
            if not (place / sha256).exists() and _copy(output / name, part, sha256):
                part.replace(place / sha256)
        record = {
            "inputs": witnesses,
            "output": str(output.absolute()),
            "files": files,
            "manifest": manifest,
            "root": str(root.absolute()),
            "lines": list(lines),
        }
        part = place / f".{os.getpid()}.json"
        part.write_text(json.dumps(record), "utf-8")
        part.replace(place / f"{key(arguments)}.json")
        _trim(place)


def _with_commit(manifest: str, commit: str | None) -> str:
    """The manifest as a build writes it that asked for the commit itself: the last of its keys."""
    if commit is None:
        return manifest
    return json.dumps({**json.loads(manifest), "commit": commit}, indent=2, ensure_ascii=False) + "\n"


def _unchanged(witnesses: list[tuple[str, str, str]]) -> bool:
    """Whether each input is what it was."""
    return all(_in_threads(lambda each: _witness(each[0], each[1]) == each[2], witnesses))


def _witness(kind: str, place: str) -> str:
    try:
        return _KINDS[kind](place)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return _ABSENT


def _content(place: str) -> str:
    with open(place, "rb", buffering=0) as file:  # noqa: PTH123  thousands of files: a Path for each costs more than the call
        stat = os.fstat(file.fileno())
        if stat.st_size > _MAPPED_BYTES:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                found = hashlib.sha256(content)
        else:
            found = hashlib.sha256(file.read())
    return found.hexdigest() + ("x" if stat.st_mode & 0o111 else "")


def _names(place: str) -> str:
    return _hash(sorted(os.listdir(place)))  # noqa: PTH208  names are all that is wanted


def _tree(place: str) -> str:
    os.stat(place)  # noqa: PTH116  os.walk is silent about a folder that is not there
    found = []
    for parent, folders, names in os.walk(place):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        found += [parent, *folders, "", *sorted(names)]
    return _hash(found)


def _program(place: str) -> str:
    if not os.path.isdir(place):  # noqa: PTH112
        stat = os.stat(place)  # noqa: PTH116
        return f"{stat.st_size} {stat.st_mtime_ns}"
    stats = [(entry.path, entry.stat()) for entry in _modules(place)]
    return _hash(sorted(f"{path} {stat.st_size} {stat.st_mtime_ns}" for path, stat in stats))


def _modules(place: str) -> Iterator[os.DirEntry[str]]:
    """The sources of a program that is a folder."""
    todo = [place]
    while todo:
        for entry in os.scandir(todo.pop()):
            if entry.is_dir():
                todo.append(entry.path)
            elif entry.name.endswith(".py"):
                yield entry


_KINDS: dict[str, Callable[[str], str]] = {"content": _content, "names": _names, "tree": _tree, "program": _program}


def _hash(lines: list[str]) -> str:
    return hashlib.sha256("\0".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _places(kind: str, place: str) -> Iterable[str]:
    """What changes where the input does: of a tree each folder; of a program's folder the modules alone.

    A program's folder itself changes when Python puts bytecode beside its modules, which is no input.
    """
    if kind == "program" and os.path.isdir(place):  # noqa: PTH112
        yield from (entry.path for entry in _modules(place))
        return
    yield place
    if kind == "tree":
        for parent, folders, _ in os.walk(place):
            folders[:] = [name for name in folders if name != "__pycache__"]
            yield from (os.path.join(parent, name) for name in folders)  # noqa: PTH118


def _is_older(place: str) -> bool:
    """Whether the input was last changed before the build began, for sure."""
    try:
        stat = os.stat(place)  # noqa: PTH116
    except (FileNotFoundError, NotADirectoryError):
        return True
    return max(stat.st_mtime_ns, stat.st_ctime_ns) < STARTED_NS - _TICK_NS


def _fetch(source: Path, target: Path) -> bool:
    """Copy a zip from the cache, where it is whole; else it goes, so that the whole way may put it there again."""
    if _copy(source, target, source.name):
        return True
    source.unlink()
    return False


def _copy(source: Path, target: Path, sha256: str) -> bool:
    """Copy a file, where it has that hash, and say whether it has."""
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if hashlib.sha256(content).hexdigest() != sha256:
            return False
        with target.open("wb", buffering=0) as out, memoryview(content) as view:
            done = 0
            while done < len(view):
                done += out.write(view[done:])
    return True


def _in_threads(function: Callable[[Any], bool], items: Iterable[Any]) -> list[bool]:
    """What the function says of each, in any order; the first error is raised.

    Reading and hashing let other threads run. A pool of concurrent.futures would cost more to import than this takes.
    """
    todo = iter(list(items))
    found: list[bool] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            for item in todo:
                found.append(function(item))  # noqa: PERF401  one list for all threads
        except BaseException as error:  # noqa: BLE001  raised again below
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range((os.cpu_count() or 1) - 1)]
    for thread in threads:
        thread.start()
    work()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return found


def _trim(place: Path) -> None:
    """Drop the zips that have not been used for longest while they are over the limit, and records of long ago."""
    found = sorted((entry.stat().st_mtime_ns, entry.stat().st_size, entry.path) for entry in os.scandir(place))
    total = sum(size for _, size, _ in found)
    month_ago = time.time_ns() - 30 * 86_400 * 1_000_000_000
    for used, size, path in found:
        if total > LIMIT_BYTES or used < month_ago:
            with contextlib.suppress(OSError):
                Path(path).unlink()
            total -= size
