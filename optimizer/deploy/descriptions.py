"""Fingerprints in descriptions: how a layer version and a function version say what they hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from optimizer.commit import DIRTY

if TYPE_CHECKING:
    from collections.abc import Iterable

SHORT = 32
"""Hex digits of each fingerprint in a function version's description, which has at most 256 characters."""

_COMMIT_DIGITS = 12
"""Hex digits of a commit's id."""

_COMMIT = r"(?: git:(?P<commit>[0-9a-f]+(?:-dirty)?))?"
_LAYER = re.compile(rf"lo1 ([0-9a-f]{{64}}){_COMMIT}")
_VERSION = re.compile(rf"lo1((?: [0-9a-f]{{{SHORT}}})+){_COMMIT}")


def of_layer(fingerprint: str, commit: str | None = None) -> str:
    """A layer version's description: `lo1`, the whole fingerprint, and the commit that it was first built from.

    ListLayerVersions shows no hash, only this.
    """
    return f"lo1 {fingerprint}{_traced(commit)}"


def layer_fingerprint(description: str) -> str | None:
    """The fingerprint that a layer version's description holds, or None where it isn't ours."""
    match = _LAYER.fullmatch(description)
    return match[1] if match else None


def of_version(code: str, layers: Iterable[str], commit: str | None = None) -> str:
    """A function version's description: `lo1`, the short fingerprints of code and of our layers in attach order.

    Behind them stands the commit that it was built from, where that is known.
    """
    return " ".join(["lo1", *(fingerprint[:SHORT] for fingerprint in (code, *layers))]) + _traced(commit)


def _traced(commit: str | None) -> str:
    """The commit as a description has it."""
    identifier, mark, _ = (commit or "").partition(DIRTY)
    return f" git:{identifier[:_COMMIT_DIGITS]}{mark}" if identifier else ""


def commit_in(description: str) -> str | None:
    """The commit's first digits, of a description of ours that tells them."""
    match = _LAYER.fullmatch(description) or _VERSION.fullmatch(description)
    return match["commit"] if match else None


def version_fingerprints(description: str) -> tuple[str, ...]:
    """The short fingerprints of code and layers, code first; nothing where the description isn't ours."""
    match = _VERSION.fullmatch(description)
    return tuple(match[1].split()) if match else ()
