"""A shared object for a newer glibc fails to load as it does on Lambda, however new the machine's own is."""

import dataclasses
import importlib.util
from pathlib import Path

import pytest

from optimizer import limits

MODULE = Path(importlib.util.find_spec("simplejson._speedups").origin)
LAYER = {f"python/{MODULE.name}": MODULE.read_bytes()}


@pytest.fixture
def old_glibc(monkeypatch):
    runtime = dataclasses.replace(limits.RUNTIMES["python3.11"], glibc=(2, 1))
    monkeypatch.setitem(limits.RUNTIMES, "python3.11", runtime)


def test_a_module_that_fits_is_imported(functions):
    fleet = functions.fleet("import _speedups\ndef handler(event, context): return _speedups.__file__", layers=[LAYER])
    assert functions.call(fleet)[1].endswith(f"/python/{MODULE.name}")


@pytest.mark.usefixtures("old_glibc")
def test_a_module_that_asks_for_too_much_is_an_import_error(functions):
    done, body = functions.call(functions.fleet("import _speedups", layers=[LAYER]))
    assert (done.error, body["errorType"]) == ("Unhandled", "Runtime.ImportModuleError")
    assert body["errorMessage"].startswith("Unable to import module 'h': /lib64/libc.so.6: version `GLIBC_2.")
    assert body["errorMessage"].endswith(f"' not found (required by /opt/python/{MODULE.name})")


@pytest.mark.usefixtures("old_glibc")
def test_ctypes_is_refused_it_too(functions):
    source = f"""
        import ctypes, os
        def handler(event, context):
            ctypes.CDLL(os.path.join(os.environ["LAMBDA_TASK_ROOT"], "{MODULE.name}"))
    """
    done, body = functions.call(functions.fleet(source, more={MODULE.name: MODULE.read_bytes()}.items()))
    assert (done.error, body["errorType"]) == ("Unhandled", "OSError")
    assert body["errorMessage"].endswith(f"(required by /var/task/{MODULE.name})")


@pytest.mark.usefixtures("old_glibc")
def test_a_function_without_shared_objects_is_as_before(functions):
    assert functions.call(functions.fleet("def handler(event, context): return 1"))[1] == 1
