"""What was found → the text of config/layers.toml, with a comment on each value that says where it was found."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import tomlkit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from optimizer.discover.roles import Proposal
    from optimizer.discover.settle import Setting, Settled

_COLUMN = 40
_WIDTH = 120
_HEAD = """\
# Written by `layer-optimizer init`: behind each value stands where it was found. What no file says is marked ASK, with
# a default: look at those. From here on the file is yours; `python -m optimizer plan` shows what follows from it.
"""
_TAIL = """\
[aws]
services = "auto"                        # or a list: the botocore models to ship

[plan]
cadence = "week"                         # how often you take the newest of everything: day, week or month
"""


def document(functions: Sequence[Settled], layers: Sequence[Proposal], remarks: Iterable[str]) -> str:
    """The whole file.

    Args:
        functions: as `[[function]]`, in their order.
        layers: as `[[layer]]`, in attach order.
        remarks: what was found and is not in the file.
    """
    lines = list(_HEAD.splitlines())
    for remark in remarks:
        lines += _comment(remark)
    for function in functions:
        lines += ["", "[[function]]"]
        for remark in function.remarks:
            lines += _comment(remark)
        tables = [s for s in function.settings if isinstance(s.value, dict)]
        for setting in function.settings:
            if setting not in tables:
                lines += _setting(setting)
        for setting in tables:
            lines += _table(setting)
    lines += ["", "# Layers in attach order. A layer holds its roots; everything else goes where releases cost least."]
    for layer in layers:
        lines.append("[[layer]]")
        if layer.roots:
            lines += [_commented("name", layer.name, layer.why), *_list("roots", layer.roots)]
        else:
            lines.append(_commented("name", layer.name, f"no roots: {layer.why}"))
        lines.append("")
    return "\n".join(lines) + "\n" + _TAIL


def _setting(setting: Setting) -> Iterator[str]:
    for remark in setting.remarks:
        yield from _comment(remark)
    if setting.ask:
        yield from _comment(f"ASK: {setting.ask}")
    if isinstance(setting.value, list) and setting.value and isinstance(setting.value[0], dict):
        yield from _list(setting.key, setting.value)
    else:
        yield _commented(setting.key, setting.value, setting.why)


def _table(setting: Setting) -> Iterator[str]:
    for remark in setting.remarks:
        yield from _comment(remark)
    if setting.value:
        yield f"[function.{setting.key}]"
        for key, value in setting.value.items():
            yield _commented(_key(key), value, setting.places.get(key, ""))


def _commented(key: str, value: Any, why: str) -> str:
    """`key = value  # why`; the comment goes above where both don't fit into a line."""
    line = f"{key} = {_toml(value)}"
    if not why:
        return line
    whole = f"{line:<{_COLUMN}}{' ' if len(line) < _COLUMN else '  '}# {_clean(why)}"
    return whole if len(whole) <= _WIDTH else "\n".join([*_comment(why), line])


def _list(key: str, values: Iterable[Any]) -> Iterator[str]:
    """A list: in one line where it fits, and is no list of tables."""
    items = list(values)
    line = f"{key} = {_toml(items)}"
    if len(line) <= _WIDTH and not any(isinstance(item, dict) for item in items):
        yield line
        return
    yield f"{key} = ["
    yield from (f"  {_toml(item)}," for item in items)
    yield "]"


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, str):
        return tomlkit.string(value).as_string()
    return str(value)


def _key(key: str) -> str:
    return tomlkit.key(key).as_string()


def _comment(text: str) -> list[str]:
    return textwrap.wrap(
        _clean(text),
        _WIDTH,
        initial_indent="# ",
        subsequent_indent="#   ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _clean(text: str) -> str:
    """One line that holds nothing a comment must not, and nothing that writes backwards."""
    return "".join(c if c.isprintable() else " " for c in " ".join(text.split()))[:600]
