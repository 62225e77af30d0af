"""`history update` and `history show` as a person or a script runs them, with an index on this machine."""

import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from tests.support import CONFIG, lay_out, run_optimizer
from tests.unit.history.support import a_history, botocore_wheel, http_index

NOW = datetime.now(UTC)


def uploads(name, *ages):
    return [
        (f"{name}-1.{i}-py3-none-any.whl", (NOW - timedelta(days=age)).isoformat().replace("+00:00", "Z"), 1000 + i)
        for i, age in enumerate(ages)
    ]


INDEX = {"aws": uploads("aws", 900, 200, 10), "shared": uploads("shared", 200, 10), "web": uploads("web", 300)}


@pytest.fixture
def project(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config/layers.toml").write_text(CONFIG)
    (tmp_path / "requirements.txt").write_text("aws\nweb\nprivate\n")
    (tmp_path / "src").mkdir()
    (tmp_path / "src/handler.py").write_text("")
    lay_out(tmp_path / "site", "aws", "1.2", requires=("shared<1.1",))
    for name in ("web", "shared", "private", "stray"):
        lay_out(tmp_path / "site", name)
    return tmp_path


@pytest.fixture
def optimizer(project):
    return partial(run_optimizer, project, "history", COLUMNS="120")


def snapshot(project):
    return json.loads((project / "layers/history.json").read_text())


def test_update_asks_for_the_plans_distributions_only_and_writes_the_snapshot(optimizer, project):
    with http_index(INDEX) as (url, asked):
        done = optimizer("update", "--path", "site", "--index-url", url, "--format", "json")
    assert sorted(name for name, _ in asked) == ["aws", "private", "shared", "web"]
    said = json.loads(done.stdout)
    assert said == {
        "schema": 1,
        "snapshot": "layers/history.json",
        "since": said["since"],
        "through": str(NOW.date()),
        "distributions": 3,
        "releases": 4,
        "unknown": ["private"],
        "notes": [
            "private is not known to the package index; it gets the prior",
            "shared 1.1: not taken, capped by aws (<1.1)",
        ],
    }
    written = snapshot(project)
    assert [v for _, v, _ in written["distributions"]["aws"]["releases"]] == ["1.1", "1.2"]
    assert [v for _, v, _ in written["distributions"]["shared"]["releases"]] == ["1.0"]
    assert "note: private is not known" in done.stderr
    assert url not in (project / "layers/history.json").read_text()
    assert not list((project / "layers").glob(".*"))


def test_an_update_that_is_broken_off_leaves_the_snapshot_and_the_next_goes_on(optimizer, project):
    (project / "layers").mkdir()
    old = '{"schema": 1, "runtime": "python3.11", "architecture": "x86_64", "since": "2025-01-01", '
    old += '"through": "2025-01-02", "distributions": {}}'
    (project / "layers/history.json").write_text(old)
    script = [(200, {}), (404, {}), (403, {})]
    with http_index(INDEX, before=script) as (url, asked):
        failed = optimizer("update", "--path", "site", "--index-url", url, "--format", "json", status=3)
        error = json.loads(failed.stdout)["error"]
        assert error["code"] == "network"
        assert "2 of 4 distributions are here" in error["message"]
        assert "goes on from there" in error["mend"]
        assert (project / "layers/history.json").read_text() == old
        asked.clear()
        optimizer("update", "--path", "site", "--index-url", url)
        assert [name for name, _ in asked] == ["shared", "web"]
        asked.clear()
        optimizer("update", "--path", "site", "--index-url", url)
        assert asked == []
        optimizer("update", "--path", "site", "--index-url", url, "--fresh")
        assert len(asked) == 4
    assert list(snapshot(project)["distributions"]) == ["aws", "shared", "web"]


def test_update_from_git_reads_the_teams_own_pace(optimizer, project):
    run = ["git", "-c", "user.name=x", "-c", "user.email=x", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "init", "--quiet"], cwd=project, check=True)
    for age, text in ((500, "private==1\naws==1.1\n"), (40, "private==2\naws==1.1\n")):
        (project / "lock.txt").write_text(text)
        day = (NOW - timedelta(days=age)).isoformat()
        subprocess.run(["git", "add", "lock.txt"], cwd=project, check=True)
        env = {**os.environ, "GIT_AUTHOR_DATE": day, "GIT_COMMITTER_DATE": day}
        subprocess.run([*run, "commit", "--quiet", "-m", "x"], cwd=project, env=env, check=True)
    said = json.loads(
        optimizer("update", "--path", "site", "--from-git", "--lock", "lock.txt", "--format", "json").stdout
    )
    assert said["unknown"] == ["shared", "web"]
    assert said["since"] == str((NOW - timedelta(days=500)).date())
    entry = snapshot(project)["distributions"]["private"]
    assert entry == {"origin": "git", "releases": [[str((NOW - timedelta(days=40)).date()), "2", 0]]}
    with http_index(INDEX) as (url, _):
        said = json.loads(optimizer("update", "--path", "site", "--index-url", url, "--format", "json").stdout)
    assert any("kept from the commits of a lock file" in line for line in said["notes"])
    assert snapshot(project)["distributions"]["private"] == entry


