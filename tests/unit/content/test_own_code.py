"""What of a function's own source goes into its zip, and in which form."""

import json
import zipfile

import pytest

from optimizer.cli.build import run_build
from optimizer.cli.pipeline import Source
from optimizer.config import load
from optimizer.errors import ConfigError
from optimizer.models import InstalledFile
from optimizer.select.selection import select_source
from tests.support import CONFIG, make_project

ON = "\n[slim]\ncomments = true\n"
HANDLER = '"""Text."""\nimport web  # noqa\n\n\ndef handler(event, context):\n    """Text."""\n    return {}\n'
FILES = {
    "handler.py": HANDLER,
    "requirements.txt": "aws\nweb\ntool\n",
    "requirements.in": "aws\n",
    "policy.json": '{"Version": "2012-10-17", "Statement": []}',
    "requirements-dev.txt": "pytest\n",
    "broken.py": "def (: # c\n",
    "words.txt": "# no comment\n",
}


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    make_project(tmp_path)
    for name, text in FILES.items():
        (tmp_path / "src" / name).write_text(text)
    return tmp_path


def build(project, more="", *, function="", slim=ON):
    """The files of the function's zip, its artifact, and what its receipt says by rule."""
    own = f'requirements = "src/requirements.txt"\npolicy = "src/policy.json"\n{function}'
    text = CONFIG.replace('requirements = "requirements.txt"', own) + slim + more
    (project / "config/layers.toml").write_text(text)
    output = project / "out"
    manifest = run_build(Source(config=project / "config/layers.toml", path=project / "site"), output, quiet=True)
    rows = json.loads((output / "receipt.json").read_text())["left_out"]
    artifacts = [one for one in manifest.artifacts if one.kind == "function"]
    with zipfile.ZipFile(output / artifacts[0].path) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    left = {row["rule"]: (row["files"], row["bytes"], row["paths"]) for row in rows if row["artifact"] == "app"}
    return files, artifacts[0], left


def test_what_the_configuration_names_as_no_code_does_not_ship_unless_it_is_kept(project):
    files, _, left = build(project)
    assert set(files) == {"handler.py", "broken.py", "words.txt", "requirements-dev.txt"}
    paths = ["policy.json", "requirements.in", "requirements.txt"]
    assert left["build-only"] == (3, sum(len(FILES[name]) for name in paths), paths)
    files, _, left = build(project, function='keep = ["requirements.*"]\n')
    assert files["requirements.txt"] == FILES["requirements.txt"]
    assert files["requirements.in"] == FILES["requirements.in"]
    assert left["build-only"][2] == ["policy.json"]


@pytest.mark.parametrize(("source", "prefix"), [(".", ""), ("src/..", ""), ("layers", "layers/")])
def test_what_this_tool_commits_is_no_code_of_a_function_whose_source_has_it(project, source, prefix):
    """Else each `plan --write` would change the code that it has just looked at."""
    (project / "config/layers.toml").write_text(CONFIG)
    config = load(project / "config/layers.toml")
    function = config.function[0].model_copy(update={"source": source})
    ours = {"layers/aws-core/layer.lock", "layers/history.json", "layers/requirements-python3.11-x86_64.txt"}
    theirs = {"layers/mine/words.txt", "layers/a/b/layer.lock", "layers/requirements.json"}
    files = tuple(
        InstalledFile(path=path.removeprefix(prefix), location="", bytes=1, mtime_ns=0, inode=0, executable=False)
        for path in sorted(ours | theirs)
    )
    found = select_source(function, files, config)
    assert {prefix + file.path for file in found.files} == theirs


def test_nor_does_what_it_names_for_another_function(project):
    (project / "src/other.txt").write_text("aws\n")
    second = CONFIG[: CONFIG.index("[[layer]]")].replace('"app"', '"other"')
    files, _, _ = build(project, second.replace('"requirements.txt"', '"src/other.txt"'))
    assert "other.txt" not in files


def test_modules_ship_as_they_are_unless_the_rule_is_on(project):
    files, before, left = build(project, slim="")
    assert files["handler.py"] == HANDLER
    assert set(left) == {"build-only"}
    files, after, left = build(project)
    assert files["handler.py"] == "\nimport web\n\n\ndef handler(event, context):\n\n return {}\n"
    assert (files["broken.py"], files["words.txt"]) == (FILES["broken.py"], FILES["words.txt"])
    assert left["comments"] == (1, len(HANDLER) - len(files["handler.py"]), [])
    assert before.fingerprint != after.fingerprint


def test_the_fingerprint_is_of_what_ships(project):
    _, before, _ = build(project)
    (project / "src/handler.py").write_text(HANDLER.replace("Text.", "Other words.").replace("noqa", "why"))
    _, after, _ = build(project)
    assert (before.fingerprint, before.sha256) == (after.fingerprint, after.sha256)
    (project / "src/handler.py").write_text(HANDLER.replace("{}", "None"))
    assert build(project)[1].fingerprint != after.fingerprint


def test_what_is_kept_ships_with_its_comments(project):
    files, _, left = build(project, function='keep = ["hand*.py"]\n')
    assert files["handler.py"] == HANDLER
    assert "comments" not in left


def test_a_docstring_that_is_read_in_another_module_stays(project):
    (project / "src/tools.py").write_text('def search():\n    """Search."""\n    return 1\n')
    (project / "src/agent.py").write_text("import tools\nimport web\n\nweb.Agent(tools=[tools.search])\n")
    assert '"""Search."""' in build(project)[0]["tools.py"]
    (project / "src/agent.py").write_text("import tools\n\ntools.search()\n")
    assert '"""Search."""' not in build(project)[0]["tools.py"]


def test_an_empty_pattern_is_a_fault(project):
    text = CONFIG.replace('requirements = "requirements.txt"', 'requirements = "requirements.txt"\nkeep = [""]')
    (project / "config/layers.toml").write_text(text)
    with pytest.raises(ConfigError, match="keep"):
        load(project / "config/layers.toml")
