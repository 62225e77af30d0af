"""Distributions that nothing imports are told; those that a person leaves out, or the runtime has, do not ship."""

import pytest

from optimizer.cli.pipeline import Source, planned
from optimizer.errors import ConfigError
from optimizer.report.advice import never_imported_text
from optimizer.report.plan_json import plan_document
from optimizer.report.plan_markdown import plan_markdown
from tests.support import CONFIG, lay_out, make_project

ONE_LAYER = CONFIG.split("[[layer]]", maxsplit=1)[0] + '[[layer]]\nname = "all"\n'


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The function requires web, server and plugin; server alone requires click."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    site = make_project(tmp_path, config=ONE_LAYER, requirements="web\nserver\n")
    lay_out(site, "web", requires=("inner",))
    lay_out(site, "inner")
    lay_out(site, "server", requires=("click",), files={"server/__init__.py": "import click\n"})
    lay_out(site, "click")
    handler(tmp_path, "import web\n")
    return tmp_path


def handler(project, text):
    (project / "src/handler.py").write_text(text)


def plan(project, slim=""):
    (project / "config/layers.toml").write_text(ONE_LAYER + slim)
    with planned(Source(config=project / "config/layers.toml", path=project / "site")) as result:
        return result.plan


def shipped(found):
    return {d.name for layer in found.layers for d in layer.distributions}


def test_what_the_functions_modules_do_not_lead_to_is_told(project):
    lay_out(project / "site", "web", requires=("inner",), files={"web/__init__.py": "import inner\n"})
    found = plan(project)
    assert found.never_imported == ("click", "server")
    assert plan_document(found)["never_imported"] == ["click", "server"]
    assert 'leave_out = ["click", "server"] under [slim]' in never_imported_text(found)
    assert "Never imported from the function's code: click, server (" in plan_markdown(found)
    assert shipped(found) == {"web", "inner", "server", "click"}


@pytest.mark.parametrize(
    "text",
    [
        "import server",
        "from server import run",
        "def f():\n    try:\n        import server.deep\n    except ImportError:\n        pass",
        "if __name__ == '__main__':\n    import server",
        "import importlib\nimportlib.import_module('server')",
        "PLUGINS = ['server.plugin:Class']",
    ],
)
@pytest.mark.parametrize("where", ["src/handler.py", "site/web/__init__.py"])
def test_whatever_may_import_it_counts(project, text, where):
    (project / where).write_text(f"import inner\n{text}\n")
    if where.startswith("site"):
        handler(project, "import web\n")
    else:
        handler(project, f"import web, inner\n{text}\n")
    assert plan(project).never_imported == ()


def test_a_loggers_name_is_no_import(project):
    handler(project, "import logging, web, inner\nlogging.getLogger('server').setLevel(10)\n")
    assert plan(project).never_imported == ("click", "server")


def test_a_module_that_is_not_reached_leads_nowhere(project):
    """Server imports click, but nothing imports server."""
    handler(project, "import web, inner\n")
    assert "click" in plan(project).never_imported


def test_what_others_find_by_entry_points_is_reached_and_what_has_scripts_alone_is_not(project):
    handler(project, "import web, inner\n")
    entry = "[console_scripts]\nserver = server:main\n"
    files = {"server/__init__.py": "import click\n"}
    lay_out(project / "site", "server", requires=("click",), files=files, metadata={"entry_points.txt": entry})
    assert plan(project).never_imported == ("click", "server")
    lay_out(
        project / "site",
        "server",
        requires=("click",),
        files=files,
        metadata={"entry_points.txt": f"{entry}\n[opentelemetry_context]\ncontextvars_context = server:Context\n"},
    )
    assert plan(project).never_imported == ()


def test_a_compiled_module_may_import_what_its_distribution_requires(project):
    handler(project, "import web\n")
    lay_out(project / "site", "web", requires=("inner",), files={"web.cpython-311-x86_64-linux-gnu.so": b"\x7fELF"})
    assert plan(project).never_imported == ("click", "server")


def test_namespaces_are_told_apart(project):
    lay_out(project / "site", "server", files={"google/cloud/server/__init__.py": ""})
    lay_out(project / "site", "web", requires=(), files={"google/cloud/web/__init__.py": ""})
    handler(project, "from google.cloud import web\n")
    assert plan(project).never_imported == ("server",)
    handler(project, "import google.cloud\n")
    assert plan(project).never_imported == ()


