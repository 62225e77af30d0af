"""The files of a project: found once, read within bounds, never outside its folder."""

from __future__ import annotations

import os
import posixpath
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_DEEP = 7
_MANY = 20_000
TEXT_BYTES = 1 << 20
"""A larger file is no tool's file and no module that a person wrote."""
LOCK_BYTES = 16 << 20
"""Locks are written by tools, with every wheel of every platform."""
_MOST_BYTES = {".lock": LOCK_BYTES, "pylock.toml": LOCK_BYTES, ".tf": TEXT_BYTES // 4}
"""By how names end; python-hcl2 takes ten seconds for this much."""
_NOT_OURS = frozenset(
    {"__pycache__", "build", "cdk.out", "dist", "htmlcov", "node_modules", "site-packages", "target", "vendor"}
)
_TESTS = frozenset({"test", "tests", "testing", "conftest.py", "docs", "examples", "benchmarks"})


class Project:
    """A project's folder; `notes` gathers what was passed over and why."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.notes: list[str] = []
        self._texts: dict[str, str | None] = {}

    @cached_property
    def files(self) -> tuple[str, ...]:
        """Regular files as posix paths relative to the root, the shallow ones first.

        Hidden folders, environments, links to folders and what tools make are passed over.
        """
        found: list[str] = []
        for parent, folders, names in os.walk(self.root):
            here = Path(parent).relative_to(self.root)
            deep = len(here.parts) >= _DEEP
            folders[:] = [] if deep else sorted(f for f in folders if self._is_ours(Path(parent, f)))
            told = [name for name in names if name.isprintable()]  # others can't be told in a line, nor in TOML
            found += [(here / name).as_posix() for name in told if os.path.isfile(Path(parent, name))]  # noqa: PTH113  a loop of links is no file, and no error
            if len(found) > _MANY:
                self.notes.append(f"more than {_MANY} files: only the first of them were looked at")
                break
        return tuple(sorted(found, key=lambda path: (path.count("/"), path)))

    def named(self, *names: str) -> tuple[str, ...]:
        """The files of one of those names, the shallow ones first; names with `*.` in front are endings."""
        plain = {name for name in names if not name.startswith("*")}
        endings = tuple(name[1:] for name in names if name.startswith("*"))
        return tuple(
            path for path in self.files if (base := posixpath.basename(path)) in plain or base.endswith(endings or "\0")
        )

    def text(self, path: str) -> str | None:
        """The file's text, or None, with a note, where it can't be read as UTF-8 text of the project's own."""
        if path not in self._texts:
            self._texts[path] = self._read(path)
        return self._texts[path]

    def has(self, path: str) -> bool:
        """Whether there is such a file."""
        return not path.startswith(("/", "..")) and (self.root / path).is_file()

    def _read(self, path: str) -> str | None:
        place = self.root / path
        try:
            status = place.stat()
            if not place.resolve().is_relative_to(self.root):
                self.note(f"{path} is a link out of the project")
            elif status.st_size > next((b for end, b in _MOST_BYTES.items() if path.endswith(end)), TEXT_BYTES):
                self.note(f"{path} has {status.st_size:,} bytes, more than a file of its kind that a person wrote")
            else:
                return place.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError:
            self.note(f"{path} is not UTF-8 text")
        except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links
            self.note(f"{path} can't be read: {getattr(error, 'strerror', None) or error}")
        return None

    def note(self, text: str) -> None:
        """Tell that something is passed over."""
        self.notes.append(f"{text}; passed over")

    @staticmethod
    def _is_ours(folder: Path) -> bool:
        name = folder.name
        if not name.isprintable() or name.startswith(".") or name in _NOT_OURS:
            return False
        return not (folder / "pyvenv.cfg").exists()


def is_test(path: str) -> bool:
    """Whether the path is of tests, documentation or examples."""
    return any(part in _TESTS or part.startswith("test_") for part in path.split("/"))


def joined(base: str, path: str) -> str | None:
    """The path from the folder `base`, relative to the project; None where it leaves the project."""
    whole = posixpath.normpath(posixpath.join(base or ".", path or "."))
    return None if whole.startswith(("/", "..")) else whole


def line_of(text: str, *needles: str) -> int:
    """The line, from 1, on which the last of the needles stands, each looked for after the one before; 1 if nowhere."""
    at = 0
    for needle in needles:
        found = text.find(needle, at)
        at = at if found < 0 else found
    return text.count("\n", 0, at) + 1


def listed(names: Iterable[str], most: int = 4) -> str:
    """Names in a sentence, the first few of them."""
    every = list(names)
    return ", ".join(every[:most]) + (f" and {len(every) - most} more" if len(every) > most else "")
