"""What surrounds each request: its id, its prefix, its log line, who may ask, and an answer whatever happens."""

import logging as levels
import re
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core import logging
from app.core.auth import Guard
from app.core.errors import internal_error, render
from app.core.settings import Settings

_GIVEN_ID = re.compile(r"[A-Za-z0-9._=:-]{8,128}")
_DIGITS = 20  # no length has more, and Python takes no number of thousands of them
_LOGGED = 256  # characters of a path


class RequestMiddleware:
    """The outermost: gives a request its id and prefix, its answer the headers of all answers, and logs it."""

    def __init__(self, app: ASGIApp, *, base_path: str, measured: bool) -> None:
        self.app = app
        self.base_path = base_path
        self.measured = measured

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; other kinds of scope pass untouched."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        identifier = _identify(scope)
        token = logging.request_id.set(identifier)
        began = time.perf_counter()
        status = 0
        method, path = scope["method"], scope["path"]
        # HEAD is GET without its content (RFC 9110, 9.3.2); routes know only GET.
        head = method == "HEAD"

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = identifier
                headers["x-content-type-options"] = "nosniff"
                headers.setdefault("cache-control", "no-store")
            elif head:
                message = {**message, "body": b""}
            await send(message)

        inner = {**scope, **_prefix(scope, self.base_path)}
        if head:
            inner["method"] = "GET"
        try:
            await self.app(inner, receive, answer)
        finally:
            # A name of ours, not the path: each value is a metric of its own. No route has refused and odd requests.
            route = inner.get("route") if status != 405 else None  # noqa: PLR2004  # HTTP's own number
            logging.log(
                levels.INFO,
                "request",
                method=method,
                path=path[:_LOGGED],
                operation=getattr(route, "name", "unmatched"),
                status=status,
                duration_ms=round((time.perf_counter() - began) * 1000, 2),
                **(logging.counted(status, epoch_ms=int(time.time() * 1000)) if self.measured else {}),
            )
            logging.request_id.reset(token)


class ShieldMiddleware:
    """Refuses who may not ask and bodies that are too large, and turns what nobody caught into a problem.

    Inside of what adds CORS's headers: a browser shows its page no error without them.
    """

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        self.app = app
        self.guard = Guard(settings)
        self.max_body_bytes = settings.max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; other kinds of scope pass untouched."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        refusal = self.guard.refusal(scope)
        if refusal is not None:
            await render(refusal)(scope, receive, send)
            return
        started = False
        declared = Headers(scope=scope).get("content-length", "")
        announced = int(declared[:_DIGITS]) if declared.isdecimal() else 0
        counted = 0

        async def take() -> Message:
            nonlocal counted
            message = await receive()
            counted += len(message.get("body", b""))
            if max(announced, counted) > self.max_body_bytes:
                # Of this type, since FastAPI makes any other one that reading a body raises a 400.
                raise HTTPException(413)
            return message

        async def answer(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, take, answer)
        except Exception as error:  # noqa: BLE001  # the last resort: no caller may see a stack trace
            logging.log(levels.ERROR, "unhandled", **logging.describe(error))
            if not started:
                await render(internal_error())(scope, receive, send)


def _identify(scope: Scope) -> str:
    """Lambda's request id; else the caller's, where it is harmless; else a new one."""
    lambda_id = getattr(scope.get("aws.context"), "aws_request_id", None)
    if lambda_id:
        return str(lambda_id)
    given = Headers(scope=scope).get("x-request-id", "")
    return given if _GIVEN_ID.fullmatch(given) else uuid4().hex


def _prefix(scope: Scope, base_path: str) -> dict[str, str]:
    """`root_path` and `path` as ASGI wants them: the path begins with the root path.

    REST APIs leave the stage out of `path` and show it in `requestContext.path`; HTTP APIs leave a stage that is
    not `$default` in the path, on their own domain (API Gateway's developer guide, "Lambda proxy integrations").
    """
    path = scope["path"]
    if base_path and (path == base_path or path.startswith(base_path + "/")):
        return {"root_path": base_path, "path": path if path != base_path else f"{base_path}/"}
    event = scope.get("aws.event")
    if not isinstance(event, Mapping):
        return {}
    context: Mapping[str, Any] = event.get("requestContext") or {}
    stage = f"/{context.get('stage') or ''}"
    if "httpMethod" in event:
        whole = context.get("path") or ""
        if stage != "/" and whole == stage + event.get("path", ""):
            return {"root_path": stage, "path": stage + path}
    elif ".execute-api." in str(context.get("domainName")) and (path == stage or path.startswith(stage + "/")):
        return {"root_path": stage, "path": path if path != stage else f"{stage}/"}
    return {}
