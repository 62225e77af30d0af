"""Which distributions release together."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from optimizer.history import co_release_families
from tests.unit.history.support import a_history

WEEKLY = [f"2025-0{month}-{day:02}" for month in (2, 3) for day in (1, 8, 15, 22)]


def test_those_that_share_half_of_their_days_are_one_family():
    history = a_history(boto3=WEEKLY, botocore=[*WEEKLY, "2025-04-01"], other=["2025-05-05"], never=[])
    assert co_release_families(history, ["other", "boto3", "botocore", "never", "unknown"]) == (
        ("boto3", "botocore"),
        ("never",),
        ("other",),
        ("unknown",),
    )


def test_one_day_in_common_is_chance():
    history = a_history(a=["2025-02-01"], b=["2025-02-01"])
    assert co_release_families(history, ["a", "b"]) == (("a",), ("b",))


def test_less_than_half_of_the_days_is_no_family():
    history = a_history(a=WEEKLY[:5], b=WEEKLY[3:])
    assert co_release_families(history, ["a", "b"]) == (("a",), ("b",))


def test_families_reach_from_one_to_the_next():
    history = a_history(a=WEEKLY[:4], b=WEEKLY[:6], c=WEEKLY)
    assert co_release_families(history, ["c", "a", "b"]) == (("a", "b", "c"),)


def test_only_days_between_the_two_named_count():
    history = a_history(a=WEEKLY, b=WEEKLY[:4])
    first, last = date(2025, 3, 1), date(2025, 3, 31)
    assert co_release_families(history, ["a", "b"], since=first, through=last) == (("a",), ("b",))
    assert co_release_families(history, ["a", "b"], through=date(2025, 2, 28)) == (("a", "b"),)


def test_without_history_each_is_alone():
    assert co_release_families(None, ["b", "a"]) == (("a",), ("b",))


DAYS = st.lists(st.sampled_from(WEEKLY), max_size=6, unique=True).map(sorted)


@given(DAYS, DAYS, DAYS, st.permutations(["a", "b", "c"]))
def test_each_name_is_in_exactly_one_family_whatever_the_order(a, b, c, names):
    history = a_history(a=a, b=b, c=c)
    families = co_release_families(history, names)
    assert sorted(name for family in families for name in family) == ["a", "b", "c"]
    assert families == co_release_families(history, ["a", "b", "c"])
    assert list(families) == sorted(families)


def test_a_part_is_of_its_distributions_family_whatever_its_days():
    history = a_history(boto3=WEEKLY, botocore=WEEKLY, other=["2025-05-05"])
    names = ["botocore", "other", "botocore/data/s3", "boto3", "botocore/data/sqs"]
    assert co_release_families(history, names) == (
        ("boto3", "botocore", "botocore/data/s3", "botocore/data/sqs"),
        ("other",),
    )
