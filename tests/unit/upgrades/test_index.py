"""The package index behind the port, as far as it can be tried without one; one test asks the real one."""

import sys

import pytest

from optimizer.errors import DiskError, NetworkError, UsageError
from optimizer.upgrades import IndexFile, SimpleIndex

WHEEL = IndexFile(filename="a-1-py3-none-any.whl", url="https://localhost:9/a-1-py3-none-any.whl", sha256="0")


@pytest.fixture
def dead(monkeypatch):
    """An index behind a proxy that nobody listens at."""
    monkeypatch.setattr("optimizer.upgrades.index._RETRIES", 0)
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://user:secret@127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with SimpleIndex() as index:
        yield index


def test_an_index_that_cant_be_reached_is_a_network_error(dead, tmp_path):
    with pytest.raises(NetworkError, match="could not be asked for a"):
        dead.wheels("a")
    with pytest.raises(NetworkError, match="could not be downloaded"):
        dead.fetch(WHEEL, tmp_path / "a.whl")


def test_a_proxys_password_is_not_told(dead, monkeypatch):
    import requests

    def refuse(*_, **__):
        raise requests.ConnectionError("no way through\n http://user:secret@proxy:8080")

    monkeypatch.setattr(dead._client.s, "get", refuse)
    with pytest.raises(NetworkError, match="no way through http://proxy:8080"):
        dead.wheels("a")


def test_a_full_disk_is_no_network_error(dead, tmp_path, monkeypatch):
    class Answer:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def raise_for_status(self):
            pass

    monkeypatch.setattr(dead._client.s, "get", lambda *_, **__: Answer())
    with pytest.raises(DiskError, match="can't be written"):
        dead.fetch(WHEEL, tmp_path / "missing" / "a.whl")


def test_without_pypi_simple_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pypi_simple", None)
    with pytest.raises(UsageError, match=r"layer-optimizer\[history\]"):
        SimpleIndex()


@pytest.mark.network
def test_the_real_index_tells_of_wheels_and_sends_one(tmp_path):
    with SimpleIndex() as index:
        assert index.wheels("surely-there-is-no-such-project-0") is None
        (six,) = [w for w in index.wheels("six") or () if w.filename.startswith("six-1.17.0-")]
        index.fetch(six, tmp_path / "six.whl")
    assert (tmp_path / "six.whl").stat().st_size == six.bytes
    assert six.day is not None
    assert len(six.sha256) == 64
