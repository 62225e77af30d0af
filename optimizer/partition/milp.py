"""The whole instance as one integer programme in HiGHS: slower than `optimise`, and takes every constraint.

x[i,k] says that item i is in layer k, z[t,k] that scenario t touches it, and b[j,t,k] >= x[j,k] + z[t,k] - 1 that t
publishes j's bytes with k. For an item that changes in t itself b is x, so these need no variable of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import highspy
import numpy as np

from optimizer.errors import UsageError
from optimizer.partition.instance import InfeasibleError, Instance, cost, floor
from optimizer.partition.solution import Solution

if TYPE_CHECKING:
    from collections.abc import Sequence

_SAME = 1e-7  # of the cost: HiGHS's own tolerance for whole numbers is no finer
_SCALE = 1e4


def solve_whole(
    instance: Instance, *, seed: int = 0, time_limit: float = 10.0, start: Sequence[int] | None = None
) -> Solution:
    """The best assignment found in `time_limit` seconds and HiGHS's lower bound.

    Raises:
        InfeasibleError: nothing keeps the constraints.
        UsageError: nothing was found in the time.
    """
    programme = _Programme(instance, seed)
    if start is not None:
        programme.begin(start)
    assignment, bound = programme.run(time_limit)
    if assignment is None and not programme.infeasible:
        raise UsageError(
            f"no split that keeps all constraints was found in {time_limit:g} s", mend="Give more with --time-limit."
        )
    if assignment is None:
        raise InfeasibleError("no assignment keeps all constraints", items=tuple(range(len(instance.sizes))))
    paid = cost(instance, assignment)
    proved = paid - bound <= _SAME * max(paid, 1e-300)
    lower = paid if proved else min(paid, max(bound, floor(instance)))
    return Solution(assignment=assignment, cost=paid, lower_bound=lower, method="integer programme", proved=proved)


class _Programme:
    def __init__(self, instance: Instance, seed: int) -> None:
        self.instance, self.infeasible = instance, False
        merged: dict[frozenset[int], float] = {}
        for weight, changed in instance.scenarios:
            if weight > 0 and changed:
                merged[changed] = merged.get(changed, 0.0) + weight
        self.scenarios = sorted(merged.items(), key=lambda pair: sorted(pair[0]))
        total = sum(merged.values()) * (sum(instance.sizes) + instance.publish_bytes * instance.layers)
        self.scale = _SCALE / total if total else 1.0
        self.highs = highs = highspy.Highs()
        highs.silent()
        options: tuple[tuple[str, float | str], ...] = (
            ("threads", 1),
            ("random_seed", seed),
            ("mip_rel_gap", 0.0),
            ("mip_abs_gap", 0.0),
            ("presolve", "off"),  # that of HiGHS 1.14 cuts off best answers, and then proves another
        )
        for option, value in options:
            highs.setOptionValue(option, value)
        self._variables()
        self._rows()

    def x(self, item: int, layer: int) -> int:
        """The column that says that the item is in the layer."""
        return item * self.instance.layers + layer

    def z(self, scenario: int, layer: int) -> int:
        """The column that says that the scenario touches the layer."""
        return (len(self.instance.sizes) + scenario) * self.instance.layers + layer

    def _variables(self) -> None:
        instance, layers = self.instance, range(self.instance.layers)
        for item, size in enumerate(instance.sizes):
            own = sum(weight for changed, weight in self.scenarios if item in changed)
            for layer in layers:
                most = 1.0 if layer in instance.allowed[item] else 0.0
                self.highs.addCol(size * own * self.scale, 0.0, most, 0, _NO_ROWS, _NO_VALUES)
        for _, weight in self.scenarios:
            for _ in layers:
                self.highs.addCol(instance.publish_bytes * weight * self.scale, 0.0, 1.0, 0, _NO_ROWS, _NO_VALUES)
        for column in range(len(instance.sizes) * instance.layers):
            self.highs.changeColIntegrality(column, highspy.HighsVarType.kInteger)

    def _rows(self) -> None:
        instance = self.instance
        items, layers = range(len(instance.sizes)), range(instance.layers)
        for item in items:
            self._row(1.0, 1.0, [(self.x(item, layer), 1.0) for layer in layers])
        for layer in layers:
            if instance.nonempty:
                self._row(1.0, np.inf, [(self.x(item, layer), 1.0) for item in items])
            for a, b in instance.apart:
                self._row(-np.inf, 1.0, [(self.x(a, layer), 1.0), (self.x(b, layer), 1.0)])
        for layer, item, other in instance.needs:
            self._row(-np.inf, 0.0, [(self.x(item, layer), 1.0), (self.x(other, layer), -1.0)])
        for t, (changed, weight) in enumerate(self.scenarios):
            for layer in layers:
                for item in sorted(changed):
                    self._row(-np.inf, 0.0, [(self.x(item, layer), 1.0), (self.z(t, layer), -1.0)])
                for item in items:
                    if item not in changed and instance.sizes[item]:
                        column = self.highs.getNumCol()
                        self.highs.addCol(instance.sizes[item] * weight * self.scale, 0.0, 1.0, 0, _NO_ROWS, _NO_VALUES)
                        self._row(-np.inf, 1.0, [(self.x(item, layer), 1.0), (self.z(t, layer), 1.0), (column, -1.0)])

    def _row(self, low: float, high: float, terms: Sequence[tuple[int, float]]) -> None:
        infinite = highspy.kHighsInf
        self.highs.addRow(
            -infinite if low == -np.inf else low,
            infinite if high == np.inf else high,
            len(terms),
            np.array([column for column, _ in terms], dtype=np.int32),
            np.array([value for _, value in terms]),
        )

    def begin(self, start: Sequence[int]) -> None:
        """Begin at this assignment."""
        columns = [self.x(item, layer) for item in range(len(start)) for layer in range(self.instance.layers)]
        values = [float(place == layer) for place in start for layer in range(self.instance.layers)]
        self.highs.setSolution(len(columns), np.array(columns, dtype=np.int32), np.array(values))

    def run(self, seconds: float) -> tuple[tuple[int, ...] | None, float]:
        """The assignment found, if there is one, and the bound."""
        self.highs.setOptionValue("time_limit", max(0.01, seconds))
        self.highs.run()
        self.infeasible = self.highs.getModelStatus() == highspy.HighsModelStatus.kInfeasible
        info = self.highs.getInfo()
        if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
            return None, 0.0
        values = np.array(self.highs.getSolution().col_value)[: len(self.instance.sizes) * self.instance.layers]
        homes = values.reshape(len(self.instance.sizes), self.instance.layers).argmax(axis=1)
        return tuple(int(home) for home in homes), max(0.0, info.mip_dual_bound / self.scale)


_NO_ROWS, _NO_VALUES = np.array([], dtype=np.int32), np.array([])
