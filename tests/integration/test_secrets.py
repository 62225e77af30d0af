"""Nothing secret gets into a zip without being allowed: `build` and whatever builds refuse, `plan` warns."""

import json
from functools import partial

import pytest

from tests.support import CONFIG, lay_out, make_project, run_optimizer

KEY_ID = "AKIA" + "Q2W3E4R5T6Y7UIOP"
PEM = "-----BEGIN " + "PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n"


@pytest.fixture
def project(tmp_path):
    make_project(tmp_path)
    lay_out(
        tmp_path / "site", "tool", files={"tool/__init__.py": "", "tool/.env": "A=1\n", "tool/doc.py": f"# {KEY_ID}\n"}
    )
    (tmp_path / "src/handler.py").write_text(f"def handler(event, context):\n    return {KEY_ID!r}\n")
    (tmp_path / "src/keys").mkdir()
    (tmp_path / "src/keys/signing.pem").write_text(PEM)
    (tmp_path / "src/.env").write_text("hidden files do not ship\n")
    return tmp_path


@pytest.fixture
def optimizer(project):
    return partial(run_optimizer, project)


def allow(project, *patterns):
    (project / "config/layers.toml").write_text(f"{CONFIG}\n[build]\nallow_secrets = {json.dumps(list(patterns))}\n")


FOUND = [
    "src/handler.py:2: an AWS access key id",
    "src/keys/signing.pem:1: a private key",
    "tool/.env of tool: variables of an environment",
]


def test_a_build_refuses_all_of_it_at_once_and_never_shows_it(optimizer, project):
    for _ in range(2):  # and again: a refused build is not remembered, but what was found is
        done = optimizer("build", "--path", "site", status=1)
        assert [line.strip() for line in done.stderr.splitlines() if line.startswith("  ")] == FOUND
        assert KEY_ID not in done.stderr + done.stdout
        assert "MIIEvQ" not in done.stderr
        assert "allow_secrets" in done.stderr
        assert not (project / "layers/.build").exists()


def test_a_refusal_is_a_document_with_json(optimizer):
    error = json.loads(optimizer("build", "--path", "site", "--format", "json", status=1).stdout)["error"]
    assert error["code"] == "secret"
    assert all(line in error["message"] for line in FOUND)


@pytest.mark.parametrize(
    "command", [("deploy", "--yes"), ("deploy", "--code-only", "--yes"), ("deploy", "--dry-run"), ("publish",)]
)
def test_whatever_builds_refuses_before_aws_is_asked(optimizer, command):
    """Nothing listens at the endpoint: asking it would be another error."""
    done = optimizer(*command, "--path", "site", "--endpoint-url", "http://127.0.0.1:9", status=1)
    assert FOUND[0] in done.stderr


def test_a_plan_warns_and_says_what_a_build_will_do(optimizer):
    warnings = json.loads(optimizer("plan", "--path", "site", "--format", "json").stdout)["warnings"]
    assert [w.partition(": `build` refuses")[0] for w in warnings] == FOUND


def test_what_is_allowed_by_its_path_ships(optimizer, project):
    allow(project, "src/*.pem", "tool/.env")
    done = optimizer("build", "--path", "site", status=1)
    assert [line.strip() for line in done.stderr.splitlines() if line.startswith("  ")] == FOUND[:1]
    allow(project, "src/*", "tool/.env")
    optimizer("build", "--path", "site")


def test_a_pattern_that_allows_nothing_is_told(optimizer, project):
    allow(project, "src/*", "tool/.env", "src/gone.pem")
    (warning,) = json.loads(optimizer("plan", "--path", "site", "--format", "json").stdout)["warnings"]
    assert "'src/gone.pem' allows nothing" in warning


def test_a_build_that_was_remembered_refuses_what_came_since(optimizer, project):
    allow(project, "src/*", "tool/.env")
    optimizer("build", "--path", "site")
    optimizer("build", "--path", "site")
    (project / "src/more.py").write_text(f"KEY = {KEY_ID!r}\n")
    optimizer("build", "--path", "site")  # which is allowed too
    allow(project, "src/handler.py", "src/keys/*", "tool/.env")
    done = optimizer("build", "--path", "site", status=1)
    assert [line.strip() for line in done.stderr.splitlines() if line.startswith("  ")] == [
        "src/more.py:1: an AWS access key id"
    ]
