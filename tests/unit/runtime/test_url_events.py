"""Function URLs: what a function gets of a request, and what its caller gets of the result."""

import base64
import json

import pytest

from optimizer.runtime.url_events import HttpRequest, check_event, event_of, response_of


def event(**given):
    """The event of a request."""
    defaults = {
        "method": "GET",
        "path": "/",
        "query": "",
        "headers": [("Host", "127.0.0.1:4566")],
        "body": b"",
        "source_ip": "127.0.0.1",
    }
    return event_of(
        HttpRequest(**{**defaults, **given}),
        domain="abc.lambda-url.eu-central-1.on.aws",
        request_id="r",
        now=1767225600.0,
    )


def test_an_event_of_format_two_says_who_asked_for_what_and_when():
    made = event(method="POST", path="/a%20b/c", query="x=1", headers=[("Host", "h:80"), ("User-Agent", "u")])
    assert (made["version"], made["routeKey"], made["rawPath"], made["rawQueryString"]) == (
        "2.0",
        "$default",
        "/a%20b/c",
        "x=1",
    )
    context = made["requestContext"]
    assert context["http"] == {
        "method": "POST",
        "path": "/a b/c",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "u",
    }
    assert (context["time"], context["timeEpoch"]) == ("01/Jan/2026:00:00:00 +0000", 1767225600000)
    assert (context["domainPrefix"], context["accountId"], context["requestId"]) == ("abc", "anonymous", "r")


def test_headers_of_one_name_and_query_values_of_one_name_are_joined_by_commas():
    made = event(query="a=1&a=2&b=%26", headers=[("X-A", "1"), ("x-a", "2")])
    assert made["headers"]["x-a"] == "1,2"
    assert made["queryStringParameters"] == {"a": "1,2", "b": "&"}


def test_cookies_are_a_list_of_their_own():
    made = event(headers=[("Cookie", "a=1; b=2"), ("Cookie", "c=3")])
    assert made["cookies"] == ["a=1", "b=2", "c=3"]
    assert "cookie" not in made["headers"]


@pytest.mark.parametrize(
    ("kind", "body", "encoded"),
    [
        ("application/json", b"{}", False),
        ("text/plain; charset=utf-8", "ä".encode(), False),
        ("text/plain", b"\xff", True),
        ("image/png", b"\x89PNG", True),
        ("", b"x", True),
    ],
)
def test_text_goes_as_it_is_and_everything_else_as_base64(kind, body, encoded):
    made = event(headers=[("Content-Type", kind)], body=body)
    assert made["isBase64Encoded"] is encoded
    assert made["body"] == (base64.b64encode(body).decode() if encoded else body.decode())


def test_without_a_body_a_query_and_cookies_the_event_has_none_of_these():
    assert not {"body", "queryStringParameters", "cookies"} & set(event())


def respond(result):
    """The answer to a function's result."""
    return response_of(json.dumps(result).encode())


def test_a_result_with_a_status_is_translated():
    answer = respond(
        {"statusCode": 201, "headers": {"content-type": "text/plain"}, "cookies": ["a=1", "b=2"], "body": "ä"}
    )
    assert (answer.status, answer.line, answer.body) == (201, "201 Created", "ä".encode())
    assert answer.headers == (("content-type", "text/plain"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"))


def test_a_base64_body_is_decoded():
    assert respond({"statusCode": 200, "isBase64Encoded": True, "body": "AAE="}).body == b"\x00\x01"


@pytest.mark.parametrize("result", [{"answer": 42}, "text", [1], None, 7])
def test_a_bare_result_is_the_json_body_of_a_200(result):
    answer = respond(result)
    assert (answer.status, json.loads(answer.body)) == (200, result)
    assert answer.headers == (("Content-Type", "application/json"),)


@pytest.mark.parametrize(
    "result",
    [
        {"statusCode": "no number"},
        {"statusCode": 99},
        {"statusCode": 200, "headers": ["no", "mapping"]},
        {"statusCode": 200, "headers": {"x": "a\r\nInjected: 1"}},
        {"statusCode": 200, "isBase64Encoded": True, "body": "no base64!"},
    ],
)
def test_a_malformed_result_is_a_502(result):
    assert respond(result).status == 502


def test_a_result_that_is_no_json_is_a_502():
    assert response_of(b"\xff").status == 502


def test_the_check_is_a_get_by_nobody_with_its_query_apart():
    event = json.loads(check_event("/health?deep=1", request_id="r"))
    http = event["requestContext"]["http"]
    assert (http["method"], event["rawPath"], event["rawQueryString"]) == ("GET", "/health", "deep=1")
    assert event["queryStringParameters"] == {"deep": "1"}
    assert event["requestContext"]["accountId"] == "anonymous"


def test_a_host_without_a_port_has_the_default_one():
    assert json.loads(check_event("/", request_id="r"))["headers"]["x-forwarded-port"] == "80"
