"""What a roll is made of: its options, the size of its waves, the moves, and who stays."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from optimizer.deploy.values import ALIAS
from optimizer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optimizer.deploy.values import Alias, Configuration, ListedLayer

_WAVE = re.compile(r"([1-9]\d*)(%?)")
_WHOLE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """How many functions a wave has: `count`, or that `percent` of all that are moved, rounded up."""

    count: int
    percent: bool

    @classmethod
    def parse(cls, text: str) -> Wave:
        """What `10%` or `20` mean.

        Raises:
            UsageError: it is neither, or nothing, or over a hundred percent.
        """
        match = _WAVE.fullmatch(text)
        if match is None or (match[2] and int(match[1]) > _WHOLE):
            raise UsageError(
                f"{text!r} is no size of a wave", mend="Give --wave a share as in 10%, or a number as in 20."
            )
        return cls(count=int(match[1]), percent=bool(match[2]))

    def size(self, functions: int) -> int:
        """Functions in a wave, at least one."""
        return max(1, math.ceil(functions * self.count / _WHOLE)) if self.percent else self.count


@dataclass(frozen=True, slots=True, kw_only=True)
class RollOptions:
    """What the command line and the configuration say; `check_paths` are by function, `check_path` is for the rest."""

    alias: str = ALIAS
    wave: Wave = field(default_factory=lambda: Wave(count=10, percent=True))
    accept_latest: bool = False
    on_failure: Literal["stay", "back"] = "stay"
    check_path: str | None = None
    check_paths: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One function that gets the layer's `target` version in the place of the one that it has.

    `latest` is `$LATEST` as it was read; `alias` is None where only that is changed. `layers` is its list afterwards
    and `layers_before` the one that was served, to which it goes back; `begun` is whether `$LATEST` has the new list
    already, from a roll that was cut off. `description` is the new version's. `notes` are what to know about it.
    """

    function: str
    latest: Configuration
    alias: Alias | None
    layers: tuple[str, ...]
    layers_before: tuple[str, ...]
    before: int
    description: str
    check_path: str | None
    begun: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """One function that is left alone: it is `current`, or `skipped` for a reason; `version` is the layer's it has."""

    function: str
    outcome: Literal["current", "skipped"]
    version: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RollPlan:
    """What a roll does in one region: the layer version that functions get, the waves, and who stays."""

    region: str
    layer: str
    target: ListedLayer
    waves: tuple[tuple[Move, ...], ...]
    stays: tuple[Stay, ...]

    @property
    def moves(self) -> tuple[Move, ...]:
        """Every function that is moved."""
        return tuple(move for wave in self.waves for move in wave)
