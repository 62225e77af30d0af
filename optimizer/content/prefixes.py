"""The endpoint prefixes of service models: what a service is called in botocore's endpoints.json."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.content.rewrites import endpoint_prefix
from optimizer.content.source import identity, raw

if TYPE_CHECKING:
    from collections.abc import Iterable

    from optimizer.content.store import Store
    from optimizer.models import InstalledFile


def endpoint_prefixes(store: Store, models: Iterable[InstalledFile]) -> frozenset[str] | None:
    """The prefixes of those models, each read once; None where one tells none.

    Raises:
        DiskError: a file can't be read.
    """
    keys = {f"endpoint-prefix {identity(model)}": model for model in models}
    known = store.facts(keys)
    fresh = {key: endpoint_prefix(raw(model)) or "" for key, model in keys.items() if key not in known}
    if fresh:
        store.remember(fresh)
    found = frozenset((known | fresh).values())
    return None if "" in found else found
