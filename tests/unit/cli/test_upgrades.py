"""`upgrades` as a person or a script runs it."""

import io
import json
import sys

import pytest
from rich.console import Console

from optimizer.cli.app import main
from optimizer.report.upgrades import print_upgrades
from tests.support import CONFIG, lay_out, make_project
from tests.unit.upgrades.support import FakeIndex


@pytest.fixture
def index(monkeypatch):
    fake = FakeIndex()
    monkeypatch.setattr("optimizer.history.index.SimpleIndex", lambda: fake)
    return fake


@pytest.fixture
def upgrades(tmp_path, monkeypatch, capsys):
    make_project(tmp_path, config=CONFIG)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def run(*arguments, status=0):
        monkeypatch.setattr(sys, "argv", ["optimizer", "upgrades", "--path", "site", *arguments])
        with pytest.raises(SystemExit) as done:
            main()
        captured = capsys.readouterr()
        assert done.value.code == status, captured.err
        return captured

    return run


def releases(index, name, *sources):
    for n, text in enumerate(sources):
        index.add(name, f"1.{n}.0", {f"{name}/__init__.py": f"V = '1.{n}.0'\n", f"{name}/core.py": text})


def test_the_document_says_what_changed_what_it_sends_and_what_skipping_saves(upgrades, index):
    releases(index, "tool", "a", "b", "b", "b", "c")
    document = json.loads(upgrades("Tool", "--releases", "5", "--format", "json").out)
    plan_bytes = document["distributions"][0]["comparisons"][0]["sent_bytes"]
    assert plan_bytes > 0
    assert document == {
        "schema": 1,
        "releases": 5,
        "distributions": [
            {
                "name": "tool",
                "installed": "1.0",
                "layer": "utilities",
                "releases_with": [],
                "comparisons": [
                    {
                        "from": f"1.{n}.0",
                        "to": f"1.{n + 1}.0",
                        "day": f"2026-11-0{n + 2}",
                        "newer": newer,
                        "advice": advice,
                        "held_by": [],
                        "change": change,
                        "files_changed": len(changed),
                        "files_added": 0,
                        "files_removed": 0,
                        "changed": changed,
                        "sent_bytes": plan_bytes,
                    }
                    for n, newer, advice, change, changed in (
                        (0, True, "take", "one-module", ["tool/core.py"]),
                        (1, True, "skip", "nothing", []),
                        (2, True, "skip", "nothing", []),
                        (3, True, "take", "one-module", ["tool/core.py"]),
                    )
                ],
                "share_without_effect": 0.5,
                "extrapolated_from": 4,
                "releases_per_year": 5.0,
                "saved_bytes_per_year": round(2.5 * plan_bytes),
                "note": "",
            }
        ],
        "families": [],
        "saved_bytes_per_year": round(2.5 * plan_bytes),
    }


def test_without_names_all_are_looked_at_and_what_is_private_is_a_note(upgrades, index):
    index.add("tool", "1.0", {})
    document = json.loads(upgrades("--format", "json").out)
    notes = {one["name"]: one["note"] for one in document["distributions"]}
    unknown = "the package index does not know it"
    assert notes == {
        "aws": unknown,
        "shared": unknown,
        "tool": "only one release loads on the target: nothing to compare",
        "web": unknown,
    }
    assert document["saved_bytes_per_year"] == 0
    assert {one["share_without_effect"] for one in document["distributions"]} == {None}


def test_the_text_tells_the_advice_and_that_it_is_extrapolated(upgrades, index):
    releases(index, "tool", "a", "a")
    text = upgrades("tool").out
    assert "tool 1.0 in utilities: a release sends" in text
    assert "2026-11-02  nothing  skip" in text
    assert "1 of 1 changed nothing that runs; of 2 releases a year that is 2" in text
    assert "Extrapolated" in text


def test_what_others_do_not_take_is_held_back_and_told(upgrades, index, tmp_path):
    lay_out(tmp_path / "site", "web", requires=("tool<1.1",))
    releases(index, "tool", "a", "b")
    text = upgrades("tool").out
    assert "one module  held" in text
    assert "held back by web (<1.1)" in text


def test_names_of_foreign_archives_do_not_steer_the_terminal(upgrades, index):
    index.add("tool", "1.0", {"tool/a.py": ""})
    index.add("tool", "1.1", {"tool/a.py": "", "tool/\x1b[31mred.py": ""})
    captured = upgrades("tool")
    assert "\x1b" not in captured.out
    assert "red.py" in captured.out


def test_lines_fit_80_columns(monkeypatch, upgrades, index):
    kept = []
    monkeypatch.setattr("optimizer.cli.upgrades._text", lambda result, advice: kept.append((result, advice)) or "")
    long = "tool/a_package_with_a_long_name/a_module_with_a_name_that_is_longer_than_any_column.py"
    index.add("tool", "1.0", {})
    index.add("tool", "1.1", {long: "", "tool/b.py": ""})
    upgrades("tool")
    ((result, advice),) = kept
    buffer = io.StringIO()
    print_upgrades(advice, result.plan.target, Console(file=buffer, width=80))
    assert max(len(line.rstrip()) for line in buffer.getvalue().splitlines()) <= 80


def test_a_network_that_is_down_is_exit_3_and_the_next_run_goes_on(upgrades, index):
    releases(index, "tool", "a", "b")
    index.broken_after = 1
    captured = upgrades("tool", "--format", "json", status=3)
    error = json.loads(captured.out)["error"]
    assert error["code"] == "network"
    assert "1 of 2 releases are done and remembered" in error["message"]
    assert "downloading tool" in captured.err
    index.broken_after = None
    upgrades("tool")
    assert len(index.fetched) == len(set(index.fetched)) == 2


def test_ctrl_c_is_exit_130(upgrades, index, monkeypatch):
    index.add("tool", "1.0", {})

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(index, "fetch", interrupted)
    captured = upgrades("tool", "--format", "json", status=130)
    assert captured.out == ""


@pytest.mark.parametrize("arguments", [("tol", "nothing-like-it"), ("tool", "--releases", "1")])
def test_what_is_not_there_is_wrong_usage(upgrades, index, arguments):
    del index
    captured = upgrades(*arguments, status=2)
    assert "Close to it: tool" in captured.err or "--releases" in captured.err


def test_parts_of_botocore_are_no_projects_to_ask_for(upgrades, index, tmp_path):
    releases(index, "tool", "a", "b")
    files = {"botocore/__init__.py": "", "botocore/data/s3/2020-01-01/service-2.json": "{}"}
    lay_out(tmp_path / "site", "botocore", files=files)
    (tmp_path / "requirements.txt").write_text("aws\nweb\ntool\nbotocore\n")
    (tmp_path / "config/layers.toml").write_text(CONFIG + '\n[aws]\nservices = ["s3"]\nsplit_services = true\n')
    document = json.loads(upgrades("--releases", "2", "--format", "json").out)
    assert [row["name"] for row in document["distributions"]] == ["aws", "botocore", "shared", "tool", "web"]
    assert "botocore/data/s3: not among" in upgrades("botocore/data/s3", status=2).err
