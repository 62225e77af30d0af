"""The question that a version has to answer before anybody is sent to it."""

import pytest

from optimizer.deploy.execution.check import ask
from optimizer.deploy.rejections import AnswerLostError, CallRejectedError
from optimizer.deploy.values import Invocation
from tests.unit.deploy.fakes import VirtualClock, rejected

GOOD = Invocation(payload=b'{"statusCode": 200}', error=None, log="")
LOST = AnswerLostError("AWS did not answer the call about app:2: Read timeout", mend="again")


class Answering:
    """Gives those answers one after the other."""

    def __init__(self, *answers):
        self.answers, self.clock = list(answers), VirtualClock()

    def invoke(self, function, version, event):
        assert (function, version) == ("app", "2")
        assert b'"rawPath": "/health"' in event
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def ask(self):
        return ask(self, "app", "2", "/health", self.clock)


def test_a_good_answer_is_no_fault():
    assert Answering(GOOD).ask() is None


def test_a_version_that_never_answers_is_asked_some_times_and_then_at_fault():
    asked = Answering(LOST)
    assert asked.ask() == "there was no answer, 5 times: AWS did not answer the call about app:2: Read timeout"
    assert asked.clock.now() < 10


def test_a_version_that_takes_long_to_give_no_answer_is_asked_twice():
    asked = Answering(LOST, LOST, GOOD)
    slow = asked.invoke

    def invoke(*given):
        asked.clock.sleep(40)
        return slow(*given)

    asked.invoke = invoke
    assert asked.ask().startswith("there was no answer, 2 times")


def test_one_answer_may_be_lost_on_the_way():
    assert Answering(LOST, GOOD).ask() is None


@pytest.mark.parametrize(
    "code", ["TooManyRequestsException", "SnapStartNotReadyException", "ResourceConflictException"]
)
def test_what_can_not_run_yet_is_waited_for(code):
    asked = Answering(*[rejected(code)] * 9, GOOD)
    assert asked.ask() is None
    assert asked.clock.now() > 10


def test_what_can_not_run_at_all_ends_with_the_services_words():
    asked = Answering(rejected("TooManyRequestsException", "Rate Exceeded."))
    with pytest.raises(CallRejectedError, match="Rate Exceeded"):
        asked.ask()
    assert 60 < asked.clock.now() < 300


def test_a_call_that_is_not_allowed_is_told_as_such():
    with pytest.raises(CallRejectedError, match="lambda:InvokeFunction"):
        Answering(rejected("AccessDeniedException", "not authorized to perform: lambda:InvokeFunction")).ask()


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        (
            b'{"errorType": "Sandbox.Timedout", "errorMessage": "Error: Task timed out after 3.00 seconds"}',
            "Task timed out after 3.00 seconds",
        ),
        (
            b'{"errorType": "Runtime.ExitError", "errorMessage": "RequestId: x Error: Runtime exited with error"}',
            "Runtime.ExitError",
        ),
        (
            b'{"errorType": "Runtime.ImportModuleError", "errorMessage": "Unable to import module \'h\': No module"}',
            "Unable to import module",
        ),
    ],
)
def test_timeouts_and_faults_while_it_starts_are_told_with_the_functions_words(payload, told):
    answer = Invocation(payload=payload, error="Unhandled", log="START\nINIT_REPORT Status: timeout\n")
    wrong = Answering(answer).ask()
    assert told in wrong
    assert "INIT_REPORT Status: timeout" in wrong
