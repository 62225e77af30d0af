"""The page's document: what it holds is what the plan and the problem hold, and its HTML can't be broken out of."""

import base64
import hashlib
import json
import re
import shutil
import tomllib

import pytest

from optimizer.cli.paging import document_of
from optimizer.cli.pipeline import Source, planned
from optimizer.errors import UsageError
from optimizer.models import Entry
from optimizer.report.page import page, render
from optimizer.report.page.configuration import around_layers
from optimizer.report.page.folders import folders
from optimizer.report.plan_json import plan_document
from tests.support import CONFIG, lay_out, make_project, run_optimizer

SNAPSHOT = {
    "schema": 1,
    "runtime": "python3.11",
    "architecture": "x86_64",
    "since": "2025-01-01",
    "through": "2026-03-31",
    "distributions": {
        "aws": {"origin": "index", "releases": [["2026-03-02", "1.1", 0], ["2026-03-31", "1.2", 0]]},
        "tool": {"origin": "index", "releases": []},
        "web": {
            "origin": "index",
            "releases": [["2025-01-09", "0.9", 0], ["2026-03-25", "1.9", 0], ["2026-03-30", "2.0", 0]],
        },
    },
}


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    site = make_project(tmp_path)
    lay_out(site, "web", requires=("shared",), files={"web/__init__.py": "A = 1\n", "web/a.pyi": "", "web/t/x.py": ""})
    (tmp_path / "layers").mkdir()
    (tmp_path / "layers/history.json").write_text(json.dumps(SNAPSHOT))
    return tmp_path


@pytest.fixture
def found(project):
    with planned(Source(config=project / "config/layers.toml", path=project / "site")) as result:
        yield result


def test_the_document_holds_the_plan_and_each_distribution_to_the_byte(found):
    document = document_of(found)
    assert document["plan"] == plan_document(found.plan)
    for layer in document["plan"]["layers"]:
        for row in layer["distributions"]:
            shown = document["distributions"][row["name"]]
            assert shown["layer"] == layer["name"] == document["assignment"][shown["item"]]
            for key in ("unzipped_bytes", "zipped_bytes"):
                assert shown[key] == row[key] == sum(folder[key] for folder in shown["folders"])
    assert document["configuration"]["path"] == "config/layers.toml"
    assert [layer["roots"] for layer in document["configuration"]["layers"]] == [["aws"], ["web"], []]


def test_its_windows_are_those_of_the_problem(found):
    document = document_of(found)
    windows = document["windows"]
    assert [sorted({document["distributions"][r["name"]]["item"] for r in w["releases"]}) for w in windows] == document[
        "problem"
    ]["observed"]
    assert (windows[0]["from"], windows[0]["to"]) == ("2026-03-25", "2026-03-31")
    assert windows[0]["releases"] == [
        {"name": "aws", "version": "1.2", "day": "2026-03-31"},
        {"name": "web", "version": "1.9", "day": "2026-03-25"},
        {"name": "web", "version": "2.0", "day": "2026-03-30"},
    ]
    rates = {name: d["releases_per_year"] for name, d in document["distributions"].items()}
    assert rates == {"aws": 2.0, "web": 2.0, "tool": 0.0, "shared": None}
    assert document["history"]["unknown"] == ["shared"]


def test_the_receipt_says_what_is_left_out_of_each_and_why(found):
    (row,) = [x for x in document_of(found)["distributions"]["web"]["left_out"] if x["rule"] == "stubs"]
    assert row["files"] == 1
    assert "type checkers" in row["why"]


def test_without_a_history_the_document_says_so(project):
    (project / "layers/history.json").unlink()
    with planned(Source(config=project / "config/layers.toml", path=project / "site")) as result:
        document = document_of(result)
    assert (document["history"], document["windows"]) == (None, [])
    assert "history update" in document["certificate"][0]


def test_folders_together_have_all_bytes_and_are_few():
    entries = [
        Entry(
            path=f"python/pack/part{i}/__pycache__/m{j}.pyc", mode=0o644, content="", bytes=10 * i + j, stream_bytes=3
        )
        for i in range(40)
        for j in range(3)
    ]
    shown = folders(entries)
    assert 2 <= len(shown) <= 13
    assert sum(row["unzipped_bytes"] for row in shown) == sum(entry.bytes for entry in entries)
    assert sum(row["files"] for row in shown) == len(entries)
    assert shown[0]["path"] == "pack/…"  # the many that are small
    assert [row["path"] for row in shown[1:4]] == ["pack/part39", "pack/part38", "pack/part37"]
    assert not any("__pycache__" in row["path"] for row in shown)


