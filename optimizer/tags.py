"""Which of a function's tags are ours: their keys stand in a tag of our own, so that one can be taken away again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MARKER = "layer-optimizer"
"""The key of the tag that lists the keys of ours; everybody else's tags are left alone."""

KEY_LENGTH = 128
VALUE_LENGTH = 256
MOST = 50
"""Characters of a key and of a value, and tags on one function (API model; Lambda's documentation of tags)."""

PATTERN = r"[\w\s.:/=+\-@]*"
"""What keys and values are made of (API model)."""


def marked(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags with the one that lists them; none where there are none."""
    return {**tags, MARKER: listed(tags)} if tags else {}


def listed(keys: Iterable[str]) -> str:
    """Keys as a tag's value, sorted; `=` and blanks in them are written as `=3D.`, which tags may have in them."""
    return " ".join(sorted("".join(f"={ord(c):02X}." if c == "=" or c.isspace() else c for c in k) for k in keys))


def keys_in(text: str) -> frozenset[str]:
    """The keys that such a value lists; what is not written so is nobody's."""
    return frozenset(key for word in text.split() if (key := _read(word)) is not None)


def _read(word: str) -> str | None:
    first, *rest = word.split("=")
    key = first
    for part in rest:
        code, dot, after = part.partition(".")
        try:
            key += chr(int(code, 16))
        except (ValueError, OverflowError):
            return None
        if not dot:
            return None
        key += after
    return key
