"""What a project requires, in each of the forms that there are, and the requirements file that is made of it."""

import textwrap

import pytest

from optimizer.discover.exports import constraints_text, export_text
from optimizer.discover.files import Project
from optimizer.discover.required import find_required
from optimizer.models import Target

TARGET = Target(runtime="python3.11", architecture="x86_64")
PYPROJECT = """
[project]
name = "shop"
version = "1"
requires-python = ">=3.11"
dependencies = [
  "fastapi[standard]>=0.115",
  "Boto3",
  "tzdata; sys_platform == 'win32'",
]
[dependency-groups]
dev = ["pytest"]
"""
POETRY = """
[tool.poetry.dependencies]
python = "^3.11"
fastapi = {version = "^0.115", extras = ["standard"]}
boto3 = "*"
tzdata = {version = "*", markers = "sys_platform == 'win32'"}
requests = "~2.31"
orjson = [{version = "<4", python = "<3.12"}, {version = ">=3.10"}]
psycopg = {version = "*", optional = true}
ours = {path = "../ours"}
"""
UV = """
version = 1
[[package]]
name = "shop"
version = "1"
source = { virtual = "." }
dependencies = [{ name = "boto3" }, { name = "fastapi", extra = ["standard"] }]
[[package]]
name = "fastapi"
version = "0.116.1"
source = { registry = "https://example.invalid/simple" }
dependencies = [{ name = "starlette" }]
[[package]]
name = "starlette"
version = "0.47.0"
[[package]]
name = "boto3"
version = "1.40.2"
[[package]]
name = "pytest"
version = "8.0"
"""
POETRY_LOCK = """
[[package]]
name = "fastapi"
version = "0.115.9"
groups = ["main"]
[package.dependencies]
starlette = ">=0.40"
[[package]]
name = "starlette"
version = "0.46.0"
groups = ["main"]
[[package]]
name = "boto3"
version = "1.39.0"
groups = ["main"]
[[package]]
name = "requests"
version = "2.31.0"
groups = ["main"]
"""
PDM_LOCK = """
[metadata]
groups = ["default", "dev"]
[[package]]
name = "fastapi"
version = "0.116.0"
groups = ["default"]
dependencies = ["starlette>=0.40"]
[[package]]
name = "boto3"
version = "1.38.0"
groups = ["default"]
"""


@pytest.fixture
def project(tmp_path):
    def write(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))
        return Project(tmp_path)

    return write


def lines(required):
    return list(required.export.lines)


def test_a_pyproject_without_a_lock_is_exported_as_it_is(project):
    required = find_required(project({"pyproject.toml": PYPROJECT}), "src", TARGET)
    assert lines(required) == ["fastapi[standard]>=0.115", "Boto3", 'tzdata; sys_platform == "win32"']
    assert required.place == "pyproject.toml:6"
    assert required.direct == ("fastapi", "boto3", "tzdata")
    assert required.export.constraints == ()


@pytest.mark.parametrize(
    ("lock", "text", "fastapi", "boto3"),
    [
        ("uv.lock", UV, "0.116.1", "1.40.2"),
        ("pdm.lock", PDM_LOCK, "0.116.0", "1.38.0"),
        ("poetry.lock", POETRY_LOCK, "0.115.9", "1.39.0"),
    ],
)
def test_a_lock_beside_it_gives_the_versions(project, lock, text, fastapi, boto3):
    required = find_required(project({"pyproject.toml": PYPROJECT, lock: text}), "src", TARGET)
    assert lines(required)[:2] == [f"fastapi[standard]=={fastapi}", f"Boto3=={boto3}"]
    assert required.lock == lock
    written = export_text(required.export, "constraints-shop.txt")
    assert written.splitlines()[0].startswith(f"# What pyproject.toml requires, in the versions of {lock}")
    assert "-c constraints-shop.txt\n" in written
    assert f"boto3=={boto3}\n" in constraints_text(required.export)


