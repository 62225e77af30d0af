"""Where a running embedded AWS is found, and what becomes of files that dead ones left."""

import json
import os
import socket

import pytest

from optimizer.errors import DiskError, UsageError
from optimizer.local import ENDPOINT, announced, embedded_aws, find_running


def write(folder, **document):
    place = folder / ENDPOINT
    place.parent.mkdir(exist_ok=True)
    place.write_text(json.dumps(document), "utf-8")
    return place


def test_a_running_one_is_found_in_its_folder_and_gone_after_it_stops(tmp_path):
    assert find_running(tmp_path) is None
    with embedded_aws() as aws, announced(tmp_path, aws.endpoint_url):
        document = json.loads((tmp_path / ENDPOINT).read_text("utf-8"))
        assert document == {"endpoint_url": aws.endpoint_url, "pid": os.getpid()}
        assert find_running(tmp_path) == aws.endpoint_url
        assert find_running(tmp_path / "elsewhere") is None
    assert not (tmp_path / ENDPOINT).exists()
    assert find_running(tmp_path) is None


def test_a_second_one_in_the_same_folder_is_refused_with_the_firsts_address(tmp_path):
    with embedded_aws() as aws, announced(tmp_path, aws.endpoint_url):
        with (
            embedded_aws() as other,
            pytest.raises(UsageError, match=aws.endpoint_url),
            announced(tmp_path, other.endpoint_url),
        ):
            pass
        assert find_running(tmp_path) == aws.endpoint_url


@pytest.mark.parametrize("document", [{"endpoint_url": "http://127.0.0.1:1", "pid": 2**22 + 1}, {}, {"pid": "x"}])
def test_a_file_of_a_dead_one_is_replaced(tmp_path, document):
    write(tmp_path, **document)
    assert find_running(tmp_path) is None
    with announced(tmp_path, "http://127.0.0.1:9"):
        assert json.loads((tmp_path / ENDPOINT).read_text("utf-8"))["pid"] == os.getpid()


def test_another_program_that_listens_at_a_dead_ones_address_is_not_taken_for_it(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        write(tmp_path, endpoint_url=f"http://127.0.0.1:{server.getsockname()[1]}", pid=os.getpid())
        assert find_running(tmp_path) is None


def test_a_file_that_another_one_wrote_meanwhile_is_left(tmp_path):
    with announced(tmp_path, "http://127.0.0.1:9"):
        place = write(tmp_path, endpoint_url="http://127.0.0.1:10", pid=1)
    assert place.exists()


def test_a_folder_that_can_not_be_written_is_named(tmp_path):
    (tmp_path / ".local").write_text("a file", "utf-8")
    with pytest.raises(DiskError, match=r"endpoint\.json can't be written"), announced(tmp_path, "http://127.0.0.1:9"):
        pass


def test_a_port_in_use_is_named():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(UsageError, match=f"Port {port} on 127.0.0.1 can't be used"), embedded_aws(port=port):
            pass


def test_a_missing_extra_is_told_with_what_installs_it(monkeypatch):
    import importlib.util

    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "moto" else found(name))
    with pytest.raises(UsageError, match="needs moto") as caught, embedded_aws():
        pass
    assert "layer-optimizer[local]" in caught.value.mend
