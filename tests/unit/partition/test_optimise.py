"""Literal examples: where simpler rules fail, what infeasible means, and a stack of the real size."""

import math
import os
import random

import pytest

from optimizer.partition import baselines, clock
from optimizer.partition.columns import Generation
from optimizer.partition.instance import InfeasibleError, Instance, cost, floor, respects
from optimizer.partition.local_search import search
from optimizer.partition.optimise import optimise


def independent(sizes, rates, layers, **others):
    """Each item changes alone, with its own rate."""
    others = {"publish_bytes": 0, "allowed": (frozenset(range(layers)),) * len(sizes), **others}
    scenarios = tuple((rate, frozenset({item})) for item, rate in enumerate(rates))
    return Instance(sizes=tuple(sizes), scenarios=scenarios, layers=layers, **others)


def stack(items, layers, seed):
    """Items of families that release together, 26 weeks."""
    chance = random.Random(seed)
    sizes = tuple(int(math.exp(chance.uniform(9, 16))) for _ in range(items))
    rates = [chance.choice((0.7, 0.25, 0.1, 0.03)) for _ in range(items)]
    weeks = (frozenset(i for i in range(items) if chance.random() < rates[i]) for _ in range(26))
    prior = tuple((0.2, frozenset({i})) for i in range(items))
    return Instance(
        sizes=sizes,
        scenarios=(*((1.0, week) for week in weeks), *prior),
        layers=layers,
        publish_bytes=1000,
        allowed=(frozenset(range(layers)),) * items,
    )


def test_cutting_by_rate_per_byte_is_not_the_best_there_is():
    sizes = (2, 3, 2, 3, 2)
    ratios = (1, 1.01, 1.02, 1.03, 1.04)
    instance = independent(sizes, [s * q for s, q in zip(sizes, ratios, strict=True)], 2)
    assert round(cost(instance, baselines.cut_by_rate_per_byte(instance)), 2) == 75.34
    answer = optimise(instance)
    assert round(answer.cost, 2) == 73.44
    assert answer.proved


def test_cutting_by_rate_alone_is_worse_still():
    instance = independent((10, 0.1, 10, 0.1), (0.5, 0.4, 0.1, 0.6), 2)
    assert round(cost(instance, baselines.cut_by_rate(instance)), 2) == 16.16
    assert round(optimise(instance).cost, 1) == 12.2


def test_equal_pairs_of_layers_are_numbered_by_their_first_item():
    answer = optimise(independent((5, 5, 5), (1, 1, 1), 3))
    assert answer.assignment == (0, 1, 2)
    assert answer.cost == answer.lower_bound == floor(independent((5, 5, 5), (1, 1, 1), 3)) == 15
    assert answer.gap == 0


def test_items_that_cannot_be_kept_apart_are_named_and_no_others():
    apart = ((0, 1), (1, 2), (0, 2), (3, 4))
    with pytest.raises(InfeasibleError, match="kept apart") as caught:
        optimise(independent((1,) * 5, (1,) * 5, 2, apart=apart))
    assert caught.value.items == (0, 1, 2)


def test_an_item_without_a_layer_is_named():
    with pytest.raises(InfeasibleError) as caught:
        optimise(independent((1, 1), (1, 1), 1, allowed=(frozenset({0}), frozenset())))
    assert caught.value.items == (1,)


def test_too_few_items_for_the_layers_is_refused():
    with pytest.raises(InfeasibleError, match="fill"):
        optimise(independent((1, 1), (1, 1), 3))


def test_nothing_ever_changes():
    instance = independent((1, 2, 3), (0, 0, 0), 2)
    answer = optimise(instance)
    assert (answer.cost, answer.lower_bound, answer.gap, answer.proved) == (0, 0, 0, True)
    assert respects(instance, answer.assignment)


@pytest.mark.parametrize("layers", [3, 5])
def test_a_stack_of_twenty_is_proved_twice_the_same_and_below_every_baseline(layers):
    instance = stack(20, layers, seed=3)
    answer = optimise(instance, time_limit=60)
    assert answer.proved
    assert answer == optimise(instance, time_limit=60)
    assert floor(instance) <= answer.lower_bound <= answer.cost == cost(instance, answer.assignment)
    origin = baselines.by_origin(instance, ["ab"[i % 2] for i in range(20)])
    rules = (
        baselines.one_layer,
        baselines.popularity,
        baselines.frequency_bins,
        baselines.pairwise,
        baselines.cut_by_rate,
        baselines.cut_by_rate_per_byte,
    )
    for home in (origin, *(rule(instance) for rule in rules)):
        assert len(set(home)) <= layers
        assert answer.cost <= cost(instance, home)


def test_an_interrupt_leaves_what_was_found(monkeypatch):
    def interrupted(generation):
        clock.stop()
        return run(generation)

    run = Generation.run
    monkeypatch.setattr(Generation, "run", interrupted)
    instance = stack(20, 3, seed=3)
    with clock.running():
        answer = optimise(instance)
    assert not answer.proved
    assert respects(instance, answer.assignment)
    assert 0 < answer.lower_bound < answer.cost
    assert 0 < answer.gap < 1


def test_an_interrupt_of_the_local_search_ends_the_whole_search(monkeypatch):
    def interrupted(*arguments, **options):
        clock.stop()
        return search(*arguments, **options)

    monkeypatch.setattr("optimizer.partition.optimise.search", interrupted)
    instance = stack(20, 3, seed=3)
    with clock.running():
        answer = optimise(instance)
    assert answer.method == "local search"
    assert respects(instance, answer.assignment)
    assert floor(instance) <= answer.lower_bound < answer.cost


def test_an_interrupt_after_the_first_bound_keeps_it(monkeypatch):
    def interrupted(generation, relaxed):
        clock.stop()
        return finish(generation, relaxed)

    finish = Generation._finish
    monkeypatch.setattr(Generation, "_finish", interrupted)
    monkeypatch.setattr("optimizer.partition.columns.ROUNDING", -1.0)  # never near enough to be done
    instance = stack(20, 3, seed=3)
    with clock.running():
        answer = optimise(instance)
    assert answer.lower_bound > 0.9 * answer.cost


def test_layers_of_a_start_are_numbered_as_the_pins_say():
    pins = {0: 2, 1: 0, 2: 1}
    allowed = tuple(frozenset({pins[i]}) if i in pins else frozenset(range(3)) for i in range(6))
    instance = independent((9, 5, 1, 9, 5, 1), (0.1, 1, 9, 0.1, 1, 9), 3, allowed=allowed)
    assert optimise(instance, time_limit=0).assignment[:3] == (2, 0, 1)
    assert optimise(instance).assignment == (2, 0, 1, 2, 0, 1)


def test_the_number_of_threads_is_put_back(monkeypatch):
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    optimise(stack(20, 3, seed=3), time_limit=1)
    assert "OPENBLAS_NUM_THREADS" not in os.environ
