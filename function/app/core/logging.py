"""One JSON line on stdout for each request and each failure; CloudWatch Logs Insights finds the fields by itself.

A line holds names, numbers and codes that are ours. Bodies, query strings, headers and messages of exceptions
never stand in it, since libraries put the value that they choked on into the message.

Metrics are in the line too, in the embedded metric format, which needs no call and no agent: a few lines in place
of aws-lambda-powertools, whose import is a part of each cold start (benchmarks/RESULTS.md).
"""

import json
import logging
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from app import SERVICE

request_id: ContextVar[str] = ContextVar("request_id", default="")

_encode = json.JSONEncoder(separators=(",", ":"), default=str).encode
# What the next line has beside its own fields: the first one of an environment says that it is cold.
_once: dict[str, object] = {"cold_start": True}
_least = logging.INFO
_DIRECTIVE = [
    {
        "Namespace": SERVICE,
        "Dimensions": [["operation"]],
        "Metrics": [
            {"Name": "duration_ms", "Unit": "Milliseconds"},
            {"Name": "requests", "Unit": "Count"},
            {"Name": "client_errors", "Unit": "Count"},
            {"Name": "server_errors", "Unit": "Count"},
        ],
    }
]


def configure(level: str) -> None:
    """Choose what is logged.

    Args:
        level: Least level, by name; one that `logging` doesn't know counts as INFO.
    """
    global _least  # noqa: PLW0603  # one stdout, one level
    _least = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    # Mangum logs each request at INFO as well; ours has more in it.
    logging.getLogger("mangum").setLevel(logging.WARNING)


def log(level: int, event: str, /, **fields: object) -> None:
    """Write a line to whatever `sys.stdout` is now.

    Without a logger of `logging`, which looks for the caller's place each time and takes as long as everything else.

    Args:
        level: A level of `logging`.
        event: What happened, in a fixed word or two.
        fields: What belongs to it. No image data, nothing secret.
    """
    if level < _least:
        return
    line = {
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "level": logging.getLevelName(level),
        "event": event,
        "request_id": request_id.get(),
        **fields,
        **_once,
    }
    _once.clear()
    text = _encode(line) + "\n"
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except (OSError, ValueError):
        # A request isn't to fail because nobody reads what it says.
        sys.stderr.write(text)


@contextmanager
def silent() -> Iterator[None]:
    """Log nothing meanwhile."""
    global _least  # noqa: PLW0603  # as in `configure`
    before, _least = _least, logging.CRITICAL + 1
    try:
        yield
    finally:
        _least = before


def thaw() -> None:
    """Have the next line say `cold_start` again: this environment is a copy that starts here."""
    _once["cold_start"] = True


def describe(error: BaseException) -> Mapping[str, object]:
    """An exception's type and the places it came through, without its message."""
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    return {
        "error_type": f"{type(error).__module__}.{type(error).__qualname__}",
        "frames": [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames],
    }


def counted(status: int, *, epoch_ms: int) -> Mapping[str, object]:
    """What makes metrics of a line that has `operation` and `duration_ms`.

    Args:
        status: HTTP status of the answer; 0, which is none, counts as an error of ours.
        epoch_ms: When it was, in milliseconds since 1970.
    """
    return {
        "requests": 1,
        # Zeros too: an average of 0 and 1 is the rate of errors.
        "client_errors": int(400 <= status < 500),  # noqa: PLR2004  # HTTP's own numbers
        "server_errors": int(not 100 <= status < 500),  # noqa: PLR2004
        "_aws": {"Timestamp": epoch_ms, "CloudWatchMetrics": _DIRECTIVE},
    }
