"""CloudWatch metrics in a log line: the embedded metric format, which needs no call and no agent.

A few lines in place of aws-lambda-powertools, whose import is a part of each cold start (benchmarks/RESULTS.md).
"""

from collections.abc import Mapping

from app import SERVICE

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
