"""What is served on loopback: answers to whoever has the token, and words for every fault."""

from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from optimizer.errors import DiskError, UsageError
from optimizer.tune import ChangedError, serving


def ask(address, method="GET", action="", body=None):
    parts = urlsplit(address)
    connection = HTTPConnection(parts.hostname, parts.port, timeout=10)
    headers = {"Origin": f"http://{parts.netloc}", "Content-Type": "application/json"} if method == "POST" else {}
    connection.request(method, parts.path + action, body=body and body.encode(), headers=headers)
    answer = connection.getresponse()
    found = answer.status, answer.read().decode(), answer.headers
    connection.close()
    return found


def raising(error):
    def run(*_):
        raise error

    return run


FAULTS = [
    (UsageError("it is wrong", mend="mend it"), 422, "it is wrong"),
    (ChangedError("it is another", mend="load it"), 409, "it is another"),
    (DiskError("the disk is full", mend="make room"), 500, "the disk is full"),
    (RuntimeError("a bug"), 500, "layer-optimizer failed: RuntimeError: a bug"),
]


@pytest.mark.parametrize(("error", "status", "words"), FAULTS, ids=lambda x: type(x).__name__)
def test_a_fault_is_told_with_its_status(error, status, words, caplog):
    with serving(raising(error), {"write": raising(error)}) as address:
        found, text, _ = ask(address)
        assert (found, text.split("\n")[0]) == (status, words)
        found, text, headers = ask(address, "POST", "write", "{}")
    assert found == status
    assert f'"message": "{words}"' in text
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert ("a request failed" in caplog.text) is isinstance(error, RuntimeError)


def test_each_run_has_a_token_of_its_own_and_nothing_is_kept_or_framed():
    with serving(lambda: "<p>é</p>", {}) as first, serving(lambda: "", {}) as second:
        assert urlsplit(first).path != urlsplit(second).path
        assert len(urlsplit(first).path) > 30
        status, text, headers = ask(first)
        assert ask(first, action="?x=1")[0] == 200
        parts = urlsplit(first)
        assert ask(f"{parts.scheme}://{parts.netloc}{urlsplit(second).path}")[0] == 403
    assert (status, text) == (200, "<p>é</p>")
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Security-Policy"] == "frame-ancestors 'none'"
    assert headers["Referrer-Policy"] == "no-referrer"


def test_what_is_posted_comes_in_and_its_answer_goes_out():
    with serving(lambda: "", {"plan": lambda sent: {"got": sent}}) as address:
        assert ask(address, "POST", "plan", '{"a": ["ü"]}')[:2] == (200, '{"schema": 1, "got": {"a": ["ü"]}}')
        assert ask(address, "PUT", "plan", "{}")[0] == 501


def test_a_port_that_cannot_be_had_is_wrong_usage():
    with serving(lambda: "", {}) as address, pytest.raises(UsageError, match="can't be listened on"):  # noqa: SIM117
        with serving(lambda: "", {}, port=urlsplit(address).port):
            pass
