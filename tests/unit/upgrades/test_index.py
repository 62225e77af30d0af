"""The package index behind the port, as far as it can be tried without one; one test asks the real one."""

import pytest
import requests

from optimizer.errors import DiskError, NetworkError
from optimizer.history.index import IndexFile, SimpleIndex

WHEEL = IndexFile(filename="a-1-py3-none-any.whl", uploaded=None, url="https://localhost:9/a-1-py3-none-any.whl")


@pytest.fixture
def dead(monkeypatch):
    """An index behind a proxy that nobody listens at."""
    monkeypatch.setattr("optimizer.history.index._RETRIES", 0)
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://user:secret@127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with SimpleIndex() as index:
        yield index


def test_a_wheel_that_cant_be_had_is_a_network_error_without_secrets(dead, tmp_path, monkeypatch):
    with pytest.raises(NetworkError, match="could not be downloaded"):
        dead.fetch(WHEEL, tmp_path / "a.whl")

    def refuse(*_, **__):
        raise requests.ConnectionError("no way through http://user:secret@proxy:8080")

    monkeypatch.setattr(dead._client.s, "get", refuse)
    with pytest.raises(NetworkError, match="no way through http://proxy:8080"):
        dead.fetch(WHEEL, tmp_path / "a.whl")


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


@pytest.mark.network
def test_the_real_index_tells_of_wheels_and_sends_one(tmp_path):
    with SimpleIndex() as index:
        assert index.files("surely-there-is-no-such-project-0") is None
        (six,) = [w for w in index.files("six") or () if w.filename.startswith("six-1.17.0-")]
        index.fetch(six, tmp_path / "six.whl")
    assert (tmp_path / "six.whl").stat().st_size == six.bytes
    assert six.uploaded is not None
    assert len(six.sha256) == 64
