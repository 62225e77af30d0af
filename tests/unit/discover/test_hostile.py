"""Files that mean harm, or are broken: a note and no more, in little time and memory."""

import os
from pathlib import Path

import pytest

from optimizer.discover.document import document
from optimizer.discover.files import TEXT_BYTES, Project
from optimizer.discover.roles import propose
from optimizer.discover.sources import Sources
from optimizer.discover.survey import survey
from optimizer.discover.yaml_nodes import UnreadableError, parse_yaml

HANDLER = "def handler(event, context): ...\n"
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 40)
)
FUNCTION = "Resources:\n  F: {Type: 'AWS::Serverless::Function', Properties: {Handler: main.handler, CodeUri: src}}\n"


@pytest.fixture
def root(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src/main.py").write_text(HANDLER)
    (tmp_path / "requirements.txt").write_text("x\n")
    return tmp_path


def test_a_bomb_of_aliases_stays_small(root):
    text = FUNCTION.replace("CodeUri: src", "CodeUri: src, Timeout: *a39, Environment: {Variables: {AB: *a39}}")
    (root / "template.yaml").write_text(f"{BOMB}\n{text}")
    assert survey(root).functions[0].found.tool == "SAM"


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "{a: " * 3_000 + "1" + "}" * 3_000,
        "- " * 50_000 + "a",
        "a: *nowhere",
        "a: [1, 2",
        "\ta: 1",
        "- a\n" * 250_000,
        "a: \x00",
        "%YAML 9.9\n---\na: 1",
    ],
    ids=range(9),
)
def test_yaml_that_is_none_is_told_with_its_line(text):
    with pytest.raises(UnreadableError):
        parse_yaml(text, "x.yml")


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "3", "[]", "a: &a {b: *a}", "<<: 3\na: 1", "? [x]\n: 1", "--- 1\n--- 2"]
)
def test_yaml_that_says_nothing_of_use_is_no_error(root, text):
    (root / "template.yaml").write_text(f"# AWS::\n{text}\n")
    (root / "serverless.yml").write_text(f"{text}\n")
    assert survey(root).functions[0].found.tool == ""


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("template.yaml", b"AWS:: [\n"),
        ("template.yaml", b"AWS:: \xff\xfe"),
        ("serverless.yml", b"\x80"),
        ("main.tf", b"# aws_lambda_function\nresource {{{\n"),
        ("main.tf", b"# aws_lambda_function\na = " + b"[" * 3000),
        ("main.tf", b"# aws_lambda_function\na = " + b"[" * 2000 + b"]" * 2000),
        ("main.tf", b"# aws_lambda_function\n" * 20_000),
        ("main.tf", b"\xff"),
        ("samconfig.toml", b"[\n"),
        ("pyproject.toml", b"\xff"),
        (".python-version", b"\xff"),
        ("src/other.py", b"def (:\n"),
        ("src/other.py", b"x = " + b"(" * 5000),
        ("src/other.py", b"x = 1\0"),
        ("template.yaml", b"AWS::" + b" " * (TEXT_BYTES + 1)),
    ],
    ids=range(15),
)
def test_what_cannot_be_read_is_passed_over_with_a_note(root, name, content):
    (root / name).write_bytes(content)
    found = survey(root)
    assert found.functions[0].settings[3].value == "main.handler"
    noted = [note for note in found.notes if note.startswith(name)]
    assert noted or name == "samconfig.toml"


def test_links_are_followed_to_nothing_outside_and_in_no_circle(root, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "template.yaml").write_text(FUNCTION)
    (outside / "handler.py").write_text(HANDLER)
    (root / "template.yaml").symlink_to(outside / "template.yaml")
    (root / "loop").symlink_to(root)
    (root / "linked").symlink_to(outside)
    (root / "main.tf").symlink_to(root / "main.tf")
    os.mkfifo(root / "serverless.yml")
    project = Project(root)
    assert sorted(project.files) == ["requirements.txt", "src/main.py", "template.yaml"]
    assert survey(root).functions[0].found.tool == ""
    assert project.text("template.yaml") is None
    assert project.notes == ["template.yaml is a link out of the project; passed over"]


def test_names_that_would_write_backwards_or_break_a_line_are_passed_over(root):
    (root / "src/\u202eyp.handler.py").write_text(HANDLER)
    (root / "src/a\nname = 'x'.py").write_text(HANDLER)
    Path(os.fsdecode(os.fsencode(root) + b"/\xff")).mkdir()
    assert Sources(Project(root)).modules() == ("src/main.py",)


def test_values_cannot_leave_their_line_of_the_file(root):
    (root / "template.yaml").write_text(
        "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      Handler: main.handler\n"
        "      CodeUri: src\n      Runtime: python3.12\n      FunctionName: \"x\\nregions = ['y']\"\n"
        '      Environment: {Variables: {AB: "a\\n[[layer]]\\n\\"\\x7f", CD: !Sub "${X\\n[[function]]}"}}\n'
    )
    found = survey(root)
    text = document(found.functions, propose(["x"], {}, ""), found.remarks)
    (function,) = found.functions
    assert function.name == "x-regions-y"
    from optimizer.config import parse

    config = parse(text, root / "config/layers.toml")
    assert config.function[0].environment == {"AB": 'a\n[[layer]]\n"\x7f'}
    assert len(config.function) == 1


def test_pythonpath_and_too_much_environment_are_left_out(root):
    (root / "template.yaml").write_text(
        FUNCTION.replace(
            "CodeUri: src", f"CodeUri: src, Environment: {{Variables: {{PYTHONPATH: /x, BIG: {'x' * 5000}, AB: 1}}}}"
        )
    )
    environment = next(s for s in survey(root).functions[0].settings if s.key == "environment")
    assert environment.value == {}
    assert any("PYTHONPATH" in remark for remark in environment.remarks)
