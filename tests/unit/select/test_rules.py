"""The selection rules take what nothing reads at run time, and nothing else; each file that goes is in the receipt."""

import pytest

from optimizer.cli.pipeline import Source, planned
from optimizer.errors import ConfigError
from optimizer.models import whole
from optimizer.select import RULES
from tests.support import CONFIG, lay_out, make_project


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    make_project(tmp_path)
    return tmp_path


class Chosen:
    """What ships of one distribution, and what each rule took."""

    def __init__(self, result, name):
        found = {d.name: d for layer in result.plan.layers for d in layer.distributions}
        payload = found[name].payload
        paths = {line.split("\0")[0].removeprefix("python/") for line in payload.sources}
        self.ships = {path for path in paths if ".dist-info/" not in path}
        self.metadata = {path.partition(".dist-info/")[2] for path in paths} - {""}
        self.taken = {d.rule: set(d.paths) for d in payload.dropped if d.rule != "installer-files"}
        self.warnings = result.plan.warnings


def choose(project, name="web", slim=""):
    (project / "config/layers.toml").write_text(f"{CONFIG}\n{slim}")
    with planned(Source(config=project / "config/layers.toml", path=project / "site")) as result:
        return Chosen(result, name)


def install(project, name="web", **files):
    contents = files.pop("files")
    lay_out(project / "site", name, files={f"{name}/__init__.py": "", **contents}, **files)


def test_a_module_without_source_ships(project):
    install(project, files={"web/core.pyc": b"x", "web/a.py": "", "web/a.pyc": b"x"})
    assert choose(project).ships == {"web/__init__.py", "web/core.pyc", "web/a.py"}


def test_a_package_called_bin_ships_and_scripts_do_not(project):
    install(project, files={"bin/__init__.py": "", "bin/tool.py": ""})
    lay_out(project / "site", "tool", files={"tool.py": "", "bin/run": "#!/bin/sh"})
    assert choose(project).ships == {"web/__init__.py", "bin/__init__.py", "bin/tool.py"}
    assert choose(project, "tool").ships == {"tool.py"}


TESTS = {
    "web/sub/__init__.py": "",
    "web/sub/tests/__init__.py": "",
    "web/sub/tests/helper.py": "from web.sub.tests import deeper\n",
    "web/sub/tests/deeper.py": "",
    "web/sub/tests/test_a.py": "import pytest\nfrom .helper import x\nDATA = 'tests/data'\n",
    "web/sub/tests/data/a.json": "{}",
}
FOLDER = set(TESTS) - {"web/sub/__init__.py"}


def test_a_folder_of_tests_that_nothing_leads_to_goes(project):
    install(project, files=TESTS)
    chosen = choose(project)
    assert chosen.ships == {"web/__init__.py", "web/sub/__init__.py"}
    assert chosen.taken == {"tests": FOLDER}


@pytest.mark.parametrize(
    "importing",
    [
        "from web.sub.tests import helper",
        "from web.sub.tests.helper import x",
        "import web.sub.tests.helper as h",
        "def f():\n    try:\n        from web.sub.tests.helper import x\n    except ImportError:\n        pass",
    ],
)
@pytest.mark.parametrize("where", ["site/tool/inner.py", "src/handler.py"])
def test_what_another_module_imports_of_it_stays_with_what_that_needs(project, importing, where):
    """numpy.testing imports one module of numpy/_core/tests, and scipy imports numpy.testing."""
    install(project, files=TESTS)
    if where.startswith("site"):
        lay_out(project / "site", "tool", files={"tool/__init__.py": "", "tool/inner.py": importing})
    else:
        (project / where).write_text(importing)
    assert choose(project).taken == {"tests": {"web/sub/tests/test_a.py"}}


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("web/a.py", "from .sub.tests import helper"),
        ("web/sub/a.py", "from . import tests\nfrom .tests import helper"),
        ("web/sub/inner/a.py", "from ..tests.helper import x"),
    ],
)
def test_relative_imports_count(project, module, text):
    install(project, files={**TESTS, module: text})
    assert choose(project).taken == {"tests": {"web/sub/tests/test_a.py"}}


@pytest.mark.parametrize(
    "text",
    [
        "import importlib\nimportlib.import_module('web.sub.tests.helper')",
        "import importlib\nimportlib.import_module(f'web.sub.tests.{name}')",
        "import importlib\nimportlib.import_module('.tests', 'web.sub')",
        "import importlib\nimportlib.import_module('.tests.helper', __package__)",
        "X = open(HERE + '/tests/data/a.json')",
        "X = Path(__file__).parent / 'tests' / 'data'",
        "X = os.path.join(HERE, 'tests')",
        "X = importlib.resources.files('web.sub.tests')",
        "X = 'web.sub.tests:helper'",
    ],
)
def test_a_string_that_may_lead_there_keeps_all_of_it(project, text):
    install(project, files={**TESTS, "web/loader.py": text})
    assert choose(project).taken == {}


