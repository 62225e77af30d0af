"""[pure] botocore's data as it ships: models without their texts for people, endpoints of shipped services alone.

Both are read and parsed at each cold start, and neither thing is read by a call: `documentation` is what docstrings of
clients are made from (botocore/docs), and botocore finds the endpoint of a service by its own rule set or by its own
entry under `services` (botocore/regions.py).
"""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any

from optimizer import limits

if TYPE_CHECKING:
    from collections.abc import Callable, Container

_GZIP = b"\x1f\x8b\x08"
_GZIP_WINDOW = 31  # zlib's number for gzip's header and trailer


def undocumented(data: bytes) -> bytes:
    """A service model, gzip'd or not, as plain JSON without documentation.

    It goes from the service itself, its operations and shapes, of which botocore asks whether they have one; parameters
    of a client's context must have it (botocore/model.py). A shape may have a member of the name `documentation`, which
    is an object and stays. What is no JSON stays as it is.
    """

    def strip(document: Any) -> Any:
        if isinstance(document.get("documentation"), str):
            del document["documentation"]
        for section in ("operations", "shapes"):
            document[section] = _without_documentation(document[section])
        return document

    return _rewritten(plain(data), strip)


def only_endpoints(data: bytes, prefixes: Container[str]) -> bytes:
    """Its endpoints.json with the services of those endpoint prefixes alone; partitions and regions stay."""

    def keep(document: Any) -> Any:
        for partition in document["partitions"]:
            partition["services"] = {name: one for name, one in partition["services"].items() if name in prefixes}
        return document

    return _rewritten(data, keep)


def endpoint_prefix(data: bytes) -> str | None:
    """The endpoint prefix that a service model tells; None where it tells none."""
    try:
        prefix = json.loads(plain(data))["metadata"]["endpointPrefix"]
    except (ValueError, KeyError, TypeError):
        return None
    return prefix if isinstance(prefix, str) else None


def plain(data: bytes) -> bytes:
    """The data unpacked, where it is gzip'd and whole."""
    found = unpacked(data)
    return data if found is None else found


def unpacked(data: bytes) -> bytes | None:
    """What gzip'd data holds; None where it is none, or not to be trusted."""
    if not data.startswith(_GZIP):
        return None
    reader = zlib.decompressobj(_GZIP_WINDOW)
    try:
        found = reader.decompress(data, limits.UNZIPPED_BYTES)
    except zlib.error:
        return None
    return found if reader.eof and not reader.unused_data else None


def unstamped(data: bytes) -> bytes:
    """The data with gzip's MTIME set to 0, which says that there is none (RFC 1952); what is no gzip stays."""
    return data[:4] + bytes(4) + data[8:] if data.startswith(_GZIP) else data


def _rewritten(data: bytes, change: Callable[[Any], Any]) -> bytes:
    try:
        document = json.loads(data)
        changed = change(document)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return data  # of a form that is not known: it ships as it is
    return json.dumps(changed, ensure_ascii=False, separators=(",", ":")).encode()


def _without_documentation(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_documentation(inner)
            for key, inner in value.items()
            if not (key == "documentation" and isinstance(inner, str))
        }
    return [_without_documentation(inner) for inner in value] if isinstance(value, list) else value
