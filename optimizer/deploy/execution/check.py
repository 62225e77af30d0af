"""The check before traffic: what counts as a good answer to an event as a function URL sends it."""

from __future__ import annotations

import json
import uuid
from itertools import chain
from typing import TYPE_CHECKING

from optimizer.deploy.clock import waits
from optimizer.deploy.rejections import AnswerLostError, CallRejectedError
from optimizer.errors import AwsError
from optimizer.runtime.errors import error_text
from optimizer.runtime.url_events import check_event

if TYPE_CHECKING:
    from optimizer.deploy.clock import Clock
    from optimizer.deploy.port import Aws
    from optimizer.deploy.values import Invocation

_GOOD = range(200, 300)
_SHOWN_CHARACTERS = 500
_SHOWN_LINES = 12
_BUSY_SECONDS = 120.0
_UNANSWERED = 5
_UNANSWERED_SECONDS = 60.0
"""So often, or so long, there may be no answer."""
_BUSY = frozenset(
    {
        "TooManyRequestsException",
        "ResourceConflictException",
        "ResourceNotReadyException",
        "SnapStartNotReadyException",
        "CodeArtifactUserPendingException",
    }
)
"""What Invoke answers where nothing has run, and where a little later it does."""


def ask(aws: Aws, function: str, version: str, path: str, clock: Clock) -> str | None:
    """What is wrong with a version's answer to GET `path`; None where it is good.

    A call without an answer is made again, as it may be the network's fault or the service's; when that was tried for a
    while, it is the version's.

    Raises:
        AwsError: the call is refused.
    """
    unanswered, began = 0, clock.now()
    refused = AwsError(f"{function}:{version} was not called", mend="")
    for _ in chain((None,), waits(clock, within=_BUSY_SECONDS)):
        try:
            return fault(aws.invoke(function, version, check_event(path, request_id=str(uuid.uuid4()))))
        except AnswerLostError as error:
            unanswered += 1
            if unanswered >= _UNANSWERED or (unanswered > 1 and clock.now() - began > _UNANSWERED_SECONDS):
                return f"there was no answer, {unanswered} times: {error.message}"
            refused = error
        except CallRejectedError as error:
            if error.aws_code not in _BUSY:
                raise
            refused = error
    raise refused


def fault(answer: Invocation) -> str | None:
    """What is wrong with an answer, with the end of the log; None where it is good."""
    said = answer.payload.decode("utf-8", "replace")
    if answer.error is not None:
        return _told(f"{answer.error}: {error_text(answer.payload)}", answer.log)
    try:
        status = json.loads(said)["statusCode"]
    except (ValueError, KeyError, TypeError):
        return _told(f"it answered no statusCode: {said[:_SHOWN_CHARACTERS]}", answer.log)
    if isinstance(status, int) and status in _GOOD:
        return None
    return _told(f"it answered {status}: {said[:_SHOWN_CHARACTERS]}", answer.log)


def _told(text: str, log: str) -> str:
    tail = [line for line in log.strip().splitlines() if line.strip()][-_SHOWN_LINES:]
    return text + "".join(f"\n    {line}" for line in tail)
