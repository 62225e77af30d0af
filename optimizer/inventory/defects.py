"""Collects what is wrong with one distribution while it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.models import Defect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optimizer.models import Severity


class Report:
    """Collects one distribution's defects."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.defects: list[Defect] = []

    def __call__(self, code: str, detail: str, severity: Severity) -> None:
        """Note one."""
        self.defects.append(Defect(distribution=self.name, code=code, detail=detail, severity=severity))


def some(paths: Sequence[str]) -> str:
    """The first few of many."""
    shown = ", ".join(sorted(paths)[:3])
    return shown if len(paths) <= 3 else f"{shown} and {len(paths) - 3} more"  # noqa: PLR2004
