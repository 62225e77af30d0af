"""[pure] Problem to Partition with certificate."""

from optimizer.partition.problem import Certificate, Item, Partition, Problem, make_problem
from optimizer.partition.roles import solve_by_roles

__all__ = ["Certificate", "Item", "Partition", "Problem", "make_problem", "solve"]


def solve(problem: Problem) -> Partition:
    """The seam: a problem in, a partition with its certificate out.

    Raises:
        ConfigError: the constraints contradict each other.
    """
    return solve_by_roles(problem)
