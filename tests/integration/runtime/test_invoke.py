"""One event after another: answers, errors and ends, each as Lambda gives them."""

import re
import time

import pytest

from optimizer import limits
from optimizer.runtime import RuntimeMissingError, environment
from optimizer.runtime.interpreter import find_interpreter

ID = "6f1c0e2a-0000-4000-8000-000000000001"


def test_the_first_event_is_cold_and_the_next_warm(functions):
    fleet = functions.fleet("""
        calls = []
        def handler(event, context):
            calls.append(event)
            return {"event": event, "calls": len(calls)}
    """)
    cold, first = functions.call(fleet, {"é": 1})
    warm, second = functions.call(fleet, None)
    assert (first, second) == ({"event": {"é": 1}, "calls": 1}, {"event": None, "calls": 2})
    assert (cold.cold, warm.cold, cold.error) == (True, False, None)
    assert cold.init_ms > 0
    assert warm.init_ms is None
    assert cold.max_memory_mb > 1


def test_the_log_has_lambdas_lines_around_the_functions_own(functions):
    fleet = functions.fleet("""
        import sys
        print("starting")
        def handler(event, context):
            print("out")
            print("err", file=sys.stderr)
            print("no newline", end="")
    """)
    done, _ = functions.call(fleet)
    assert re.fullmatch(
        rf"starting\nSTART RequestId: {ID} Version: \$LATEST\nout\nerr\nno newline\nEND RequestId: {ID}\n"
        rf"REPORT RequestId: {ID}\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\t"
        r"Max Memory Used: \d+ MB\tInit Duration: \d+\.\d\d ms\n",
        done.log,
    )
    again, _ = functions.call(fleet)
    assert "starting" not in again.log
    assert "Init Duration" not in again.log


def test_the_context_is_the_calls(functions):
    fleet = functions.fleet("""
        def handler(event, context):
            left = context.get_remaining_time_in_millis()
            return [context.aws_request_id, context.invoked_function_arn, context.function_name,
                    context.function_version, context.memory_limit_in_mb, 4000 < left <= 5000]
    """)
    arn = "arn:aws:lambda:eu-central-1:123456789012:function:f:live"
    assert functions.call(fleet)[1] == [ID, arn, "f", "$LATEST", "128", True]


def test_an_exception_is_the_result_and_the_environment_lives_on(functions):
    fleet = functions.fleet("""
        def handler(event, context):
            if event: raise ValueError("no")
    """)
    done, body = functions.call(fleet, 1)
    assert done.error == "Unhandled"
    assert (body["errorType"], body["errorMessage"], body["requestId"]) == ("ValueError", "no", ID)
    assert "[ERROR] ValueError: no\rTraceback" in done.log
    assert functions.call(fleet, 0)[0].cold is False


def test_a_module_that_cant_be_imported_is_the_result_and_the_next_event_tries_again(functions):
    fleet = functions.fleet("import nowhere")
    for _ in range(2):
        done, body = functions.call(fleet)
        assert done.error == "Unhandled"
        assert done.cold
        assert body == {
            "errorMessage": "Unable to import module 'h': No module named 'nowhere'",
            "errorType": "Runtime.ImportModuleError",
            "requestId": ID,
            "stackTrace": [],
        }


@pytest.mark.parametrize(
    ("source", "handler", "kind"),
    [
        ("def handler(:", "h.handler", "Runtime.UserCodeSyntaxError"),
        ("", "h.handler", "Runtime.HandlerNotFound"),
        ("", "handler", "Runtime.MalformedHandlerName"),
        ("1 / 0", "h.handler", "ZeroDivisionError"),
    ],
)
def test_what_keeps_a_function_from_starting_is_named(functions, source, handler, kind):
    done, body = functions.call(functions.fleet(source, handler=handler))
    assert (done.error, body["errorType"]) == ("Unhandled", kind)


