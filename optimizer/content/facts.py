"""Facts about modules that are worth remembering: computed when they are asked for, once while stat stays the same."""

from __future__ import annotations

import ast
import configparser
import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from optimizer.content.source import identity, raw
from optimizer.inventory.clients import ClientCalls, client_calls, own_client_calls
from optimizer.inventory.docstrings import unread_docstrings
from optimizer.inventory.uses import TEST_FOLDERS, Uses, is_test, note_extension, note_uses
from optimizer.select import SDK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from optimizer.content.store import Store
    from optimizer.models import InstalledFile

_FORMAT = 8
_SCRIPTS = frozenset({"console_scripts", "gui_scripts"})


@dataclass(slots=True, kw_only=True)
class Facts:
    """What the modules of one distribution, or of a function, do.

    `clients` are the AWS clients that they make, by the module's path; `uses` what they may make use of; `plugs_in` is
    whether others find it by entry points; `unread` are the lines on which docstrings of a function's own begin that
    nothing reads, by the module's path.
    """

    clients: dict[str, ClientCalls] = field(default_factory=dict)
    uses: Uses = field(default_factory=Uses)
    plugs_in: bool = False
    unread: dict[str, tuple[int, ...]] = field(default_factory=dict)


def find_facts(
    store: Store,
    sources: Mapping[str, tuple[Sequence[InstalledFile], bool]],
    roots: Mapping[str, tuple[str, ...]],
) -> dict[str, Facts]:
    """The facts about distributions and functions, by their names.

    Args:
        store: remembers what was found.
        sources: by name of the distribution or function, its files, and whether they are the function's own code.
        roots: what may be imported from other distributions; see `importable_roots`.

    Raises:
        DiskError: a file can't be read.
    """
    head = hashlib.sha256("\n".join(sorted(roots)).encode()).hexdigest()
    keys = {name: _key(head, files, own) for name, (files, own) in sources.items()}
    known = store.facts(keys.values())
    fresh = {}
    found = {}
    for name, (files, own) in sources.items():
        facts = _parsed(known.get(keys[name]))
        if facts is None:
            facts = _read(name, files, own, roots)
            fresh[keys[name]] = _text(facts)
        found[name] = facts
    if fresh:
        store.remember(fresh)
    return found


def is_read(path: str) -> bool:
    """Whether facts are found in a file of that path."""
    return path.endswith((".py", ".so", "entry_points.txt"))


def _key(head: str, files: Sequence[InstalledFile], own: bool) -> str:  # noqa: FBT001
    lines = [identity(f) for f in files if is_read(f.path)]
    head = f"facts {_FORMAT} {own} {head}\n"
    return hashlib.sha256((head + "\n".join(lines)).encode("utf-8", "surrogateescape")).hexdigest()


def _read(
    name: str,
    files: Sequence[InstalledFile],
    own: bool,  # noqa: FBT001
    roots: Mapping[str, tuple[str, ...]],
) -> Facts:
    facts = Facts()
    trees: dict[str, ast.Module] = {}
    tests = any(is_test(file.path) for file in files)
    for file in files:
        if file.path.endswith(".py"):
            source = raw(file)
            try:
                tree = ast.parse(source)
            except (SyntaxError, ValueError, RecursionError):  # it can't be imported, so that it makes use of nothing
                continue
            note_uses(facts.uses, tree, file.path, roots)
            if own:
                trees[file.path] = tree
            elif name not in SDK:  # whose own calls pass on a name that they were given
                facts.clients[file.path] = client_calls(source, tree)
        elif file.path.endswith(".so") and tests:
            note_extension(facts.uses, raw(file))
        elif file.path.endswith(".dist-info/entry_points.txt"):
            facts.plugs_in = _note_entry_points(facts.uses, raw(file))
    facts.clients |= own_client_calls(trees)
    facts.unread = unread_docstrings(trees)
    facts.clients = {path: made for path, made in facts.clients.items() if made != ClientCalls()}
    return facts


def _note_entry_points(uses: Uses, content: bytes) -> bool:
    """Whether others find it by its entry points, scripts aside."""
    parser = configparser.RawConfigParser(delimiters=("=",), strict=False)
    parser.optionxform = str  # type: ignore[assignment]  # names are case-sensitive
    try:
        parser.read_string(content.decode("utf-8", "replace"))
    except configparser.Error:
        return True  # what can't be read may say anything
    for section in parser.sections():
        for _, value in parser.items(section):
            module = value.partition(":")[0].strip()
            if not TEST_FOLDERS.isdisjoint(module.split(".")):
                uses.test_names.add(module)
    return not _SCRIPTS.issuperset(parser.sections())


def _text(facts: Facts) -> str:
    uses = facts.uses
    return json.dumps(
        {
            "clients": {p: [sorted(c.names), list(c.unknown_lines)] for p, c in facts.clients.items()},
            "plugs_in": facts.plugs_in,
            "unread": facts.unread,
            "reached": uses.reached,
            "test_imports": {importer: sorted(names) for importer, names in uses.test_imports.items()},
            **{key: sorted(getattr(uses, key)) for key in ("test_names", "test_paths", "files")},
        },
        separators=(",", ":"),
    )


def _parsed(text: str | None) -> Facts | None:
    """Facts as they were remembered; None where they were not, or are damaged."""
    try:
        known: dict[str, Any] = json.loads(text or "")
        return Facts(
            clients={
                path: ClientCalls(names=frozenset(names), unknown_lines=tuple(lines))
                for path, (names, lines) in known["clients"].items()
            },
            plugs_in=bool(known["plugs_in"]),
            unread={path: tuple(lines) for path, lines in known["unread"].items()},
            uses=Uses(
                reached=dict(known["reached"]),
                test_imports={importer: set(names) for importer, names in known["test_imports"].items()},
                test_names=set(known["test_names"]),
                test_paths=set(known["test_paths"]),
                files=set(known["files"]),
            ),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
