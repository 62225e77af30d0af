"""HCL as `terraform fmt` lays it out, of values that may hold anything."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from optimizer.report.export.yaml_text import Noted, quoted

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*", re.ASCII)


_TOP = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """HCL that is written as it is: a reference, a call, a template that is meant to be one."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block in a body: `environment { ... }`."""

    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A function's call with one value: `jsonencode({ ... })`."""

    name: str
    value: Any


def text(value: str) -> str:
    """A text in quotes, in which Terraform replaces nothing."""
    return quoted(value).replace("${", "$${").replace("%{", "%%{")


def block(kind: str, labels: Sequence[str], body: Mapping[str, Any], note: str = "") -> list[str]:
    """The lines of a block of the file, with comments above."""
    head = " ".join([kind, *(text(label) for label in labels)])
    return [*(f"# {line}" for line in note.splitlines()), f"{head} {{", *_body(body, 2), "}"]


def _body(values: Mapping[str, Any], indent: int) -> list[str]:
    """Lines of attributes and blocks; the equals signs of neighbouring lines stand below each other."""
    lines: list[str] = []
    row: list[tuple[str, str]] = []
    margin = " " * indent
    top = indent == _TOP  # where a resource's attributes stand apart
    gap = [""] if top else []

    def flush() -> None:
        width = max((len(key) for key, _ in row), default=0)
        lines.extend(f"{margin}{key.ljust(width)} = {value}" for key, value in row)
        row.clear()

    for key, value in values.items():
        held = value
        note = ""
        if isinstance(held, Noted):
            note, held = held.note, held.value
        name = key if _KEY.fullmatch(key) else text(key)
        parts = [] if isinstance(held, Block) else _value(held, indent)
        if note or len(parts) != 1:
            flush()
            if top and lines and lines[-1] != "":
                lines.append("")
        lines += [f"{margin}# {line}" for line in note.splitlines()]
        if isinstance(held, Block):
            lines += [f"{margin}{name} {{", *_body(held.body, indent + 2), f"{margin}}}", *gap]
        elif len(parts) == 1:
            row.append((name, parts[0]))
        else:
            lines += [f"{margin}{name} = {parts[0]}", *parts[1:], *gap]
    flush()
    while lines and lines[-1] == "":
        lines.pop()
    return lines


def _value(value: Any, indent: int) -> list[str]:
    """A value's lines, the first without its margin."""
    margin = " " * indent
    if isinstance(value, Expression):
        return [value.text]
    if isinstance(value, Call):
        inner = _value(value.value, indent)
        inner[0] = f"{value.name}({inner[0]}"
        inner[-1] = f"{inner[-1]})"
        return inner
    if isinstance(value, Mapping):
        return ["{", *_body(value, indent + 2), f"{margin}}}"] if value else ["{}"]
    if isinstance(value, str):
        return [text(value)]
    if isinstance(value, Sequence):
        return _list(value, indent)
    return [json.dumps(value)]


def _list(value: Sequence[Any], indent: int) -> list[str]:
    plain = [_value(one, indent) for one in value if not isinstance(one, Noted | Mapping)]
    if len(plain) == len(value) and len(plain) < 2 and all(len(one) == 1 for one in plain):  # noqa: PLR2004  one fits
        return [f"[{''.join(one[0] for one in plain)}]"]
    margin = " " * (indent + 2)
    lines = ["["]
    for one in value:
        held = one
        if isinstance(held, Noted):
            lines += [f"{margin}# {line}" for line in held.note.splitlines()]
            held = held.value
        parts = _value(held, indent + 2)
        lines += [f"{margin}{parts[0]}", *parts[1:]]
        lines[-1] += ","
    return [*lines, f"{' ' * indent}]"]
