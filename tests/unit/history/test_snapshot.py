"""The committed snapshot: it reads what it wrote, and refuses what is not whole."""

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.errors import UsageError
from optimizer.history import SNAPSHOT, History, Release, Releases, read_history, snapshot_text
from optimizer.history.snapshot import parse_history
from tests.unit.history.support import a_history

DAYS = st.dates(date(2024, 1, 1), date(2026, 1, 1))
NAMES = st.from_regex(r"[a-z0-9]+(-[a-z0-9]+)*(/data/[a-z0-9]+)?", fullmatch=True)
RELEASES = st.lists(st.builds(Release, DAYS, st.text(max_size=8), st.integers(0, 10**9)), max_size=5).map(
    lambda found: tuple(sorted(found, key=lambda r: r.day))
)
HISTORIES = st.builds(
    History,
    runtime=st.just("python3.11"),
    architecture=st.sampled_from(["x86_64", "arm64"]),
    since=st.just(date(2024, 1, 1)),
    through=st.just(date(2026, 1, 1)),
    distributions=st.dictionaries(
        NAMES, st.builds(Releases, origin=st.sampled_from(["index", "git"]), releases=RELEASES), max_size=4
    ),
)


@given(HISTORIES)
def test_what_is_written_is_what_is_read(history):
    assert parse_history(snapshot_text(history), where="x", mend="y") == history


def test_one_release_is_one_line_so_that_a_difference_can_be_read():
    before = snapshot_text(a_history(a=["2025-02-01"], b=[])).splitlines()
    after = snapshot_text(a_history(a=["2025-02-01", "2025-03-01"], b=[])).splitlines()
    assert '    "b": {"origin": "index", "releases": []}' in after
    assert [line for line in after if line not in before] == [
        '      ["2025-02-01", "1.0", 10],',
        '      ["2025-03-01", "1.1", 10]',
    ]


def test_where_there_is_none_there_is_none(tmp_path):
    assert read_history(tmp_path / SNAPSHOT) is None


def test_every_truncation_is_refused_with_the_way_out(tmp_path):
    text = snapshot_text(a_history(a=["2025-02-01"]))
    place = tmp_path / "history.json"
    for length in range(len(text.rstrip()) - 1):
        place.write_text(text[:length])
        with pytest.raises(UsageError, match="not whole JSON") as raised:
            read_history(place)
        assert "history update" in raised.value.mend


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 2}, "has schema 2; this program reads schema 1"),
        ({"since": "2027-01-01"}, "before it begins"),
        ({"since": "yesterday"}, "since"),
        ({"more": 1}, "more"),
        ({"distributions": {"a": {"origin": "hearsay", "releases": []}}}, "distributions.a.origin"),
        ({"distributions": {"a": {"origin": "git", "releases": [["2025-01-01", "1", -1]]}}}, "distributions.a"),
    ],
)
def test_another_schema_and_impossible_values_are_refused_with_their_place(tmp_path, change, message):
    place = tmp_path / "history.json"
    place.write_text(json.dumps({**json.loads(snapshot_text(a_history(a=["2025-02-01"]))), **change}))
    with pytest.raises(UsageError, match=message):
        read_history(place)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "history.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="can't be read"):
        read_history(tmp_path / "history.json")
