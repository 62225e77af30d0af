"""[pure] A file's content → a digest that stays the same where only the release's own version string differs.

Two releases differ in more bytes than in what runs: gzip writes the time of packing into each file, and modules hold
their distribution's version. So gzip'd data is looked at decompressed, and in text a release's own version becomes a
placeholder: `__version__ = "1.44.5"` and `__version__ = "1.44.6"` have one digest, each computed without the other.
Of compiled modules, and of all that is no text, the bytes decide.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from itertools import takewhile

from optimizer.content.rewrites import unpacked

FORMAT = 2
"""Raised when digests of the same content change: those remembered are of no use then."""
_PLACEHOLDER = b"{version}"
_PLAIN_PARTS = 3
_COMPILED = re.compile(r"\.(so(\.\d+)*|pyd|pyc|a)$")


def digest(path: str, content: bytes, version: str) -> str:
    """The digest of one shipped file of a release of that version, 32 hex digits."""
    inner = unpacked(content)
    kind, data = (b"raw\0", content) if inner is None else (b"gzip\0", inner)
    if b"\0" not in data and not _COMPILED.search(path):
        for pattern in _patterns(version):
            data = pattern.sub(_PLACEHOLDER, data)
    return hashlib.sha256(kind + data).hexdigest()[:32]


@lru_cache(maxsize=64)
def _patterns(version: str) -> tuple[re.Pattern[bytes], ...]:
    """How a version stands in text: in one piece, or as a tuple of numbers; zeros before a part are the author's taste.

    A version of two parts reads like any other number, so it counts only in quotes; one of a single part never does.
    """
    parts = version.split(".")
    body = re.sub(r"\d+", lambda m: f"0*{int(m[0])}", re.escape(version)).encode()
    if len(parts) == 1:
        return ()
    if len(parts) < _PLAIN_PARTS:
        return (re.compile(rb"(?<=[\"'])v?" + body + rb"(?=[\"'])"),)
    found = [re.compile(rb"(?<![0-9.])" + body + rb"(?![0-9A-Za-z]|[.+-][0-9A-Za-z])")]
    numeric = list(takewhile(str.isdecimal, parts))  # of 2.9.0.post0 the first three
    if len(numeric) >= _PLAIN_PARTS:
        numbers = rb"\s*,\s*".join(b"0*%d" % int(part) for part in numeric)
        found.append(re.compile(rb"(?<=[(\[])\s*" + numbers + rb"(?=\s*[,)\]])"))
    return tuple(found)
