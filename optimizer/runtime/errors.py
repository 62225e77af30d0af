"""What can go wrong before a function runs; a function's own failures are results, never exceptions."""

from __future__ import annotations

import json

from optimizer.errors import ArtifactError, OptimizerError

_SHOWN_CHARACTERS = 500


class RuntimeMissingError(OptimizerError):
    """There is no Python of the runtime's minor version, or the runtime's client is not installed."""

    code = "runtime"


class BadArchiveError(ArtifactError):
    """What should be a zip is none, or is damaged."""

    code = "bad-archive"


class UnsafeArchiveError(ArtifactError):
    """A zip holds names that leave its folder, links, or two entries for one path."""

    code = "unsafe-archive"


class TooManyEnvironmentsError(OptimizerError):
    """Every environment that the fleet may have is busy with an event, or the fleet is closed."""

    code = "busy"
    exit_status = 3


def error_text(payload: bytes) -> str:
    """`Type: message` of the error that Lambda puts into a payload."""
    said = payload.decode("utf-8", "replace")
    try:
        error = json.loads(said)
        return f"{error['errorType']}: {error['errorMessage']}"
    except (ValueError, KeyError, TypeError):
        return said[:_SHOWN_CHARACTERS]
