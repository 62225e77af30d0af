"""Which Python runs a runtime's functions, and what it can import of ours."""

import importlib.util
import sys

import pytest

from optimizer.limits import RUNTIMES, Runtime
from optimizer.runtime import RuntimeMissingError
from optimizer.runtime.interpreter import client_folder, find_interpreter

OWN = Runtime(name="own", python=sys.version_info[:2], glibc=(2, 34))
OTHER = Runtime(name="python3.99", python=(3, 99), glibc=(2, 34))


@pytest.fixture(autouse=True)
def _forgotten():
    find_interpreter.cache_clear()
    yield
    find_interpreter.cache_clear()


def _program(folder, name, text):
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_this_python_is_taken_outside_its_virtual_environment():
    assert find_interpreter(OWN) == sys._base_executable


def test_another_version_comes_from_path(tmp_path, monkeypatch):
    program = _program(tmp_path, "python3.99", "echo cpython 3 99")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_interpreter(OTHER) == program


@pytest.mark.parametrize("text", ["exit 127", "echo cpython 3 11", "echo pypy 3 99"])
def test_what_only_bears_the_name_is_not_taken(tmp_path, monkeypatch, text):
    _program(tmp_path, "python3.99", text)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeMissingError, match=r"No Python 3\.99 is at hand.*\n.*python3\.99 on PATH"):
        find_interpreter(OTHER)


def test_the_clients_folder_holds_the_client_and_nothing_else(tmp_path):
    folder = client_folder(tmp_path, sys._base_executable, OWN)
    names = {path.name.split(".")[0] for path in folder.iterdir()} - {"__pycache__"}
    assert names == {"awslambdaric", "simplejson", "snapshot_restore_py", "runtime_client"}
    assert list((folder / "awslambdaric" / "__pycache__").glob("bootstrap.*.pyc"))
    assert client_folder(tmp_path, sys._base_executable, OWN) == folder


def test_another_minor_version_has_a_client_without_extension_module(tmp_path):
    other = next(runtime for runtime in RUNTIMES.values() if runtime.python != sys.version_info[:2])
    folder = client_folder(tmp_path, sys._base_executable, other)
    assert "2018-06-01" in (folder / "runtime_client.py").read_text()


def test_a_client_that_is_not_installed_is_named_with_the_extra(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(
        RuntimeMissingError, match=r"awslambdaric is not installed\npip install 'layer-optimizer\[local\]'"
    ):
        client_folder(tmp_path, sys._base_executable, OWN)
