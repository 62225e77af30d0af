"""Environments are made on demand, used again, and never outlive their fleet or its process."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from optimizer.runtime import TooManyEnvironmentsError
from optimizer.runtime.environment import Environment

SLEEP = """
    import os, time
    def handler(event, context):
        time.sleep(event)
        return os.getpid()
"""


def _until(condition, seconds=5.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_events_side_by_side_have_environments_of_their_own(functions):
    fleet = functions.fleet(SLEEP, concurrency=2)
    with ThreadPoolExecutor(2) as pool:
        pids = [body for _, body in pool.map(lambda _: functions.call(fleet, 0.5), range(2))]
    assert len(set(pids)) == 2
    done, pid = functions.call(fleet, 0)
    assert (done.cold, pid in pids) == (False, True)
    assert sorted(functions.processes()) == sorted(pids)


def test_one_event_more_than_environments_is_refused(functions):
    fleet = functions.fleet(SLEEP, concurrency=1)
    functions.call(fleet, 0)
    thread = threading.Thread(target=functions.call, args=(fleet, 0.5))
    thread.start()
    _until(lambda: fleet._busy)
    with pytest.raises(TooManyEnvironmentsError, match="all 1 environments busy"):
        functions.call(fleet, 0)
    thread.join()
    assert functions.call(fleet, 0)[0].cold is False


def test_closing_waits_for_the_busy(functions):
    fleet = functions.fleet(SLEEP)
    functions.call(fleet, 0)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(functions.call, fleet, 0.4)
        _until(lambda: fleet._busy)
        fleet.close()
        assert functions.processes() == []
        assert running.result()[0].error is None
    with pytest.raises(TooManyEnvironmentsError, match="closed"):
        functions.call(fleet, 0)


def test_killing_ends_the_busy_too(functions):
    fleet = functions.fleet(SLEEP, timeout=60)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(functions.call, fleet, 60)
        _until(lambda: fleet._busy and functions.processes())
        fleet.kill()
        assert functions.processes() == []
        done, body = running.result(timeout=5)
    assert (done.error, body["errorType"]) == ("Unhandled", "Runtime.ExitError")


def test_closing_leaves_no_thread_and_no_descriptor(functions):
    fleet = functions.fleet(SLEEP)
    threads, descriptors = threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))
    functions.call(fleet, 0)
    assert threading.active_count() > threads
    fleet.close()
    fleet.close()
    assert threading.active_count() == threads
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors


def test_an_environment_outlives_the_thread_that_first_called_it(functions):
    fleet = functions.fleet(SLEEP)
    pids = []
    for _ in range(2):
        thread = threading.Thread(target=lambda: pids.append(functions.call(fleet, 0)[1]))
        thread.start()
        thread.join()
        time.sleep(0.05)
    assert pids[0] == pids[1]


def test_an_interrupted_event_takes_its_environment_with_it(functions, monkeypatch):
    fleet = functions.fleet("def handler(event, context): return event")
    functions.call(fleet, 1)

    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Environment, "_wait", interrupt)
        with pytest.raises(KeyboardInterrupt):
            functions.call(fleet, 2)
    done, body = functions.call(fleet, 3)
    assert (done.cold, body) == (True, 3)


PARENT = """
import sys, time
from pathlib import Path
from optimizer.runtime import Fleet, FunctionImage
code, cache = map(Path, sys.argv[1:])
fleet = Fleet(
    FunctionImage(
        name="f", version="1", arn="arn", handler="h.handler", runtime="python3.11", architecture="x86_64",
        memory_mb=128, timeout_seconds=60, environment={}, code=code, layers=(),
    ),
    cache=cache,
)
print(fleet.invoke(b"null", request_id="1", invoked_arn="arn").payload, flush=True)
fleet.invoke(b"60", request_id="2", invoked_arn="arn")
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_when_the_parent_dies(functions, number):
    code = functions.zip(
        {
            "h.py": """
                import subprocess, time
                def handler(event, context):
                    subprocess.Popen(["sleep", "60"])
                    time.sleep(event or 0)
            """
        }
    )
    scratch = functions.folder / "tmp"
    scratch.mkdir()
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(code), str(functions.cache)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(scratch)},
    )
    with parent:
        assert parent.stdout.readline() == "b'null'\n"
        _until(lambda: len(functions.processes()) == 3)
        parent.send_signal(number)
        parent.wait(5)
        assert "h.py" not in parent.stderr.read()  # no traceback of the function's
    _until(lambda: not functions.processes())
    if number == signal.SIGINT:  # the others leave no time for it
        assert list(scratch.iterdir()) == []
