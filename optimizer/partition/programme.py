"""The choice among known layers, as a linear or an integer programme in HiGHS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import highspy
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optimizer.partition.ground import Array

_SCALE = 1e4  # of the largest cost, so that HiGHS's absolute tolerances are far below what matters
_HALF = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A layer that may be chosen: its kind, a flag for each atom, and its cost."""

    kind: int
    members: Array
    cost: float


class Programme:
    """Choose columns, at most `counts[kind]` of a kind, so that each atom is in at least one.

    `dear` is a cost that no answer of interest has; it is also what leaving an atom out costs, so that there always is
    an answer. With `whole` the programme is an integer one and each atom is in exactly one column.
    """

    def __init__(
        self, atoms: int, counts: Sequence[int], dear: float, *, whole: bool = False, full: Sequence[bool]
    ) -> None:
        self.atoms, self.whole, self.columns = atoms, whole, 0
        self.scale = _SCALE / dear
        self.highs = highs = highspy.Highs()
        highs.silent()
        for option, value in (("threads", 1), ("random_seed", 0), ("mip_rel_gap", 0.0), ("mip_abs_gap", 1e-9)):
            highs.setOptionValue(option, value)
        nothing, infinite = np.array([], dtype=np.int32), highspy.kHighsInf
        for _ in range(atoms):
            highs.addRow(1.0, 1.0 if whole else infinite, 0, nothing, np.array([]))
        for count, all_ in zip(counts, full, strict=True):
            highs.addRow(float(count) if all_ and whole else -infinite, float(count), 0, nothing, np.array([]))
        for atom in range(atoms):
            highs.addCol(_SCALE, 0.0, infinite, 1, np.array([atom], dtype=np.int32), np.ones(1))

    def add(self, column: Column) -> None:
        """One more layer to choose."""
        rows = np.append(np.flatnonzero(column.members), self.atoms + column.kind).astype(np.int32)
        most = 1.0 if self.whole else highspy.kHighsInf
        self.highs.addCol(column.cost * self.scale, 0.0, most, len(rows), rows, np.ones(len(rows)))
        if self.whole:
            self.highs.changeColIntegrality(self.atoms + self.columns, highspy.HighsVarType.kInteger)
        self.columns += 1

    def solve(self) -> tuple[float, Array, Array, Array]:
        """The value, each atom's price, what a slot of each kind of layer is worth, and each column's share."""
        self.highs.run()
        answer = self.highs.getSolution()
        duals = np.array(answer.row_dual) / self.scale
        value = float(self.highs.getInfo().objective_function_value) / self.scale
        prices, slots = np.maximum(duals[: self.atoms], 0.0), -duals[self.atoms :]
        return value, prices, slots, np.array(answer.col_value)[self.atoms :]

    def choose(self, seconds: float) -> tuple[list[int], bool]:
        """The columns of the best answer found, none where each leaves an atom out, and whether it is proved."""
        self.highs.setOptionValue("time_limit", max(0.01, seconds))
        self.highs.run()
        status = self.highs.getModelStatus()
        if status == highspy.HighsModelStatus.kInfeasible:
            return [], True
        proved = status == highspy.HighsModelStatus.kOptimal
        if self.highs.getInfo().primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
            return [], proved
        values = self.highs.getSolution().col_value
        if any(value > _HALF for value in values[: self.atoms]):
            return [], proved
        return [column for column, value in enumerate(values[self.atoms :]) if value > _HALF], proved