@pytest.fixture
def with_botocore(project):
    """The project with botocore, two services and `split_services`; its wheels, the newest of each week first asked."""
    text = (project / "config/layers.toml").read_text()
    (project / "config/layers.toml").write_text(f'{text}\n[aws]\nservices = ["s3", "sqs"]\nsplit_services = true\n')
    (project / "requirements.txt").write_text("aws\nweb\nbotocore\n")
    files = {f"botocore/data/{name}/2020-01-01/service-2.json": name for name in ("s3", "sqs", "ec2")}
    lay_out(project / "site", "botocore", "1.4", files={"botocore/__init__.py": "", **files})
    models = [{"s3": s3, "sqs": sqs} for s3, sqs in (("a", "x"), ("a", "x"), ("b", "x"), ("b", "x"), ("c", "y"))]
    return {f"botocore-1.{i}-py3-none-any.whl": botocore_wheel(model, stamp=1000 + i) for i, model in enumerate(models)}


def test_update_tells_when_service_models_really_changed(optimizer, project, with_botocore):
    index = {**INDEX, "botocore": uploads("botocore", 42, 35, 28, 21, 14)}
    with http_index(index, wheels=with_botocore) as (url, asked):
        done = optimizer("update", "--path", "site", "--index-url", url)
        assert {name for name, _ in asked} > set(with_botocore)
        optimizer("update", "--path", "site", "--index-url", url, "--fresh")
        assert len([name for name, _ in asked if name in with_botocore]) == len(with_botocore)
    assert "5 of 5 botocore's releases" in done.stderr
    known = snapshot(project)["distributions"]
    day = [str((NOW - timedelta(days=age)).date()) for age in (42, 35, 28, 21, 14)]
    assert len(known["botocore"]["releases"]) == 5
    s3, sqs = (known[f"botocore/data/{name}"] for name in ("s3", "sqs"))
    assert [row[:2] for row in s3["releases"]] == [[day[2], "1.2"], [day[4], "1.4"]]
    assert [row[:2] for row in sqs["releases"]] == [[day[4], "1.4"]]
    assert all(0 < count < 100 for _, _, count in s3["releases"])
    assert "botocore/data/ec2" not in known
    shown = json.loads(optimizer("show", "--format", "json").stdout)
    assert ["botocore", "botocore/data/s3", "botocore/data/sqs"] in shown["families"]


def test_update_without_ranges_downloads_no_wheel(optimizer, project, with_botocore):
    index = {**INDEX, "botocore": uploads("botocore", 42, 35)}
    with http_index(index, wheels=with_botocore, ranges=False) as (url, _):
        said = json.loads(optimizer("update", "--path", "site", "--index-url", url, "--format", "json").stdout)
    assert said["unknown"] == ["botocore/data/s3", "botocore/data/sqs"]
    assert any("sends whole wheels only" in line for line in said["notes"])
    assert "botocore" in snapshot(project)["distributions"]


