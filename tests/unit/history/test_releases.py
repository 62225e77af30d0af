"""What the index says → the releases that this stack could have taken."""

import itertools
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from optimizer.history.releases import Candidate, candidates, newest_first_seen, pinned, stack_releases
from tests.unit.history.support import SINCE, TARGET, TODAY, stack, wheel


def releases(files, inventory=None, *, since=SINCE, through=TODAY, name="tool"):
    """(day, version) of one distribution's releases."""
    found = stack_releases(
        files if isinstance(files, dict) else {name: files},
        inventory or stack(f"{name}==1.0"),
        since=since,
        through=through,
        today=TODAY,
    )
    return [(str(r.day), r.version) for r in found.distributions[name].releases]


def test_each_higher_version_is_a_release_on_the_day_of_its_first_wheel():
    files = (
        wheel("tool", "1.1", "2026-02-01", tag="cp311-cp311-manylinux_2_17_x86_64"),
        wheel("tool", "1.1", "2026-02-03"),
        wheel("tool", "1.0", "2026-01-01"),
    )
    assert releases(files) == [("2026-01-01", "1.0"), ("2026-02-01", "1.1")]


def test_days_are_those_of_utc():
    assert releases((wheel("tool", "1.0", "2026-01-01", hour=23), wheel("tool", "1.1", "2026-01-02", hour=0))) == [
        ("2026-01-01", "1.0"),
        ("2026-01-02", "1.1"),
    ]


@pytest.mark.parametrize(
    "left_out",
    [
        wheel("tool", "2.0", "2026-02-01", yanked=True),
        wheel("tool", "2.0a1", "2026-02-01"),
        wheel("tool", "2.0rc1", "2026-02-01"),
        wheel("tool", "2.0.dev3", "2026-02-01"),
        wheel("tool", "2.0", "2026-02-01", tag="cp312-cp312-manylinux_2_17_x86_64"),
        wheel("tool", "2.0", "2026-02-01", tag="cp311-cp311-manylinux_2_17_aarch64"),
        wheel("tool", "2.0", "2026-02-01", tag="cp311-cp311-manylinux_2_28_x86_64"),
        wheel("tool", "2.0", "2026-02-01", tag="cp311-cp311-musllinux_1_2_x86_64"),
        wheel("tool", "2.0", "2026-02-01", tag="cp311-cp311-win_amd64"),
        wheel("tool", "2.0", "2026-02-01", requires_python=">=3.12"),
        wheel("tool", "2.0", "2026-02-01", requires_python="<3.11"),
        wheel("tool", "2.0", None),
        wheel("tool", "not a version", "2026-02-01"),
    ],
    ids=lambda file: f"{file.filename} {file.requires_python or ''}{' yanked' if file.yanked else ''}",
)
def test_what_an_installer_would_not_take_for_the_target_is_no_release(left_out):
    files = (wheel("tool", "1.0", "2026-01-01"), left_out, wheel("tool", "1.1", "2026-03-01"))
    assert releases(files) == [("2026-01-01", "1.0"), ("2026-03-01", "1.1")]


@pytest.mark.parametrize("requires_python", [">=3.8", ">=3.11.4", "!=3.11.0", "nonsense", ""])
def test_what_the_targets_python_satisfies_or_nobody_can_read_shuts_nothing_out(requires_python):
    assert releases((wheel("tool", "1.0", "2026-01-01", requires_python=requires_python),)) == [("2026-01-01", "1.0")]


def test_a_maintenance_release_of_an_old_branch_is_not_the_newest():
    files = (
        wheel("tool", "1.0", "2026-01-01"),
        wheel("tool", "2.0", "2026-02-01"),
        wheel("tool", "1.0.1", "2026-03-01"),
        wheel("tool", "2.0.1", "2026-04-01"),
    )
    assert [version for _, version in releases(files)] == ["1.0", "2.0", "2.0.1"]


def test_of_several_on_one_day_the_newest_counts():
    files = tuple(wheel("tool", v, "2026-01-01", hour=h) for h, v in enumerate(["1.0", "1.1", "1.0.1"]))
    assert releases(files) == [("2026-01-01", "1.1")]


def test_the_bytes_are_those_of_the_wheel_that_an_installer_takes():
    files = (
        wheel("tool", "1.0", "2026-01-01", size=10),
        wheel("tool", "1.0", "2026-01-02", tag="cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64", size=99),
    )
    (only,) = candidates(files, TARGET)
    assert (only.day, only.wheel_bytes) == (date(2026, 1, 1), 99)


def test_where_the_stack_holds_a_prerelease_prereleases_count():
    files = (wheel("tool", "0.60b1", "2026-01-01"), wheel("tool", "0.61b0", "2026-02-01"))
    assert [v for _, v in releases(files, stack("tool==0.60b1"))] == ["0.60b1", "0.61b0"]
    found = stack_releases({"tool": files}, stack("tool==1.0"), since=SINCE, through=TODAY, today=TODAY)
    assert found.unknown == ("tool",)