def test_a_star_import_of_a_package_that_names_its_tests_keeps_them(project):
    install(project, files={**TESTS, "web/sub/__init__.py": "__all__ = ['tests']\n"})
    assert choose(project).taken == {}


def test_a_package_that_names_its_own_tests_keeps_no_others(project):
    """Numpy's __init__ names `tests` in a list, which speaks of numpy/tests alone."""
    install(project, files={**TESTS, "web/__init__.py": "__all__ = ['tests']\n", "web/tests/__init__.py": ""})
    chosen = choose(project)
    assert chosen.taken == {"tests": FOLDER}
    assert "web/tests/__init__.py" in chosen.ships


def test_an_entry_point_and_a_compiled_module_keep_what_they_name(project):
    install(project, files=TESTS, metadata={"entry_points.txt": "[pytest11]\nweb = web.sub.tests.helper:plugin\n"})
    assert choose(project).taken == {}
    install(project, files={**TESTS, "web/_c.cpython-311-x86_64-linux-gnu.so": b"\x7fELF\0web.sub.tests.helper\0"})
    assert choose(project).taken == {}


@pytest.mark.parametrize(
    "text",
    [
        "import importlib\nimportlib.import_module(name)",
        "'''Run web.sub.tests, or look at tests/data.'''",
        "import pkgutil\nfor m in pkgutil.walk_packages(__path__): print(m)",
        "MODE = 'test'\nif mode == 'tests': pass",
        "URL = 'https://web.example/tests/index.html'",
        "def f():\n    'see web/sub/tests/test_a.py'",
    ],
)
def test_words_that_lead_nowhere_keep_nothing(project, text):
    install(project, files={**TESTS, "web/other.py": text})
    assert choose(project).taken == {"tests": FOLDER}


def test_only_folders_inside_regular_packages_are_tests(project):
    """A package of its own that is called tests is somebody's, and a namespace stays whole."""
    files = {"tests/__init__.py": "", "tests/a.py": "", "space/tests/__init__.py": "", "space/x/__init__.py": ""}
    install(project, files=files)
    assert choose(project).taken == {}


def test_no_rule_adds_to_a_namespace_or_takes_from_it(project):
    files = {"google/cloud/web/__init__.py": "", "google/cloud/web/tests/test_a.py": ""}
    lay_out(project / "site", "web", files=files)
    lay_out(project / "site", "tool", files={"google/cloud/tool/__init__.py": ""})
    assert choose(project).ships == {"google/cloud/web/__init__.py"}
    assert choose(project, "tool").ships == {"google/cloud/tool/__init__.py"}


NATIVE = {
    "web/_c.cpython-311-x86_64-linux-gnu.so": b"\x7fELF",
    "web/_c.c": "int x;",
    "web/_c.pyx": "",
    "web/include/web.h": "",
    "web/include/other.h": "",
}


def test_sources_beside_extension_modules_go_unless_a_module_names_them(project):
    install(project, files=NATIVE)
    sources = {path for path in NATIVE if not path.endswith(".so")}
    assert choose(project).taken == {"native-sources": sources}
    install(project, files={**NATIVE, "web/build.py": "HEADER = 'include/web.h'\n"})
    assert choose(project).taken == {"native-sources": sources - {"web/include/web.h"}}
    install(project, files={**NATIVE, "web/build.py": "def f(x):\n    return open(f'{x}.h')\n"})
    assert choose(project).taken == {"native-sources": {"web/_c.c", "web/_c.pyx"}}


def test_sources_without_extension_modules_are_data_and_compilers_keep_theirs(project):
    install(project, files={"web/template.c": "int x;"})
    assert choose(project).taken == {}
    lay_out(project / "site", "cffi", files={"cffi/__init__.py": "", "cffi/_c.so": b"\x7fELF", "cffi/a.h": ""})
    lay_out(project / "site", "tool", requires=("cffi",))
    assert choose(project, "cffi").taken == {}


def test_stubs_go_unless_something_reads_them(project):
    install(project, files={"web/a.pyi": "", "web/py.typed": ""})
    assert choose(project).taken == {"stubs": {"web/a.pyi"}}
    lazy = "import lazy_loader\n__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)\n"
    for text in (lazy, "SUFFIX = '.pyi'\n", "def f(x):\n    return f'{x}.pyi'\n"):
        install(project, files={"web/a.pyi": "", "web/py.typed": "", "web/b.py": text})
        assert choose(project).taken == {}


def test_files_of_editors_go_unless_a_module_names_their_folder(project):
    install(project, files={"web/.agents/skills/web.md": "", "web/.vscode/settings.json": "{}"})
    assert choose(project).taken == {"editor-files": {"web/.agents/skills/web.md", "web/.vscode/settings.json"}}
    install(project, files={"web/.agents/skills/web.md": "", "web/a.py": "X = HERE / '.agents'\n"})
    assert choose(project).taken == {}


