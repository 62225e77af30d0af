"""What a verification finds, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Check = Literal[
    "artifact", "size", "record", "collision", "elf-machine", "glibc", "library", "handler", "request", "import",
    "metadata", "entry-points",
]  # fmt: skip
RUNNING: frozenset[Check] = frozenset({"handler", "request", "import", "metadata", "entry-points"})
"""Checks that run something; the others look at files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is wrong: `check` says how it was found, `subject` where."""

    check: Check
    subject: str
    expected: str
    actual: str

    @property
    def key(self) -> tuple[Check, str]:
        """What makes it the same finding in two builds."""
        return self.check, self.subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How one function started: milliseconds to its first question for an event, and the answer's status if asked."""

    function: str
    init_ms: float
    status: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What bytecode is worth to one function: medians of `runs` starts in milliseconds, and bytes of all its zips."""

    function: str
    runs: int
    init_ms: float
    init_ms_without: float
    unzipped_bytes: int
    unzipped_bytes_without: int
    zipped_bytes: int
    zipped_bytes_without: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All of it. `modules_imported` counts the modules that were asked for by name and could be imported.

    `notes` tell what was not checked, and what is odd but not wrong.
    """

    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    starts: tuple[Start, ...] = ()
    modules_imported: int = 0
    measured: tuple[Measured, ...] = ()

    @property
    def init_ms(self) -> float:
        """The slowest function's start; 0 where none ran."""
        return max((start.init_ms for start in self.starts), default=0.0)


def joined(reports: Iterable[Report]) -> Report:
    """Several functions' reports as one, where what all of them say stands once."""
    parts = list(reports)
    return Report(
        findings=tuple(dict.fromkeys(finding for part in parts for finding in part.findings)),
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
        starts=tuple(start for part in parts for start in part.starts),
        modules_imported=max((part.modules_imported for part in parts), default=0),
        measured=tuple(one for part in parts for one in part.measured),
    )