@pytest.mark.parametrize(
    ("statement", "ending"),
    [
        ("sys.exit(3)", "Runtime exited with error: exit status 3"),
        ("exit(4)", "Runtime exited with error: exit status 4"),
        ("os._exit(0)", "Runtime exited without providing a reason"),
        ("os.kill(os.getpid(), 9)", "Runtime exited with error: signal: killed"),
    ],
)
@pytest.mark.parametrize("where", ["handler", "module"])
def test_a_process_that_ends_is_an_exit_error(functions, statement, ending, where):
    source = f"import os, sys\ndef handler(event, context):\n    {statement}\n"
    done, body = functions.call(functions.fleet(source + (statement if where == "module" else "")))
    assert done.error == "Unhandled"
    assert body == {"errorType": "Runtime.ExitError", "errorMessage": f"RequestId: {ID} Error: {ending}"}
    assert "\tStatus: error\n" in done.log


def test_after_an_exit_the_next_event_has_a_new_environment(functions):
    fleet = functions.fleet("import sys\ndef handler(event, context): sys.exit(1) if event else None")
    assert [functions.call(fleet, event)[0].cold for event in (0, 1, 0, 0)] == [True, False, True, False]


def test_an_environment_that_died_idle_is_not_used_again(functions):
    fleet = functions.fleet("""
        import os, threading
        def handler(event, context):
            threading.Timer(0.05, os._exit, [1]).start()
    """)
    functions.call(fleet)
    end = time.monotonic() + 5
    while fleet._idle[0].alive and time.monotonic() < end:
        time.sleep(0.01)
    done, _ = functions.call(fleet)
    assert (done.cold, done.error) == (True, None)


def test_a_function_that_takes_too_long_is_ended(functions):
    fleet = functions.fleet(
        """
        import subprocess, time
        def handler(event, context):
            print("waiting")
            subprocess.Popen(["sleep", "60"])
            time.sleep(event)
        """,
        timeout=0.5,
    )
    done, body = functions.call(fleet, 60)
    message = "Task timed out after 0.50 seconds"
    assert done.error == "Unhandled"
    assert body == {"errorType": "Sandbox.Timedout", "errorMessage": f"RequestId: {ID} Error: {message}"}
    assert re.search(rf"waiting\n\S+Z {ID} {message}\n", done.log)
    assert 500 <= done.duration_ms < 1500
    assert functions.gone()  # nor what it had started
    assert functions.call(fleet, 0)[0].cold


def test_a_slow_start_is_tried_once_more_within_the_events_time(functions, monkeypatch):
    monkeypatch.setattr(environment, "INIT_SECONDS", 0.3)
    fleet = functions.fleet("import time; time.sleep(0.5)\ndef handler(event, context): return 1")
    done, body = functions.call(fleet)
    assert (body, done.error, done.cold) == (1, None, True)
    slow = functions.fleet("import time; time.sleep(60)", timeout=0.2)
    done, body = functions.call(slow)
    assert body["errorType"] == "Sandbox.Timedout"


def test_a_response_over_the_limit_is_an_error(functions):
    fleet = functions.fleet("def handler(event, context): return 'x' * event")
    assert functions.call(fleet, limits.PAYLOAD_BYTES - 2)[0].error is None
    done, body = functions.call(fleet, limits.PAYLOAD_BYTES - 1)
    assert (done.error, body["errorType"]) == ("Unhandled", "Function.ResponseSizeTooLarge")


def test_a_chatty_function_never_waits_for_its_reader(functions):
    fleet = functions.fleet("def handler(event, context):\n    for i in range(20000): print('line', i)")
    done, _ = functions.call(fleet)
    assert done.error is None
    assert done.log.count("line ") == 20000


@pytest.mark.parametrize("runtime", ["python3.10", "python3.12", "python3.13"])
def test_other_runtimes_run_where_their_python_is_at_hand(functions, runtime):
    try:
        find_interpreter(limits.RUNTIMES[runtime])
    except RuntimeMissingError as error:
        pytest.skip(error.message)
    source = "import sys\ndef handler(event, context): return [*sys.version_info[:2]] if event is None else 1 / 0"
    fleet = functions.fleet(source, layers=[{f"python/lib/{runtime}/site-packages/m.py": ""}], runtime=runtime)
    assert functions.call(fleet)[1] == list(limits.RUNTIMES[runtime].python)
    assert functions.call(fleet, 1)[1]["errorType"] == "ZeroDivisionError"
    assert functions.call(fleet)[0].cold is False
