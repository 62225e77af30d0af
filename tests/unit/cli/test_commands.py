"""The commands as a person or a script runs them: exit statuses, what stdout holds, what is written."""

import json
import os
import sqlite3
import subprocess
import sys
from functools import partial

import pytest

from tests.support import CONFIG, ROOT, lay_out, make_project, run_optimizer


@pytest.fixture
def project(tmp_path):
    make_project(tmp_path)
    return tmp_path


@pytest.fixture
def optimizer(project):
    return partial(run_optimizer, project)


def test_plan_puts_each_distribution_into_the_layer_whose_roots_need_it(optimizer):
    document = json.loads(optimizer("plan", "--path", "site", "--format", "json").stdout)
    layers = {layer["name"]: [d["name"] for d in layer["distributions"]] for layer in document["layers"]}
    assert layers == {"aws-core": ["aws", "shared"], "web-framework": ["web"], "utilities": ["tool"]}
    assert document["excluded"] == []
    assert document["headroom_bytes"] == 262144000 - document["total_unzipped_bytes"]
    assert document["objective"]["cost"] is None
    assert document["objective"]["proved"] is False


def test_plan_writes_the_cache_and_nothing_else(optimizer, project):
    before = sorted(p for p in project.rglob("*") if "cache" not in p.parts)
    optimizer("plan", "--path", "site")
    assert sorted(p for p in project.rglob("*") if "cache" not in p.parts) == before


def test_locks_are_written_checked_and_found_stale(optimizer, project):
    stale = optimizer("plan", "--path", "site", "--check", status=1)
    assert "stale: layers/aws-core/layer.lock" in stale.stderr
    optimizer("plan", "--path", "site", "--write")
    lock = (project / "layers/aws-core/layer.lock").read_text()
    assert "\naws==1.0 sha256:" in lock
    assert "# target: python3.11 x86_64" in lock
    optimizer("plan", "--path", "site", "--check")
    (project / "site/web/__init__.py").write_text("NEW = 1\n")
    stale = optimizer("plan", "--path", "site", "--check", status=1)
    assert "web-framework" in stale.stderr
    assert "aws-core" not in stale.stderr


def test_a_lock_of_a_layer_that_is_gone_is_stale_and_removed(optimizer, project):
    optimizer("plan", "--path", "site", "--write")
    old = project / "layers/old/layer.lock"
    old.parent.mkdir()
    old.write_text((project / "layers/aws-core/layer.lock").read_text().replace("aws-core", "old"))
    foreign = project / "layers/other/layer.lock"
    foreign.parent.mkdir()
    foreign.write_text("# somebody else's\n")
    assert "layers/old/layer.lock" in optimizer("plan", "--path", "site", "--check", status=1).stderr
    optimizer("plan", "--path", "site", "--write")
    assert not old.parent.exists()
    assert foreign.exists()


def test_more_layers_split_the_heaviest(optimizer):
    document = json.loads(optimizer("plan", "--path", "site", "--layers", "4", "--format", "json").stdout)
    assert len(document["layers"]) == 4
    assert sorted(d["name"] for layer in document["layers"] for d in layer["distributions"]) == [
        "aws",
        "shared",
        "tool",
        "web",
    ]


@pytest.mark.parametrize("layers", ["2", "6"])
def test_fewer_layers_than_roles_and_more_than_five_are_usage_errors(optimizer, layers):
    done = optimizer("plan", "--path", "site", "--layers", layers, "--format", "json", status=2)
    assert json.loads(done.stdout)["error"]["code"] == "usage"
    assert f"--layers {layers}" in done.stderr


def test_every_name_that_is_not_there_is_told_at_once(optimizer, project):
    text = (
        CONFIG.replace('["web"]', '["web", "nowhere"]')
        + '\n[groups]\ntogether = [["tool", "ghost"]]\n[slim]\nmagic = true\n'
    )
    (project / "config/layers.toml").write_text(text)
    assert "slim.magic: no such rule" in optimizer("plan", "--path", "site", status=2).stderr
    (project / "config/layers.toml").write_text(text.replace("[slim]\nmagic = true\n", ""))
    done = optimizer("plan", "--path", "site", status=2)
    assert "layer[1].roots[1]: 'nowhere'" in done.stderr
    assert "groups.together[0][1]: 'ghost'" in done.stderr


