"""Looking at releases: what their wheels ship, what is remembered, and what a broken line leaves."""

import sqlite3
from datetime import date

import pytest

from optimizer.config import load
from optimizer.content import Store
from optimizer.errors import NetworkError
from optimizer.models import Demand, Target
from optimizer.upgrades import Looker, compare
from tests.support import CONFIG, make_project
from tests.unit.upgrades.support import FakeIndex, make_wheel, model

SERVICES = frozenset({"s3"})


@pytest.fixture
def index():
    return FakeIndex()


@pytest.fixture
def config(tmp_path):
    make_project(tmp_path, config=CONFIG)
    return load(tmp_path / "config/layers.toml")


@pytest.fixture
def looker(index, config, tmp_path):
    said = []
    with Store(tmp_path / "cache.sqlite") as store:
        found = Looker(
            index=index,
            target=Target(runtime="python3.11", architecture="x86_64"),
            config=config,
            services=SERVICES,
            store=store,
            progress=said.append,
        )
        yield found


def changes(looker, name="pkg", installed="1.0.1", count=10):
    looked = looker.look({name: installed}, count=count).looked[name]
    assert looked.note == ""
    return compare(looked.contents, installed)


def source(version, **more):
    return {"pkg/__init__.py": f"__version__ = '{version}'\n", "pkg/core.py": "A = 1\n", **more}


def test_a_release_that_only_has_another_version_changes_nothing(looker, index):
    index.add("pkg", "1.0.0", source("1.0.0"))
    index.add("pkg", "1.0.1", source("1.0.1"))
    (one,) = changes(looker)
    assert (one.before, one.after, one.day) == ("1.0.0", "1.0.1", date(2026, 11, 2))
    assert (one.change, one.paths, one.newer) == ("nothing", (), False)


def test_metadata_is_set_aside_but_entry_points_are_not(looker, index):
    point = "[plugins]\nx = pkg:x\n"
    index.add("pkg", "1.0.0", source("1.0.0"), data=make_wheel("pkg", "1.0.0", source("1.0.0")))
    index.add("pkg", "1.0.1", {}, data=make_wheel("pkg", "1.0.1", source("1.0.1"), requires=("other>2",)))
    with_point = source("1.0.2", **{"pkg-1.0.2.dist-info/entry_points.txt": point})
    index.add("pkg", "1.0.2", {}, data=make_wheel("pkg", "1.0.2", with_point))
    first, second = changes(looker)
    assert first.change == "nothing"
    assert second.added == (".dist-info/entry_points.txt",)


def test_one_module_changed(looker, index):
    index.add("pkg", "1.0.0", source("1.0.0"))
    index.add("pkg", "1.0.1", source("1.0.1", **{"pkg/core.py": "A = 2\n"}))
    (one,) = changes(looker, installed="1.0.0")
    assert (one.change, one.modified, one.newer) == ("one-module", ("pkg/core.py",), True)


def test_files_added_and_removed(looker, index):
    index.add("pkg", "1.0.0", source("1.0.0", **{"pkg/old.py": ""}))
    index.add("pkg", "1.0.1", source("1.0.1", **{"pkg/new.py": ""}))
    (one,) = changes(looker)
    assert (one.change, one.added, one.removed, one.modified) == ("several", ("pkg/new.py",), ("pkg/old.py",), ())


def test_a_compiled_module_is_told_by_its_bytes(looker, index):
    name = "pkg/core.cpython-311-x86_64-linux-gnu.so"
    for version in ("1.0.0", "1.0.1"):
        files = source(version, **{name: b"\x7fELF" + version.encode()})
        index.add("pkg", version, files, tag="cp311-cp311-manylinux_2_17_x86_64")
    (one,) = changes(looker)
    assert (one.change, one.modified) == ("one-module", (name,))


def test_a_release_that_others_do_not_take_is_held_by_them(looker, index):
    for version in ("1.0.0", "1.0.1", "2.0.0"):
        index.add("pkg", version, source(version))
    demands = [
        Demand(by=by, name="pkg", specifier=asked) for by, asked in (("a", "<2"), ("b", ">=1"), (None, "==1.0.0"))
    ]
    looked = looker.look({"pkg": "1.0.0"}, count=10).looked["pkg"]
    assert [c.held_by for c in compare(looked.contents, "1.0.0", demands)] == [(), ("a (<2)",)]
    assert [c.held_by for c in compare(looked.contents, "2.0.0", demands)] == [(), ()]


def botocore(version, moment, s3="{}", ec2="{}"):
    return {
        "botocore/__init__.py": f"__version__ = '{version}'\n",
        "botocore/data/s3/2006-03-01/service-2.json.gz": model(s3, moment),
        "botocore/data/s3/2006-03-01/paginators-1.json": s3,
        "botocore/data/ec2/2016-11-15/service-2.json.gz": model(ec2, moment),
    }