def test_what_the_lock_holds_beside_it_constrains_and_is_not_required(project):
    required = find_required(project({"pyproject.toml": PYPROJECT, "uv.lock": UV}), "src", TARGET)
    assert "starlette==0.47.0" in required.export.constraints
    assert not any(line.startswith(("starlette", "pytest")) for line in lines(required))


def test_poetrys_own_table_is_said_in_pep_508(project):
    required = find_required(project({"pyproject.toml": POETRY}), "", TARGET)
    assert lines(required) == [
        "fastapi[standard]<0.116,>=0.115",
        "boto3",
        'tzdata; sys_platform == "win32"',
        "requests<2.32,>=2.31",
        "orjson<4",
        "orjson>=3.10",
    ]
    assert required.export.unread == ("ours",)
    assert "# not taken over, since no index has it: ours\n" in export_text(required.export, "")


def test_a_pipfile_is_read_with_its_lock(project):
    files = {
        "Pipfile": '[packages]\nfastapi = "*"\nboto3 = {version = ">=1.3"}\n[dev-packages]\npytest = "*"\n',
        "Pipfile.lock": '{"default": {"fastapi": {"version": "==0.100"}, "boto3": {"version": "==1.36"}}}',
    }
    required = find_required(project(files), "src", TARGET)
    assert lines(required) == ["fastapi==0.100", "boto3==1.36"]


def test_the_nearest_file_counts_and_others_are_told(project):
    files = {
        "requirements.txt": "far\n",
        "src/requirements.txt": "near\n",
        "src/pyproject.toml": PYPROJECT,
        "src/app.py": "",
    }
    required = find_required(project(files), "src", TARGET)
    assert (required.file, required.direct) == ("src/requirements.txt", ("near",))
    assert required.others == ("src/pyproject.toml",)
    assert find_required(project(files), "", TARGET).file == "requirements.txt"


def test_a_pyproject_that_only_configures_tools_says_nothing(project):
    files = {"src/pyproject.toml": "[tool.ruff]\nline-length = 100\n", "requirements.txt": "x\n"}
    assert find_required(project(files), "src", TARGET).file == "requirements.txt"


def test_includes_are_followed_inside_the_project_only(project):
    files = {"requirements.txt": "-r base.txt\n-r ../../etc/hosts\n-r requirements.txt\nb\n", "base.txt": "a\n"}
    made = project(files)
    required = find_required(made, "", TARGET)
    assert set(required.direct) == {"a", "b"}
    assert any("includes ../../etc/hosts" in note for note in made.notes)


@pytest.mark.parametrize(
    "files",
    [
        {"requirements.txt": "a==1\nb==1\nc==1\n", "requirements.in": "a\nc\n"},
        {
            "requirements.txt": "a==1 \\\n    --hash=sha256:00\n    # via -r requirements.in\nb==1\n    # via a\nc==1\n"
            "    # via\n    #   -r requirements.in\n    #   a\n"
        },
        {"requirements.txt": "a==1\n    # via shop (pyproject.toml)\nb==1\n    # via\n    #   a\n    #   c\nc==1\n"},
    ],
)
def test_a_compiled_file_tells_what_a_person_chose(project, files):
    assert find_required(project(files), "", TARGET).direct == ("a", "c")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", "[project\n"),
        ("pyproject.toml", "a = " + "[" * 5000),
        ("pyproject.toml", "[project]\ndependencies = 3\n"),
        ("pyproject.toml", "project = 3\ntool = []\n"),
    ],
)
def test_a_broken_file_is_passed_over(project, name, text):
    assert find_required(project({name: text, "src/a.py": ""}), "src", TARGET) is None


def test_a_broken_lock_leaves_what_is_declared(project):
    made = project({"pyproject.toml": PYPROJECT, "uv.lock": "[[package]\n"})
    assert lines(find_required(made, "", TARGET))[1] == "Boto3"
    assert any(note.startswith("uv.lock can't be read") for note in made.notes)
