"""One JSON line on stdout for each request and each failure; CloudWatch Logs Insights finds the fields by itself.

A line holds names, numbers and codes that are ours. Bodies, query strings, headers and messages of exceptions
never stand in it, since libraries put the value that they choked on into the message.
"""

import json
import logging
import sys
import traceback
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime

request_id: ContextVar[str] = ContextVar("request_id", default="")

_logger = logging.getLogger("analyzer")


class _Stdout(logging.Handler):
    """Writes to whatever `sys.stdout` is now; a StreamHandler would keep the one it met first."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stdout.write(self.format(record) + "\n")
            sys.stdout.flush()
        except (OSError, ValueError):
            self.handleError(record)


class _Json(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "event": record.getMessage(),
            "request_id": request_id.get(),
            **getattr(record, "fields", {}),
        }
        return json.dumps(line, separators=(",", ":"), default=str)


def configure(level: str) -> None:
    """Send the service's log lines to stdout.

    Args:
        level: Least level, by name; one that `logging` doesn't know counts as INFO.
    """
    if not _logger.handlers:
        handler = _Stdout()
        handler.setFormatter(_Json())
        _logger.addHandler(handler)
        _logger.propagate = False
    _logger.setLevel(logging.getLevelNamesMapping().get(level.upper(), logging.INFO))
    # Mangum logs each request at INFO as well; ours has more in it.
    logging.getLogger("mangum").setLevel(logging.WARNING)


def log(level: int, event: str, /, **fields: object) -> None:
    """Write a line.

    Args:
        level: A level of `logging`.
        event: What happened, in a fixed word or two.
        fields: What belongs to it. No image data, nothing secret.
    """
    _logger.log(level, event, extra={"fields": fields})


def describe(error: BaseException) -> Mapping[str, object]:
    """An exception's type and the places it came through, without its message."""
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    return {
        "error_type": f"{type(error).__module__}.{type(error).__qualname__}",
        "frames": [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames],
    }
