"""What a project's files say, each value with the place that says it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


class UnresolvedError(ValueError):
    """A value that the file leaves to something else; the message is what it says in its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """What a file says of one thing: `where` is `file:line`, `how` the expression or key that it came by.

    `value` is None where the file leaves it to something that can't be known here; `how` is then what it says instead.
    One that is not `sure` stands in for what the file does not say.
    """

    value: Any
    where: str
    how: str = ""
    sure: bool = True

    @property
    def place(self) -> str:
        """The place and the expression, as a comment tells them."""
        return f"{self.where}: {self.how}" if self.how else self.where


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFunction:
    """One function as a tool's file, or the code alone, describes it.

    `tool` is what the file is written for, `label` what the function is called there, `base` the folder, relative to
    the project, that its paths start from. `values` are by the keys of `[[function]]`; `source` in them may be
    overridden by where the handler lies. `defaults` is what the tool takes where the file says nothing.
    """

    tool: str
    label: str
    where: str
    base: str = ""
    values: dict[str, Value] = field(default_factory=dict)
    environment: dict[str, Value] = field(default_factory=dict)
    layers: tuple[Value, ...] = ()
    defaults: dict[str, Any] = field(default_factory=dict)
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the files of one tool say: functions, regions, and what a person should know of the reading."""

    functions: tuple[FoundFunction, ...] = ()
    regions: tuple[Value, ...] = ()
    other_regions: tuple[Value, ...] = ()
    notes: tuple[str, ...] = ()
