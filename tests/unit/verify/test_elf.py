"""What is wrong with shared objects, as literal tables."""

import dataclasses

import pytest

from optimizer.models import Target
from optimizer.runtime.glibc import Library
from optimizer.verify.elf import check_libraries

TARGET = Target(runtime="python3.11", architecture="x86_64")


def library(*needed, machine="x86_64", glibc=(), search=()):
    return Library(glibc=tuple(("libc.so.6", v) for v in glibc), needed=needed, search=search, machine=machine)


def found(table, target=TARGET):
    return [(f.check, f.subject, f.actual) for f in check_libraries(table, target)]


@pytest.mark.parametrize(
    "table",
    [
        {"/opt/python/x.so": library("libc.so.6", "libstdc++.so.6", "libz.so.1", "libpython3.11.so.1.0")},
        {
            "/opt/python/numpy/core.so": library("libblas-1.so", search=("$ORIGIN/../numpy.libs",)),
            "/opt/python/numpy.libs/libblas-1.so": library("libc.so.6"),
        },
        {"/opt/python/pyarrow/lib.so": library("libarrow.so.1"), "/opt/python/pyarrow/x/libarrow.so.1": library()},
        {"/opt/python/x.so": library("libown.so"), "/opt/lib/libown.so": library()},
        {"/var/task/x.so": library(glibc=["GLIBC_2.26"])},
    ],
)
def test_what_the_loader_finds_is_no_finding(table):
    assert found(table) == []


@pytest.mark.parametrize("name", ["libGL.so.1", "libexpat.so.1", "libX11.so.6", "libpython3.12.so.1.0"])
def test_what_lambda_does_not_have_is_a_finding(name):
    assert found({"/opt/python/cv2/cv2.so": library("libc.so.6", name)}) == [
        ("library", "/opt/python/cv2/cv2.so", f"not found: {name}")
    ]


def test_a_library_of_another_distribution_is_not_found():
    table = {"/opt/python/a/a.so": library("libb.so"), "/opt/python/b/libb.so": library()}
    assert found(table) == [("library", "/opt/python/a/a.so", "not found: libb.so")]


def test_another_machines_is_told_and_serves_nobody():
    table = {
        "/opt/python/a.libs/libb.so": library(machine="aarch64"),
        "/opt/python/a/a.so": library("libb.so", search=("$ORIGIN/../a.libs",)),
    }
    assert [check for check, *_ in found(table)] == ["elf-machine", "library"]
    arm = Target(runtime="python3.11", architecture="arm64")
    assert [subject for _, subject, _ in found(table, arm)] == ["/opt/python/a/a.so"]


def test_a_too_new_glibc_is_told_where_it_is_asked_for_and_not_where_that_is_needed():
    table = {
        "/opt/python/a/a.so": library("libb.so", search=("$ORIGIN",)),
        "/opt/python/a/libb.so": library(glibc=["GLIBC_2.28"]),
    }
    ((check, subject, actual),) = found(table)
    assert (check, subject) == ("glibc", "/opt/python/a/libb.so")
    assert "version `GLIBC_2.28' not found" in actual
    later = dataclasses.replace(TARGET, runtime="python3.12")
    assert found(table, later) == []
