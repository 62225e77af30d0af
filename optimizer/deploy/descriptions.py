"""Fingerprints in descriptions: how a layer version and a function version say what they hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SHORT = 32
"""Hex digits of each fingerprint in a function version's description, which has at most 256 characters."""

_LAYER = re.compile(r"lo1 ([0-9a-f]{64})")
_VERSION = re.compile(rf"lo1((?: [0-9a-f]{{{SHORT}}})+)")


def of_layer(fingerprint: str) -> str:
    """A layer version's description: `lo1` and the whole fingerprint.

    ListLayerVersions shows no hash, only this.
    """
    return f"lo1 {fingerprint}"


def layer_fingerprint(description: str) -> str | None:
    """The fingerprint that a layer version's description holds, or None where it isn't ours."""
    match = _LAYER.fullmatch(description)
    return match[1] if match else None


def of_version(code: str, layers: Iterable[str]) -> str:
    """A function version's description: `lo1` and the short fingerprints of code and of our layers in attach order."""
    return " ".join(["lo1", *(fingerprint[:SHORT] for fingerprint in (code, *layers))])


def version_fingerprints(description: str) -> tuple[str, ...]:
    """The short fingerprints of code and layers, code first; nothing where the description isn't ours."""
    match = _VERSION.fullmatch(description)
    return tuple(match[1].split()) if match else ()
