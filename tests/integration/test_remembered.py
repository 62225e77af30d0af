"""Builds that are done again from memory: the same bytes as the whole way, and the whole way for whatever changed."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from optimizer import remembered
from optimizer.commit import _VARIABLES
from tests.support import CONFIG, ROOT, make_project, make_wheel, run_optimizer

LONG = "reading and hashing every file again"
"""What the whole way says, and a remembered build does not."""
CONFIGURED = CONFIG.replace('handler = "handler', 'policy = "policy.json"\nhandler = "handler')


@pytest.fixture
def project(tmp_path):
    make_project(tmp_path, config=CONFIGURED, requirements="-r base.txt\nweb\n")
    (tmp_path / "base.txt").write_text("aws\ntool\n")
    (tmp_path / "policy.json").write_text('{"Version": "2012-10-17", "Statement": []}')
    for name, requires in {"aws": ("shared>=1",), "web": ("shared",), "shared": (), "tool": (), "stray": ()}.items():
        make_wheel(tmp_path / "wheels", name, requires=requires)
    run(tmp_path, "plan", "--wheels", "wheels", "--write")
    time.sleep(0.3)  # what changed just before a build is not remembered
    return tmp_path


def run(project, *arguments, environment=None):
    return run_optimizer(project, *arguments, **(environment or {}))


def build(project, *options, source="wheels", environment=None):
    """Whether the build went the whole way, and what it said beside that."""
    where = ["--wheels", "wheels"] if source == "wheels" else ["--path", source]
    lines = run(project, "build", *where, "--output", "out", *options, environment=environment).stderr.splitlines()
    return LONG in lines, [line for line in lines if line != LONG]


def files(project):
    return {path.name: path.read_bytes() for path in (project / "out").iterdir()}


@pytest.mark.parametrize("source", ["wheels", "site"])
def test_a_remembered_build_writes_and_says_the_same(project, source):
    whole, said = build(project, source=source)
    assert whole
    first = files(project)
    shutil.rmtree(project / "out")
    assert build(project, source=source) == (False, said)
    assert files(project) == first
    (project / "out/tool.zip").write_bytes(b"somebody else's")
    (project / "out/utilities.zip").write_bytes(b"damaged")
    assert build(project, source=source) == (False, said)
    assert files(project) == {**first, "tool.zip": b"somebody else's"}


def test_the_commit_is_asked_for_each_time(project):
    untold = dict.fromkeys(_VARIABLES, "")
    assert build(project, environment=untold)[0]
    assert "commit" not in json.loads((project / "out/manifest.json").read_text())
    commit = "0123456789abcdef0123456789abcdef01234567"
    environment = {**untold, "GITHUB_SHA": commit}
    assert not build(project, environment=environment)[0]
    remembered = (project / "out/manifest.json").read_text()
    assert json.loads(remembered)["commit"] == commit
    shutil.rmtree(project / "cache")
    assert build(project, environment=environment)[0]
    assert (project / "out/manifest.json").read_text() == remembered


def append(path, text="\n"):
    return lambda project: (project / path).write_text((project / path).read_text() + text)


def write(path, text=""):
    def change(project):
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text(text)

    return change


CHANGES = {
    "configuration": append("config/layers.toml"),
    "requirements": append("requirements.txt"),
    "included requirements": append("base.txt"),
    "policy": append("policy.json"),
    "code": append("src/handler.py"),
    "a file of the code that came": write("src/more.py"),
    "a hidden folder of the code": write("src/.new/x.py"),
    "a file of the code that may be run": lambda project: (project / "src/handler.py").chmod(0o755),
    "lock": append("layers/utilities/layer.lock"),
    "lock that went": lambda project: (project / "layers/utilities/layer.lock").unlink(),
    "lock that came": write("layers/other/layer.lock", "x"),
    "history": lambda project: shutil.copy(ROOT / "layers/history.json", project / "layers/history.json"),
    "wheel": lambda project: make_wheel(project / "wheels", "shared", files={"shared/__init__.py": "other = 1\n"}),
    "wheel that came": lambda project: make_wheel(project / "wheels", "tool", "2.0"),
    "wheel that nothing needs": lambda project: make_wheel(project / "wheels", "new"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_whatever_input_changed_the_build_goes_the_whole_way(project, change):
    build(project)
    assert build(project)[0] is False
    change(project)
    assert build(project)[0] is True


INSTALLED = {
    "file": append("site/shared/__init__.py"),
    "metadata": append("site/shared-1.0.dist-info/METADATA"),
    "file that may be run": lambda project: (project / "site/shared/__init__.py").chmod(0o755),
    "file of the metadata that came": write("site/shared-1.0.dist-info/direct_url.json", "{}"),
    "distribution that came": write("site/new-1.0.dist-info/METADATA", "Name: new\nVersion: 1.0\n"),
}


@pytest.mark.parametrize("change", INSTALLED.values(), ids=INSTALLED.keys())
def test_whatever_installed_file_changed_the_build_goes_the_whole_way(project, change):
    build(project, source="site")
    assert build(project, source="site")[0] is False
    change(project)
    assert build(project, source="site")[0] is True


def test_whom_layers_are_shared_with_is_in_the_manifest_and_changes_no_zip(project):
    build(project)
    before = files(project)
    assert "share" not in json.loads(before["manifest.json"])
    with (project / "config/layers.toml").open("a") as config:
        config.write('\n[share]\naccounts = ["210987654321"]\n')
    build(project)
    after = files(project)
    assert json.loads(after.pop("manifest.json"))["share"] == {"accounts": ["210987654321"], "organization": None}
    assert after == {name: data for name, data in before.items() if name != "manifest.json"}


def test_other_options_folders_and_paths_are_other_builds(project):
    build(project)
    assert build(project, "--layers", "4")[0] is True
    assert build(project, environment={"PATH": f"{os.environ['PATH']}:{project}"})[0] is True
    assert build(project, environment={"PYTHONPATH": f"{ROOT}:{project}/site"})[0] is True
    assert build(project)[0] is False


def test_another_optimizer_is_another_build(project):
    shutil.copytree(ROOT / "optimizer", project / "code/optimizer", ignore=shutil.ignore_patterns("__pycache__"))
    time.sleep(0.3)
    there = {"PYTHONPATH": str(project / "code")}
    build(project, environment=there)
    assert build(project, environment=there)[0] is False
    append("code/optimizer/units.py")(project)
    assert build(project, environment=there)[0] is True


@pytest.mark.parametrize("damage", [b"", b"{}", b"[1]", b'{"inputs": [], "files": {}}'])
def test_a_damaged_record_is_no_memory(project, damage):
    build(project)
    expected = files(project)
    for record in (project / "cache/layer-optimizer/builds-2").glob("*.json"):
        record.write_bytes(damage)
    assert build(project)[0] is True
    assert files(project) == expected


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"x" + path.read_bytes()[1:]), Path.unlink])
def test_a_damaged_or_lost_zip_is_no_memory_and_is_mended(project, damage):
    build(project)
    expected = files(project)
    for path in (project / "cache/layer-optimizer/builds-2").iterdir():
        if path.suffix != ".json":
            damage(path)
    assert build(project)[0] is True
    assert files(project) == expected
    assert build(project)[0] is False


def test_what_changes_while_it_is_built_is_not_remembered(tmp_path, monkeypatch):
    (tmp_path / "input").write_text("x")
    (tmp_path / "a.zip").write_bytes(b"zip")
    sha256 = remembered._content(str(tmp_path / "a.zip"))
    inputs = [("content", str(tmp_path / "input"))]
    for started, known in ((time.time_ns(), 0), (time.time_ns() + 10**12, 1)):
        monkeypatch.setattr("optimizer.remembered.STARTED_NS", started)
        remembered.keep(
            ["build"],
            inputs,
            tmp_path,
            {"a.zip": sha256},
            manifest="{}",
            root=tmp_path,
            lines=[],
            folder=tmp_path / "memory",
        )
        assert len(list((tmp_path / "memory").glob("*.json"))) == known


def test_a_file_that_comes_into_a_folder_below_while_it_is_built_is_not_remembered(tmp_path, monkeypatch):
    (tmp_path / "src/package").mkdir(parents=True)
    time.sleep(0.3)
    monkeypatch.setattr("optimizer.remembered.STARTED_NS", time.time_ns())
    for known in (1, 0):
        shutil.rmtree(tmp_path / "memory", ignore_errors=True)
        inputs = [("tree", str(tmp_path / "src"))]
        remembered.keep(
            ["build"], inputs, tmp_path, {}, manifest="{}", root=tmp_path, lines=[], folder=tmp_path / "memory"
        )
        assert len(list((tmp_path / "memory").glob("*.json"))) == known
        (tmp_path / "src/package/new.py").write_text("new = 1")


def test_zips_that_have_not_been_used_for_longest_go_first(tmp_path, monkeypatch):
    monkeypatch.setattr("optimizer.remembered.STARTED_NS", time.time_ns() + 10**12)
    monkeypatch.setattr("optimizer.remembered.LIMIT_BYTES", 2500)
    memory = tmp_path / "memory"
    for i in range(4):
        place = tmp_path / f"{i}.zip"
        place.write_bytes(bytes([i]) * 1000)
        sha256 = remembered._content(str(place))
        remembered.keep(
            [str(i)], [], tmp_path, {place.name: sha256}, manifest="{}", root=tmp_path, lines=[], folder=memory
        )
        if i < 3:
            os.utime(memory / sha256, (time.time() - 100 + i, time.time() - 100 + i))
    assert sum(path.stat().st_size for path in memory.iterdir()) <= 2500
    assert remembered.again(["3"], folder=memory) == []
    assert remembered.again(["0"], folder=memory) is None


SPY = """
import json, sys
seen = []
def hook(event, arguments):
    if event in ("open", "os.listdir", "os.scandir") and arguments[0] is not None:
        seen.append((event, str(arguments[0]), str(arguments[1]) if event == "open" else ""))
