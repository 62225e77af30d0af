"""Invoke: the real code answers, in an environment made of code and layers in attach order."""

from __future__ import annotations

import base64
import random
import threading
import uuid
from typing import TYPE_CHECKING, Any

from optimizer import limits
from optimizer.local.conditions import INVOKE_THROTTLED, PAYLOAD_TOO_LARGE, STILL_PENDING
from optimizer.local.protocol import ServiceError
from optimizer.local.service import UNLOCKED, operation
from optimizer.local.state import split_reference
from optimizer.runtime import TooManyEnvironmentsError

if TYPE_CHECKING:
    from optimizer.local.protocol import Call
    from optimizer.local.service import Lambda
    from optimizer.local.state import Function, Region, Snapshot
    from optimizer.runtime import Invocation

_TAIL_BYTES = 4096
"""How much of the log LogType=Tail gives (API reference of Invoke)."""

UNLOCKED.add("Invoke")


@operation
def invoke(lam: Lambda, call: Call) -> dict[str, Any]:
    """Call a function, version or alias."""
    given = call.parameters
    payload = given.get("Payload", b"") or b"{}"
    if len(payload) > limits.PAYLOAD_BYTES:
        raise PAYLOAD_TOO_LARGE.error()
    kind = given.get("InvocationType", "RequestResponse")
    with lam.state.lock:
        function, version, snapshot = chosen(lam.region(call), given["FunctionName"], given.get("Qualifier"))
        if kind == "DryRun":
            return {"StatusCode": 204}
    arn = f"{function.arn}:{given['Qualifier']}" if given.get("Qualifier") else function.arn
    if kind == "Event":
        threading.Thread(
            target=_asynchronously, args=(lam, function, version, snapshot, payload, arn), daemon=True
        ).start()
        return {"StatusCode": 202}
    done = run(lam, function, version, snapshot, payload, arn)
    result: dict[str, Any] = {"StatusCode": 200, "Payload": done.payload, "ExecutedVersion": version}
    if done.error:
        result["FunctionError"] = done.error
    if given.get("LogType") == "Tail":
        result["LogResult"] = base64.b64encode(done.log.encode()[-_TAIL_BYTES:]).decode()
    return result


def chosen(region: Region, reference: str, qualifier: str | None) -> tuple[Function, str, Snapshot]:
    """What a call runs: an alias's weights are drawn, and $LATEST serves what it had until an update settles.

    Raises:
        ServiceError: there is none, or it is not active yet.
    """
    name, inner = split_reference(reference)
    function, version, snapshot = region.resolve(name, qualifier or inner)
    alias = function.aliases.get(qualifier or inner or "")
    for other, weight in (alias or {}).get("RoutingConfig", {}).get("AdditionalVersionWeights", {}).items():
        if random.random() < weight:  # noqa: S311  a share of traffic, no secret
            function, version, snapshot = region.resolve(name, other)
    if version == "$LATEST":
        snapshot = function.serving
    if function.latest.configuration["State"] == "Pending":
        raise STILL_PENDING.error()
    return function, version, snapshot


def run(lam: Lambda, function: Function, version: str, snapshot: Snapshot, payload: bytes, arn: str) -> Invocation:
    """Run it, outside the lock.

    Raises:
        ServiceError: every environment is busy.
    """
    try:
        return lam.environments.invoke(function, version, snapshot, payload, request_id=str(uuid.uuid4()), arn=arn)
    except TooManyEnvironmentsError:
        raise INVOKE_THROTTLED.error() from None


def _asynchronously(
    lam: Lambda, function: Function, version: str, snapshot: Snapshot, payload: bytes, arn: str
) -> None:
    """An event invocation: up to two more tries where the function fails (without Lambda's waits between them)."""
    for _ in range(3):
        try:
            if run(lam, function, version, snapshot, payload, arn).error is None:
                return
        except ServiceError:
            continue
