"""The jobs that others copy: valid by the schemas of GitHub and GitLab, and what they run does what they promise."""

import json
import os
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from tests.support import environment_of, make_project, make_wheel
from tests.unit.inventory.resolving import isolated

FILES = Path(__file__).parents[2] / "docs/ci"
GITHUB, GITLAB = FILES / "github-actions.yml", FILES / "gitlab-ci.yml"
MARK = "<!-- layer-plan -->"


@pytest.mark.parametrize(("file", "schema"), [(GITHUB, "vendor.github-workflows"), (GITLAB, "vendor.gitlab-ci")])
def test_a_job_has_the_form_that_its_host_asks_for(file, schema):
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.fixture
def project(tmp_path):
    """A pull request that takes a newer version of one distribution, with the base branch in .base."""
    root = tmp_path / "project"
    make_project(root, requirements="aws\nweb\ntool\n")
    shutil.rmtree(root / "site")
    shutil.copytree(root, root / ".base")
    for version in ("1.0", "2.0"):
        make_wheel(root / "index", "aws", version)
    for name in ("web", "tool"):
        make_wheel(root / "index", name)
    (root / ".base/requirements.txt").write_text("aws==1.0\nweb\ntool\n")
    return root


@pytest.fixture
def environment(project, tmp_path):
    """Variables of a job, whose python is the one that runs the tests and installs nothing."""
    tools = tmp_path / "bin"
    tools.mkdir()
    python = tools / "python"
    python.write_text(f'#!/bin/sh\n[ "$1 $2" = "-m pip" ] && exit 0\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    return environment_of(
        project,
        **isolated(project),
        PATH=f"{tools}:{os.environ['PATH']}",
        CONFIG="config/layers.toml",
        REQUIREMENTS="requirements.txt",
    )


def run(script, project, environment, *, status=0):
    done = subprocess.run(
        ["bash", "-e", "-c", script], cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done


GH = """#!/usr/bin/env python3
import json, os, pathlib, subprocess, sys
store = pathlib.Path(os.environ["STORE"])
known = json.loads(store.read_text()) if store.exists() else []
arguments = sys.argv[2:]
method = arguments[arguments.index("--method") + 1] if "--method" in arguments else "GET"
if method == "GET":
    assert arguments[0] == "repos/o/r/issues/7/comments", arguments
    assert 'startswith("<!-- layer-plan -->")' in arguments[arguments.index("--jq") + 1]
    print("\\n".join(str(c["id"]) for c in known if c["body"].startswith("<!-- layer-plan -->")))
else:
    field = arguments[arguments.index("--field") + 1]
    body = pathlib.Path(field.removeprefix("body=@")).read_text()
    if method == "POST":
        known.append({"id": 100 + len(known), "body": body})
    else:
        known[[c["id"] for c in known].index(int(arguments[2].rpartition("/")[2]))]["body"] = body
    store.write_text(json.dumps(known))
"""


def test_the_workflow_comments_once_and_renews_it(project, environment, tmp_path):
    steps = {
        step["name"]: step for step in yaml.safe_load(GITHUB.read_text())["jobs"]["plan"]["steps"] if "name" in step
    }
    store, gh = tmp_path / "comments.json", tmp_path / "bin/gh"
    gh.write_text(GH)
    gh.chmod(0o755)
    store.write_text(json.dumps([{"id": 5, "body": "looks good"}]))
    outputs, summary = tmp_path / "outputs", tmp_path / "summary.md"
    environment |= {
        "STORE": str(store),
        "NUMBER": "7",
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_OUTPUT": str(outputs),
        "GITHUB_STEP_SUMMARY": str(summary),
    }
    for _ in range(2):
        for name in ("Install", "Plan the base branch", "Plan the pull request", "Comment"):
            run(steps[name]["run"], project, environment)
    comments = json.loads(store.read_text())
    assert [comment["body"].splitlines()[0] for comment in comments] == ["looks good", MARK]
    assert "| aws | 1.0 → 2.0 | aws-core |" in comments[1]["body"]
    assert "only aws-core is published again" in summary.read_text()
    assert "status=1" in outputs.read_text(), "no lock is committed"
    assert run(steps["Fail where it does not fit or a lock is stale"]["run"], project, environment, status=1)


def test_the_workflow_plans_where_the_base_branch_has_no_layers_yet(project, environment, tmp_path):
    steps = {step.get("name"): step for step in yaml.safe_load(GITHUB.read_text())["jobs"]["plan"]["steps"]}
    shutil.rmtree(project / ".base")
    environment |= {"GITHUB_OUTPUT": str(tmp_path / "outputs"), "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")}
    for name in ("Plan the base branch", "Plan the pull request"):
        run(steps[name]["run"], project, environment)
    assert "Compared with" not in (project / "plan.md").read_text()


@pytest.fixture
def notes():
    """GitLab's notes of one merge request, 1 on the first page, over HTTP."""
    kept = [{"id": 5, "body": "looks good"}]

    class Notes(BaseHTTPRequestHandler):
        def answer(self, body, *, more=""):
            data = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("X-Next-Page", more)
            self.end_headers()
            self.wfile.write(data)

        def do_GET(self):
            assert self.headers["PRIVATE-TOKEN"] == "secret"
            assert self.path.startswith("/api/v4/projects/3/merge_requests/7/notes?")
            first = self.path.endswith("page=1")
            self.answer(kept[:1] if first else kept[1:], more="2" if first else "")

        def do_POST(self):
            kept.append({"id": 6, **json.loads(self.rfile.read(int(self.headers["Content-Length"])))})
            self.answer(kept[-1])

        def do_PUT(self):
            note = next(note for note in kept if note["id"] == int(self.path.rpartition("/")[2]))
            note |= json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.answer(note)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Notes)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/api/v4", kept
    server.shutdown()
    server.server_close()


def test_the_gitlab_job_comments_once_and_renews_it(project, environment, notes):
    address, kept = notes
    lines = yaml.safe_load(GITLAB.read_text())["layer-plan"]["script"]
    script = "\n".join(line for line in lines if not line.startswith("git worktree"))
    environment |= {
        "CI_API_V4_URL": address,
        "CI_PROJECT_ID": "3",
        "CI_MERGE_REQUEST_IID": "7",
        "LAYER_PLAN_TOKEN": "secret",
    }
    for _ in range(2):
        assert "a lock is stale" in run(script, project, environment, status=1).stderr
    assert [note["body"].splitlines()[0] for note in kept] == ["looks good", MARK]
    assert "| aws | 1.0 → 2.0 | aws-core |" in kept[1]["body"]
    environment.pop("LAYER_PLAN_TOKEN")
    assert "only aws-core is published again" in run(script, project, environment, status=1).stdout
