"""Problem → Partition: the cheapest split over the scenarios, named, kept stable, with its certificate and reasons."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

from optimizer.errors import ConfigError, UsageError
from optimizer.partition import clock
from optimizer.partition.contradictions import explained
from optimizer.partition.instance import InfeasibleError, Instance, cost, floor, respects
from optimizer.partition.naming import name_layers
from optimizer.partition.problem import Certificate, Partition, Stability
from optimizer.partition.reasons import alternatives, reasons
from optimizer.partition.roles import roles_of, solve_by_roles
from optimizer.partition.stability import settle
from optimizer.partition.ties import towards_earlier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from optimizer.partition.problem import Problem
    from optimizer.partition.solution import Solution

SEED = 0
TIME_LIMIT = 8.0
"""Seconds of search, unless told otherwise: a plan of 500 distributions is there within ten."""
FRONTIER_SECONDS = 1.0
"""Seconds of search for each number of layers of the frontier."""


def solve(problem: Problem, *, seed: int = SEED, time_limit: float = TIME_LIMIT) -> Partition:
    """The seam: a problem in, a partition with its certificate out.

    Without scenarios there is nothing to weigh: items go where the roots that need them are. With them:

    1. Find the cheapest assignment that keeps roots, pins, groups, `apart` and `self_contained` (`optimise`, `milp`).
    2. Of assignments that cost the same, take the one whose requirements point to the same or an earlier layer.
    3. Stay at the locks unless leaving them earns what it sends within the horizon (`stability`).

    Args:
        problem: items, constraints, scenarios.
        seed: of the search's chance; the same seed gives the same answer where time does not cut it off.
        time_limit: seconds.

    Raises:
        ConfigError: the constraints contradict each other, with the smallest set that does.
        UsageError: they ask for HiGHS, which is not installed.
    """
    if not problem.scenarios or not problem.items:
        return _without_history(problem)
    end = clock.now() + time_limit
    instance = instance_of(problem)
    solution, instance = _feasible(problem, instance, seed=seed, end=end)
    role_of = roles_of(problem)
    best = towards_earlier(problem, instance, solution.assignment)
    layers, best = name_layers(problem, best, role_of)
    instance = _reordered(problem, instance, [name for name, _ in layers])
    homes, stability = settle(problem, instance, best, layers, seed=seed, end=max(end, clock.now() + 0.5))
    names = [name for name, _ in layers]
    others = alternatives(instance, homes)
    return Partition(
        layers=layers,
        assignment={item.name: names[home] for item, home in zip(problem.items, homes, strict=True)},
        reasons=reasons(problem, names, homes, others, role_of),
        certificate=_certificate(problem, instance, homes, solution),
        stability=stability,
        alternatives={
            item.name: {names[k]: more for k, more in sorted(row.items())}
            for item, row in zip(problem.items, others, strict=True)
        },
    )


def _without_history(problem: Problem) -> Partition:
    """Locked items stay, where the locks are of the same layers and keep the constraints; others go by their roles.

    Raises:
        ConfigError: the roles' split does not keep what is self_contained.
    """
    answer = solve_by_roles(problem)
    names = [name for name, _ in answer.layers]
    held = {i.name: problem.locked[i.name] for i in problem.items if i.name in problem.locked}
    if problem.locked_layers and set(problem.locked_layers) == set(names):
        kept = {**answer.assignment, **held}
        if all(i.role in {None, kept[i.name]} for i in problem.items) and _keeps(problem, names, kept):
            told = dict.fromkeys(held, "as locked: without a release history moves can't be weighed")
            told |= {i.name: answer.reasons[i.name] for i in problem.items if i.role is not None}
            stability = Stability(decision="kept", because="there is no release history to weigh moves with")
            return replace(answer, assignment=kept, reasons={**answer.reasons, **told}, stability=stability)
    if not _keeps(problem, names, answer.assignment):
        fault = "layer: self_contained can't be kept by the roles alone: run `python -m optimizer history update`"
        raise ConfigError((fault,), where="the configuration")
    return answer


def _keeps(problem: Problem, names: Sequence[str], assignment: Mapping[str, str]) -> bool:
    """Whether the assignment keeps `apart` and `self_contained`."""
    instance = replace(instance_of(problem), nonempty=False)
    order = [*problem.roles, *(name for name in names if name not in problem.roles)]
    return respects(instance, [order.index(assignment[item.name]) for item in problem.items])


def frontier(
    problem: Problem, counts: Sequence[int], *, seed: int = SEED, time_limit: float = FRONTIER_SECONDS
) -> dict[int, Certificate]:
    """What the best split into so many layers would cost, without regard to the locks.

    With fewer layers than there are roles these can't be kept, so that roots and pins are free; `apart` and groups
    stay. Counts that can't be kept are left out.
    """
    found = {}
    for count in counts:
        smaller = replace(problem, layers=count, locked={}, locked_layers=())
        if count < len(problem.roles):
            items = tuple(replace(item, role=None, root=False) for item in problem.items)
            smaller = replace(smaller, items=items, roles=problem.roles[:count], self_contained=())
        try:
            instance = instance_of(smaller)
            solution, instance = _feasible(smaller, instance, seed=seed, end=clock.now() + time_limit)
        except ConfigError:
            continue
        found[count] = _certificate(smaller, instance, solution.assignment, solution)
    return found


def instance_of(problem: Problem) -> Instance:
    """The problem in numbers: items and layers by index, the roles first."""
    index = {item.name: i for i, item in enumerate(problem.items)}
    everywhere = frozenset(range(problem.layers))
    place = {role: k for k, role in enumerate(problem.roles)}
    return Instance(
        sizes=tuple(float(item.zipped_bytes) for item in problem.items),
        scenarios=tuple((weight, frozenset(index[name] for name in names)) for weight, names in problem.scenarios),
        layers=problem.layers,
        publish_bytes=float(problem.publish_bytes),
        allowed=tuple(frozenset({place[item.role]}) if item.role is not None else everywhere for item in problem.items),
        apart=tuple(
            sorted(
                {(index[a], index[b]) for names in problem.apart for a in names for b in names if index[a] < index[b]}
            )
        ),
        needs=tuple(
            (place[layer], index[item.name], index[other])
            for layer in problem.self_contained
            if layer in place
            for item in problem.items
            for other in item.requires
        ),
    )


def search(problem: Problem, instance: Instance, *, seed: int = SEED, time_limit: float = TIME_LIMIT) -> Solution:
    """The best assignment of the bare instance, which `problem` names the items of.

    Raises:
        ConfigError: nothing keeps the constraints.
    """
    return _feasible(problem, instance, seed=seed, end=clock.now() + time_limit)[0]


def _feasible(problem: Problem, instance: Instance, *, seed: int, end: float) -> tuple[Solution, Instance]:
    """The solution; where the items can't fill the configured layers, the same with empty ones.

    Raises:
        ConfigError: nothing keeps the constraints.
    """
    seconds = max(0.05, end - clock.now())
    try:
        return _optimise(instance, seed=seed, seconds=seconds), instance
    except InfeasibleError as error:
        may_be_empty = instance.nonempty and problem.layers <= len(problem.roles)
        if not may_be_empty:
            raise ConfigError((explained(problem, instance, error),), where="the configuration") from error
    loose = replace(instance, nonempty=False)
    try:
        return _optimise(loose, seed=seed, seconds=seconds), loose
    except InfeasibleError as error:
        raise ConfigError((explained(problem, loose, error),), where="the configuration") from error


def _optimise(instance: Instance, *, seed: int, seconds: float) -> Solution:
    if instance.needs:
        if find_spec("highspy") is None:
            raise UsageError(
                "a layer that is self_contained needs HiGHS, which is not installed",
                mend="Install layer-optimizer with the extra `exact`.",
            )
        from optimizer.partition.milp import solve_whole  # numpy and HiGHS take a while to import

        return solve_whole(instance, seed=seed, time_limit=seconds)
    from optimizer.partition.optimise import optimise

    return optimise(instance, seed=seed, time_limit=seconds)


def _reordered(problem: Problem, instance: Instance, names: Sequence[str]) -> Instance:
    """The instance with its layers numbered in attach order."""
    before = {role: k for k, role in enumerate(problem.roles)}
    place = {k: names.index(role) for role, k in before.items()}
    everywhere = frozenset(range(instance.layers))
    return replace(
        instance,
        allowed=tuple(
            everywhere if len(allowed) == instance.layers else frozenset(place[k] for k in allowed)
            for allowed in instance.allowed
        ),
        needs=tuple((place[layer], item, other) for layer, item, other in instance.needs),
    )


def _certificate(problem: Problem, instance: Instance, homes: Sequence[int], solution: Solution) -> Certificate:
    """The bound is the search's; the cost is what the answer costs, which may be more where locks are kept."""
    paid = cost(instance, homes)
    lower = min(paid, solution.lower_bound)
    best = solution.proved and paid <= solution.cost * (1 + 1e-9)
    if best:
        lower = paid
    index = {item.name: i for i, item in enumerate(problem.items)}
    weeks = tuple((1.0, frozenset(index[name] for name in names)) for names in problem.observed)
    seen = replace(instance, scenarios=weeks, publish_bytes=0.0)
    return Certificate(
        method=solution.method,
        proved=best,
        cost=paid,
        lower_bound=lower,
        gap=(paid - lower) / paid if paid else 0.0,
        republished_bytes_per_year=round(cost(seen, homes) / problem.observed_years),
        floor_bytes_per_year=round(floor(seen) / problem.observed_years),
    )
