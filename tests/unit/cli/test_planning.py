"""`plan`, `explain` and `replay` where there is a release history: what they write, keep, refuse and remember."""

import json
import signal
import subprocess
import sys
import time
from datetime import date, timedelta
from functools import partial

import pytest

from optimizer.history import History, Release, Releases, snapshot_text
from tests.support import CONFIG, environment_of, lay_out, make_project, run_optimizer
from tests.unit.partition.support import cost_of

END = date(2026, 6, 30)
PACE = {"aws": 7, "shared": 7, "web": 21, "tool": 90}


def write_history(project, pace=PACE, **others):
    distributions = {
        name: Releases(
            origin="index",
            releases=tuple(Release(END - timedelta(days=day), f"1.{day}") for day in range(700, 0, -every)),
        )
        for name, every in pace.items()
    }
    given = {"runtime": "python3.11", "architecture": "x86_64", "since": END - timedelta(days=720), "through": END}
    (project / "layers").mkdir(exist_ok=True)
    (project / "layers/history.json").write_text(snapshot_text(History(**given, **others, distributions=distributions)))


@pytest.fixture
def project(tmp_path):
    make_project(tmp_path)
    write_history(tmp_path)
    return tmp_path


@pytest.fixture
def environment(project):
    return environment_of(project, PYTHONDONTWRITEBYTECODE="1")


@pytest.fixture
def optimizer(project):
    return partial(run_optimizer, project, PYTHONDONTWRITEBYTECODE="1")


def plan(optimizer, *arguments, status=0):
    return json.loads(optimizer("plan", "--path", "site", "--format", "json", *arguments, status=status).stdout)


def home(document):
    return {d["name"]: layer["name"] for layer in document["layers"] for d in layer["distributions"]}


def test_a_plan_carries_its_certificate(optimizer):
    document = plan(optimizer)
    objective = document["objective"]
    assert objective["proved"] is True
    assert objective["gap"] == 0
    assert objective["cost"] == objective["lower_bound"] > 0
    assert objective["republished_bytes_per_year"] >= objective["floor_bytes_per_year"] > 0
    assert home(document)["aws"] == "aws-core"
    assert document["warnings"] == []


def test_the_problem_file_lets_anybody_compute_the_cost(optimizer, project):
    from optimizer.partition.document import parse_problem

    document = plan(optimizer, "--problem", "problem.json", "--layers", "4")
    found = json.loads((project / "problem.json").read_text())
    assert cost_of(parse_problem(found), found["assignment"]) == pytest.approx(document["objective"]["cost"])
    assert found["cost"] == document["objective"]["cost"]


def test_locks_are_kept_and_fresh_does_not_look_at_them(optimizer):
    assert plan(optimizer)["stability"]["decision"] == "fresh"
    optimizer("plan", "--path", "site", "--write")
    assert plan(optimizer)["stability"]["decision"] == "kept"
    assert plan(optimizer, "--fresh")["stability"]["because"] == "no locks to compare with"


def test_what_was_solved_is_remembered_and_the_same_without_the_memory(optimizer):
    first = plan(optimizer)
    assert plan(optimizer) == first
    assert plan(optimizer, "--no-cached-solution") == first


def test_a_damaged_memory_is_solved_again(optimizer, project):
    import sqlite3

    first = plan(optimizer)
    cache = next((project / "cache").rglob("*.sqlite"))
    with sqlite3.connect(cache) as database:
        database.execute("update fact set value = '{\"layers\": 3}' where key like 'partition%'")
    database.close()
    assert plan(optimizer) == first


def test_the_solver_is_not_imported_for_what_is_remembered(project, environment, optimizer):
    plan(optimizer)
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "optimizer", "plan", "--path", "site", "--format", "json"],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    for heavy in ("numpy", "highspy", "boto3", "matplotlib", "pypi_simple"):
        assert f" {heavy}\n" not in done.stderr, heavy


def test_the_frontier_says_what_each_layer_buys(optimizer):
    assert "frontier" not in plan(optimizer)
    rows = plan(optimizer, "--frontier")["frontier"]
    assert [row["layers"] for row in rows] == [1, 2, 3, 4]  # four distributions can't fill five
    text = optimizer("plan", "--path", "site").stdout
    assert "the layer saves" in text
    assert "this many are planned" in text
    markdown = optimizer("plan", "--path", "site", "--format", "markdown").stdout
    assert "| layers | sent a year, expected |" in markdown


