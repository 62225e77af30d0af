"""Handlers and source folders, from the code alone or from where a tool's file says they are."""

import pytest

from optimizer.discover.files import Project
from optimizer.discover.runtimes import python_version
from optimizer.discover.settle import regions
from optimizer.discover.sources import Sources
from optimizer.discover.survey import survey
from optimizer.errors import UsageError

HANDLER = "def handler(event, context):\n    return 1\n"


@pytest.fixture
def project(tmp_path):
    def write(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return Project(tmp_path)

    return write


def values(made):
    (function,) = survey(made.root).functions
    return {setting.key: setting for setting in function.settings}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (HANDLER, "handler"),
        ("def lambda_handler(event, _context): ...\n", "lambda_handler"),
        ("from mangum import Mangum\nentry = Mangum(app)\n", "entry"),
        ("import mangum\nentry = mangum.Mangum(app, lifespan='off')\n", "entry"),
    ],
)
def test_handlers_are_known_by_how_they_are_written(project, text, name):
    found = values(project({"src/main.py": text, "requirements.txt": "x"}))
    assert (found["source"].value, found["handler"].value) == ("src", f"main.{name}")


@pytest.mark.parametrize(
    "text",
    ["def handler(request): ...\n", "class A:\n    def handler(self, event): ...\n", "_x = Mangum(app)\n", "x = 1"],
)
def test_what_only_looks_alike_is_none(project, text):
    with pytest.raises(UsageError, match="No Python function"):
        survey(project({"src/main.py": text, "requirements.txt": "x"}).root)


def test_handlers_of_tests_and_environments_are_none(project):
    files = {"tests/main.py": HANDLER, "env/pyvenv.cfg": "", "env/lib/x.py": HANDLER, ".hidden/a.py": HANDLER}
    with pytest.raises(UsageError) as error:
        survey(project(files).root)
    assert "Looked for: template.yaml" in error.value.mend


def test_several_candidates_are_listed(project):
    files = {"src/a.py": HANDLER, "src/lambda_function.py": HANDLER, "src/b/c.py": HANDLER, "requirements.txt": "x"}
    found = survey(project(files).root)
    assert found.functions[0].settings[3].value == "lambda_function.handler"
    assert any("src/a.py:1, src/b/c.py:1" in note for note in found.notes)


@pytest.mark.parametrize(
    ("files", "folder"),
    [
        ({"src/app/main.py": "", "src/app/__init__.py": ""}, "src"),
        ({"src/main.py": ""}, "src"),
        ({"src/main.py": "from src.lib import x\n", "src/lib.py": ""}, "."),
        ({"src/main.py": "import lib\n", "lib/x.py": ""}, "."),
        ({"src/api/main.py": "from common.x import y\n", "src/common/x.py": ""}, "src"),
        ({"src/api/main.py": "from . import y\nimport json\n"}, "src/api"),
        ({"main.py": ""}, "."),
    ],
)
def test_the_source_folder_is_where_its_own_imports_are_found(project, files, folder):
    made = project(files)
    assert Sources(made).folder_of(next(iter(files))) == folder


def test_a_source_that_is_the_whole_project_is_remarked_on(project):
    found = values(project({"lambda_function.py": HANDLER, "requirements.txt": "x"}))
    assert found["source"].value == "."
    assert "everything in it ships" in found["source"].remarks[0]


def test_a_handler_with_its_folder_is_narrowed_to_the_modules(project):
    files = {
        "serverless.yml": "service: s\nprovider: {name: aws, runtime: python3.12}\n"
        "functions: {f: {handler: src/api.handler}}\n",
        "src/api.py": HANDLER,
        "requirements.txt": "x",
    }
    found = values(project(files))
    assert (found["source"].value, found["handler"].value) == ("src", "api.handler")


@pytest.mark.parametrize("handler", ["../../outside.handler", "nowhere.handler", "handler", "/etc/passwd.x"])
def test_a_handler_that_is_not_there_is_asked_about(project, handler):
    files = {
        "template.yaml": "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n"
        f"      Handler: {handler}\n      CodeUri: src\n      Runtime: python3.12\n",
        "src/api.py": "x = 1\n",
        "requirements.txt": "x",
    }
    found = values(project(files))
    assert found["handler"].ask or found["source"].ask
    assert ".." not in found["source"].value


@pytest.mark.parametrize("folder", ["../outside", "/etc", "s3://bucket/key"])
def test_a_source_that_leaves_the_project_is_not_taken(project, folder):
    files = {
        "template.yaml": "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n"
        f"      Handler: api.handler\n      CodeUri: {folder}\n      Runtime: python3.12\n",
        "src/api.py": HANDLER,
        "requirements.txt": "x",
    }
    found = values(project(files))
    assert found["source"].value == "src"
    assert "does not say which folder" in found["source"].why


def test_boto3_that_is_imported_and_not_required_is_told(project):
    (function,) = survey(project({"src/main.py": f"import boto3\n{HANDLER}", "requirements.txt": "x"}).root).functions
    assert function.remarks[0].startswith("src/main.py:1 imports boto3")


@pytest.mark.parametrize(
    ("name", "text", "runtime"),
    [
        (".python-version", "# pinned\n3.12.4\n", "python3.12"),
        (".tool-versions", "nodejs 20.1.0\npython 3.13.1\n", "python3.13"),
        ("runtime.txt", "python-3.12.1\n", "python3.12"),
        ("pyproject.toml", '[project]\nrequires-python = ">=3.12,<3.13"\n', "python3.12"),
        ("pyproject.toml", '[project]\nrequires-python = "==3.13.*"\n', "python3.13"),
        ("pyproject.toml", '[tool.poetry.dependencies]\npython = "~=3.12.0"\n', "python3.12"),
        ("pyproject.toml", '[project]\nrequires-python = "<3.8"\n', None),
    ],
)
def test_the_runtime_is_read_from_what_says_which_python(project, name, text, runtime):
    found = python_version(project({name: text, "src/a.py": ""}), "src")
    assert found.value == runtime
    assert found.where.startswith(name)


def test_a_range_of_pythons_tells_what_else_it_admits(project):
    found = python_version(project({"pyproject.toml": '[project]\nrequires-python = ">=3.12"\n'}), "")
    assert "admits" in found.how


def test_where_no_file_says_a_region_the_shells_is_the_default_and_asked_about():
    named = regions((), (), {"AWS_DEFAULT_REGION": "eu-west-3"})
    assert (named.value, named.ask) == (["eu-west-3"], "no file says it; AWS_DEFAULT_REGION of this shell does")
    assert regions((), (), {"AWS_REGION": "nowhere"}).value == ["us-east-1"]


def test_requirements_that_are_nowhere_are_an_error_with_what_was_looked_for(project):
    with pytest.raises(UsageError) as error:
        survey(project({"src/main.py": HANDLER, "elsewhere/requirements.txt": "x"}).root)
    assert "there is elsewhere/requirements.txt" in error.value.message
    assert "uv.lock" in error.value.mend
