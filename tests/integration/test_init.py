"""`init` in projects of others, and the plan after it."""

import json
import shutil
import subprocess
import sys
import textwrap
from functools import partial

import pytest

from optimizer.config import load
from tests.support import ROOT, environment_of, lay_out, make_wheel, run_optimizer
from tests.unit.inventory.resolving import isolated

PROJECTS = ROOT / "tests/fixtures/projects"
MIB = 1 << 20
SITE = ".venv/lib/python3.11/site-packages"
STACK = {
    "boto3": (3, ("botocore",)),
    "botocore": (9, ()),
    "fastapi": (2, ("pydantic", "starlette")),
    "starlette": (1, ()),
    "pydantic": (5, ()),
    "mangum": (0, ()),
    "flask": (4, ("jinja2",)),
    "jinja2": (2, ()),
    "httpx": (2, ()),
    "numpy": (30, ()),
    "orjson": (2, ()),
    **dict.fromkeys(("blinker", "click", "itsdangerous", "markupsafe", "werkzeug"), (0, ())),
    "python-dateutil": (0, ()),
}
LAYERS = {
    "sam": {"aws-core": ["boto3"], "web-framework": ["fastapi", "mangum"], "utilities": []},
    "serverless": {"web-framework": ["flask"], "numeric": ["numpy"]},
    "terraform": {"aws-core": ["boto3"], "utilities": []},
    "pip": {"web-framework": ["fastapi", "mangum", "pydantic"]},
}
EXAMPLE = PROJECTS / "pip"


def install(project):
    """An environment of the project's own, with everything that the examples require."""
    (project / ".venv").mkdir()
    (project / ".venv/pyvenv.cfg").write_text("home = /usr\n")
    for name, (mib, requires) in STACK.items():
        stem = name.replace("-", "_")
        files = {f"{stem}/__init__.py": "", f"{stem}/data.bin": b"\0" * (mib * MIB)}
        lay_out(project / SITE, name, "99.0", files=files, requires=requires)


@pytest.fixture
def example(tmp_path):
    def copy(name):
        shutil.copytree(PROJECTS / name, tmp_path / name)
        install(tmp_path / name)
        return tmp_path / name

    return copy


def sam(config, text):
    orders, mail = config.function
    assert (orders.name, orders.source, orders.handler) == ("staging-orders", "src/api", "orders.main.handler")
    assert (orders.memory_mb, orders.timeout_seconds, orders.regions) == (1024, 20, ("eu-west-1",))
    assert orders.environment == {"STAGE": "staging", "LOG_LEVEL": "DEBUG", "PAGE_SIZE": "50"}
    assert (mail.memory_mb, mail.timeout_seconds) == (512, 60)
    assert 'handler = "orders.main.handler"          # template.yaml:47\n' in text
    assert "# left out: TABLE_NAME (template.yaml:51: !Ref OrdersTable)" in text
    assert "# ASK: template.yaml:66: this is its logical id" in text
    assert max(map(len, text.splitlines())) <= 130


def serverless(config, text):
    read, make = config.function
    assert (read.source, read.handler, read.url) == (".", "handlers.api.handler", "public")
    assert (make.name, make.memory_mb, make.timeout_seconds) == ("reports-dev-nightly", 2048, 900)
    assert make.environment == {"STAGE": "dev", "BUCKET": "reports-dev", "BATCH": "1000"}
    assert "# everything in it ships, hidden files aside" in text


def terraform(config, text):
    ingest, query = config.function
    assert (ingest.source, ingest.handler, ingest.memory_mb) == ("services/ingest", "main.handler", 1024)
    assert (query.source, query.url, query.timeout_seconds) == ("services/query", "iam", 3)
    assert ingest.regions == ("ap-southeast-2",)
    assert len(ingest.external_layers) == 1
    assert "# left out: aws_lambda_layer_version.fonts.arn" in text


def pip(config, text):
    (function,) = config.function
    assert (function.source, function.handler, function.runtime) == ("src", "shop.app.handler", "python3.11")
    assert '"requirements.txt"        # found there; there is requirements/base.txt too' in text


