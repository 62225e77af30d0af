"""What an optimiser hands back: an assignment with its certificate."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """Each item's layer, what that costs, and what is known of the best.

    No assignment costs less than `lower_bound`; `proved` says that none costs less than `cost`, up to rounding.
    """

    assignment: tuple[int, ...]
    cost: float
    lower_bound: float
    method: str
    proved: bool

    @property
    def gap(self) -> float:
        """How far the cost may be above the best, as a share of the cost: 0.01 is one per cent."""
        return (self.cost - self.lower_bound) / self.cost if self.cost else 0.0
