"""Invoke: the real code answers, in an environment made of code and layers in attach order."""

from __future__ import annotations

import base64
import json
import random
import threading
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from optimizer import limits
from optimizer.errors import OptimizerError
from optimizer.local.conditions import (
    CODE_UNREADABLE,
    INVOKE_THROTTLED,
    NOT_JSON,
    PAYLOAD_TOO_LARGE,
    RUNTIME_UNUSABLE,
    SNAPSHOT_PENDING,
    STILL_PENDING,
)
from optimizer.local.protocol import ServiceError
from optimizer.local.service import UNLOCKED, operation
from optimizer.local.state import split_reference
from optimizer.runtime import BadArchiveError, TooManyEnvironmentsError, UnsafeArchiveError

if TYPE_CHECKING:
    from optimizer.local.protocol import Call
    from optimizer.local.service import Lambda
    from optimizer.local.state import Function, Region, Snapshot
    from optimizer.runtime import Invocation

_TAIL_BYTES = 4096
"""How much of the log LogType=Tail gives (API reference of Invoke)."""
_ATTEMPTS = 3
"""How often an event is tried where the function fails (Lambda's default of two retries)."""

UNLOCKED.add("Invoke")  # it may take minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a call runs: `version` is $LATEST or a number, `arn` what the caller called."""

    function: Function
    version: str
    snapshot: Snapshot
    arn: str


@operation
def invoke(lam: Lambda, call: Call) -> dict[str, Any]:
    """Call a function, version or alias."""
    given = call.parameters
    payload = given.get("Payload", b"") or b"{}"
    kind = given.get("InvocationType", "RequestResponse")
    _check_payload(payload)
    with lam.state.lock:
        target = chosen(lam.region(call), given["FunctionName"], given.get("Qualifier"))
    if kind == "DryRun":
        return {"StatusCode": 204}
    if kind == "Event":
        threading.Thread(target=_asynchronously, args=(lam, target, payload), daemon=True).start()
        return {"StatusCode": 202}
    done = run(lam, target, payload, request_id=str(uuid.uuid4()))
    result: dict[str, Any] = {"StatusCode": 200, "Payload": done.payload, "ExecutedVersion": target.version}
    if done.error:
        result["FunctionError"] = done.error
    if given.get("LogType") == "Tail":
        result["LogResult"] = base64.b64encode(done.log.encode()[-_TAIL_BYTES:]).decode()
    return result


def _check_payload(payload: bytes) -> None:
    """Refuse what is too large or no JSON.

    Raises:
        ServiceError: it is.
    """
    if len(payload) > limits.PAYLOAD_BYTES:
        raise PAYLOAD_TOO_LARGE.error()
    try:
        json.loads(payload)
    except ValueError as error:
        raise NOT_JSON.error(reason=error) from None


def chosen(region: Region, reference: str, qualifier: str | None) -> Target:
    """What a call runs: an alias's weights are drawn, and $LATEST serves what it had until an update settles.

    Raises:
        ServiceError: there is none, or it is not active yet.
    """
    name, inner = split_reference(reference)
    asked = qualifier or inner
    function, version, snapshot = region.resolve(name, asked)
    alias = function.aliases.get(asked or "", {})
    for other, weight in alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}).items():
        if random.random() < weight:  # noqa: S311  a share of traffic, no secret
            function, version, snapshot = region.resolve(name, other)
    if version == "$LATEST":
        snapshot = function.serving
    if function.latest.configuration["State"] == "Pending":
        raise STILL_PENDING.error()
    if snapshot.configuration["State"] == "Pending":
        raise SNAPSHOT_PENDING.error()
    arn = f"{function.arn}:{asked}" if asked else function.arn
    return Target(function=function, version=version, snapshot=snapshot, arn=arn)


def run(lam: Lambda, target: Target, payload: bytes, *, request_id: str) -> Invocation:
    """Run it, outside the lock.

    Raises:
        ServiceError: every environment is busy, or none can be made.
    """
    try:
        return lam.environments.invoke(target, payload, request_id=request_id)
    except TooManyEnvironmentsError:
        raise INVOKE_THROTTLED.error() from None
    except (BadArchiveError, UnsafeArchiveError) as error:
        raise CODE_UNREADABLE.error(reason=error.message) from error
    except OptimizerError as error:
        raise RUNTIME_UNUSABLE.error(reason=error) from error


def _asynchronously(lam: Lambda, target: Target, payload: bytes) -> None:
    """An event invocation: up to two more tries where the function fails (without Lambda's waits between them)."""
    request_id = str(uuid.uuid4())
    for _ in range(_ATTEMPTS):
        try:
            if run(lam, target, payload, request_id=request_id).error is None:
                return
        except ServiceError:
            continue