def test_gzips_time_stamp_and_services_that_do_not_ship_change_nothing(looker, index):
    index.add("botocore", "1.44.0", botocore("1.44.0", 1))
    index.add("botocore", "1.44.1", botocore("1.44.1", 2))
    index.add("botocore", "1.44.2", botocore("1.44.2", 3, ec2='{"new": 1}'))
    assert [c.change for c in changes(looker, "botocore", "1.44.2")] == ["nothing", "nothing"]


def test_one_service_changed(looker, index):
    index.add("botocore", "1.44.0", botocore("1.44.0", 1))
    index.add("botocore", "1.44.1", botocore("1.44.1", 2, s3='{"new": 1}'))
    (one,) = changes(looker, "botocore", "1.44.1")
    assert one.change == "one-service"
    assert len(one.modified) == 2


def test_what_the_configuration_drops_does_not_count(looker, index, config):
    index.add("pkg", "1.0.0", source("1.0.0", **{"pkg/tests/a.py": "1"}))
    index.add("pkg", "1.0.1", source("1.0.1", **{"pkg/tests/a.py": "2"}))
    assert changes(looker)[0].change == "one-module"
    slim = config.slim.model_copy(update={"drop": {"pkg": ("pkg/tests/*",)}})
    looker.config = config.model_copy(update={"slim": slim})
    assert changes(looker)[0].change == "nothing"


def test_scripts_are_left_out_and_purelib_lies_where_it_is_installed(looker, index):
    index.add("pkg", "1.0.0", {"pkg/a.py": "", "pkg-1.0.0.data/scripts/run": "1"})
    index.add("pkg", "1.0.1", {"pkg-1.0.1.data/purelib/pkg/a.py": "", "pkg-1.0.1.data/scripts/run": "2"})
    assert changes(looker)[0].change == "nothing"


def test_only_the_newest_releases_that_load_on_the_target_are_looked_at(looker, index):
    for version in ("1.0.0", "1.0.1", "1.0.2"):
        index.add("pkg", version, source(version))
    index.add("pkg", "1.0.3", source("1.0.3"), yanked=True)
    index.add("pkg", "1.1.0rc1", source("1.1.0rc1"))
    index.add("pkg", "1.1.0", source("1.1.0"), tag="cp312-cp312-manylinux_2_17_x86_64")
    index.add("pkg", "1.1.1", source("1.1.1"), tag="cp311-cp311-manylinux_2_34_x86_64")
    index.add("pkg", "1.1.2", source("1.1.2"), requires_python=">=3.12")
    index.add("pkg", "0.9.9", source("0.9.9"))  # a later day, an earlier version
    found = changes(looker, installed="1.0.1", count=3)
    assert [(c.before, c.after, c.newer) for c in found] == [("1.0.0", "1.0.1", False), ("1.0.1", "1.0.2", True)]


def test_of_several_wheels_that_load_the_one_for_this_python_is_taken(looker, index):
    for tag in ("py3-none-any", "cp39-abi3-manylinux_2_17_x86_64", "cp311-cp311-manylinux_2_17_x86_64"):
        index.add("pkg", "1.0.0", source("1.0.0"), tag=tag, data=make_wheel("pkg", "1.0.0", {"pkg/x.py": tag}))
    looker.look({"pkg": "1.0.0"}, count=2)
    assert index.fetched == ["pkg-1.0.0-cp311-cp311-manylinux_2_17_x86_64.whl"]


def test_wheels_are_downloaded_once_and_again_where_more_services_ship(looker, index):
    index.add("botocore", "1.44.0", botocore("1.44.0", 1))
    index.add("botocore", "1.44.1", botocore("1.44.1", 2, ec2="[]"))
    assert changes(looker, "botocore", "1.44.1")[0].change == "nothing"
    changes(looker, "botocore", "1.44.1")
    assert len(index.fetched) == 2
    looker.services = frozenset({"s3", "ec2"})
    assert changes(looker, "botocore", "1.44.1")[0].change == "one-service"
    assert len(index.fetched) == 4


def test_a_damaged_memory_is_not_believed(looker, index, tmp_path):
    index.add("pkg", "1.0.0", source("1.0.0"))
    index.add("pkg", "1.0.1", source("1.0.1", **{"pkg/core.py": "A = 2\n"}))
    assert changes(looker)[0].change == "one-module"
    with sqlite3.connect(tmp_path / "cache.sqlite") as db:
        for key, value in db.execute("select key, value from fact").fetchall():
            db.execute("update fact set value = ? where key = ?", (value.replace("pkg/core.py", "pkg/c0re.py"), key))
    db.close()
    assert changes(looker)[0].modified == ("pkg/core.py",)
    assert len(index.fetched) == 4
    for text in ("", "[]", "null", '{"files": 3, "check": ""}'):
        with sqlite3.connect(tmp_path / "cache.sqlite") as db:
            db.execute("update fact set value = ?", (text,))
        db.close()
        assert changes(looker)[0].modified == ("pkg/core.py",)


