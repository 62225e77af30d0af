"""The optimiser against the plain integer programme, on instances that are too many to try everything."""

import math
import random

import highspy
import pytest

from optimizer.partition.atoms import make_atoms
from optimizer.partition.feasible import place
from optimizer.partition.instance import InfeasibleError, Instance, respects
from optimizer.partition.optimise import optimise


def by_integer_programme(instance):
    """x_ik: item i is in layer k; z_tk: scenario t touches layer k; b_jtk: item j is published in scenario t with k."""
    highs = highspy.Highs()
    highs.silent()
    highs.setOptionValue("mip_rel_gap", 0.0)
    highs.setOptionValue("threads", 1)
    layers, items = range(instance.layers), range(len(instance.sizes))
    x = [[highs.addBinary(obj=0) for _ in layers] for _ in items]
    for i in items:
        highs.addConstr(sum(x[i]) == 1)
        for k in layers:
            if k not in instance.allowed[i]:
                highs.addConstr(x[i][k] <= 0)
    for a, b in instance.apart:
        for k in layers:
            highs.addConstr(x[a][k] + x[b][k] <= 1)
    if instance.nonempty:
        for k in layers:
            highs.addConstr(sum(x[i][k] for i in items) >= 1)
    for weight, changed in instance.scenarios:
        for k in layers:
            z = highs.addVariable(lb=0, ub=1, obj=weight * instance.publish_bytes)
            for i in changed:
                highs.addConstr(z >= x[i][k])
            for j in items:
                both = highs.addVariable(lb=0, ub=1, obj=weight * instance.sizes[j])
                highs.addConstr(both >= x[j][k] + z - 1)
    highs.run()
    if highs.getModelStatus() == highspy.HighsModelStatus.kInfeasible:
        return None
    assert highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return highs.getInfo().objective_function_value


def stack(chance):
    """Ten items or so: families, a week or two each, priors, pins, pairs kept apart."""
    n, layers = chance.randint(8, 11), chance.randint(2, 3)
    families = [sorted(chance.sample(range(n), chance.randint(1, 3))) for _ in range(n // 2)]
    scenarios = [
        (chance.choice((0.3, 0.5, 1.0)), frozenset(i for family in chance.sample(families, 2) for i in family))
        for _ in range(chance.randint(2, 5))
    ]
    scenarios += [(0.3, frozenset(family)) for family in families]
    scenarios += [(0.3, frozenset({i})) for i in range(n) if chance.random() < 0.4]
    anywhere = frozenset(range(layers))
    return Instance(
        sizes=tuple(chance.randint(1, 60) for _ in range(n)),
        scenarios=tuple(scenarios),
        layers=layers,
        publish_bytes=chance.choice((0, 0, 5, 30)),
        allowed=tuple(frozenset({chance.randrange(layers)}) if chance.random() < 0.25 else anywhere for _ in range(n)),
        apart=tuple(tuple(chance.sample(range(n), 2)) for _ in range(chance.choice((0, 0, 1, 3)))),
        nonempty=chance.random() < 0.7,
    )


@pytest.mark.parametrize("block", range(10))
def test_the_integer_programme_agrees(block):
    for seed in range(12 * block, 12 * block + 12):
        instance = stack(random.Random(seed))
        best = by_integer_programme(instance)
        if best is None:
            with pytest.raises(InfeasibleError):
                place(make_atoms(instance, merge=False))
            continue
        answer = optimise(instance, time_limit=60)
        assert respects(instance, answer.assignment)
        assert answer.proved
        assert math.isclose(answer.cost, best, rel_tol=1e-6, abs_tol=1e-6)
