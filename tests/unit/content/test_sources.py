"""Modules that ship as bytecode alone, where the configuration asks for it."""

import subprocess
import sys
import zipfile

import pytest

from optimizer.cli.build import run_build
from optimizer.cli.pipeline import Source, planned
from optimizer.config import load
from optimizer.errors import ConfigError
from tests.support import CONFIG, lay_out, make_project

ON = "\n[slim]\nsources = true\n"


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    site = make_project(tmp_path, config=CONFIG + ON)
    files = {
        "tool/__init__.py": "from tool import inner\n",
        "tool/inner.py": "def fail():\n    raise KeyError\n",
        "tool/broken.py": "def (:\n",
        "tool/data-1/template.py": "{{ name }}\n",
        "tool/words.txt": "x",
    }
    lay_out(site, "tool", files=files)
    return tmp_path


def build(project, text=CONFIG + ON):
    (project / "config/layers.toml").write_text(text)
    manifest = run_build(Source(config=project / "config/layers.toml", path=project / "site"), project / "out")
    with zipfile.ZipFile(project / "out/utilities.zip") as archive:
        archive.extractall(project / "opt")
        return {n.removeprefix("python/") for n in archive.namelist()}, {
            a.name: a.fingerprint for a in manifest.artifacts
        }


def test_a_module_ships_in_the_place_of_its_source_and_what_is_no_module_stays(project):
    names, _ = build(project)
    assert {n for n in names if n.startswith("tool/")} == {
        "tool/__init__.pyc",
        "tool/inner.pyc",
        "tool/broken.py",
        "tool/data-1/template.py",
        f"tool/data-1/__pycache__/template.{sys.implementation.cache_tag}.pyc",
        "tool/words.txt",
    }


def test_it_imports_and_tracebacks_tell_the_lines(project):
    build(project)
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import importlib.metadata as m, tool, traceback\n"
        "assert 'tool' in m.packages_distributions()\n"
        "try:\n    tool.inner.fail()\nexcept KeyError:\n    traceback.print_exc()\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script, str(project / "opt/python")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert 'File "/opt/python/tool/inner.py", line 2, in fail' in done.stderr


def test_record_tells_what_is_there(project):
    names, _ = build(project)
    rows = (project / "opt/python/tool-1.0.dist-info/RECORD").read_text().splitlines()
    assert {row.split(",")[0] for row in rows} == {n for n in names if n.startswith("tool") and "__pycache__" not in n}
    assert "tool/inner.pyc,," in rows


def test_a_changed_source_or_the_rule_itself_makes_another_fingerprint(project):
    _, first = build(project)
    _, same = build(project)
    assert first == same
    inner = project / "site/tool/inner.py"
    inner.write_text("def fail():\n    raise ValueError\n")
    _, second = build(project)
    _, third = build(project, CONFIG)
    assert len({first["utilities"], second["utilities"], third["utilities"]}) == 3


def test_the_receipt_tells_it_and_keep_patterns_win(project):
    text = CONFIG + ON + '[slim.keep]\ntool = ["tool/inner.py"]\n'
    names, _ = build(project, text)
    assert {"tool/inner.py", "tool/__init__.pyc"} <= names
    with planned(Source(config=project / "config/layers.toml", path=project / "site")) as result:
        (payload,) = (d.payload for layer in result.plan.layers for d in layer.distributions if d.name == "tool")
    assert ("sources", 1, 23) in {(d.rule, d.files, d.bytes) for d in payload.dropped}


def test_without_bytecode_there_would_be_nothing(project):
    place = project / "config/layers.toml"
    place.write_text(CONFIG + ON + "[build]\nbytecode = false\n")
    with pytest.raises(ConfigError, match=r"slim\.sources"):
        load(place)
