"""`--requirements FILE`: resolved for the target and locked, or, with --path, read beside an installed folder."""

import hashlib
import json
import zipfile
from functools import partial

import pytest

from tests.support import make_project, make_wheel, run_optimizer
from tests.unit.inventory.resolving import isolated

LOCK = "layers/requirements-python3.11-x86_64.txt"


@pytest.fixture
def project(tmp_path):
    make_project(tmp_path, requirements="nothing-of-this\n")
    (tmp_path / "requirements.in").write_text("aws\nweb  # by hand\ntool\n")
    index = tmp_path / "index"
    make_wheel(index, "aws", requires=("shared>=1",))
    make_wheel(index, "web", requires=("shared", "tests-only; extra == 'test'"))
    make_wheel(index, "shared", tag="cp311-cp311-manylinux_2_17_x86_64")
    make_wheel(index, "shared", tag="cp311-cp311-manylinux_2_17_aarch64")
    make_wheel(index, "tool")
    return tmp_path


@pytest.fixture
def optimizer(project):
    return partial(run_optimizer, project, **isolated(project), PYTHONDONTWRITEBYTECODE="1")


def plan(optimizer, *arguments, status=0):
    done = optimizer("plan", "--requirements", "requirements.in", "--format", "json", *arguments, status=status)
    return json.loads(done.stdout)


def versions(document):
    return {d["name"]: d["version"] for layer in document["layers"] for d in layer["distributions"]}


def test_a_plan_is_made_of_what_the_requirements_resolve_to(optimizer, project):
    document = plan(optimizer)
    assert document["source"] == "requirements.in"
    assert versions(document) == {"aws": "1.0", "web": "1.0", "shared": "1.0", "tool": "1.0"}
    assert not (project / LOCK).exists(), "plan writes nothing but the cache"


def test_a_second_plan_needs_no_index(optimizer, project):
    first = plan(optimizer)
    (project / "index").rename(project / "gone")
    assert plan(optimizer) == first


def test_the_lock_is_written_on_request_and_checked(optimizer, project):
    done = optimizer("plan", "--requirements", "requirements.in", "--check", status=1)
    assert f"stale: {LOCK}" in done.stderr
    assert f"wrote {LOCK}" in optimizer("plan", "--requirements", "requirements.in", "--write").stderr
    optimizer("plan", "--requirements", "requirements.in", "--check")
    text = (project / LOCK).read_text()
    assert "requirements.in" in text.splitlines()[0]
    assert "shared==1.0 \\\n    --hash=sha256:" in text
    assert str(project) not in text
    (project / "requirements.in").write_text("aws\nweb\n")
    done = optimizer("plan", "--requirements", "requirements.in", "--check", status=1)
    assert f"stale: {LOCK}" in done.stderr


def test_the_lock_holds_until_an_upgrade_is_asked_for(optimizer, project):
    plan(optimizer, "--write")
    make_wheel(project / "index", "tool", "2.0")
    (project / "cache").rename(project / "somebody-elses")
    assert versions(plan(optimizer))["tool"] == "1.0"
    assert versions(plan(optimizer, "--upgrade", "--check", status=1))["tool"] == "2.0"
    assert versions(plan(optimizer))["tool"] == "1.0", "what is committed counts, not what was tried"
    plan(optimizer, "--upgrade", "--write")
    assert versions(plan(optimizer, "--check"))["tool"] == "2.0"


def test_a_build_takes_what_was_planned(optimizer, project):
    plan(optimizer)
    make_wheel(project / "index", "tool", "2.0")
    optimizer("build", "--requirements", "requirements.in")
    with zipfile.ZipFile(project / "layers/.build/utilities.zip") as archive:
        assert "python/tool-1.0.dist-info/METADATA" in archive.namelist()


@pytest.mark.parametrize(("option", "folder"), [("--path", "site"), ("--wheels", "own")])
def test_beside_a_folder_nothing_is_resolved(optimizer, project, option, folder):
    (project / "index").rename(project / "own")
    document = plan(optimizer, option, folder)
    assert document["source"] == folder
    assert versions(document)["tool"] == "1.0"
    refused = plan(optimizer, option, folder, "--upgrade", status=2)
    assert "--requirements FILE, without --path and --wheels" in refused["error"]["mend"]
    assert not (project / "cache/layer-optimizer/resolutions").exists()


def test_a_file_that_pins_by_hash_has_to_name_everything(optimizer, project):
    wheels = [project / f"index/{name}-1.0-py3-none-any.whl" for name in ("aws", "web", "tool")]
    lines = [
        f"{w.name.split('-')[0]}==1.0 --hash=sha256:{hashlib.sha256(w.read_bytes()).hexdigest()}\n" for w in wheels
    ]
    (project / "requirements.in").write_text("".join(lines))
    error = plan(optimizer, status=2)["error"]
    assert error["code"] == "inventory"
    assert "shared: required by aws" in error["message"]
    assert "has to name everything" in error["mend"]


def test_a_wrong_hash_stops_everything(optimizer, project):
    (project / "requirements.in").write_text(f"aws==1.0 --hash=sha256:{'0' * 64}\n")
    assert plan(optimizer, status=2)["error"]["code"] == "hash"


def test_the_error_is_json_too(optimizer, project):
    (project / "requirements.in").write_text("aws\nfast\n")
    make_wheel(project / "index", "fast", tag="cp311-cp311-manylinux_2_28_x86_64")
    error = plan(optimizer, status=2)["error"]
    assert error["code"] == "resolution"
    assert "fast 1.0 has no wheel for it" in error["message"]
