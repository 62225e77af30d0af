"""`plan --compare`: what differs from another plan or from the locks; plans that read well at any width."""

import json
import os
import pty
import re
import select
import subprocess
import sys
from functools import partial

import pytest

from tests.support import CONFIG, environment_of, lay_out, make_project, run_optimizer


@pytest.fixture
def project(tmp_path):
    make_project(tmp_path)
    return tmp_path


@pytest.fixture
def plan(project):
    return partial(run_optimizer, project, "plan", "--path", "site")


@pytest.fixture
def base(plan):
    plan("--format", "json", "--output", "base.json")
    return "base.json"


def release(project, name, version, **more):
    """Put another version of a distribution into the site folder."""
    for old in (project / "site").glob(f"{name}-*.dist-info"):
        for file in old.iterdir():
            file.unlink()
        old.rmdir()
    lay_out(project / "site", name, version, **more)


def compared(plan, base):
    return json.loads(plan("--compare", base, "--format", "json").stdout)["comparison"]


def test_nothing_differs_from_itself(plan, base):
    found = compared(plan, base)
    assert not found["differs"]
    assert (found["published"], found["distributions"], found["sent_bytes"]) == ([], [], 0)
    assert "compared with base.json: nothing is published" in plan("--compare", base).stdout
    assert "comparison" not in json.loads(plan("--format", "json").stdout)


def test_a_new_version_publishes_its_layer_alone(plan, base, project):
    release(project, "aws", "2.0", requires=("shared>=1",))
    found = compared(plan, base)
    after = {layer["name"]: layer for layer in json.loads(plan("--format", "json").stdout)["layers"]}
    assert found["differs"]
    assert [(part["name"], part["new"]) for part in found["published"]] == [("aws-core", False)]
    assert found["sent_bytes"] == after["aws-core"]["zipped_bytes"]
    shift = found["distributions"][0]
    assert (shift["name"], shift["kind"]) == ("aws", "updated")
    assert (shift["version_before"], shift["version_after"]) == ("1.0", "2.0")
    text = plan("--compare", base).stdout
    assert "compared with base.json: only aws-core is published again (" in text
    assert re.search(r"aws +1\.0 → 2\.0 +aws-core", text)
    markdown = plan("--compare", base, "--format", "markdown").stdout
    assert "**Compared with base.json**: only aws-core is published again" in markdown
    assert "| aws | 1.0 → 2.0 | aws-core |" in markdown


def test_moves_additions_and_layers_that_came_or_went_are_told(plan, base, project):
    (project / "config/layers.toml").write_text(CONFIG + 'include = ["web"]\n'.replace("web", "shared"))
    (project / "requirements.txt").write_text("aws\nweb\nstray\n")
    found = compared(plan, base)
    kinds = {shift["name"]: shift["kind"] for shift in found["distributions"]}
    assert kinds["stray"] == "added"
    assert kinds["tool"] == "removed"
    moved = next((s for s in found["distributions"] if s["kind"] == "moved"), None)
    assert moved is None or moved["layer_after"] == "utilities"
    (project / "config/layers.toml").write_text(CONFIG.replace("utilities", "others"))
    found = compared(plan, base)
    assert found["removed"] == ["utilities"]
    assert ("others", True) in [(part["name"], part["new"]) for part in found["published"]]


def test_the_functions_own_code_is_sent_where_it_changed(plan, base, project):
    (project / "src/handler.py").write_text("def handler(event, context):\n    return {'statusCode': 204}\n")
    assert [(part["kind"], part["name"]) for part in compared(plan, base)["published"]] == [("function", "app")]
    assert "only the code of app is sent (" in plan("--compare", base).stdout


def test_the_same_version_with_other_content_is_told(plan, base, project):
    file = next((project / "site").glob("aws/**/*.py"), None) or next((project / "site").glob("aws*.py"))
    file.write_text(file.read_text() + "\nMORE = 'than before'\n")
    record = next((project / "site").glob("aws-*.dist-info")) / "RECORD"
    record.write_text(
        re.sub(rf"(?m)^({re.escape(file.relative_to(project / 'site').as_posix())}),.*$", r"\1,,", record.read_text())
    )
    assert [(s["name"], s["kind"]) for s in compared(plan, base)["distributions"]] == [("aws", "changed")]


