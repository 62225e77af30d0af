"""[pure] Problem to Partition with certificate."""

from optimizer.partition.problem import Certificate, Item, Partition, Problem, Stability, make_problem
from optimizer.partition.solve import FRONTIER_SECONDS, SEED, TIME_LIMIT, frontier, solve

__all__ = [
    "FRONTIER_SECONDS",
    "SEED",
    "TIME_LIMIT",
    "Certificate",
    "Item",
    "Partition",
    "Problem",
    "Stability",
    "frontier",
    "make_problem",
    "solve",
]
