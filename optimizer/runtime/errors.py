"""What can go wrong before a function runs; a function's own failures are results, never exceptions."""

from __future__ import annotations

from optimizer.errors import OptimizerError


class RuntimeMissingError(OptimizerError):
    """There is no Python of the runtime's minor version, or the runtime's client is not installed."""

    code = "runtime"


class BadArchiveError(OptimizerError):
    """What should be a zip is none, or is damaged."""

    code = "archive"


class UnsafeArchiveError(OptimizerError):
    """A zip holds names that leave its folder, links, or two entries for one path."""

    code = "archive"


class TooManyEnvironmentsError(OptimizerError):
    """Every environment that the fleet may have is busy with an event."""

    code = "concurrency"
    exit_status = 1


class FleetClosedError(OptimizerError):
    """An event came after its fleet was closed."""

    code = "closed"
