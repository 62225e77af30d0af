"""HTTP requests to events of payload format 2.0 and answers back, as Lambda's function URLs do it."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

if TYPE_CHECKING:
    from collections.abc import Sequence

_TEXT = ("text/", "application/json", "application/javascript", "application/xml", "application/x-www-form-urlencoded")
"""Bodies that go as text; every other one as base64 (function URLs' documentation, request payload)."""


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
class HttpResponse:
    """One answer."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def event_of(request: HttpRequest, *, domain: str, account: str, request_id: str) -> dict[str, Any]:
    """The event that a function behind a URL gets."""
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for name, value in request.headers:
        lower = name.lower()
        if lower == "cookie":
            cookies += [part.strip() for part in value.split(";") if part.strip()]
        else:
            headers[lower] = f"{headers[lower]},{value}" if lower in headers else value
    parameters: dict[str, str] = {}
    for name, value in parse_qsl(request.query, keep_blank_values=True):
        parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
    now = time.time()
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": unquote(request.path) or "/",
        "rawQueryString": request.query,
        "headers": {
            **headers,
            "x-forwarded-for": request.source_ip,
            "x-forwarded-proto": "https",
            "x-forwarded-port": "443",
        },
        "requestContext": {
            "accountId": "anonymous",
            "apiId": domain.partition(".")[0],
            "domainName": domain,
            "domainPrefix": domain.partition(".")[0],
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
    if "authorization" in headers:
        event["requestContext"]["accountId"] = account
    if cookies:
        event["cookies"] = cookies
    if parameters:
        event["queryStringParameters"] = parameters
    if request.body:
        text = headers.get("content-type", "").lower().startswith(_TEXT)
        if text:
            try:
                event["body"] = request.body.decode()
            except UnicodeDecodeError:
                text = False
        if not text:
            event["body"] = base64.b64encode(request.body).decode()
            event["isBase64Encoded"] = True
    return event


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
        return HttpResponse(status=200, headers=(("Content-Type", "application/json"),), body=payload)
    try:
        status = int(result["statusCode"])
        headers = [(str(k), str(v)) for k, v in (result.get("headers") or {}).items()]
        headers += [("Set-Cookie", str(cookie)) for cookie in result.get("cookies") or ()]
        body = result.get("body") or ""
        data = base64.b64decode(body, validate=True) if result.get("isBase64Encoded") else str(body).encode()
    except (TypeError, ValueError, AttributeError):
        return bad_gateway()
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "application/json"))
    return HttpResponse(status=status, headers=tuple(headers), body=data)


def bad_gateway() -> HttpResponse:
    """What callers of a URL see of a function's error."""
    return HttpResponse(status=502, headers=(("Content-Type", "application/json"),), body=b"Internal Server Error")


def forbidden() -> HttpResponse:
    """What callers without permission see."""
    body = b'{"Message":"Forbidden. For troubleshooting Function URL authorization issues, see the documentation."}'
    return HttpResponse(
        status=403,
        headers=(("Content-Type", "application/json"), ("x-amzn-ErrorType", "AccessDeniedException")),
        body=body,
    )