sys.argv = ["optimizer", *json.loads(sys.argv[1])]
from optimizer.cli.entry import main
sys.addaudithook(hook)
try:
    main()
finally:
    events = list(seen)
    json.dump(events, open("seen.json", "w"))
"""


@pytest.mark.parametrize("source", [("--wheels", "wheels"), ("--path", "site")])
def test_every_file_and_folder_that_a_build_reads_is_an_input(project, source):
    """Watched by an audit hook: an input that somebody adds to planning and forgets here fails this test."""
    subprocess.run(
        [sys.executable, "-c", SPY, json.dumps(["build", *source, "--output", "out"])],
        cwd=project,
        check=True,
        env={**os.environ, "XDG_CACHE_HOME": str(project / "cache"), "PYTHONPATH": str(ROOT)},
    )
    (record,) = (project / "cache/layer-optimizer/builds-2").glob("*.json")
    inputs = {}
    for kind, place, _ in json.loads(record.read_text())["inputs"]:
        inputs.setdefault(kind, set()).add(project / place)
    seen = json.loads((project / "seen.json").read_text())
    own = ("cache", "out", "seen.json")
    read = {
        (event, path)
        for event, name, mode in seen
        if (path := project / name).is_relative_to(project)
        and path.relative_to(project).parts[:1] not in [(each,) for each in own]
        and not name.isdecimal()  # it is open already
        and not (event == "open" and "w" in mode)
    }
    assert len(read) > 8
    for event, path in sorted(read):
        if event == "open":
            absent = not path.exists() and path.parent in inputs["names"]
            assert absent or path in inputs["content"], path
        else:
            if path == project:
                continue  # the import system looks into the folder that it runs in
            below = any(path.is_relative_to(tree) for tree in inputs["tree"])
            assert below or path in inputs["names"], path


def test_a_build_without_a_place_goes_to_its_own_and_to_no_earlier_ones(project):
    build(project)
    before = files(project)
    where = ["--wheels", "wheels"]
    run(project, "build", *where, "--output", "other")
    assert (project / "other/manifest.json").read_bytes() == before["manifest.json"]
    shutil.rmtree(project / "out")
    shutil.rmtree(project / "other")
    run(project, "build", *where)
    assert (project / "layers/.build/manifest.json").exists()
    assert not (project / "out").exists()
    assert not (project / "other").exists()


@pytest.mark.parametrize("output", [["--output"], ["--output", "src/out"]])
def test_an_output_that_can_not_be_is_refused_though_the_build_is_known(project, output):
    build(project)
    with pytest.raises(AssertionError):
        run(project, "build", "--wheels", "wheels", *output)
    assert not (project / "src/out").exists()