def test_what_is_left_out_does_not_ship_nor_does_what_only_it_requires(project):
    found = plan(project, '[slim]\nleave_out = ["server"]\n')
    assert shipped(found) == {"web", "inner"}
    assert plan_document(found)["excluded"] == [
        {"name": "click", "version": "1.0", "reason": "only server leads to it, which does not ship"},
        {"name": "server", "version": "1.0", "reason": "left out by [slim] leave_out"},
    ]
    assert not [w for w in found.warnings if "server" in w]
    assert "- click 1.0: only server" in plan_markdown(found)


def test_what_something_else_requires_too_ships(project):
    lay_out(project / "site", "web", requires=("click",))
    assert shipped(plan(project, '[slim]\nleave_out = ["server"]\n')) == {"web", "click"}


def test_what_could_not_ship_can_be_left_out(project):
    lay_out(project / "site", "server", tags=("cp311-cp311-win_amd64",))
    assert shipped(plan(project, '[slim]\nleave_out = ["server"]\n')) == {"web", "inner"}


def test_leaving_out_what_the_code_imports_is_warned_of_with_the_line(project):
    handler(project, "import web\n\ndef run():\n    import server\n")
    found = plan(project, '[slim]\nleave_out = ["server"]\n')
    assert "server does not ship (left out by [slim] leave_out), and handler.py:4 imports it" in found.warnings
    handler(project, "import click\n")
    found = plan(project, '[slim]\nleave_out = ["server"]\n')
    assert any(w.startswith("click does not ship") and "handler.py:1" in w for w in found.warnings)


def test_the_runtimes_own_is_used_with_aws_advice_against_it(project):
    lay_out(project / "site", "boto3", requires=("botocore>=0.5", "awscrt"), files={"boto3/__init__.py": ""})
    lay_out(project / "site", "botocore", files={"botocore/__init__.py": ""})
    lay_out(project / "site", "awscrt")
    lay_out(project / "site", "web", requires=("botocore<2",))
    (project / "requirements.txt").write_text("web\nboto3\n")
    handler(project, "import web, boto3\n")
    found = plan(project, '[slim]\nprovided = ["boto3", "botocore"]\n')
    assert shipped(found) == {"web"}
    assert [(e.name, e.kind) for e in found.excluded] == [
        ("awscrt", "beyond"),
        ("boto3", "provided"),
        ("botocore", "provided"),
    ]
    text = "\n".join(found.warnings)
    assert "boto3, botocore: the runtime's own, by [slim] provided; AWS advises to ship yours" in text
    assert "botocore: the runtime's version may not be <2, which web asks for" in text
    assert "awscrt does not ship, since only boto3 leads to it, and the runtime has none" in text


@pytest.mark.parametrize(
    ("slim", "fault"),
    [
        ('leave_out = ["nothing"]', r"slim\.leave_out: 'nothing' is not among"),
        ('provided = ["web"]', r"slim\.provided: 'web' is not in the runtime; it has boto3"),
        ('provided = ["six"]', r"slim\.provided: 'six' is not among"),
        ('leave_out = ["six"]\nprovided = ["six"]', r"slim\.provided: 'six' does not ship by slim\.leave_out"),
        ('leave_out = ["web"]\n[slim.keep]\nweb = ["*"]', r"slim\.keep: 'web' does not ship by slim\.leave_out"),
        (
            'leave_out = ["web"]\n[groups]\ntogether = [["web", "inner"]]',
            r"groups\.together\[0\]: 'web' does not ship by slim\.leave_out",
        ),
        ('leave_out = ["server"]\n[groups]\ntogether = [["click", "inner"]]', r"'click' is not among"),
    ],
)
def test_what_contradicts_is_a_fault(project, slim, fault):
    with pytest.raises(ConfigError, match=fault):
        plan(project, f"[slim]\n{slim}\n")


def test_a_root_that_is_left_out_is_a_fault(project):
    (project / "requirements.txt").write_text("web\nserver\n")
    text = ONE_LAYER + 'roots = ["server"]\n[slim]\nleave_out = ["server"]\n'
    (project / "config/layers.toml").write_text(text)
    with (
        pytest.raises(ConfigError, match=r"layer\[0\]\.roots: 'server' does not ship by slim\.leave_out"),
        planned(Source(config=project / "config/layers.toml", path=project / "site")),
    ):
        pass
