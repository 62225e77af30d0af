"""HTTP requests to events of payload format 2.0 and answers back, as Lambda's function URLs do it."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_TEXT = ("text/", "application/json", "application/javascript", "application/xml", "application/x-www-form-urlencoded")
"""Bodies that go as text; every other one as base64 (function URLs' documentation, request payload)."""
_JSON = ("Content-Type", "application/json")
_CHECK_HOST = "check.layer-optimizer.invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """One request: `path` still percent-encoded, `headers` as they came."""

    method: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    source_ip: str
    protocol: str = "HTTP/1.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whom AWS has authenticated by a signature: the access key, and whose it is."""

    access_key: str
    account: str
    arn: str
    user_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """One answer."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def line(self) -> str:
        """The status with its phrase."""
        try:
            return f"{self.status} {HTTPStatus(self.status).phrase}"
        except ValueError:
            return f"{self.status} Unknown"


def event_of(
    request: HttpRequest, *, domain: str, request_id: str, caller: Caller | None = None, now: float | None = None
) -> dict[str, Any]:
    """The event that a function behind a URL gets.

    Args:
        request: as it came.
        domain: the URL's host on AWS.
        request_id: of the invocation that follows.
        caller: who signed it; None where the URL asks for no signature.
        now: epoch seconds; the clock's unless given.
    """
    now = time.time() if now is None else now
    headers = _joined((name.lower(), value) for name, value in request.headers)
    cookies = [part.strip() for part in headers.pop("cookie", "").split(";") if part.strip()]
    parameters = _joined(parse_qsl(request.query, keep_blank_values=True))
    prefix = domain.partition(".")[0]
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": request.path or "/",
        "rawQueryString": request.query,
        # http and not https, so that the addresses an application makes of them can be followed here
        "headers": {
            **headers,
            "x-forwarded-for": request.source_ip,
            "x-forwarded-proto": "http",
            "x-forwarded-port": _port(headers.get("host", "")),
        },
        "requestContext": {
            "accountId": caller.account if caller else "anonymous",
            "apiId": prefix,
            "domainName": domain,
            "domainPrefix": prefix,
            "http": {
                "method": request.method,
                "path": unquote(request.path) or "/",
                "protocol": request.protocol,
                "sourceIp": request.source_ip,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": request_id,
            "routeKey": "$default",
            "stage": "$default",
            "time": datetime.fromtimestamp(now, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(now * 1000),
        },
        "isBase64Encoded": False,
    }
    if caller:
        event["requestContext"]["authorizer"] = {"iam": _iam(caller)}
    if cookies:
        event["cookies"] = cookies
    if parameters:
        event["queryStringParameters"] = parameters
    if request.body:
        event["body"], event["isBase64Encoded"] = _body(request.body, headers.get("content-type", ""))
    return event


def check_event(path: str, *, request_id: str, now: float | None = None) -> bytes:
    """A GET of `path` by nobody in particular, as it would come through the function's URL; `now` as in event_of."""
    path, _, query = path.partition("?")
    request = HttpRequest(
        method="GET",
        path=path,
        query=query,
        headers=(("host", _CHECK_HOST), ("user-agent", "layer-optimizer-check"), ("accept", "*/*")),
        body=b"",
        source_ip="127.0.0.1",
    )
    event = event_of(request, domain=_CHECK_HOST, request_id=request_id, now=now)
    return json.dumps(event).encode()


def _iam(caller: Caller) -> dict[str, str | None]:
    """As the developer guide shows it ("Invoking Lambda function URLs", request payload format)."""
    return {
        "accessKey": caller.access_key,
        "accountId": caller.account,
        "callerId": caller.user_id,
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": caller.arn,
        "userId": caller.user_id,
    }


def _port(host: str) -> str:
    """The port in a Host header, or the default where it names none."""
    port = host.rpartition(":")[2]
    return port if port.isdecimal() else "80"


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Values of one name joined by commas."""
    found: dict[str, str] = {}
    for name, value in pairs:
        separator = "; " if name == "cookie" else ","
        found[name] = f"{found[name]}{separator}{value}" if name in found else value
    return found


def _body(data: bytes, content_type: str) -> tuple[str, bool]:
    """The body as the event holds it, and whether that is base64."""
    if content_type.lower().startswith(_TEXT):
        try:
            return data.decode(), False
        except UnicodeDecodeError:
            pass  # it is no text, whatever it is called
    return base64.b64encode(data).decode(), True


def response_of(payload: bytes) -> HttpResponse:
    """The HTTP answer that a function's result stands for.

    A result with `statusCode` is taken as it is, any other is the body of a 200. What is neither is a 502, as is a
    function's error.
    """
    try:
        result = json.loads(payload)
    except ValueError:
        return bad_gateway()
    if not isinstance(result, dict) or "statusCode" not in result:
        return HttpResponse(status=200, headers=(_JSON,), body=payload)
    try:
        status = int(result["statusCode"])
        headers = [(str(k), _one_line(v)) for k, v in (result.get("headers") or {}).items()]
        headers += [("Set-Cookie", _one_line(cookie)) for cookie in result.get("cookies") or ()]
        body = result.get("body") or ""
        text = body if isinstance(body, str) else json.dumps(body)
        data = base64.b64decode(text, validate=True) if result.get("isBase64Encoded") else text.encode()
    except (TypeError, ValueError, AttributeError):
        return bad_gateway()
    if not 100 <= status <= 599:  # noqa: PLR2004  what HTTP knows
        return bad_gateway()
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(_JSON)
    return HttpResponse(status=status, headers=tuple(headers), body=data)


def _one_line(value: object) -> str:
    """A header's value.

    Raises:
        ValueError: it would end the header.
    """
    text = str(value)
    if "\r" in text or "\n" in text:
        raise ValueError(text)
    return text


def bad_gateway() -> HttpResponse:
    """What callers of a URL see of a function's error."""
    return HttpResponse(status=502, headers=(_JSON,), body=b"Internal Server Error")


def forbidden() -> HttpResponse:
    """What callers without permission see."""
    return HttpResponse(
        status=403, headers=(_JSON, ("x-amzn-ErrorType", "AccessDeniedException")), body=b'{"Message":"Forbidden"}'
    )