def test_pins_that_tear_a_group_apart_are_refused(optimizer, project):
    (project / "config/layers.toml").write_text(CONFIG.replace('["aws"]', '["aws"]\ninclude = ["tool"]'))
    lay_out(project / "site", "tool", requires=("web",))
    lay_out(project / "site", "web", requires=("tool", "shared"))
    done = optimizer("plan", "--path", "site", status=2)
    assert "require each other" in done.stderr


def test_what_does_not_fit_exits_1_with_what_could_be_left_out(optimizer, project):
    lay_out(project / "site", "tool", files={"tool/__init__.py": ""})
    with (project / "site/tool/model.bin").open("wb") as file:
        file.truncate(263_000_000)
    record = project / "site/tool-1.0.dist-info/RECORD"
    record.write_text(record.read_text() + "tool/model.bin,,263000000\n")
    done = optimizer("plan", "--path", "site", status=1)
    assert "does not fit" in done.stdout
    assert "over Lambda's 262,144,000 bytes" in done.stdout
    assert "tool: nothing else requires it" in done.stdout
    document = json.loads(optimizer("plan", "--path", "site", "--format", "json", status=1).stdout)
    assert document["fits"] is False
    assert document["headroom_bytes"] < 0
    refused = optimizer("build", "--path", "site", status=1).stderr
    assert "does not fit" in refused
    assert "The largest: " in refused
    assert "  1. " in refused


def test_markdown_and_output_files(optimizer, project):
    optimizer("plan", "--path", "site", "--format", "markdown", "--output", "out/plan.md")
    text = (project / "out/plan.md").read_text()
    assert "| 1 | aws-core |" in text
    assert optimizer("plan", "--path", "site", "--output", "out/plan.txt").stdout == ""
    assert "\x1b" not in (project / "out/plan.txt").read_text()


def test_a_place_that_cant_be_written_is_exit_3(optimizer, project):
    (project / "file").write_text("")
    done = optimizer("plan", "--path", "site", "--output", "file/plan.txt", status=3)
    assert "can't be written" in done.stderr
    done = optimizer("build", "--path", "site", "--output", "file/out", "--format", "json", status=3)
    assert json.loads(done.stdout)["error"]["code"] == "disk"


def test_build_writes_what_the_plan_says_and_the_same_again(optimizer, project):
    plan = json.loads(optimizer("plan", "--path", "site", "--format", "json").stdout)
    optimizer("build", "--path", "site", "--output", "a")
    optimizer("build", "--path", "site", "--output", "b", PYTHONHASHSEED="7", TZ="Asia/Tokyo", PYTHONOPTIMIZE="1")
    names = sorted(p.name for p in (project / "a").iterdir())
    assert names == [
        "aws-core.zip",
        "function.zip",
        "manifest.json",
        "receipt.json",
        "utilities.zip",
        "web-framework.zip",
    ]
    for name in names:
        assert (project / "a" / name).read_bytes() == (project / "b" / name).read_bytes()
    manifest = json.loads((project / "a/manifest.json").read_text())
    sizes = {a["name"]: (a["unzipped_bytes"], a["zipped_bytes"], a["fingerprint"]) for a in manifest["artifacts"]}
    for layer in plan["layers"]:
        assert sizes[layer["name"]] == (layer["unzipped_bytes"], layer["zipped_bytes"], layer["fingerprint"])
        assert (project / "a" / f"{layer['name']}.zip").stat().st_size == layer["zipped_bytes"]


def test_bytecode_of_another_version_is_refused_unless_switched_off(optimizer, project):
    text = CONFIG.replace("python3.11", "python3.14")
    (project / "config/layers.toml").write_text(text)
    done = optimizer("plan", "--path", "site", status=2, PATH="/nonexistent")
    assert "No Python 3.14 is at hand" in done.stderr
    (project / "config/layers.toml").write_text(text + "\n[build]\nbytecode = false\n")
    optimizer("plan", "--path", "site", PATH="/nonexistent")


