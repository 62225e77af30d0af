"""Facts about files that are worth remembering: computed when they are asked for, once while stat stays the same."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from optimizer.content.source import identity, raw
from optimizer.inventory.clients import ClientCalls, client_calls

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from optimizer.content.store import Store
    from optimizer.models import InstalledFile

_FORMAT = 1


def find_clients(store: Store, sources: Mapping[str, tuple[Sequence[InstalledFile], bool]]) -> dict[str, ClientCalls]:
    """The AWS clients that modules make, by the module's path.

    Args:
        store: remembers what was found.
        sources: by name of the distribution or function, its files, and whether they are the function's own code.

    Raises:
        DiskError: a file can't be read.
    """
    keys = {name: _key(files, own) for name, (files, own) in sources.items()}
    known = store.facts(keys.values())
    fresh = {}
    calls: dict[str, ClientCalls] = {}
    for name, (files, own) in sources.items():
        text = known.get(keys[name])
        if text is None:
            found = {
                file.path: made
                for file in files
                if file.path.endswith(".py") and (made := client_calls(raw(file), own=own)) != ClientCalls()
            }
            text = json.dumps({p: [sorted(c.names), list(c.unknown_lines)] for p, c in found.items()})
            fresh[keys[name]] = text
        for path, (names, lines) in json.loads(text).items():
            calls[path] = ClientCalls(names=frozenset(names), unknown_lines=tuple(lines))
    if fresh:
        store.remember(fresh)
    return calls


def _key(files: Sequence[InstalledFile], own: bool) -> str:  # noqa: FBT001
    lines = [identity(f) for f in files if f.path.endswith(".py")]
    head = f"clients {_FORMAT} {own}\n"
    return hashlib.sha256((head + "\n".join(lines)).encode("utf-8", "surrogateescape")).hexdigest()