def test_a_folder_that_holds_much_is_opened_and_keeps_its_own_files():
    def entry(path, size):
        return Entry(path=f"python/{path}", mode=0o644, content="", bytes=size, stream_bytes=1)

    shown = folders(
        [entry("a/data/s3/x.gz", 500), entry("a/data/ec2/x.gz", 300), entry("a/m.py", 90), entry("b.py", 9)]
    )
    assert [(row["path"], row["unzipped_bytes"]) for row in shown] == [
        ("a/data/s3", 500),
        ("a/data/ec2", 300),
        ("a", 90),
        ("b.py", 9),
    ]


@pytest.mark.parametrize(
    "text",
    [
        CONFIG,
        '# mine\n[aws]\nservices = "all"\n'
        + CONFIG
        + '\n# a note\n[build]\nbytecode = true\n\n[[layer]]\nname = "x"\n',
        CONFIG + '\n[slim.drop]\nweb = ["""\n[[layer]]\n"""]\n\n# the end\n',
        CONFIG.replace("[[layer]]", '[[ "layer" ]] # one'),
    ],
    ids=["plain", "between", "in a string", "quoted"],
)
def test_text_around_the_layers_says_all_but_the_layers(text):
    head, tail = around_layers(text)
    wanted = tomllib.loads(text)
    del wanted["layer"]
    assert tomllib.loads(head + tail) == wanted
    assert tomllib.loads(head + '[[layer]]\nname = "z"\n' + tail) == {**wanted, "layer": [{"name": "z"}]}
    assert ("# a note" in tail) == ("# a note" in text)


def test_layers_in_an_array_are_taken_out_of_the_text():
    head, tail = around_layers('layer = [{name = "a"}]  # mine\n[build]\nbytecode = true\n')
    assert tomllib.loads(head + '[[layer]]\nname = "z"\n' + tail) == {
        "build": {"bytecode": True},
        "layer": [{"name": "z"}],
    }


def test_the_policy_has_the_hash_of_every_script_and_style(found):
    html = page(document_of(found))
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)[1].replace("&#39;", "'")
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    blocks = re.findall(r"<(?:script|style)>(.*?)</(?:script|style)>", html, re.DOTALL)
    assert len(blocks) == len(render.SCRIPTS) + len(render.STYLES)
    for block in blocks:
        digest = base64.b64encode(hashlib.sha256(block.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert "connect-src" not in policy
    assert "connect-src &#39;self&#39;" in page({**document_of(found), "served": {"token": "x"}})


def test_text_of_others_can_end_no_element():
    text = render.json_text({"a": "</script><script>alert(1)</script>", "b": "\u2028 & <!--"})
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text)["a"] == "</script><script>alert(1)</script>"


def test_the_page_tells_what_differs_from_another_plan(project):
    run_optimizer(project, "plan", "--path", "site", "--format", "json", "-o", "before.json")
    lay_out(project / "site", "tool", "2.0", files={"tool/__init__.py": "NEW = 1\n"})
    shutil.rmtree(project / "site/tool-1.0.dist-info")
    run_optimizer(project, "plan", "--path", "site", "--format", "html", "-o", "a.html", "--compare", "before.json")
    text = re.search(r'<script type="application/json" id="document">(.*?)</script>', (project / "a.html").read_text())
    compared = json.loads(text[1])["compared"]
    assert compared["base"] == "before.json"
    assert "is published again" in compared["headline"]
    assert [(row["name"], row["change"]) for row in compared["rows"]] == [("tool", "1.0 → 2.0")]


def test_without_jinja2_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(render, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match="jinja2") as error:
        render.check_page()
    assert "report" in error.value.mend


def test_plan_writes_the_page_with_its_frontier(project):
    run_optimizer(project, "plan", "--path", "site", "--format", "html", "-o", "out/plan.html")
    html = (project / "out/plan.html").read_text()
    text = re.search(r'<script type="application/json" id="document">(.*?)</script>', html)[1]
    document = json.loads(text)
    plan = json.loads(run_optimizer(project, "plan", "--path", "site", "--format", "json", "--frontier").stdout)
    assert document["plan"] == plan
    assert [row["layers"] for row in plan["frontier"]] == [1, 2, 3, 4]  # as many as there are items