def test_only_the_window_is_kept_but_earlier_versions_are_remembered():
    files = (wheel("tool", "2.0", "2020-01-01"), wheel("tool", "1.9", "2026-01-01"), wheel("tool", "2.1", "2026-02-01"))
    assert releases(files) == [("2026-02-01", "2.1")]
    assert releases(files, since=date(2026, 3, 1)) == []
    assert releases(files, through=date(2026, 1, 31)) == []


def test_one_release_or_none_in_the_window_is_known_all_the_same():
    found = stack_releases(
        {"one": (wheel("one", "1.0", "2026-01-01"),), "old": (wheel("old", "1.0", "2019-01-01"),)},
        stack("one==1.0", "old==1.0"),
        since=SINCE,
        through=TODAY,
        today=TODAY,
    )
    assert found.unknown == ()
    assert found.notes == ()
    assert {name: len(entry.releases) for name, entry in found.distributions.items()} == {"one": 1, "old": 0}


def test_uploads_dated_after_this_machines_clock_are_left_out_and_told():
    files = (wheel("tool", "1.0", "2026-01-01"), wheel("tool", "9.0", "2026-07-01"), wheel("tool", "1.1", "2026-06-30"))
    found = stack_releases({"tool": files}, stack("tool==1.0"), since=SINCE, through=TODAY, today=TODAY)
    assert [r.version for r in found.distributions["tool"].releases] == ["1.0", "1.1"]
    assert found.notes == (
        "tool 9.0 is dated 2026-07-01, but the clock of this machine says 2026-06-30: 1 release is left out",
    )


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (None, "private is not known to the package index; it gets the prior"),
        ((wheel("private", "1.0", None),), "private: the package index does not say when it was uploaded"),
        ((), "private has no wheel in the index that loads on the target; it gets the prior"),
        (
            (wheel("private", "1.0", "2026-01-01", tag="cp39-cp39-win32"),),
            "private has no wheel in the index that loads",
        ),
    ],
)
def test_of_what_nothing_is_known_there_is_no_entry_but_a_note(files, told):
    inventory = stack("private==1.0", "tool==1.0")
    found = stack_releases(
        {"private": files, "tool": (wheel("tool", "1.0", "2026-01-01"),)},
        inventory,
        since=SINCE,
        through=TODAY,
        today=TODAY,
    )
    assert found.unknown == ("private",)
    assert list(found.distributions) == ["tool"]
    assert found.notes[0].startswith(told)


@pytest.mark.parametrize(
    ("specifier", "taken"),
    [
        ("<3.0.0,>=2.1", ["1.0", "2.1", "2.9.post1"]),
        ("<=2.9", ["1.0", "2.1"]),
        ("~=2.1", ["1.0", "2.1", "2.9.post1"]),
        ("==2.1.*", ["1.0", "2.1"]),
        ("!=2.9.post1", ["1.0", "2.1", "3.0", "4.0"]),
        (">=2.1", ["1.0", "2.1", "2.9.post1", "3.0", "4.0"]),
    ],
)
def test_versions_above_another_distributions_cap_are_not_taken(specifier, taken):
    """As botocore caps python-dateutil: what lies below the cap stays, even below the lower bound of today."""
    files = {
        "dateutil": tuple(
            wheel("dateutil", version, f"202{year}-01-01")
            for year, version in enumerate(["1.0", "2.1", "2.9.post1", "3.0", "4.0"], 2)
        ),
        "core": (wheel("core", "1.0", "2026-01-02"),),
    }
    inventory = stack("dateutil==2.1", "core==1.0", demands=[("core", "dateutil", specifier)])
    assert [v for _, v in releases(files, inventory, name="dateutil", since=date(2020, 1, 1))] == taken


def test_what_a_cap_shuts_out_is_told_with_who_caps():
    files = {
        "dateutil": (wheel("dateutil", "2.9", "2019-01-01"), wheel("dateutil", "4.0", "2026-06-01")),
        "core": (wheel("core", "1.0", "2026-01-02"), wheel("core", "1.1", "2026-05-02")),
    }
    inventory = stack("dateutil==2.9", "core==1.0", demands=[("core", "dateutil", "<3,>=2.1")])
    found = stack_releases(files, inventory, since=SINCE, through=TODAY, today=TODAY)
    assert found.distributions["dateutil"].releases == ()
    assert found.notes == ("dateutil 4.0: not taken, capped by core (<3,>=2.1)",)


def test_a_cap_of_the_functions_own_requirements_counts_and_a_lock_does_not():
    files = (wheel("tool", "1.0", "2026-01-01"), wheel("tool", "2.0", "2026-02-01"))
    capped = stack("tool==1.0", demands=[(None, "tool", "<2")])
    locked = stack("tool==1.0", demands=[(None, "tool", "==1.0")])
    assert [v for _, v in releases(files, capped)] == ["1.0"]
    assert [v for _, v in releases(files, locked)] == ["1.0", "2.0"]