def test_update_whose_network_fails_at_the_wheels_writes_nothing_and_goes_on(optimizer, project, with_botocore):
    index = {**INDEX, "botocore": uploads("botocore", 42, 35, 28, 21, 14)}
    refusing = [(200, {})] * 4 + [(403, {})]  # the four pages, then the first wheel
    with http_index(index, wheels=with_botocore, before=refusing) as (url, asked):
        failed = optimizer("update", "--path", "site", "--index-url", url, status=3)
        assert "of 5 releases are here; no snapshot was written" in failed.stderr
        assert not (project / "layers/history.json").exists()
        optimizer("update", "--path", "site", "--index-url", url)
        assert [name for name, _ in asked].count("botocore") == 1
    assert "botocore/data/s3" in snapshot(project)["distributions"]


def test_update_from_git_says_that_it_does_not_tell_of_models(optimizer, project, with_botocore):
    run = ["git", "-c", "user.name=x", "-c", "user.email=x", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "init", "--quiet"], cwd=project, check=True)
    for i in range(len(with_botocore)):
        (project / "lock.txt").write_text(f"botocore==1.{i}\n")
        subprocess.run(["git", "add", "lock.txt"], cwd=project, check=True)
        subprocess.run([*run, "commit", "--quiet", "-m", "x"], cwd=project, check=True)
    done = optimizer("update", "--path", "site", "--from-git", "--lock", "lock.txt")
    assert "service models changed only `history update` without --from-git tells" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--lock", "requirements.txt"], "--lock goes with --from-git"),
        (["--from-git", "--fresh"], "--fresh goes with the package index"),
        (["--since", "2999-01-01"], "--since 2999-01-01 is after"),
        (["--from-git", "--lock", "absent.txt"], "There is no lock file at absent.txt"),
        (["--index-url", "pypi"], "--index-url pypi is no http address"),
    ],
)
def test_options_that_cannot_be_are_wrong_usage(optimizer, arguments, message):
    assert message in optimizer("update", "--path", "site", *arguments, status=2).stderr


def test_show_tells_rates_last_releases_and_families(optimizer, project):
    from optimizer.history import snapshot_text

    weekly = ["2026-04-01", "2026-04-08", "2026-04-15"]
    known = a_history(boto3=["2025-03-01", *weekly], botocore=weekly, never=[], once=["2026-06-30"], old=["2025-06-30"])
    (project / "layers").mkdir()
    (project / "layers/history.json").write_text(snapshot_text(known))
    document = json.loads(optimizer("show", "--format", "json").stdout)
    family = ["boto3", "botocore"]
    assert document == {
        "schema": 1,
        "since": "2025-01-01",
        "through": "2026-06-30",
        "distributions": [
            {
                "name": name,
                "origin": "index",
                "releases_per_year": count,
                "last_release": {"day": day, "version": version} if day else None,
                "wheel_bytes": 10 if day else None,
                "family": members,
            }
            for name, count, day, version, members in [
                ("boto3", 3, "2026-04-15", "1.3", family),
                ("botocore", 3, "2026-04-15", "1.2", family),
                ("once", 1, "2026-06-30", "1.0", ["once"]),
                ("never", 0, None, None, ["never"]),
                ("old", 0, "2025-06-30", "1.0", ["old"]),
            ]
        ],
        "families": [family],
    }
    lines = optimizer("show").stdout.splitlines()
    assert lines[0].startswith("Releases from 2025-01-01 through 2026-06-30")
    assert lines[3].split() == ["boto3", "3", "2026-04-15", "1.3", "10", "B", "index", "botocore"]
    assert lines[6].split() == ["never", "0", "-", "-", "-", "index"]


def test_show_without_a_snapshot_says_how_to_make_one(optimizer):
    assert "python -m optimizer history update" in optimizer("show", status=2).stderr


@pytest.mark.parametrize("command", ["update", "show"])
def test_each_has_help_with_an_example(optimizer, command):
    assert f"Example: python -m optimizer history {command}" in optimizer(command, "--help").stdout