def test_without_a_history_the_plan_says_how_to_get_one(optimizer, project):
    (project / "layers/history.json").unlink()
    assert "run `python -m optimizer history update`" in optimizer("plan", "--path", "site").stdout
    assert plan(optimizer)["objective"]["cost"] is None
    refused = optimizer("replay", "--path", "site", status=2)
    assert "there is no release history" in refused.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"schema": 1, "runtime": "python3.11", "archi', "is not whole JSON"),
        ('{"schema": 7}', "has schema 7"),
        ('{"schema": 1, "runtime": 3}', "is no history"),
        ("[]", "has schema None"),
    ],
)
def test_a_bad_history_is_refused_with_the_way_out(optimizer, project, text, message):
    (project / "layers/history.json").write_text(text)
    refused = optimizer("plan", "--path", "site", "--format", "json", status=2)
    error = json.loads(refused.stdout)["error"]
    assert message in error["message"]
    assert "history update" in error["mend"]


def test_a_history_of_other_distributions_gives_everything_the_prior_and_says_so(optimizer, project):
    write_history(project, {"numpy": 7})
    document = plan(optimizer)
    assert any("knows none of the distributions" in warning for warning in document["warnings"])
    assert document["objective"]["proved"] is True
    write_history(project, {name: every for name, every in PACE.items() if name != "tool"})
    assert any("no release history of tool" in warning for warning in plan(optimizer)["warnings"])


def test_one_release_or_none_is_enough_to_plan_with(optimizer, project):
    write_history(project, dict.fromkeys(PACE, 100_000))
    document = plan(optimizer)
    assert document["objective"]["cost"] > 0
    assert document["objective"]["floor_bytes_per_year"] == 0


def test_explain_tells_releases_and_what_every_other_layer_would_cost(optimizer):
    document = json.loads(optimizer("explain", "shared", "--path", "site", "--format", "json").stdout)
    assert document["releases"]["per_year"] == 51
    assert document["releases"]["releases_with"] == ["aws"]
    assert document["required_by"] == ["aws", "web"]
    costs = {move["to"]: move["cost_bytes_per_year"] for move in document["moves"]}
    assert set(costs) == {"web-framework", "utilities"}
    assert all(cost > 0 for cost in costs.values())
    text = optimizer("explain", "shared", "--path", "site").stdout
    assert "releases in the last year: 51" in text
    assert "in utilities it would cost" in text


def test_replay_writes_the_table_the_document_and_the_picture(optimizer, project):
    document = json.loads(optimizer("replay", "--path", "site", "--format", "json").stdout)
    names = {row["name"] for row in document["rows"]}
    assert {"optimizer", "as-configured", "three-way", "one-zip", "clairvoyant", "pairwise"} <= names
    assert document["cadence"] == "week"
    assert document["test"]["to"] == "2026-06-30"
    text = optimizer("replay", "--path", "site", "--windows", "10", "--picture", "out/replay.svg").stdout
    assert "clairvoyant" in text
    assert (project / "out/replay.svg").read_text().startswith("<?xml")
    assert "ends in none of" in optimizer("replay", "--path", "site", "--picture", "x.txt", status=2).stderr
    assert "begins on" in optimizer("replay", "--path", "site", "--windows", "500", status=2).stderr


@pytest.fixture
def interrupted(project, environment):
    """Runs a command on a large project, and interrupts it while it searches."""
    names = [f"d{i:03}" for i in range(150)]
    for i, name in enumerate(names):
        lay_out(project / "site", name, files={f"{name}/__init__.py": f"# {name}\n" * (1 + i * 31 % 97)})
    (project / "requirements.txt").write_text("aws\nweb\ntool\n" + "".join(f"{name}\n" for name in names))
    (project / "config/layers.toml").write_text(CONFIG)
    write_history(project, {**PACE, **{name: 11 + i * 7 % 60 for i, name in enumerate(names)}})

    def run(*arguments):
        child = subprocess.Popen(
            [sys.executable, "-m", "optimizer", *arguments, "--path", "site", "--layers", "5"],
            cwd=project,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for line in child.stderr:
            if line.startswith("splitting"):
                break
        time.sleep(1)
        child.send_signal(signal.SIGINT)
        out, _ = child.communicate(timeout=60)
        assert child.returncode == 130
        return out

    return run


def test_ctrl_c_takes_the_best_split_found_so_far_and_writes_no_locks(interrupted, project):
    document = json.loads(interrupted("plan", "--format", "json", "--time-limit", "100", "--write"))
    assert document["objective"]["cost"] >= document["objective"]["lower_bound"] >= 0
    assert any("interrupted" in warning for warning in document["warnings"])
    assert not list((project / "layers").glob("*/layer.lock"))


def test_nothing_is_built_from_a_split_that_was_broken_off(interrupted, project):
    interrupted("build", "--output", "out")
    assert not list(project.glob("out/*.zip"))
