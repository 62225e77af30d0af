"""What a function sees of its environment is Lambda's, and nothing of the machine it runs on."""

import os
import sys
from pathlib import Path

import pytest

TELL = """
    import os, sys
    def handler(event, context):
        return {"environ": dict(os.environ), "path": sys.path, "argv": sys.argv, "cwd": os.getcwd()}
"""


def _import(name):
    return f"def handler(event, context):\n    import {name}\n    return getattr({name}, 'A', None)\n"


def test_variables_are_lambdas_and_the_functions_own(functions, monkeypatch):
    monkeypatch.setenv("HOST_SECRET", "x")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.setenv("AWS_PROFILE", "somebody")
    _, seen = functions.call(functions.fleet(TELL, environment={"STAGE": "test", "AWS_ENDPOINT_URL": "http://x"}))
    found = seen["environ"]
    assert {name for name in found if name in os.environ} <= {
        "PATH",
        "LANG",
        "TZ",
        "HOME",
        "LD_LIBRARY_PATH",
        "LC_CTYPE",
    }
    expected = {
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.11",
        "AWS_LAMBDA_FUNCTION_NAME": "f",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/f",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": "http://x",
        "LAMBDA_TASK_ROOT": seen["cwd"],
        "STAGE": "test",
        "TZ": ":UTC",
        "_HANDLER": "h.handler",
    }
    assert {name: found.get(name) for name in expected} == expected
    assert found["_X_AMZN_TRACE_ID"].startswith("Root=1-")


def test_the_path_is_code_layers_standard_library_runtime(functions):
    _, seen = functions.call(functions.fleet(TELL, layers=[{"python/a.py": ""}]))
    path = seen["path"]
    assert path[0] == seen["cwd"]
    assert path[1].endswith("/tree/python/lib/python3.11/site-packages")
    assert path[2] == path[1].removesuffix("/lib/python3.11/site-packages")
    assert path[3].startswith(sys.base_prefix)
    assert "/clients/" in path[-1]
    assert not [place for place in path if "site-packages" in place and not place.startswith(str(functions.folder))]
    assert seen["argv"][1:] == ["h.handler"]


@pytest.mark.parametrize("name", ["rich", "pytest", "boto3", "optimizer"])
def test_what_the_machine_has_installed_is_not_there(functions, name):
    done, body = functions.call(functions.fleet(_import(name)))
    assert (done.error, body["errorType"]) == ("Unhandled", "ModuleNotFoundError")


def test_a_later_layer_wins_and_the_code_wins_over_both(functions):
    layers = [{"python/m.py": "A = 1"}, {"python/m.py": "A = 2"}]
    assert functions.call(functions.fleet(_import("m"), layers=layers))[1] == 2
    assert functions.call(functions.fleet(_import("m"), layers=layers[::-1]))[1] == 1
    assert functions.call(functions.fleet(_import("m"), layers=layers, more={"m.py": "A = 3"}.items()))[1] == 3


def test_layers_share_a_namespace(functions):
    layers = [{"python/n/a.py": "A = 1"}, {"python/n/b.py": "from n.a import A"}]
    assert (
        functions.call(functions.fleet("from n.b import A\ndef handler(event, context): return A", layers=layers))[1]
        == 1
    )


@pytest.mark.parametrize("folder", ["python", "python/lib/python3.11/site-packages"])
def test_pth_files_of_layers_are_processed(functions, folder):
    layer = {f"{folder}/more.pth": "inner\n", f"{folder}/inner/m.py": "A = 7"}
    assert functions.call(functions.fleet(_import("m"), layers=[layer]))[1] == 7


def test_pythonpath_hides_every_layer(functions):
    layers = [{"python/m.py": "A = 1", "elsewhere/k.py": "A = 2"}]
    fleet = functions.fleet(_import("m"), layers=layers, environment={"PYTHONPATH": "/opt/elsewhere"})
    assert functions.call(fleet)[1]["errorType"] == "ModuleNotFoundError"
    fleet = functions.fleet(_import("k"), layers=layers, environment={"PYTHONPATH": "/opt/elsewhere"})
    assert functions.call(fleet)[1] == 2


def test_pythons_own_settings_are_the_functions_to_choose(functions):
    fleet = functions.fleet(
        "import sys\ndef handler(event, context): return sys.flags.optimize", environment={"PYTHONOPTIMIZE": "1"}
    )
    assert functions.call(fleet)[1] == 1


@pytest.mark.parametrize(
    "statement",
    ["open('new', 'w')", "open('h.py', 'a')", "os.mkdir('new')", "os.remove('h.py')", "os.rename('h.py', '/tmp/h.py')"],
)
def test_code_and_layers_are_read_only(functions, statement):
    done, body = functions.call(functions.fleet(f"import os\ndef handler(event, context): {statement}"))
    assert done.error == "Unhandled"
    assert body["errorType"] in {"OSError", "PermissionError"}
    assert "Read-only file system" in body["errorMessage"]


def test_importing_leaves_no_bytecode_behind(functions):
    functions.call(functions.fleet(_import("m"), layers=[{"python/m.py": "A = 1"}]))
    assert list((functions.cache / "zips").rglob("*.pyc")) == []


def test_temporary_files_have_a_folder_that_goes_with_the_environment(functions):
    fleet = functions.fleet("""
        import os, shutil, tempfile
        def handler(event, context):
            shutil.rmtree(tempfile.mkdtemp())
            with tempfile.NamedTemporaryFile(delete=False) as file:
                return file.name
    """)
    _, place = functions.call(fleet)
    assert Path(place).exists()
    fleet.kill()
    assert not Path(place).parent.exists()
