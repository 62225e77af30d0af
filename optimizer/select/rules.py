"""The selection rules: each takes files that nothing reads at run time, and says which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Container

INSTALLER_FILES = frozenset({"INSTALLER", "REQUESTED", "direct_url.json", "RECORD", "RECORD.jws", "RECORD.p7s"})
"""What an installer writes about the install itself (PEPs 376 and 610); RECORD is made anew from what ships."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`takes(path, info)` says whether a file goes; `info` is the name of the distribution's metadata folder."""

    name: str
    why: str
    takes: Callable[[str, str, Container[str]], bool]


def _installer(path: str, info: str, paths: Container[str]) -> bool:
    del paths
    folder, _, name = path.rpartition("/")
    return folder == info and name in INSTALLER_FILES


def _bytecode(path: str, info: str, paths: Container[str]) -> bool:
    del info
    if not path.endswith((".pyc", ".pyo")):
        return False
    return "__pycache__" in path.split("/") or path[:-1] in paths  # without its source, a .pyc is the module


def _scripts(path: str, info: str, paths: Container[str]) -> bool:
    del info
    return path.startswith("bin/") and path.count("/") == 1 and "bin/__init__.py" not in paths


RULES = {
    rule.name: rule
    for rule in (
        Rule(
            name="installer-files",
            why="tell of this install, not of the distribution; RECORD is made anew from what ships",
            takes=_installer,
        ),
        Rule(
            name="installed-bytecode",
            why="bytecode made at the install carries this machine's paths and times: it would be stale on Lambda",
            takes=_bytecode,
        ),
        Rule(
            name="scripts",
            why="commands for a shell; a function has none, and their first line names this machine's Python",
            takes=_scripts,
        ),
    )
}
"""The rules, in the order in which a file is offered to them; all are safe, so all are always on."""
