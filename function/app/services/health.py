"""The state of the AWS services that the analysis uses, asked side by side, each within its time."""

import logging as levels
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import Any

from app.core import logging
from app.core.aws_errors import translate
from app.core.clients import Clients
from app.core.errors import ProblemError
from app.core.settings import Settings
from app.schemas.service import ServiceState

# The ends of problem codes that are states of a service.
_TELLING = frozenset({"denied", "credentials", "unconfigured", "throttled", "timeout", "unreachable"})

# Enough for two health checks in a row whose probes hang; further ones are told that the time is over.
_pool: ThreadPoolExecutor | None = None


def check(clients: Clients, settings: Settings) -> dict[str, ServiceState]:
    """Ask each service once.

    The clients are made before the clock starts: making one reads files and takes no network. Rekognition is asked
    for one collection, which costs nothing (rekognition:ListCollections); S3 for the configured bucket
    (HeadBucket, allowed by s3:ListBucket), or for one bucket where none is configured (s3:ListAllMyBuckets).

    Args:
        clients: AWS.
        settings: Has each probe's time and the buckets.

    Returns:
        State by service; never raises for what AWS answers.
    """
    bucket = settings.buckets[0] if settings.buckets else None
    probes: dict[str, tuple[str, Callable[[Clients], Callable[[], Any]]]] = {
        "rekognition": ("rekognition:ListCollections", lambda made: _rekognition(made.rekognition)),
        "s3": ("s3:ListBucket" if bucket else "s3:ListAllMyBuckets", lambda made: _s3(made.s3, bucket)),
    }
    states: dict[str, ServiceState] = {}
    futures: dict[str, Future[ServiceState]] = {}
    ready: dict[str, tuple[str, Callable[[], Any]]] = {}
    for service, (action, make) in probes.items():
        try:
            ready[service] = (action, make(clients))
        except ProblemError as problem:  # no region, say: a state like another
            states[service] = _failed(problem, 0.0)
    for service, (action, probe) in ready.items():
        futures[service] = _executor().submit(copy_context().run, _timed, service, action, probe)
    wait(futures.values(), timeout=settings.probe_seconds)
    for service, future in futures.items():
        if future.done():
            states[service] = future.result()
        else:
            future.cancel()
            message = f"No answer within {settings.probe_seconds:g} s."
            states[service] = ServiceState(status="timeout", latency_ms=settings.probe_seconds * 1000, message=message)
    _log(states)
    return dict(sorted(states.items()))


def _rekognition(client: Any) -> Callable[[], Any]:
    return lambda: client.list_collections(MaxResults=1)


def _s3(client: Any, bucket: str | None) -> Callable[[], Any]:
    return (lambda: client.head_bucket(Bucket=bucket)) if bucket else (lambda: client.list_buckets(MaxBuckets=1))


def _timed(service: str, action: str, probe: Callable[[], Any]) -> ServiceState:
    began = time.perf_counter()
    try:
        probe()
    except Exception as error:  # noqa: BLE001  # whatever it is, it is this service's state
        return _failed(translate(error, service=service, action=action), _since(began))
    return ServiceState(status="healthy", latency_ms=_since(began), message=None)


def _failed(problem: ProblemError, latency_ms: float) -> ServiceState:
    suffix = problem.code.rpartition("_")[2]
    status = suffix if suffix in _TELLING else "failed"
    detail = problem.detail if problem.status >= 500 else "The bucket doesn't exist."  # noqa: PLR2004
    return ServiceState.model_validate({"status": status, "latency_ms": latency_ms, "message": detail})


def _since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 2)


def _executor() -> ThreadPoolExecutor:
    global _pool  # noqa: PLW0603  # one pool a process, made with the first check
    if _pool is None:
        _pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="probe")
    return _pool


def _log(states: Mapping[str, ServiceState]) -> None:
    for service, state in states.items():
        if state.status != "healthy":
            logging.log(levels.WARNING, "service_unhealthy", service=service, status=state.status)
