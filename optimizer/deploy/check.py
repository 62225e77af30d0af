"""The check before traffic: what counts as a good answer to an event as a function URL sends it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from optimizer.runtime.environment import error_text

if TYPE_CHECKING:
    from optimizer.deploy.values import Invocation

_GOOD = range(200, 300)
_SHOWN_CHARACTERS = 500
_SHOWN_LINES = 12


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
