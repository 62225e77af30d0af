"""YAML as people write it, of values that may hold anything: plain where that is safe, else quoted as in JSON.

The project's own dependencies have no YAML library, and those that there are lay out differently from one version to
the next; what is written here is read back by them in the tests.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_PLAIN = re.compile(r"(?:[A-Za-z_]|\.{0,2}/)[\w./+-]*(?:::?[\w./*+-]+)*", re.ASCII)
"""No indicator of YAML's, no number and no date begins so, and no colon has a space or nothing behind it."""
_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
"""YAML 1.1, which many readers still go by, takes these for something else than text."""
_LINE = 88


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A value with a tag: `!Ref AwsCoreLayer`; `value` is a text or a list that stands on the same line."""

    name: str
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """A value with lines of comment above its key."""

    note: str
    value: Any


def ref(name: str) -> Tag:
    """What a resource or parameter is called by."""
    return Tag(name="Ref", value=name)


def attribute(resource: str, name: str) -> Tag:
    """An attribute of a resource."""
    return Tag(name="GetAtt", value=f"{resource}.{name}")


def quoted(text: str) -> str:
    """A text in double quotes; what can't be seen is escaped. YAML, HCL and JSON read it alike up to U+FFFF."""
    escaped = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else _escape(c) for c in escaped)


def _escape(character: str) -> str:
    number = ord(character)
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"  # noqa: PLR2004  what four digits hold


def scalar(value: str | float | bool | None) -> str:  # noqa: FBT001  it is a value
    """A key or a value on its line."""
    if not isinstance(value, str):
        return json.dumps(value)
    plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS
    return value if plain else quoted(value)


def mapping(values: Mapping[str, Any], indent: int = 0) -> list[str]:
    """The lines of a mapping in block style; short lists of texts stand on one line."""
    lines: list[str] = []
    margin = " " * indent
    for key, value in values.items():
        held = value
        if isinstance(held, Noted):
            lines += [f"{margin}# {line}" for line in held.note.splitlines()]
            held = held.value
        start = f"{margin}{scalar(key)}:"
        inline = _inline(held)
        if inline is not None and (len(start) + len(inline) < _LINE or not isinstance(held, list | tuple)):
            lines.append(f"{start} {inline}")
        else:
            lines += [start, *_block(held, indent + 2)]
    return lines


def spaced(values: Mapping[str, Any], indent: int) -> list[str]:
    """The lines of a mapping with an empty line between its entries."""
    lines: list[str] = []
    for key, value in values.items():
        lines += ["", *mapping({key: value}, indent)] if lines else mapping({key: value}, indent)
    return lines


def _inline(value: Any) -> str | None:
    """A value that stands on its key's line, or None where it takes more."""
    if isinstance(value, Tag):
        return f"!{value.name} {_inline(value.value)}"
    if isinstance(value, Mapping):
        return None if value else "{}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        parts = [_inline(one) for one in value if not isinstance(one, Noted)]
        if any(part is None for part in parts) or len(parts) < len(value):
            return None
        return f"[{', '.join(part for part in parts if part is not None)}]"
    return scalar(value)


def _block(value: Any, indent: int) -> list[str]:
    if isinstance(value, Mapping):
        return mapping(value, indent)
    lines: list[str] = []
    margin = " " * indent
    for item in value:
        held = item
        if isinstance(held, Noted):
            lines += [f"{margin}# {line}" for line in held.note.splitlines()]
            held = held.value
        inline = _inline(held)
        body = [f"{margin}  {inline}"] if inline is not None else _block(held, indent + 2)
        lines += [f"{margin}- {body[0][indent + 2 :]}", *body[1:]]
    return lines
