"""Scenarios: what changes together, and how often a year."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.config import PlanConfig
from optimizer.history import CADENCES, make_scenarios
from optimizer.history.scenarios import PRIOR_RELEASES_PER_YEAR, YEAR, changes
from tests.unit.history.support import a_history

THROUGH = date(2026, 6, 30)


def ago(*days):
    return sorted(str(THROUGH - timedelta(days=n)) for n in days)


def rate(scenarios, name):
    """Expected changes of that name a year."""
    return sum(weight for weight, names in scenarios.weighted if name in names)


@pytest.mark.parametrize("cadence", CADENCES)
def test_of_one_that_changes_in_every_window_the_rate_is_between_the_prior_and_every_window(cadence):
    length = CADENCES[cadence]
    history = a_history("2025-01-01", a=ago(*range(0, YEAR.days, length)))
    found = make_scenarios(history, ["a"], PlanConfig(cadence=cadence, half_life_weeks=520, prior_weeks=4))
    windows = YEAR.days // length
    assert len(found.observed) == windows
    prior = 4 * 7 / length
    raw = sum(0.5 ** (age * length / 7 / 520) for age in range(windows))
    expected = windows * (raw + PRIOR_RELEASES_PER_YEAR / windows * prior) / (raw + prior)
    assert rate(found, "a") == pytest.approx(expected)
    assert PRIOR_RELEASES_PER_YEAR < rate(found, "a") < windows


def test_what_changed_in_one_window_is_one_scenario_and_windows_are_the_cadences():
    history = a_history("2025-01-01", a=ago(0, 8), b=ago(6, 7))
    day, week, month = (
        make_scenarios(history, ["a", "b"], PlanConfig(cadence=cadence)).observed
        for cadence in ("day", "week", "month")
    )
    assert [set(names) for names in day[:9]] == [{"a"}, *[set()] * 5, {"b"}, {"b"}, {"a"}]
    assert [set(names) for names in week[:3]] == [{"a", "b"}, {"a", "b"}, set()]
    assert [set(names) for names in month[:2]] == [{"a", "b"}, set()]
    assert (len(day), len(week), len(month)) == (364, 52, 13)


def test_recent_windows_weigh_more_and_half_after_the_half_life():
    history = a_history("2025-01-01", new=ago(0), old=ago(26 * 7))
    found = make_scenarios(history, ["new", "old"], PlanConfig(half_life_weeks=26))
    weights = {next(iter(names)): weight for weight, names in found.weighted[:2]}
    assert weights["old"] == pytest.approx(weights["new"] / 2)


def test_one_that_never_released_has_the_priors_rate_shrunk_and_not_none():
    found = make_scenarios(a_history("2025-01-01", never=[]), ["never"], PlanConfig())
    assert 0 < rate(found, "never") < PRIOR_RELEASES_PER_YEAR
    assert found.unknown == ()


def test_one_of_which_nothing_is_known_is_named_and_gets_the_prior():
    found = make_scenarios(a_history("2025-01-01", a=[]), ["private", "a"], PlanConfig())
    assert found.unknown == ("private",)
    assert rate(found, "private") > 0


def test_the_prior_is_one_for_a_family_and_not_one_for_each_member():
    days = ago(0, 7, 14, 21)
    found = make_scenarios(a_history("2025-01-01", a=days, b=days), ["a", "b"], PlanConfig())
    assert found.families == (("a", "b"),)
    assert [names for _, names in found.weighted] == [frozenset("ab")] * 5
    assert rate(found, "a") == pytest.approx(rate(found, "b"))


def test_where_the_history_is_shorter_than_a_year_only_its_windows_count():
    history = a_history(str(THROUGH - timedelta(days=29)), a=ago(0, 7, 14, 21))
    settings = PlanConfig(cadence="week", half_life_weeks=520, prior_weeks=1)
    found = make_scenarios(history, ["a"], settings)
    assert len(found.observed) == 4
    assert found.since == THROUGH - timedelta(days=27)
    whole = make_scenarios(a_history("2025-01-01", a=ago(0, 7, 14, 21)), ["a"], settings)
    assert rate(found, "a") > 40
    assert 4 < rate(whole, "a") < 5


def test_a_history_of_one_day_is_one_window():
    history = a_history(str(THROUGH), a=[])
    assert len(make_scenarios(history, ["a"], PlanConfig()).observed) == 1


def test_nothing_after_the_asked_day_is_used():
    history = a_history("2025-01-01", a=ago(0, 100))
    early = make_scenarios(history, ["a"], PlanConfig(), through=THROUGH - timedelta(days=90))
    assert sum(map(len, early.observed)) == 1
    assert changes(history, ["a"], "week", through=THROUGH - timedelta(days=101)) == (frozenset(),) * 52


def test_what_the_plan_does_not_hold_is_left_out():
    found = make_scenarios(a_history("2025-01-01", a=ago(0), b=ago(0)), ["a"], PlanConfig())
    assert {name for _, names in found.weighted for name in names} == {"a"}


@given(
    st.lists(st.integers(0, 700), max_size=20),
    st.lists(st.integers(0, 700), max_size=20),
    st.sampled_from(sorted(CADENCES)),
    st.floats(1, 520),
    st.floats(1, 520),
)
def test_a_year_has_no_more_changes_than_windows_and_all_weights_are_positive(a, b, cadence, half_life, prior):
    """The weights are a blend of shares of windows and a prior: no rate is above all windows of a year."""
    settings = PlanConfig(cadence=cadence, half_life_weeks=half_life, prior_weeks=prior)
    found = make_scenarios(a_history("2024-01-01", a=ago(*set(a)), b=ago(*set(b))), ["b", "a"], settings)
    windows = YEAR.days / CADENCES[cadence]
    assert all(weight > 0 for weight, _ in found.weighted)
    for name in ("a", "b"):
        assert rate(found, name) <= max(windows, PRIOR_RELEASES_PER_YEAR) * (1 + 1e-9)
