"""A replay judges splits on weeks that they were not fitted to, by bytes that anybody can add up."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from benchmarks.replay_stacks import STACKS, play
from optimizer.config import PlanConfig
from optimizer.errors import UsageError
from optimizer.history import History, Release, Releases
from optimizer.replay import replay
from tests.unit.partition.support import item, problem

BEGIN = date(2025, 1, 1)
END = date(2026, 6, 30)
SETTINGS = PlanConfig(publish_bytes=0)
ITEMS = (
    item("boto", 20, role="aws"),
    item("core", 150, requires=()),
    item("api", 40, role="web"),
    item("big", 900),
    item("cold", 60),
)


def history(**every):
    """Each distribution releases once in so many days."""
    days = (END - BEGIN).days + 1
    return History(
        runtime="python3.11",
        architecture="x86_64",
        since=BEGIN,
        through=END,
        distributions={
            name: Releases(
                origin="index",
                releases=tuple(
                    Release(BEGIN + timedelta(days=day), str(day)) for day in range(days) if pace and day % pace == 0
                ),
            )
            for name, pace in every.items()
        },
    )


HISTORY = history(boto=7, core=7, api=21, big=90, cold=0)


def played(**others):
    given = {"windows": 26, **others}
    return replay(problem(*ITEMS), given.pop("history", HISTORY), given.pop("settings", SETTINGS), **given)


def test_the_fit_ends_the_day_before_the_test_begins():
    found = played()
    assert found.test == (END - timedelta(days=26 * 7 - 1), END)
    assert found.fit[1] == found.test[0] - timedelta(days=1)
    assert found.ends[-1] == END
    assert len(found.ends) == 26


def test_what_happens_in_the_test_changes_no_split_but_the_clairvoyants():
    spoiled = dict(HISTORY.distributions)
    later = tuple(Release(END - timedelta(days=d), f"x{d}") for d in range(0, 180, 3))
    spoiled["cold"] = Releases(origin="index", releases=later[::-1])
    other = History(runtime="python3.11", architecture="x86_64", since=BEGIN, through=END, distributions=spoiled)
    before, after = played(), played(history=other)
    for row in before.rows:
        if row.name not in {"clairvoyant", "one-layer", "one-zip"}:
            assert after.row(row.name).layers == row.layers
    assert after.row("optimizer").republished_bytes > before.row("optimizer").republished_bytes


def test_bytes_are_those_of_the_layers_that_a_week_touches():
    found = played()
    total = sum(i.zipped_bytes for i in ITEMS)
    touched = sum(1 for size in found.row("one-layer").windows if size)
    assert found.row("one-layer").republished_bytes == total * touched
    assert found.row("one-layer").publishes == touched == 26
    assert found.row("one-zip").republished_bytes == total * touched
    fat = played(untrimmed={"core": 1150}, code_bytes=7)
    assert fat.row("one-zip").republished_bytes == (total + 1000 + 7) * touched
    assert fat.row("one-layer").republished_bytes == total * touched
    assert fat.row("three-way-untrimmed").republished_bytes > fat.row("three-way").republished_bytes


def test_floor_collateral_and_regret_add_up():
    found = played()
    weekly = 26 * (20 + 150)
    assert found.floor_bytes >= weekly
    best = found.row("clairvoyant").republished_bytes
    for row in found.rows:
        assert row.republished_bytes == sum(row.windows)
        assert row.collateral_bytes == row.republished_bytes - found.floor_bytes >= 0
        assert row.regret == pytest.approx(row.republished_bytes / best - 1)
        assert row.republished_interval[0] <= row.republished_bytes <= row.republished_interval[1]
    assert all(row.republished_bytes >= best for row in found.rows)


def test_where_releases_go_on_as_they_were_nothing_beats_the_optimizer():
    for layers in (3, 4, 5):
        found = replay(problem(*ITEMS, layers=layers), HISTORY, SETTINGS, windows=26)
        mine = found.row("optimizer").republished_bytes
        others = [row for row in found.rows if row.name not in {"optimizer", "clairvoyant"}]
        assert len(others) >= 9
        assert all(mine <= row.republished_bytes for row in others)


def test_the_plan_keeps_its_roots_and_costs_no_less_for_it():
    found = played()
    assert found.row("as-configured").layers == 3
    assert found.row("clairvoyant").republished_bytes <= found.row("as-configured").republished_bytes


def test_a_history_that_is_too_short_is_refused_with_the_way_out():
    with pytest.raises(UsageError, match="begins on 2025-01-01") as caught:
        played(windows=78)
    assert "--since" in caught.value.mend
    with pytest.raises(UsageError, match="ends on 2026-06-30"):
        played(until=date(2027, 1, 1))


def test_where_nothing_is_ever_released_nothing_is_sent():
    found = played(history=history(boto=0, core=0, api=0, big=0, cold=0))
    assert found.floor_bytes == 0
    assert all(row.republished_bytes == 0 and row.regret == 0 for row in found.rows)


@pytest.mark.parametrize("place", sorted(p for p in STACKS.iterdir() if p.is_dir()), ids=lambda p: p.name)
def test_committed_stacks_can_be_replayed_without_a_network(place: Path):
    found = play(place, 3, windows=26, until=date(2026, 11, 24), time_limit=1)
    assert 0 < found.floor_bytes <= min(row.republished_bytes for row in found.rows)
    share = 0.85 if place.name == "operations" else 0.75  # nearly all of which is botocore
    assert found.row("optimizer").republished_bytes < share * found.row("three-way").republished_bytes
    assert found.row("optimizer").republished_bytes < found.row("one-layer").republished_bytes