def test_explain_says_why_and_what_a_move_would_send(optimizer):
    text = optimizer("explain", "Shared", "--path", "site").stdout
    assert "shared 1.0 is in aws-core: needed by aws-core and web-framework: the first of them" in text
    assert "requirements → aws → shared" in text
    assert "moving it to web-framework would send" in text
    done = optimizer("explain", "sharde", "--path", "site", status=2)
    assert "Close to it: shared" in done.stderr


def test_usage_errors_are_json_where_json_was_asked_for(optimizer):
    done = optimizer("plan", "--format", "json", "--nonsense", status=2)
    assert json.loads(done.stdout)["error"]["code"] == "usage"


def test_a_pipe_that_closes_is_no_error(project):
    done = subprocess.run(
        f"{sys.executable} -m optimizer plan --path site | head -1",
        shell=True,
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(project / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr


def test_a_reader_that_leaves_does_not_change_the_status(project):
    command = f"{sys.executable} -m optimizer plan --path site | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(project / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_full_disk_behind_stdout_is_exit_3(project):
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m optimizer plan --path site > /dev/full"],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(project / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "stdout can't be written" in done.stderr


def test_a_terminal_without_our_characters_is_no_fault(optimizer):
    optimizer("plan", "--path", "site", PYTHONIOENCODING="ascii")


def test_build_leaves_other_peoples_zips(optimizer, project):
    (project / "out").mkdir()
    (project / "out/photos.zip").write_text("precious")
    optimizer("build", "--path", "site", "--output", "out")
    config = project / "config/layers.toml"
    config.write_text(config.read_text().replace('"utilities"', '"rest"'))
    optimizer("build", "--path", "site", "--output", "out")
    assert (project / "out/photos.zip").read_text() == "precious"
    assert not (project / "out/utilities.zip").exists()


def test_build_goes_to_the_project_wherever_it_is_called_from(project):
    elsewhere = project / "elsewhere"
    elsewhere.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "optimizer", "build", "--config", "../config/layers.toml", "--path", "../site"],
        cwd=elsewhere,
        env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(project / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (project / "layers/.build/manifest.json").exists()
    assert not list(elsewhere.iterdir())


def test_build_does_not_trust_a_damaged_cache(optimizer, project):
    optimizer("build", "--path", "site", "--output", "a")
    (cache,) = (project / "cache").rglob("*.sqlite")
    db = sqlite3.connect(cache)
    db.execute("update stream set data = zeroblob(length(data))")
    db.commit()
    db.close()
    optimizer("build", "--path", "site", "--output", "b")
    for name in ("aws-core.zip", "function.zip"):
        assert (project / "a" / name).read_bytes() == (project / "b" / name).read_bytes()


def test_build_says_in_json_why_it_does_not_fit(optimizer, project):
    arn = "arn:aws:lambda:eu-central-1:123456789012:layer:agent:1"
    config = project / "config/layers.toml"
    layer = f'external_layers = [{{arn = "{arn}", unzipped_bytes = 262144000}}]\nregions ='
    config.write_text(config.read_text().replace("regions =", layer))
    done = optimizer("build", "--path", "site", "--format", "json", status=1)
    assert json.loads(done.stdout)["error"]["code"] == "limit"


@pytest.mark.parametrize("text", ["[slim]\nscripts = false\n", '[slim.drop]\nghost = ["*"]\n'])
def test_settings_that_would_do_nothing_are_faults(optimizer, project, text):
    config = project / "config/layers.toml"
    config.write_text(f"{config.read_text()}\n{text}")
    assert "slim." in optimizer("plan", "--path", "site", status=2).stderr


def test_output_to_a_device_does_not_replace_it(optimizer, project):
    os.mkfifo(project / "pipe")
    reader = subprocess.Popen(["cat", "pipe"], cwd=project, stdout=subprocess.PIPE)
    optimizer("plan", "--path", "site", "--output", "pipe")
    assert b"aws-core" in reader.communicate(timeout=20)[0]
    assert (project / "pipe").is_fifo()