def test_a_cap_that_moves_with_its_distribution_binds_until_that_releases_again():
    """boto3 1.44.5 says botocore<1.45,>=1.44.5; boto3 1.45.0 says otherwise, though it is not what is installed."""
    days = {"1.43.9": "2026-05-01", "1.44.5": "2026-05-10", "1.45.0": "2026-05-20", "1.45.1": "2026-05-21"}
    files = {name: tuple(wheel(name, v, day) for v, day in days.items()) for name in ("boto3", "botocore")}
    inventory = stack("boto3==1.44.5", "botocore==1.44.5", demands=[("boto3", "botocore", "<1.45.0,>=1.44.5")])
    assert [v for _, v in releases(files, inventory, name="botocore")] == list(days)
    files["boto3"] = files["boto3"][:2]
    assert [v for _, v in releases(files, inventory, name="botocore")] == ["1.43.9", "1.44.5"]


def test_a_distribution_that_another_pins_changes_when_that_does():
    """As pydantic pins pydantic-core: to the newest of the day on which the pinning one releases."""
    files = {
        "core": tuple(
            wheel("core", f"2.{i}", day)
            for i, day in enumerate(["2026-01-01", "2026-01-10", "2026-01-20", "2026-02-01", "2026-05-01"])
        ),
        "model": tuple(
            wheel("model", f"1.{i}", day) for i, day in enumerate(["2026-01-01", "2026-02-01", "2026-03-01"])
        ),
    }
    inventory = stack("core==2.3", "model==1.2", demands=[("model", "core", "==2.3")])
    assert releases(files, inventory, name="core") == [("2026-01-01", "2.0"), ("2026-02-01", "2.3")]


def test_what_several_pin_changes_when_the_last_of_them_has_released():
    def line(*days):
        return tuple(
            Candidate(day=date.fromisoformat(day), version=Version(f"1.{i}"), wheel_bytes=1)
            for i, day in enumerate(days)
        )

    own = line("2026-01-01", "2026-02-01", "2026-03-01")
    slow, quick = line("2026-01-01", "2026-02-15"), line("2026-01-01", "2026-02-01", "2026-03-01", "2026-03-05")
    late = line("2026-04-01")
    found = pinned(own, {"slow": slow, "quick": quick, "late": late})
    assert [(str(c.day), str(c.version)) for c in found] == [("2026-01-01", "1.0"), ("2026-02-15", "1.1")]


def test_two_that_pin_each_other_come_to_an_end():
    files = {name: (wheel(name, "1.0", "2026-01-01"), wheel(name, "1.1", "2026-02-01")) for name in ("a", "b")}
    inventory = stack("a==1.1", "b==1.1", demands=[("a", "b", "==1.1"), ("b", "a", "==1.1")])
    assert releases(files, inventory, name="a") == [("2026-01-01", "1.0"), ("2026-02-01", "1.1")]


def test_a_pin_by_one_of_which_nothing_is_known_is_told_and_does_not_bind():
    files = {"core": (wheel("core", "1.0", "2026-01-01"), wheel("core", "1.1", "2026-02-01")), "private": None}
    inventory = stack("core==1.0", "private==1.0", demands=[("private", "core", "==1.0")])
    assert len(releases(files, inventory, name="core")) == 2
    found = stack_releases(files, inventory, since=SINCE, through=TODAY, today=TODAY)
    assert any("core is pinned by private, of which nothing is known" in note for note in found.notes)


VERSIONS = st.lists(
    st.builds(
        Candidate,
        day=st.dates(date(2025, 1, 1), date(2025, 2, 1)),
        version=st.builds(lambda a, b: Version(f"{a}.{b}"), st.integers(0, 3), st.integers(0, 5)),
        wheel_bytes=st.just(1),
    ),
    max_size=20,
)


@given(VERSIONS, VERSIONS)
def test_releases_rise_in_day_and_version_and_pinned_ones_fall_on_their_pinners_days(own, other):
    own, other = (tuple(sorted(found, key=lambda c: (c.day, c.version))) for found in (own, other))
    rising = newest_first_seen(own)
    pinner = newest_first_seen(other)
    for found in (rising, pinned(own, {"pinner": pinner})):
        assert all(a.day < b.day and a.version < b.version for a, b in itertools.pairwise(found))
    assert {c.day for c in pinned(own, {"pinner": pinner})} <= {c.day for c in pinner}
    assert not own or rising[-1].version == max(c.version for c in own)


@given(st.permutations([wheel("tool", f"1.{i}", f"2026-01-{i + 1:02}") for i in range(6)]))
def test_the_order_in_which_the_index_lists_files_changes_nothing(files):
    assert [str(c.version) for c in candidates(files, TARGET)] == [f"1.{i}" for i in range(6)]
