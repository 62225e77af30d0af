"""Plan and build from wheels on disk, by the command line: the same layers as from the same wheels installed."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support import make_project, make_wheel, run_optimizer

SOURCE = "".join(f"def function_{i}(value):\n    return value * {i}\n" for i in range(60))


@pytest.fixture
def project(tmp_path):
    make_project(tmp_path)
    wheels = tmp_path / "wheels"
    make_wheel(wheels, "aws", requires=("shared>=1",))
    make_wheel(
        wheels,
        "web",
        requires=("shared",),
        files={
            "web/__init__.py": SOURCE,
            "web/run.sh": "#!/bin/sh\n" * 30,
            "web/empty.py": "",
            "web-1.0.data/purelib/web/more.py": SOURCE + "MORE = 1\n",
            "web-1.0.data/scripts/web": "#!python\n",
        },
        metadata={"entry_points.txt": "[console_scripts]\nweb = web:function_1\n"},
        modes={"web/run.sh": 0o100755},
    )
    make_wheel(wheels, "shared")
    make_wheel(wheels, "tool", tag="cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64")
    make_wheel(wheels, "tool", "2.0", tag="cp311-cp311-macosx_11_0_arm64")
    (tmp_path / "requirements.txt").write_text("aws\nweb\ntool<2\n")
    return tmp_path


def run(project, *arguments, cache="cache", status=0):
    return run_optimizer(project, *arguments, status=status, XDG_CACHE_HOME=str(project / cache))


def planned(project, *arguments):
    return json.loads(run(project, "plan", "--format", "json", *arguments).stdout)


def test_wheels_and_the_same_wheels_installed_have_the_same_fingerprints(project):
    chosen = [path for path in (project / "wheels").iterdir() if "macosx" not in path.name]
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--target"]
    subprocess.run([*command, str(project / "installed"), *map(str, chosen)], check=True)
    packed, installed = planned(project, "--wheels", "wheels"), planned(project, "--path", "installed")
    assert packed["source"] == "wheels"
    assert packed["warnings"] == []
    for one, other in zip(packed["layers"], installed["layers"], strict=True):
        assert one["fingerprint"] == other["fingerprint"]
        assert one["unzipped_bytes"] == other["unzipped_bytes"]
    shipped = [d for layer in packed["layers"] for d in layer["distributions"]]
    assert {d["name"]: d["version"] for d in shipped} == {"aws": "1.0", "shared": "1.0", "tool": "1.0", "web": "1.0"}


def test_a_build_copies_the_wheels_streams_and_is_what_the_plan_says(project):
    plan = planned(project, "--wheels", "wheels")
    run(project, "build", "--wheels", "wheels", "--output", "out")
    layers = {layer["name"]: layer for layer in plan["layers"]}
    web = project / "out/web-framework.zip"
    assert web.stat().st_size == layers["web-framework"]["zipped_bytes"]
    with zipfile.ZipFile(web) as built, zipfile.ZipFile(next((project / "wheels").glob("web-*"))) as wheel:
        assert built.testzip() is None
        assert built.read("python/web/more.py") == (SOURCE + "MORE = 1\n").encode()
        assert built.getinfo("python/web/run.sh").external_attr >> 16 == 0o100755
        for path in ("web/__init__.py", "web/run.sh"):
            assert stream(web, built, f"python/{path}") == stream(wheel.filename, wheel, path)


def stream(path, archive, name):
    info = archive.getinfo(name)
    with Path(path).open("rb") as file:
        file.seek(info.header_offset + 30 + len(name.encode()))
        return file.read(info.compress_size)


def built(project, output, *, cache):
    run(project, "build", "--wheels", "wheels", "--output", output, cache=cache)
    return {path.name: path.read_bytes() for path in (project / output).iterdir()}


def test_bytes_depend_on_the_wheels_alone_not_on_their_place_or_on_what_the_cache_holds(project):
    first = built(project, "one", cache="one-cache")
    run(project, "plan", "--wheels", "wheels", cache="other-cache")
    shutil.copytree(project / "wheels", project / "moved")
    shutil.rmtree(project / "wheels")
    (project / "moved").rename(project / "wheels")
    for path in (project / "wheels").iterdir():
        os.utime(path, (1, 1))
    assert built(project, "two", cache="other-cache") == first
    assert built(project, "three", cache="one-cache") == first
    run(project, "build", "--path", "site", "--output", "site-out", cache="third-cache")
    assert built(project, "four", cache="third-cache") == first


@pytest.mark.parametrize("command", ["plan", "build"])
def test_a_wheel_that_was_tampered_with_stops_everything(project, command):
    wheel = next((project / "wheels").glob("web-*"))
    with zipfile.ZipFile(wheel) as archive:
        members = [(info, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for info, data in members:
            archive.writestr(info, data.replace(b"value * 7", b"value * 8"))
    done = run(project, command, "--wheels", "wheels", "--format", "json", status=2)
    assert json.loads(done.stdout)["error"]["code"] == "inventory"
    assert "web/__init__.py" in done.stderr
    assert wheel.name in done.stderr


def test_path_and_wheels_together_are_wrong_usage(project):
    assert "--wheels" in run(project, "plan", "--path", "site", "--wheels", "wheels", status=2).stderr


def test_a_wheel_that_changes_is_read_again_even_where_only_plan_runs(project):
    before = planned(project, "--wheels", "wheels")
    make_wheel(project / "wheels", "shared", files={"shared/__init__.py": "other = 1\n"})
    after = planned(project, "--wheels", "wheels")
    assert [x["fingerprint"] for x in before["layers"]] != [x["fingerprint"] for x in after["layers"]]
