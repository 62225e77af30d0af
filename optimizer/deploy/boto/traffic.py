"""The port to AWS over boto3: how an alias shares its traffic, and how the calls of a version ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from optimizer.deploy.boto.caller_calls import CallerAws
from optimizer.deploy.values import Calls

if TYPE_CHECKING:
    from collections.abc import Mapping

_PERIOD_SECONDS = 60
"""Lambda sends its metrics by the minute; a point carries the moment of the call, not of its end."""
_AHEAD_SECONDS = 60
"""How far this machine's clock may be behind."""

METRICS = {
    "invocations": "Invocations",
    "errors": "Errors",
    "requests": "UrlRequestCount",
    "server_errors": "Url5xxCount",
}
"""By the field of Calls. That the URL's metrics tell a weighted alias's versions apart is not verified; where they
don't, they have no points under these dimensions, and what Invoke says counts alone."""


class TrafficAws(CallerAws):
    """Aliases' traffic in one region."""

    def share_alias(self, function: str, name: str, weights: Mapping[str, float], *, revision: str) -> str:
        """See Aws.share_alias."""
        with self._lambda(f"{function}:{name}") as client:
            answer = client.update_alias(
                FunctionName=function,
                Name=name,
                RoutingConfig={"AdditionalVersionWeights": dict(weights)},
                RevisionId=revision,
            )
            return str(answer.get("RevisionId", ""))

    def calls_of(self, function: str, name: str, version: str, *, seconds: float) -> Calls:
        """See Aws.calls_of."""
        now = datetime.now(UTC)
        start = now - timedelta(seconds=seconds)
        sums = dict.fromkeys(METRICS, 0.0)
        with self._about(f"the metrics of {function}:{name}"):
            pages = self._cloudwatch.get_paginator("get_metric_data").paginate(
                MetricDataQueries=metric_queries(function, name, version),
                StartTime=start.replace(second=0, microsecond=0),
                EndTime=now + timedelta(seconds=_AHEAD_SECONDS),
            )
            for page in pages:
                for row in page["MetricDataResults"]:
                    sums[row["Id"]] += sum(row["Values"])
        return Calls(**{field: int(value) for field, value in sums.items()})

    @property
    def _cloudwatch(self) -> Any:
        return self.clients.client("cloudwatch", self.region)


def metric_queries(function: str, alias: str, version: str) -> list[dict[str, Any]]:
    """What GetMetricData is asked about the calls of a version behind an alias."""
    dimensions = {"FunctionName": function, "Resource": f"{function}:{alias}", "ExecutedVersion": version}
    return [
        {
            "Id": field,
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/Lambda",
                    "MetricName": metric,
                    "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
                },
                "Period": _PERIOD_SECONDS,
                "Stat": "Sum",
            },
        }
        for field, metric in METRICS.items()
    ]