def test_the_locks_are_compared_by_content(plan, project):
    plan("--write")
    assert not compared(plan, "locks")["differs"]
    release(project, "web", "3.0", requires=("shared",))
    found = compared(plan, "locks")
    assert [(s["name"], s["kind"], s["zipped_bytes"]) for s in found["distributions"]] == [("web", "updated", None)]
    assert [part["name"] for part in found["published"]] == ["web-framework"]
    assert (
        "compared with the committed locks: only web-framework is published again" in plan("--compare", "locks").stdout
    )


def test_without_locks_everything_is_new(plan):
    found = compared(plan, "locks")
    assert all(part["new"] for part in found["published"])
    assert {shift["kind"] for shift in found["distributions"]} == {"added"}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "No such file"),
        ("{", "it is no JSON"),
        ("[]", "is no layer plan of schema 1"),
        ('{"schema": 2}', "is no layer plan of schema 1"),
        ('{"schema": 1, "layers": [{"name": 3}]}', "is no layer plan: layers.0"),
    ],
)
def test_what_is_no_plan_is_refused_in_words(project, content, told):
    if content is not None:
        (project / "other.json").write_text(content)
    done = run_optimizer(project, "plan", "--path", "site", "--compare", "other.json", status=2)
    assert told in done.stderr
    assert not done.stdout


def at_a_terminal(project, columns, *arguments, **more):
    """What the command writes to a terminal of so many columns."""
    ours, theirs = pty.openpty()
    environment = environment_of(project, COLUMNS=str(columns), TERM="xterm-256color", **more)
    command = [sys.executable, "-m", "optimizer", *arguments]
    with subprocess.Popen(
        command, cwd=project, env=environment, stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL
    ) as done:
        os.close(theirs)
        parts = []
        while select.select([ours], [], [], 60)[0]:
            try:
                part = os.read(ours, 65536)
            except OSError:  # Linux says so where the other end is closed
                break
            if not part:
                break
            parts.append(part)
    os.close(ours)
    assert done.returncode == 0
    return b"".join(parts).decode()


@pytest.mark.parametrize("columns", [80, 200])
def test_a_plan_stays_within_the_terminal_whatever_things_are_called(project, base, columns):
    long = "n" * 200
    lay_out(project / "site", long, "1.0+" + "v" * 30)
    (project / "requirements.txt").write_text(f"aws\nweb\n{long}\n")
    shown = at_a_terminal(project, columns, "plan", "--path", "site", "--compare", base)
    assert "\x1b[" in shown
    lines = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
    assert max(map(len, lines)) <= columns
    assert any(re.match(r" +n+… +1\.0\+v+", line) for line in lines)
    assert any("KiB" in line and line.lstrip().startswith("n") for line in lines)


def test_a_terminal_that_wants_no_colour_gets_none(project):
    shown = at_a_terminal(project, 80, "plan", "--path", "site", NO_COLOR="1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", shown)


def test_a_pipe_gets_neither_colour_nor_the_terminals_width(plan):
    done = plan()
    assert "\x1b" not in done.stdout
    assert all(line == line.rstrip() for line in done.stdout.splitlines())


def test_markdown_stays_within_what_a_comment_may_have(plan, project):
    names = [f"distribution-of-a-long-name-{number:03}-{'x' * 60}" for number in range(250)]
    for name in names:
        lay_out(project / "site", name)
    (project / "requirements.txt").write_text("aws\nweb\n" + "\n".join(names))
    markdown = plan("--format", "markdown").stdout
    assert len(markdown) < 65_536
    assert "left out: `python -m optimizer plan` shows them" in markdown
    assert markdown.count("<details>") == markdown.count("</details>") > 0
