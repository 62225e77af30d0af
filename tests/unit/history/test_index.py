"""A package index over HTTP: what it tells, and how it is asked."""

import builtins
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from optimizer.errors import NetworkError, UsageError
from optimizer.history.index import IndexFile, SimpleIndex
from tests.unit.history.support import http_index

FILES = [
    ("tool-1.0-py3-none-any.whl", "2026-01-01T23:30:00.123456Z", 77),
    ("tool-1.0.tar.gz", "2026-01-01T23:30:00Z", 99),
]


def test_wheels_come_with_their_times_and_bytes():
    with http_index({"tool": FILES}) as (url, asked), SimpleIndex(url) as index:
        (found,) = index.files("tool")
    assert found.url.startswith(url.split("/simple")[0])
    assert replace(found, url="", sha256="") == IndexFile(
        filename="tool-1.0-py3-none-any.whl", uploaded=datetime(2026, 1, 1, 23, 30, 0, 123456, tzinfo=UTC), bytes=77
    )
    assert [name for name, _ in asked] == ["tool"]
    assert "layer-optimizer" in asked[0][1]


def test_a_project_that_the_index_does_not_know_is_none():
    with http_index({}) as (url, _), SimpleIndex(url) as index:
        assert index.files("private") is None


def test_a_busy_index_is_asked_again_when_it_says_so():
    busy = [(429, {"Retry-After": "0"}), (503, {"Retry-After": "0"})]
    with http_index({"tool": FILES}, before=busy) as (url, asked), SimpleIndex(url) as index:
        assert len(index.files("tool")) == 1
    assert len(asked) == 3


def test_a_refusal_is_an_error_of_the_network():
    with (
        http_index({}, before=[(403, {})]) as (url, _),
        SimpleIndex(url.replace("//", "//me:secret@")) as index,
        pytest.raises(NetworkError, match="refused tool: 403") as raised,
    ):
        index.files("tool")
    assert raised.value.exit_status == 3
    assert "secret" not in str(raised.value)


def test_an_answer_that_is_no_index_is_an_error():
    garbage = [(200, {"Content-Type": "application/octet-stream"})]
    with (
        http_index({}, before=garbage) as (url, _),
        SimpleIndex(url) as index,
        pytest.raises(NetworkError, match="no package index"),
    ):
        index.files("tool")


def test_an_index_that_cannot_be_reached_is_an_error_without_the_password(monkeypatch):
    monkeypatch.setattr("optimizer.history.index._RETRIES", 0)
    with http_index({}) as (url, _):
        pass
    with SimpleIndex(url.replace("//", "//me:secret@")) as index, pytest.raises(NetworkError) as raised:
        index.files("tool")
    assert "could not be asked for tool" in raised.value.message
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("url", ["pypi", "file:///tmp", "ftp://x"])
def test_an_address_that_is_none_is_wrong_usage(url):
    with pytest.raises(UsageError, match="--index-url"):
        SimpleIndex(url)


def test_without_pypi_simple_the_mend_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def without(name, *arguments, **keywords):
        if name == "pypi_simple":
            raise ImportError("No module named 'pypi_simple'")
        return real(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match=r"layer-optimizer\[history\]"):
        SimpleIndex()


@pytest.mark.network
def test_the_public_index_tells_days_and_bytes():
    with SimpleIndex() as index:
        files = index.files("six")
    (first,) = [f for f in files if f.filename == "six-1.17.0-py2.py3-none-any.whl"]
    assert str(first.uploaded.date()) == "2024-12-04"
    assert first.bytes == 11050
