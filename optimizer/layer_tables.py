"""[pure] The text of config/layers.toml with other [[layer]] tables: comments stay, and so does what is not a layer."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import tomlkit
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tomlkit.items import AoT, Array

_HEADER = re.compile(r"\s*\[.*\]\s*(#.*)?$")
_COLUMNS = 100
"""A longer array is written with a line for each name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerTable:
    """One [[layer]] as it is to be; `was` is the name of the table that it is made from, None for a new one."""

    name: str
    was: str | None = None
    roots: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    self_contained: bool = False


def with_layers(text: str, tables: Sequence[LayerTable]) -> str:
    """The configuration's text with these layers, in this order, and nothing else changed.

    A table that stays keeps its comments, and the names that it keeps stay as they are written. Comments above a
    table go where it goes, those above the first stay above whichever is first. Where `layer` is written as an inline
    array, tables take its place at the end.

    Args:
        text: TOML that `optimizer.config.parse` accepts.
        tables: what is to be there.
    """
    ending = "\r\n" if "\r\n" in text else "\n"
    head, blocks, tail = parted(text.replace("\r\n", "\n"))
    known = {_only(block)["name"]: block for block in blocks}
    made = [_edited(known[table.was], table) if table.was in known else _new(table) for table in tables]
    gaps = [block[len(block.rstrip()) :] for block in blocks]
    between = [*gaps[:-1], *[(gaps[:-1] or ["\n\n"])[-1]] * len(made)][: len(made) - 1] + (gaps[-1:] or ["\n"])
    found = head + "".join(block.rstrip() + gap for block, gap in zip(made, between, strict=True)) + tail
    return (found if text.endswith("\n") else found.removesuffix("\n")).replace("\n", ending)


def parted(text: str) -> tuple[str, list[str], str]:
    """What stands before the layers, each layer's lines with the blank ones after them, and what comes after.

    Other tables that stand between layers come to the latter. Comments right above a header belong to it, those above
    the first layer to what stands before it. Where `layer` is an inline array, all else stands before.
    """
    lines = [f"{line}\n" for line in text.removesuffix("\n").split("\n")]
    headers = [n for n, line in enumerate(lines) if _HEADER.match(line) and _is_whole("".join(lines[:n]))]
    of_layer = [n for n in headers if "layer" in tomllib.loads(lines[n])]
    if not of_layer:
        document = tomlkit.parse(text)
        document.remove("layer")
        return f"{tomlkit.dumps(document).rstrip()}\n\n", [], ""
    starts = {n: _start(lines, n) for n in headers} | {of_layer[0]: of_layer[0]}
    ends = [starts[n] for n in headers[1:]] + [_start(lines, len(lines))]
    parts = {n: "".join(lines[starts[n] : end]) for n, end in zip(headers, ends, strict=True)}
    tail = "".join(parts[n] for n in headers if n > of_layer[0] and n not in of_layer) + "".join(lines[ends[-1] :])
    return "".join(lines[: of_layer[0]]), [parts[n] for n in of_layer], tail


def _is_whole(text: str) -> bool:
    """Whether what follows the text begins a statement, and is not inside of a string or an array."""
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _start(lines: Sequence[str], header: int) -> int:
    """Where the comments begin that stand above a header or the end, blank lines between them too."""
    start = place = header
    while place > 0 and (not lines[place - 1].strip() or lines[place - 1].lstrip().startswith("#")):
        place -= 1
        if lines[place].strip():
            start = place
    return start


def _only(block: str) -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads(block)["layer"][0]
    return table


def _edited(block: str, table: LayerTable) -> str:
    """The layer's lines with another name and other contents."""
    document = tomlkit.parse(block.rstrip() + "\n")
    found = cast("AoT", document["layer"])[0]
    if found["name"] != table.name:
        found["name"] = table.name
    for key, names in (("roots", table.roots), ("include", table.include)):
        if key in found:
            _fill(cast("Array", found[key]), names, len(key))
        elif names:
            found[key] = _array(names, len(key))
    if table.self_contained != found.get("self_contained", False):
        found["self_contained"] = table.self_contained
    return tomlkit.dumps(document)


def _fill(array: Array, names: Sequence[str], key: int) -> None:
    """Take out of the array what is not in `names`, and append what is not in it."""
    before = [_normalised(str(name)) for name in array]
    for place in reversed(range(len(before))):
        if before[place] not in names:
            array.pop(place)
    added = [name for name in names if name not in before]
    for name in added:
        array.append(name)
    if added and "\n" not in array.as_string() and key + len(array.as_string()) + 3 > _COLUMNS:
        array.multiline(multiline=True)


def _array(names: Sequence[str], key: int) -> Array:
    array = tomlkit.array()
    _fill(array, names, key)
    return array


def _new(table: LayerTable) -> str:
    """A layer's lines."""
    found = tomlkit.table()
    found["name"] = table.name
    for key, names in (("roots", table.roots), ("include", table.include)):
        if names:
            found[key] = _array(names, len(key))
    if table.self_contained:
        found["self_contained"] = True
    return f"[[layer]]\n{found.as_string()}"


def _normalised(name: str) -> str:
    """As the configuration reads it: a part of a distribution has its own form."""
    return name if "/" in name else canonicalize_name(name)
