"""Starts a function as Lambda does, and sends it one request where it names a path to check."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from optimizer.runtime.environment import Environment
from optimizer.runtime.errors import error_text
from optimizer.runtime.url_events import check_event
from optimizer.verify.findings import Finding, Start

if TYPE_CHECKING:
    from optimizer.runtime import FunctionImage, Invocation
    from optimizer.runtime.folders import Folders
    from optimizer.verify.refusal import Refusal

_REFUSED_STATUS = frozenset({502, 503, 504})
"""What a path that reports the health of what is behind it answers when AWS refuses."""
_BROKEN = 500
_SHOWN_CHARACTERS = 300
_SHOWN_LINES = 12
_ADVICE = "LAMBDA_WARNING: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """What came of it: `start` is None where it never was ready, `missing` the top-level module that was not found."""

    start: Start | None = None
    finding: Finding | None = None
    note: str | None = None
    missing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What a request came to: `wrong` is None where it is good, `note` what is to be said all the same."""

    status: int | None = None
    wrong: str | None = None
    note: str | None = None


def call_handler(image: FunctionImage, folders: Folders, *, path: str | None, refusal: Refusal) -> Called:
    """Import the handler under the runtime's client; with a path, send one GET of it.

    Raises:
        DiskError: the process can't be started.
    """
    name = image.name
    environment = Environment(image, folders)
    try:
        started = environment.initialise()
        if started.error is not None:
            return _failed("handler", image, None, folders.as_on_lambda(_with_log(started.error, started.log)))
        if path is None:
            outcome = _Outcome(note=f"{name} has no check_path: its handler was imported, no request was sent")
        else:
            before = refusal.calls
            request_id = str(uuid.uuid4())
            event = check_event(path, request_id=request_id)
            done = environment.invoke(event, request_id=request_id, invoked_arn=image.arn)
            outcome = _judged(done, f"GET {path}", refused=refusal.calls - before)
    finally:
        environment.close()
    start = Start(function=name, init_ms=started.init_ms, status=outcome.status)
    if outcome.wrong is not None:
        return _failed("request", image, start, folders.as_on_lambda(outcome.wrong))
    return Called(start=start, note=outcome.note)


def start_ms(image: FunctionImage, folders: Folders) -> float:
    """Milliseconds from the process's start to its first question for an event.

    Raises:
        DiskError: the process can't be started.
    """
    environment = Environment(image, folders)
    try:
        return environment.initialise().init_ms
    finally:
        environment.close()


def _judged(done: Invocation, request: str, *, refused: int) -> _Outcome:
    """A status below 500 is good: the layers carried the request to an answer, whatever the function says of it.

    502 to 504 are as good where AWS was asked and refused: then the function says what it should.
    """
    beside = f" after {refused} refused calls to AWS" if refused else ""
    if done.error is not None:
        return _Outcome(wrong=_with_log(f"{request}: {error_text(done.payload)}{beside}", done.log))
    status = _status(done.payload)
    said = done.payload.decode("utf-8", "replace")[:_SHOWN_CHARACTERS]
    if status is None:
        return _Outcome(wrong=_with_log(f"{request}: no HTTP response: {said}", done.log))
    told = f"{request}: {status}{beside}: {said}"
    if status in _REFUSED_STATUS and refused:
        return _Outcome(status=status, note=told)
    return _Outcome(status=status, wrong=_with_log(told, done.log) if status >= _BROKEN else None)


def _status(payload: bytes) -> int | None:
    """The statusCode of a response as a URL's function gives it; None where it is none."""
    try:
        status = json.loads(payload)["statusCode"]
    except (ValueError, KeyError, TypeError):
        return None
    return status if isinstance(status, int) and 100 <= status <= 599 else None  # noqa: PLR2004  what HTTP knows


def _with_log(error: str, log: str) -> str:
    """The error with the end of what the function wrote, without what the runtime's client advises with each error."""
    lines = [line.expandtabs(1) for line in log.splitlines() if line.strip() and _ADVICE not in line][-_SHOWN_LINES:]
    return error + "".join(f"\n    {line}" for line in lines)


def _failed(check: Literal["handler", "request"], image: FunctionImage, start: Start | None, actual: str) -> Called:
    expected = f"{image.handler} can be imported" if check == "handler" else "an answer with a status below 500"
    missing = re.search(r"No module named '([^'.]+)", actual)
    return Called(
        start=start,
        finding=Finding(check=check, subject=image.name, expected=expected, actual=actual),
        missing=missing[1] if missing else None,
    )