CHECKS = {"sam": sam, "serverless": serverless, "terraform": terraform, "pip": pip}


@pytest.mark.parametrize("name", LAYERS)
def test_init_and_then_plan_work_in_a_project_of_that_style(example, name):
    project = example(name)
    optimizer = partial(run_optimizer, project, XDG_CACHE_HOME=str(project.parent / "cache"))  # not in its source
    done = optimizer("init", "--format", "json")
    document = json.loads(done.stdout)
    assert {layer["name"]: layer["roots"] for layer in document["layers"]} == LAYERS[name]
    config = load(project / "config/layers.toml")
    assert {layer.name: list(layer.roots) for layer in config.layer} == LAYERS[name]
    CHECKS[name](config, (project / "config/layers.toml").read_text())
    planned = json.loads(optimizer("plan", "--path", SITE, "--format", "json").stdout)
    assert planned["layers"] == document["plan"]["layers"]
    assert all(layer["distributions"] for layer in planned["layers"])
    assert document["next"] == f"Plan again: python -m optimizer plan --path {SITE}"


def test_what_is_asked_is_in_the_file_and_told(example):
    project = example("pip")
    done = run_optimizer(project, "init", AWS_REGION="", AWS_DEFAULT_REGION="")
    assert "ASK: pip: regions = us-east-1: no file says where it is deployed" in done.stderr
    assert "possible handlers too: src/shop/nightly.py:1" in done.stderr
    assert "# ASK: no file says where it is deployed\nregions = " in (project / "config/layers.toml").read_text()
    assert "web-framework" in done.stdout


def test_an_existing_file_is_written_over_only_with_force(example):
    project = example("pip")
    (project / "config").mkdir()
    (project / "config/layers.toml").write_text("mine")
    done = run_optimizer(project, "init", "--format", "json", status=2)
    assert json.loads(done.stdout)["error"]["message"] == "config/layers.toml is there already"
    assert (project / "config/layers.toml").read_text() == "mine"
    run_optimizer(project, "init", "--force")
    assert load(project / "config/layers.toml").function[0].name == "pip"


def test_a_folder_without_a_project_is_told_what_was_looked_for(tmp_path):
    done = run_optimizer(tmp_path, "init", status=2)
    assert "No Python function for Lambda was found" in done.stderr
    assert "serverless.yml" in done.stderr
    assert not (tmp_path / "config").exists()


LOCKED = """
[project]
name = "shop"
version = "1"
requires-python = ">=3.11,<3.12"
dependencies = ["fastapi>=0.1", "mangum", "orjson"]
"""


@pytest.mark.parametrize(
    ("lock", "head"), [("uv.lock", ""), ("poetry.lock", ""), ("pdm.lock", '[metadata]\ngroups = ["default"]\n')]
)
def test_a_lock_becomes_a_requirements_file_that_plan_reads(tmp_path, lock, head):
    install(tmp_path)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/main.py").write_text("def handler(event, context): ...\n")
    (tmp_path / "pyproject.toml").write_text(LOCKED)
    packages = "".join(f'[[package]]\nname = "{name}"\nversion = "99.0"\n' for name in STACK)
    (tmp_path / lock).write_text(head + packages)
    document = json.loads(run_optimizer(tmp_path, "init", "--format", "json").stdout)
    (name,) = [path for path in document["written"] if "requirements-" in path]
    text = (tmp_path / name).read_text()
    assert "fastapi==99.0\nmangum==99.0\norjson==99.0\n" in text
    assert "starlette==99.0\n" in (tmp_path / name.replace("requirements-", "constraints-")).read_text()
    shipped = [d["name"] for layer in document["plan"]["layers"] for d in layer["distributions"]]
    assert sorted(shipped) == ["fastapi", "mangum", "orjson", "pydantic", "starlette"]
    run_optimizer(tmp_path, "plan", "--path", SITE, "--format", "json")