def test_examples_of_the_sdk_go_while_only_its_documentation_reads_them(project):
    example = "botocore/data/s3/2006-03-01/examples-1.json"
    files = {"botocore/__init__.py": "", example: "{}", "botocore/docs/service.py": "X = load('examples-1')\n"}
    lay_out(project / "site", "botocore", files=files)
    lay_out(project / "site", "tool", requires=("botocore",))
    all_services = '[aws]\nservices = "all"\n'
    assert choose(project, "botocore", all_services).taken == {"sdk-examples": {example}}
    lay_out(project / "site", "botocore", files={**files, "botocore/client.py": "X = load('examples-1')\n"})
    assert choose(project, "botocore", all_services).taken == {}


EVERYTHING = {
    **TESTS,
    **NATIVE,
    "web/a.pyi": "",
    "web/.agents/a.md": "",
    "web.libs/libx.so.1": b"\x7fELF",
    "web.pth": "./web\n",
}


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if rule.switchable and name != "sdk-examples"])
def test_every_rule_can_be_switched_off_alone(project, name):
    install(project, files=EVERYTHING)
    before = choose(project)
    assert name in before.taken
    after = choose(project, slim=f"[slim]\n{name} = false\n")
    assert after.taken == {rule: paths for rule, paths in before.taken.items() if rule != name}
    assert after.ships == before.ships | before.taken[name]


def test_libraries_beside_extension_modules_and_path_files_ship(project):
    install(project, files=EVERYTHING)
    assert {"web.libs/libx.so.1", "web.pth"} <= choose(project).ships


def test_keep_wins_over_every_rule_that_can_be_switched(project):
    install(project, files=EVERYTHING)
    assert choose(project, slim='[slim]\nkeep = {web = ["*"]}\n').taken == {}
    assert choose(project, slim='[slim]\nkeep = {web = ["web/_c.*"]}\n').taken["native-sources"] == {
        "web/include/web.h",
        "web/include/other.h",
    }


METADATA = {
    "entry_points.txt": "[console_scripts]\nweb = web:main\n",
    "top_level.txt": "web\n",
    "licenses/LICENSE.txt": "Do as you like.\n",
    "sboms/web.cdx.json": "{}",
}


def test_metadata_and_licences_ship_whatever_the_rules_and_patterns_say(project):
    """Opentelemetry finds its context by entry points: without its metadata it raises StopIteration at the import."""
    install(project, files={"web/data.txt": "x"}, metadata=METADATA)
    everything = {*METADATA, "METADATA", "WHEEL", "RECORD"}
    assert choose(project).metadata == everything
    chosen = choose(project, slim='[slim]\ndrop = {web = ["*.txt"]}\n')
    assert chosen.metadata == everything
    assert chosen.taken == {"slim.drop": {"web/data.txt"}}
    told = [w for w in chosen.warnings if "it ships all the same" in w]
    assert len(told) == 3


def test_a_pattern_that_takes_shared_libraries_is_told(project):
    install(project, files=EVERYTHING)
    chosen = choose(project, slim='[slim]\ndrop = {web = ["web.libs/*"]}\n')
    assert "web.libs/libx.so.1" not in chosen.ships
    assert any("takes web.libs/libx.so.1, which extension modules that ship may need" in w for w in chosen.warnings)


@pytest.mark.parametrize(
    ("slim", "fault"),
    [
        ("installer-files = false", r"slim\.installer-files: this rule can't be switched off"),
        ("test = false", r"slim\.test: no such rule; tests, stubs, .* can be switched"),
    ],
)
def test_what_cannot_be_switched_is_a_fault(project, slim, fault):
    with pytest.raises(ConfigError, match=fault):
        choose(project, slim=f"[slim]\n{slim}\n")


def test_every_file_ships_or_is_in_the_receipt(project):
    install(project, files=EVERYTHING, metadata=METADATA)
    (project / "config/layers.toml").write_text(CONFIG)
    with planned(Source(config=project / "config/layers.toml", path=project / "site")) as result:
        for d in (d for layer in result.plan.layers for d in layer.distributions):
            installed = next(x for x in result.inventory.distributions if x.name == whole(d.name))
            shipped = {line.split("\0")[0].removeprefix("python/") for line in d.payload.sources}
            taken = [path for x in d.payload.dropped for path in x.paths]
            assert len(taken) == len(set(taken))
            record = {f"{installed.info}/RECORD"}
            assert (shipped - record) | set(taken) == {f.path for f in installed.files} | record
            for x in d.payload.dropped:
                assert x.files == len(x.paths)
                assert x.bytes == sum(f.bytes for f in installed.files if f.path in x.paths)
