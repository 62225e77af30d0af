"""What running functions leave behind, as on AWS: metrics in CloudWatch's AWS/Lambda, lines in CloudWatch Logs.

Nothing is written until somebody asks one of the two services: moto is slow to import, and most never ask.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from optimizer.local.state import ACCOUNT

if TYPE_CHECKING:
    from optimizer.local.operations.invoke import Target
    from optimizer.runtime import Invocation

_KEPT = 10_000
"""Invocations that are remembered until they are asked for."""
_CLIENT_FAULT, _SERVER_FAULT = 4, 5
"""The first digit of an HTTP status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One invocation: `when` is epoch seconds, `resource` the function's name with the called qualifier."""

    when: float
    region: str
    function: str
    resource: str
    version: str
    failed: bool
    duration_ms: float
    log: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Point:
    """Values of metrics at one moment, each as name, value and unit."""

    when: float
    region: str
    function: str
    resource: str
    version: str
    values: tuple[tuple[str, float, str], ...]


@dataclass(slots=True)
class Telemetry:
    """Remembers invocations, and writes them where they are asked for."""

    _metrics: deque[_Point] = field(default_factory=lambda: deque(maxlen=_KEPT))
    _logs: deque[_Run] = field(default_factory=lambda: deque(maxlen=_KEPT))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, target: Target, done: Invocation) -> None:
        """Remember one invocation."""
        region, *_, rest = target.arn.split(":", 6)[3:]
        run = _Run(
            when=time.time(),
            region=region,
            function=target.function.name,
            resource=rest,
            version=target.version,
            failed=done.error is not None,
            duration_ms=done.duration_ms,
            log=done.log,
        )
        self._logs.append(run)
        self._point(
            target,
            ("Invocations", 1.0, "Count"),
            ("Errors", float(run.failed), "Count"),
            ("Throttles", 0.0, "Count"),
            ("Duration", run.duration_ms, "Milliseconds"),
        )

    def add_url(self, target: Target, status: int) -> None:
        """Remember one request of a function URL, which counts by its HTTP status: a 500 is no error of Invoke."""
        self._point(
            target,
            ("UrlRequestCount", 1.0, "Count"),
            ("Url4xxCount", float(status // 100 == _CLIENT_FAULT), "Count"),
            ("Url5xxCount", float(status // 100 == _SERVER_FAULT), "Count"),
        )

    def _point(self, target: Target, *values: tuple[str, float, str]) -> None:
        region, *_, rest = target.arn.split(":", 6)[3:]
        self._metrics.append(
            _Point(
                when=time.time(),
                region=region,
                function=target.function.name,
                resource=rest,
                version=target.version,
                values=values,
            )
        )

    def log_text(self) -> str:
        """The functions' logs, oldest first."""
        return "\n".join(run.log for run in list(self._logs))

    def write(self, service: str) -> None:
        """Write what is remembered before a request of CloudWatch (`monitoring`) or CloudWatch Logs is answered."""
        if service == "monitoring":
            with self._lock:
                self._write_metrics()
        elif service == "logs":
            with self._lock:
                self._write_logs()

    def _write_metrics(self) -> None:
        from moto.cloudwatch.models import cloudwatch_backends

        while self._metrics:
            point = self._metrics.popleft()
            cloudwatch_backends[ACCOUNT][point.region].put_metric_data("AWS/Lambda", _data(point))

    def _write_logs(self) -> None:
        from moto.logs.models import logs_backends

        for run in list(self._logs):
            backend = logs_backends[ACCOUNT][run.region]
            group = f"/aws/lambda/{run.function}"
            stream = datetime.fromtimestamp(run.when, UTC).strftime(f"%Y/%m/%d/[{run.version}]embedded")
            if group not in backend.groups:
                backend.create_log_group(group, {})
            backend.ensure_log_stream(group, stream)
            lines = [line for line in run.log.splitlines() if line]
            backend.put_log_events(group, stream, [{"timestamp": int(run.when * 1000), "message": x} for x in lines])
        self._logs.clear()


def _data(point: _Point) -> list[dict[str, Any]]:
    """The metrics under each set of dimensions that Lambda gives them; of a version's own calls there is no third."""
    name = {"Name": "FunctionName", "Value": point.function}
    resource = {"Name": "Resource", "Value": point.resource}
    sets = [[], [name], [name, resource]]
    if ":" in point.resource:
        sets.append([name, resource, {"Name": "ExecutedVersion", "Value": point.version}])
    when = datetime.fromtimestamp(point.when, UTC).replace(tzinfo=None)  # moto compares naive times
    return [
        {"MetricName": metric, "Value": value, "Unit": unit, "Dimensions": dimensions, "Timestamp": when}
        for dimensions in sets
        for metric, value, unit in point.values
    ]
