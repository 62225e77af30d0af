"""Which shared objects a runtime's loader would refuse, and in what words."""

import importlib.util
import json
import shutil
from pathlib import Path

import pytest

from optimizer.runtime.glibc import Library, from_facts, read_libraries, refusals, to_facts


def _library(*versions, needed=(), search=()):
    return Library(glibc=tuple(("libm.so.6", v) for v in versions), needed=needed, search=search)


def test_the_message_is_the_loaders():
    table = {"/opt/python/x.so": _library("GLIBC_2.2.5", "GLIBC_2.27", "GLIBC_2.28")}
    assert refusals(table, (2, 26), ()) == {
        "/opt/python/x.so": "/lib64/libm.so.6: version `GLIBC_2.27' not found (required by /opt/python/x.so)"
    }


@pytest.mark.parametrize("version", ["GLIBC_2.26", "GLIBC_2.2.5", "GLIBC_PRIVATE"])
def test_what_the_runtime_has_is_no_matter(version):
    assert refusals({"/opt/x.so": _library(version)}, (2, 26), ()) == {}


def test_relative_relocations_came_with_2_36():
    table = {"/opt/x.so": _library("GLIBC_ABI_DT_RELR")}
    assert refusals(table, (2, 34), ())
    assert not refusals(table, (2, 36), ())


@pytest.mark.parametrize(
    ("search", "folders"),
    [(("$ORIGIN/../numpy.libs",), ()), (("/opt/python/numpy.libs",), ()), ((), ("/opt/python/numpy.libs",))],
)
def test_a_library_falls_with_one_that_it_needs(search, folders):
    table = {
        "/opt/python/numpy/core.so": _library(needed=("libblas.so.3",), search=search),
        "/opt/python/numpy.libs/libblas.so.3": _library(needed=("libfortran.so.5", "libc.so.6")),
        "/opt/python/numpy.libs/libfortran.so.5": _library("GLIBC_2.28", needed=("libblas.so.3",)),
        "/opt/python/numpy/other.so": _library(needed=("libm.so.6",)),
    }
    found = refusals(table, (2, 26), folders)
    assert set(found) == set(table) - {"/opt/python/numpy/other.so"}
    assert set(found.values()) == {
        "/lib64/libm.so.6: version `GLIBC_2.28' not found (required by /opt/python/numpy.libs/libfortran.so.5)"
    }


def test_a_real_shared_object_is_read(tmp_path):
    spec = importlib.util.find_spec("simplejson._speedups")
    shutil.copy(spec.origin, tmp_path / "real.so")
    (tmp_path / "text.so").write_text("no library")
    (tmp_path / "damaged.so").write_bytes(Path(spec.origin).read_bytes()[:40])
    (tmp_path / "name.sorted.py").write_text("")
    found = read_libraries(tmp_path)
    assert set(found) == {"real.so"}
    assert "libc.so.6" in found["real.so"].needed
    refused = refusals({"/opt/real.so": found["real.so"]}, (2, 1), ())
    assert refused["/opt/real.so"].startswith("/lib64/libc.so.6: version `GLIBC_2.")


def test_facts_survive_json():
    library = _library("GLIBC_2.27", needed=("a.so",), search=("$ORIGIN",))
    assert from_facts(json.loads(json.dumps(to_facts(library)))) == library
