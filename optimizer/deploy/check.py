"""The check before traffic: an event as a function URL sends it, and what counts as a good answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optimizer.deploy.values import Invocation

_GOOD = range(200, 300)
_SHOWN_CHARACTERS = 500
_SHOWN_LINES = 12
_HOST = "check.layer-optimizer.invalid"


def url_event(path: str, *, request_id: str) -> bytes:
    """A GET of `path` in payload format 2.0, as it would come through the function's URL."""
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": _HOST, "user-agent": "layer-optimizer-check", "accept": "*/*"},
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "check",
            "domainName": _HOST,
            "domainPrefix": "check",
            "http": {
                "method": "GET",
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "layer-optimizer-check",
            },
            "requestId": request_id,
            "routeKey": "$default",
            "stage": "$default",
            "time": "01/Jan/2026:00:00:00 +0000",
            "timeEpoch": 1_767_225_600_000,
        },
        "isBase64Encoded": False,
    }
    return json.dumps(event).encode()


def fault(answer: Invocation) -> str | None:
    """What is wrong with an answer, with the end of the log; None where it is good."""
    said = answer.payload.decode("utf-8", "replace")
    if answer.error is not None:
        return _told(f"{answer.error}: {_error_text(said)}", answer.log)
    try:
        status = json.loads(said)["statusCode"]
    except (ValueError, KeyError, TypeError):
        return _told(f"it answered no statusCode: {said[:_SHOWN_CHARACTERS]}", answer.log)
    if isinstance(status, int) and status in _GOOD:
        return None
    return _told(f"it answered {status}: {said[:_SHOWN_CHARACTERS]}", answer.log)


def _error_text(said: str) -> str:
    """`Type: message` of the error that Lambda puts into the payload."""
    try:
        error = json.loads(said)
        return f"{error['errorType']}: {error['errorMessage']}"
    except (ValueError, KeyError, TypeError):
        return said[:_SHOWN_CHARACTERS]


def _told(text: str, log: str) -> str:
    tail = [line for line in log.strip().splitlines() if line.strip()][-_SHOWN_LINES:]
    return text + "".join(f"\n    {line}" for line in tail)
