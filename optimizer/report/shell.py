"""Commands of the AWS CLI as a shell reads them: quoted, their answers in variables, wrapped at their options."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

_COLUMNS = 100
_INDENT = "    "
_SPECIAL = re.compile(r'([\\"$`])')
"""What a shell expands, or takes for the end, between double quotes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Var:
    """A shell variable that an earlier command has set; `number` takes the version at the end of a layer's ARN."""

    name: str
    number: bool = False

    def __str__(self) -> str:
        """As it stands between double quotes."""
        return f"${{{self.name}##*:}}" if self.number else f"${{{self.name}}}"


Word = str | Var | tuple[str | Var, ...]
"""A value: literal, from a variable, or put together from both."""
Option = Word | list[Word] | bool | int | None
"""An option's value: several words, a switch, or None where it isn't given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command line, in parts that stay together; `into` is the variable that takes what it prints.

    `first` is whether a script does it before anything else, since without it the rest can't be done.
    """

    parts: tuple[str, ...]
    into: str | None = None
    more: str = ""
    first: bool = False

    def line(self) -> str:
        """The whole on one line."""
        text = " ".join(self.parts) + self.more
        return f"{self.into}=$({text})" if self.into else text

    def wrapped(self) -> str:
        """The same, continued on further lines where it is long."""
        parts = [*self.parts[:-1], self.parts[-1] + self.more]
        if self.into:
            parts[0], parts[-1] = f"{self.into}=$({parts[0]}", f"{parts[-1]})"
            if len(parts) == 1:
                parts = [self.line()]
        lines = [parts[0]]
        for part in parts[1:]:
            if len(lines[-1]) + len(part) + 3 > _COLUMNS:
                lines.append(_INDENT + part)
            else:
                lines[-1] += f" {part}"
        return " \\\n".join(lines)


def shell(line: str, *, first: bool = False) -> Command:
    """A line that is no command of the AWS CLI."""
    return Command(parts=(line,), first=first)


def word(value: Word) -> str:
    """A value as the shell reads it back unchanged."""
    if isinstance(value, str):
        return shlex.quote(value)
    parts = value if isinstance(value, tuple) else (value,)
    text = "".join(_SPECIAL.sub(r"\\\1", part) if isinstance(part, str) else str(part) for part in parts)
    return f'"{text}"'


def joined(*parts: Word | int | None) -> Word:
    """Parts one after the other as one value; a plain text where none of them is a variable."""
    flat: list[str | Var] = []
    for part in parts:
        if isinstance(part, tuple):
            flat += part
        elif part is not None:
            flat.append(part if isinstance(part, Var) else str(part))
    return tuple(flat) if any(isinstance(part, Var) for part in flat) else "".join(map(str, flat))


def options(given: dict[str, Option]) -> tuple[str, ...]:
    """Options as the AWS CLI has them, by their names with underscores."""
    found = []
    for name, value in given.items():
        if value is None or value is False:
            continue
        words = [] if value is True else value if isinstance(value, list) else [value]
        found.append(" ".join([f"--{name.replace('_', '-')}", *(word(_text(one)) for one in words)]))
    return tuple(found)


def _text(value: Word | int) -> Word:
    return str(value) if isinstance(value, int) else value