def test_facts_are_bounded(monkeypatch, tmp_path):
    monkeypatch.setattr("optimizer.content.store.FACTS_LIMIT_BYTES", 1000)
    with Store(tmp_path / "cache.sqlite") as store:
        for n in range(40):
            store.add(streams={}, bytecode={}, payloads={}, facts={f"k{n}": "x" * 100})
        known = store.facts([f"k{n}" for n in range(40)])
    assert 0 < sum(map(len, known.values())) <= 1000


def test_a_wheel_that_is_not_what_the_index_promised_stops_with_an_error(looker, index):
    index.add("pkg", "1.0.0", source("1.0.0"))
    index.add("pkg", "1.0.1", source("1.0.1"))
    index.data["pkg/1.0.1/py3-none-any"] += b"x"
    with pytest.raises(
        NetworkError, match=r"pkg-1\.0\.1-py3-none-any\.whl is not what the package index promised"
    ) as told:
        looker.look({"pkg": "1.0.1"}, count=10)
    assert told.value.exit_status == 3
    assert "1 of 2 releases are done" in told.value.message


def test_a_network_that_fails_says_how_far_it_came_and_the_next_run_goes_on(looker, index):
    for n in range(5):
        index.add("pkg", f"1.0.{n}", source(f"1.0.{n}"))
    index.broken_after = 3
    with pytest.raises(NetworkError, match=r"the line is dead \(3 of 5 releases are done and remembered\)"):
        looker.look({"pkg": "1.0.1"}, count=10)
    index.broken_after = None
    assert len(changes(looker)) == 4
    assert sorted(index.fetched) == sorted(set(index.fetched))


def test_nothing_of_a_wheel_stays_on_disk(looker, index, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    index.add("pkg", "1.0.0", source("1.0.0"))
    index.add("pkg", "1.0.1", source("1.0.1"))
    index.data["pkg/1.0.1/py3-none-any"] += b"x"
    with pytest.raises(NetworkError):
        looker.look({"pkg": "1.0.1"}, count=10)
    assert list((tmp_path / "scratch").iterdir()) == []


def note(looker, name="pkg", installed="1.0.1"):
    return looker.look({name: installed}, count=10).looked[name].note


def test_one_release_is_nothing_to_compare(looker, index):
    index.add("pkg", "1.0.1", source("1.0.1"))
    assert note(looker) == "only one release loads on the target: nothing to compare"


def test_a_distribution_that_the_index_does_not_know(looker):
    assert note(looker) == "the package index does not know it"


def test_a_distribution_without_a_wheel_for_the_target(looker, index):
    index.add("pkg", "1.0.1", source("1.0.1"), tag="cp311-cp311-win_amd64")
    assert note(looker) == "the package index has no wheel of it that loads on the target"


def test_another_project_of_the_same_name_is_not_taken_for_it(looker, index):
    index.add("pkg", "0.0.1", {})
    index.add("pkg", "0.0.2", {})
    assert "may be another project" in note(looker)
    assert index.fetched == []


def test_a_local_build_has_the_releases_of_its_public_version(looker, index):
    index.add("pkg", "1.0.0", source("1.0.0"))
    index.add("pkg", "1.0.1", source("1.0.1"))
    assert note(looker, installed="1.0.1+cpu") == ""


def test_an_installed_version_older_than_all_that_were_looked_at_is_told(looker, index):
    for n in range(4):
        index.add("pkg", f"1.0.{n}", source(f"1.0.{n}"))
    looked = looker.look({"pkg": "1.0.0"}, count=2).looked["pkg"]
    assert "1.0.0 is older than all that were looked at" in looked.note


def test_a_wheel_that_cant_be_read_is_left_out_and_told(looker, index):
    index.add("pkg", "1.0.0", source("1.0.0"))
    index.add("pkg", "1.0.1", {}, data=b"no zip")
    index.add("pkg", "1.0.2", source("1.0.2"))
    looked = looker.look({"pkg": "1.0.1"}, count=10).looked["pkg"]
    assert looked.note.startswith("1.0.1 is left out: it is no whole zip")
    assert [c.version for c in looked.contents] == ["1.0.0", "1.0.2"]


@pytest.mark.parametrize("path", ["../evil.py", "/evil.py", "a/../../evil.py"])
def test_names_that_leave_the_folder_are_only_names(looker, index, tmp_path, path):
    index.add("pkg", "1.0.0", source("1.0.0"))
    index.add("pkg", "1.0.1", source("1.0.1", **{path: "x"}))
    assert changes(looker)[0].change == "one-module"
    assert not list(tmp_path.rglob("evil.py"))


def test_days_are_asked_for_without_a_download(looker, index):
    index.add("pkg", "1.0.0", source("1.0.0"))
    found = looker.look({}, count=10, days_of=frozenset({"pkg", "private"}))
    assert [r.day for r in found.releases["pkg"]] == [date(2026, 11, 1)]
    assert "private" not in found.releases
    assert index.fetched == []
