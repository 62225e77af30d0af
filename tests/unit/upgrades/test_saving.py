"""Comparisons become shares and bytes; what releases together is added up once."""

from datetime import date, timedelta

import pytest

from optimizer.history import History, Release, Releases
from optimizer.models import Target
from optimizer.upgrades import Comparison, Wanted, advise, known_history

TARGET = Target(runtime="python3.11", architecture="x86_64")
TODAY = date(2026, 11, 24)


def comparison(day, *, quiet, newer=False):
    return Comparison(
        before="1",
        after="2",
        day=date(2026, 11, day),
        newer=newer,
        change="nothing" if quiet else "one-module",
        added=(),
        removed=(),
        modified=() if quiet else ("a.py",),
    )


def wanted(name, quiet_by_day, layer="aws"):
    comparisons = tuple(comparison(day, quiet=quiet) for day, quiet in quiet_by_day.items())
    return Wanted(name=name, installed="1", layer=layer, layer_bytes=1000, comparisons=comparisons)


def history(**days):
    return known_history(
        None,
        {name: [(date(2026, 11, d), str(d)) for d in each] for name, each in days.items()},
        target=TARGET,
        today=TODAY,
    )


def test_saved_is_releases_times_share_times_bytes():
    advice = advise([wanted("a", {1: True, 2: False, 3: False, 4: True})], history(a=[1, 2, 3, 4, 5, 6]), {"a": "aws"})
    (one,) = advice.distributions
    assert (one.share, one.per_year, one.saved_bytes) == (0.5, 6, 3000)
    assert advice.saved_bytes == 3000
    assert advice.families == ()


def test_a_family_saves_only_on_days_when_none_of_it_changed():
    known = history(a=[1, 2, 3, 4], b=[1, 2, 3, 4])
    both = [wanted("a", {1: True, 2: True, 3: True, 4: False}), wanted("b", {1: False, 2: True, 3: False, 4: True})]
    advice = advise(both, known, {"a": "aws", "b": "aws"})
    (family,) = advice.families
    assert (family.members, family.days, family.quiet, family.per_year) == (("a", "b"), 4, 1, 4)
    assert advice.saved_bytes == family.saved_bytes == 1000
    assert [one.saved_bytes for one in advice.distributions] == [3000, 2000]


def test_days_before_a_members_first_comparison_are_left_out_of_the_family():
    known = history(a=[1, 2, 3, 4], b=[1, 2, 3, 4])
    both = [wanted("a", {1: True, 2: True, 3: True, 4: True}), wanted("b", {3: True, 4: False})]
    (family,) = advise(both, known, {"a": "aws", "b": "aws"}).families
    assert (family.days, family.quiet) == (2, 1)


def test_with_a_member_that_was_not_looked_at_nothing_is_saved():
    known = history(a=[1, 2, 3], b=[1, 2, 3])
    advice = advise([wanted("a", {1: True, 2: True})], known, {"a": "aws", "b": "aws"})
    assert advice.families[0].unknown == ("b",)
    assert advice.saved_bytes == 0
    empty = Wanted(name="b", installed="1", layer="aws", layer_bytes=1000)
    assert advise([wanted("a", {1: True}), empty], known, {"a": "aws", "b": "aws"}).saved_bytes == 0


def test_a_family_in_two_layers_is_none():
    known = history(a=[1, 2, 3], b=[1, 2, 3])
    advice = advise([wanted("a", {1: True, 2: True})], known, {"a": "aws", "b": "other"})
    assert advice.families == ()
    assert advice.saved_bytes == 3000


def test_without_comparisons_or_known_releases_there_is_no_share_and_no_rate():
    advice = advise(
        [Wanted(name="a", installed="1", layer="aws", layer_bytes=9, note="private")], history(), {"a": "aws"}
    )
    (one,) = advice.distributions
    assert (one.share, one.per_year, one.saved_bytes) == (None, None, 0)
    assert advise([], history(), {}).saved_bytes == 0


def snapshot(days, *, since, name="a"):
    releases = tuple(Release(day, "1") for day in days)
    return History(
        runtime="python3.11",
        architecture="x86_64",
        since=since,
        through=TODAY,
        distributions={name: Releases(origin="index", releases=releases)},
    )


def test_the_snapshot_wins_over_the_index_and_is_scaled_to_a_year():
    half = snapshot([TODAY, TODAY - timedelta(days=3)], since=TODAY - timedelta(days=181))
    known = known_history(half, {"a": [(TODAY, "1")], "b": [(TODAY, "1")]}, target=TARGET, today=TODAY)
    advice = advise([wanted("a", {1: True}), wanted("b", {1: True}, "web")], known, {"a": "aws", "b": "web"})
    assert [one.per_year for one in advice.distributions] == [pytest.approx(4), pytest.approx(2)]


def test_a_snapshot_of_days_says_nothing_of_a_year():
    short = snapshot([TODAY], since=TODAY - timedelta(days=2))
    known = known_history(short, {"a": [(TODAY, "1")]}, target=TARGET, today=TODAY)
    assert (known.through - known.since).days == 363


def test_only_the_last_year_counts():
    days = [(TODAY - timedelta(days=d), str(d)) for d in (0, 363, 364, 800)]
    known = known_history(None, {"a": days}, target=TARGET, today=TODAY)
    assert advise([wanted("a", {1: True})], known, {"a": "aws"}).distributions[0].per_year == 2


def test_the_order_of_what_was_looked_at_does_not_matter():
    known = history(a=[1, 2], b=[3], c=[5])
    each = [wanted("a", {1: True}), wanted("b", {3: True}), wanted("c", {5: False})]
    layers = dict.fromkeys("abc", "aws")
    assert advise(each, known, layers) == advise(each[::-1], known, layers)
