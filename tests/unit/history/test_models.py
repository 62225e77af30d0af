"""A model changes in a week whose newest release has other content than the week's before."""

from datetime import date

from optimizer.history import Release
from optimizer.history.models import Model, model_changes, newest_of_each_week


def release(day, version="1"):
    return Release(date.fromisoformat(day), version, 99)


def test_weeks_are_the_calendars_whatever_the_snapshot_begins_with():
    days = ["2026-12-28", "2027-01-01", "2027-01-03", "2027-01-04", "2027-01-20"]  # Mon, Fri, Sun | Mon | Wed
    releases = [release(day, str(i)) for i, day in enumerate(days)]
    found = newest_of_each_week(reversed(releases))
    assert [str(r.day) for r in found] == ["2027-01-03", "2027-01-04", "2027-01-20"]
    assert newest_of_each_week(releases[2:]) == found
    assert newest_of_each_week([]) == ()


def test_a_row_for_each_week_that_differs_from_the_one_before():
    contents = ["a", "a", "b", "b", "a", "", "a"]
    weeks = [
        (release(f"2026-01-{5 + i:02}", f"1.{i}"), Model(digest=content, wheel_bytes=10 + i))
        for i, content in enumerate(contents)
    ]
    assert [(r.version, r.wheel_bytes) for r in model_changes(weeks)] == [
        ("1.2", 12),
        ("1.4", 14),
        ("1.5", 15),
        ("1.6", 16),
    ]
    assert model_changes(weeks[:1]) == model_changes([]) == ()
