"""Requests that are repeated: which, for how long, and with waits that grow and differ."""

import pytest
from botocore import exceptions as botocore
from botocore.awsrequest import AWSResponse

from optimizer.deploy import Clients, Connection
from tests.unit.deploy.fakes import VirtualClock


class Answers:
    """Stands where requests are sent: each gets the next answer, the last one again and again."""

    def __init__(self, *answers):
        self.answers, self.count = list(answers), 0

    def __call__(self, request, **_):
        self.count += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        status, code, headers = answer
        body = b'{"message": "text"}' if code else b'{"FunctionVersion": "1", "Name": "live"}'
        return Answer(request.url, status, {**headers, **({"x-amzn-errortype": code} if code else {})}, body)


class Answer(AWSResponse):
    def __init__(self, url, status, headers, body):
        super().__init__(url, status, headers, None)
        self._content = body


GOOD = (200, "", {})
THROTTLED = (429, "TooManyRequestsException", {"Retry-After": "3"})
CLOSED = botocore.ConnectionClosedError(endpoint_url="https://x")


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def asked(clock, monkeypatch):
    def ask(*answers, once=False, most=""):
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", most)
        clients = Clients(connection=Connection(endpoint_url="http://127.0.0.1:1", local=True), clock=clock)
        client = clients.client("lambda", "eu-central-1", once=once)
        sent = Answers(*answers)
        client.meta.events.register_last("before-send", sent)
        return sent, lambda: client.get_alias(FunctionName="app", Name="live")

    return ask


@pytest.mark.parametrize(
    "trouble",
    [
        (500, "ServiceException", {}),
        (503, "ServiceUnavailable", {}),
        THROTTLED,
        CLOSED,
        botocore.ReadTimeoutError(endpoint_url="https://x"),
        botocore.EndpointConnectionError(endpoint_url="https://x"),
    ],
    ids=str,
)
def test_trouble_that_passes_is_waited_for(asked, clock, trouble):
    sent, call = asked(trouble, trouble, trouble, GOOD)
    assert call()["FunctionVersion"] == "1"
    assert sent.count == 4
    assert clock.now() > 0


def test_the_service_may_say_how_long_to_wait(asked, clock):
    _, call = asked(THROTTLED, GOOD)
    call()
    assert 3 <= clock.now() < 4


@pytest.mark.parametrize(
    ("trouble", "within"),
    [
        (THROTTLED, 300),
        ((500, "ServiceException", {}), 120),
        (CLOSED, 120),
        (botocore.EndpointConnectionError(endpoint_url="https://x"), 20),
    ],
    ids=str,
)
def test_it_gives_up_in_the_end(asked, clock, trouble, within):
    sent, call = asked(trouble)
    with pytest.raises((botocore.ClientError, botocore.BotoCoreError)):
        call()
    assert within - 5 <= clock.now() <= within
    assert sent.count > 3


@pytest.mark.parametrize(
    "answer",
    [
        (400, "InvalidParameterValueException", {}),
        (403, "AccessDeniedException", {}),
        (412, "PreconditionFailedException", {}),
        (501, "NotImplementedException", {}),
    ],
)
def test_a_refusal_is_not_repeated(asked, clock, answer):
    sent, call = asked(answer)
    with pytest.raises(botocore.ClientError):
        call()
    assert (sent.count, clock.now()) == (1, 0)


def test_what_must_not_act_twice_is_tried_once(asked):
    sent, call = asked(CLOSED, once=True)
    with pytest.raises(botocore.ConnectionClosedError):
        call()
    assert sent.count == 1


def test_botocores_own_variable_limits_the_tries(asked):
    sent, call = asked(CLOSED, most="2")
    with pytest.raises(botocore.ConnectionClosedError):
        call()
    assert sent.count == 2
