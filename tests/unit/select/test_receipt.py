"""What was left out can be read: a line a rule in the plan, the largest files in `explain`, all beside the zips."""

import json

import pytest

from optimizer.build.receipt import receipt
from optimizer.cli.pipeline import Source, planned
from optimizer.report.explanation import explanation, explanation_text
from optimizer.report.plan_json import plan_document
from tests.support import lay_out, make_project


@pytest.fixture
def result(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    site = make_project(tmp_path)
    stubs = {f"web/s{i}.pyi": "x" * i for i in range(1, 6)}
    lay_out(site, "web", files={"web/__init__.py": "", "web/__pycache__/a.pyc": b"x", **stubs})
    with planned(Source(config=tmp_path / "config/layers.toml", path=site)) as found:
        yield found


def test_the_receipt_beside_the_zips_has_every_path_but_what_the_installer_made(result):
    document = json.loads(receipt(result.plan))
    (row,) = document["left_out"]
    assert row["artifact"] == "web-framework"
    assert (row["name"], row["rule"], row["files"], row["bytes"]) == ("web", "stubs", 5, 15)
    assert row["paths"] == [f"web/s{i}.pyi" for i in range(1, 6)]
    (rule,) = document["rules"]
    assert (rule["name"], rule["files"], rule["bytes"]) == ("stubs", 5, 15)
    assert "type checkers" in rule["why"]


def test_explain_says_why_and_names_the_largest_files_and_as_json_all(result):
    found = explanation(result.plan, result.inventory, "web")
    row = next(row for row in found["left_out"] if row["rule"] == "stubs")
    assert row["paths"] == [f"web/s{i}.pyi" for i in range(1, 6)]
    text = explanation_text(found)
    assert "left out by stubs: 5 files, 15 B: *.pyi is for type checkers" in text
    assert "web/s5.pyi 5 B, web/s4.pyi 4 B, web/s3.pyi 3 B …" in text


def test_the_plan_counts_what_each_rule_took_and_names_no_paths(result):
    rows = [d for layer in plan_document(result.plan)["layers"] for d in layer["distributions"]]
    web = next(row for row in rows if row["name"] == "web")
    assert {"rule": "stubs", "files": 5, "bytes": 15} in web["left_out"]
    assert "web/s5.pyi" not in json.dumps(rows)
