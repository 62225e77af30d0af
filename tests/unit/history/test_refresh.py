"""What is newly known joins the committed snapshot."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from optimizer.history.refresh import first_day, join_git, join_index
from tests.unit.history.support import TARGET, a_history

THROUGH = date(2026, 6, 30)
SINCE = date(2025, 1, 1)


def index(old, names="ab", **options):
    found = a_history(a=["2025-02-01"], b=["2025-03-01"]).distributions
    return join_index(
        {name: found[name] for name in found if name in names},
        old,
        names,
        TARGET,
        since=SINCE,
        through=THROUGH,
        **options,
    )


def git(old, names="ab", began=date(2024, 1, 1), through=THROUGH):
    found = a_history(origin="git", a=["2025-02-01", "2025-05-01"]).distributions
    return join_git(found, old, names, TARGET, since=SINCE, through=through, began=began)


def origins(refreshed):
    return {name: entry.origin for name, entry in refreshed.history.distributions.items()}


@given(st.dates(date(2020, 3, 1), date(2040, 1, 1)))
def test_by_default_a_snapshot_holds_two_years_and_begins_with_a_month(through):
    first = first_day(through)
    assert first.day == 1
    assert timedelta(days=2 * 364) < through - first < timedelta(days=2 * 364 + 70)
    assert first == first_day(through.replace(day=1))


def test_the_index_replaces_its_own_entries_and_keeps_those_of_a_lock_file():
    old = a_history(origin="git", a=["2025-06-01"])
    joined = index(old)
    assert origins(joined) == {"a": "git", "b": "index"}
    assert str(joined.history.distributions["a"].releases[0].day) == "2025-06-01"
    assert "kept from the commits of a lock file, as of 2026-06-30: a" in joined.notes[0]
    assert str(index(a_history(a=["2025-06-01"])).history.distributions["a"].releases[0].day) == "2025-02-01"


def test_replace_takes_the_indexs_entries_all_the_same():
    joined = index(a_history(origin="git", a=["2025-06-01"]), replace=True)
    assert origins(joined) == {"a": "index", "b": "index"}
    assert joined.notes == ()


def test_what_the_plan_no_longer_holds_is_dropped_and_what_nothing_is_known_of_is_named():
    joined = index(a_history(origin="git", gone=["2025-06-01"]), names="bc")
    assert origins(joined) == {"b": "index"}
    assert joined.unknown == ("c",)


def test_a_lock_files_entries_replace_the_indexs_and_take_their_bytes():
    joined = git(a_history("2024-06-01", a=["2025-02-01"], b=["2025-03-01"]))
    assert origins(joined) == {"a": "git", "b": "index"}
    assert [r.wheel_bytes for r in joined.history.distributions["a"].releases] == [10, 0]
    assert joined.notes == ("kept from the package index: b",)


def test_a_snapshot_says_no_more_than_all_that_is_in_it_reaches():
    joined = git(a_history("2025-02-15", "2026-05-31", a=[], b=["2025-03-01"]), began=date(2025, 2, 10))
    assert (str(joined.history.since), str(joined.history.through)) == ("2025-02-15", "2026-05-31")
    assert [str(r.day) for r in joined.history.distributions["a"].releases] == ["2025-05-01"]
    assert any("reach to 2026-05-31" in note for note in joined.notes)
    assert any("begin on 2025-02-10" in note for note in joined.notes)


def test_without_an_old_snapshot_the_window_is_the_lock_files():
    joined = git(None, began=date(2025, 3, 1))
    assert (str(joined.history.since), str(joined.history.through)) == ("2025-03-01", "2026-06-30")
    assert joined.unknown == ("b",)