def test_what_is_written_of_a_lock_resolves_to_the_locks_versions(tmp_path):
    for version in ("1.0", "2.0"):
        make_wheel(tmp_path / "index", "fastapi", version, requires=("starlette",))
        make_wheel(tmp_path / "index", "starlette", version)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/main.py").write_text("def handler(event, context): ...\n")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "shop"\nversion = "1"\ndependencies = ["fastapi<3"]\n')
    packages = "".join(f'[[package]]\nname = "{name}"\nversion = "1.0"\n' for name in ("fastapi", "starlette"))
    (tmp_path / "uv.lock").write_text(packages)
    optimizer = partial(run_optimizer, tmp_path, **isolated(tmp_path))
    document = json.loads(optimizer("init", "--format", "json").stdout)
    assert document["plan"] is None
    (command,) = [word for word in document["next"].split() if word.startswith("config/requirements-")]
    plan = json.loads(optimizer("plan", "--requirements", command, "--format", "json").stdout)
    shipped = {d["name"]: d["version"] for layer in plan["layers"] for d in layer["distributions"]}
    assert shipped == {"fastapi": "1.0", "starlette": "1.0"}


def test_a_requirements_file_of_somebody_elses_is_not_written_over(tmp_path):
    (tmp_path / "main.py").write_text("def handler(event, context): ...\n")
    (tmp_path / "pyproject.toml").write_text(LOCKED)
    (tmp_path / "config").mkdir()
    other = tmp_path / f"config/requirements-{tmp_path.name}.txt"
    other.write_text("mine")
    assert f"{other.name} is there already" in run_optimizer(tmp_path, "init", status=2).stderr
    assert [path.name for path in (tmp_path / "config").iterdir()] == [other.name]


def test_without_the_distributions_it_says_what_to_run(tmp_path):
    shutil.copytree(EXAMPLE, tmp_path, dirs_exist_ok=True)
    (tmp_path / "requirements.txt").write_text("fastapi\nnot-installed-anywhere\n")
    done = run_optimizer(tmp_path, "init", "--format", "json")
    document = json.loads(done.stdout)
    assert document["plan"] is None
    assert document["next"].endswith("python -m optimizer plan --requirements requirements.txt")
    assert load(tmp_path / "config/layers.toml").layer


def test_an_environment_with_other_versions_is_told_and_not_planned_from(example):
    project = example("pip")
    (project / "requirements.txt").write_text("fastapi<0.0.1\n")
    done = run_optimizer(project, "init", "--format", "json")
    assert f"{SITE} lacks fastapi (version 99.0 does not satisfy <0.0.1 of" in done.stderr


def test_what_is_installed_and_does_not_load_there_is_an_honest_no(example):
    project = example("pip")
    lay_out(project / SITE, "fastapi", "99.0", tags=("cp311-cp311-macosx_11_0_arm64",))
    done = run_optimizer(project, "init", "--format", "json", status=1)
    document = json.loads(done.stdout)
    assert document["plan"] is None
    assert document["error"]["code"] == "inventory"
    assert (project / "config/layers.toml").exists()


def test_a_library_that_is_missing_is_named_where_its_file_is_there(example):
    project = example("sam")
    (project / "yaml.py").write_text("raise ImportError\n")
    script = "import sys; sys.path.insert(0, '.'); from optimizer.cli.app import main; sys.argv[1:] = ['init']; main()"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=project,
        env=environment_of(project),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "template.yaml is read with PyYAML, which is not installed" in done.stderr
    assert "layer-optimizer[init]" in done.stderr


def test_ctrl_c_while_it_writes_leaves_nothing_half_written(example):
    project = example("pip")
    script = textwrap.dedent("""
        import pathlib, signal, os, sys
        write = pathlib.Path.write_text
        def slow(self, text, *rest):
            write(self, text[: len(text) // 2], *rest)
            os.kill(os.getpid(), signal.SIGINT)
        pathlib.Path.write_text = slow
        sys.argv[1:] = ["init"]
        from optimizer.cli.app import main
        main()
    """)
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=project,
        env=environment_of(project),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 130, done.stderr
    assert list((project / "config").iterdir()) == []
