"""Python as ruff formats it, of values that may hold anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from optimizer.report.export.yaml_text import Noted


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """Python that is written as it is."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call; each argument stands on a line of its own where there is more than one."""

    name: str
    arguments: Sequence[Any] = ()
    options: Mapping[str, Any]


def text(value: str) -> str:
    """A text's literal: in double quotes, or in single ones where that escapes less."""
    escaped = repr(value + "'\"")[1:-4]  # with both quotes in it, repr takes single quotes and escapes those alone
    plain = escaped.replace("\\'", "'")
    if value.count('"') > value.count("'"):
        return f"'{escaped}'"
    return '"' + plain.replace('"', '\\"') + '"'


def lines_of(value: Any, indent: int = 0) -> list[str]:
    """A value's lines, the first without its margin; what has several parts has a line for each."""
    if isinstance(value, Code):
        return [value.text]
    if isinstance(value, str):
        return [text(value)]
    if isinstance(value, Call):
        parts = [*value.arguments, *(_Named(name=key, value=one) for key, one in value.options.items())]
        return _bracketed(f"{value.name}(", parts, ")", indent) if parts else [f"{value.name}()"]
    if isinstance(value, Mapping):
        pairs = [_Pair(key=key, value=one) for key, one in value.items()]
        return _bracketed("{", pairs, "}", indent) if pairs else ["{}"]
    if isinstance(value, Sequence):
        return _bracketed("[", value, "]", indent) if value else ["[]"]
    return [repr(value)]


def statement(target: str, value: Any, indent: int, note: str = "") -> list[str]:
    """The lines of a statement, assigned to a target where there is one."""
    margin = " " * indent
    first, *rest = lines_of(value, indent)
    start = f"{target} = " if target else ""
    return [*(f"{margin}# {line}" for line in note.splitlines()), f"{margin}{start}{first}", *rest]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    name: str
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    key: str
    value: Any


def _bracketed(opening: str, parts: Sequence[Any], closing: str, indent: int) -> list[str]:
    margin = " " * (indent + 4)
    lines = [opening]
    for part in parts:
        start, held = "", part
        if isinstance(held, _Named):
            start, held = f"{held.name}=", held.value
        elif isinstance(held, _Pair):
            start, held = f"{text(held.key)}: ", held.value
        if isinstance(held, Noted):
            lines += [f"{margin}# {line}" for line in held.note.splitlines()]
            held = held.value
        first, *rest = lines_of(held, indent + 4)
        lines += [f"{margin}{start}{first}", *rest]
        lines[-1] += ","
    return [*lines, f"{' ' * indent}{closing}"]
