"""Event-source mappings: remembered and changed over time; nothing is polled here."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from optimizer.local.conditions import MAPPING_BUSY, MAPPING_EXISTS, RESOURCE_MISSING
from optimizer.local.service import operation, page
from optimizer.local.state import split_reference

if TYPE_CHECKING:
    from optimizer.local.protocol import Call
    from optimizer.local.service import Lambda

_SETTLES = "_settles_at"
"""Beside a mapping's own keys: when the change that is under way is done."""
_KEPT = ("EventSourceArn", "BatchSize", "FunctionResponseTypes", "ScalingConfig")
"""What of a mapping is told as it was given; nothing follows from it here."""


@operation
def create_event_source_mapping(lam: Lambda, call: Call) -> dict[str, Any]:
    """Remember a mapping."""
    region = lam.region(call)
    arn = _function_arn(lam, call)
    source = call.parameters.get("EventSourceArn")
    _only_one(lam, call, source, arn)
    identifier = str(uuid.uuid4())
    mapping: dict[str, Any] = {
        "UUID": identifier,
        "FunctionArn": arn,
        "State": "Enabled" if call.parameters.get("Enabled", True) else "Disabled",
        "LastModified": datetime.now(UTC).timestamp(),
    }
    mapping |= {k: call.parameters[k] for k in _KEPT if k in call.parameters}
    region.mappings[identifier] = mapping
    return _shown(mapping)


@operation
def list_event_source_mappings(lam: Lambda, call: Call) -> dict[str, Any]:
    """Those of a function: without a qualifier in the name, those of its unqualified ARN."""
    region = lam.region(call)
    rows = [_shown(mapping) for mapping in region.mappings.values()]
    if "FunctionName" in call.parameters:
        name, qualifier = split_reference(call.parameters["FunctionName"])
        arn = region.function(name).arn + (f":{qualifier}" if qualifier else "")
        rows = [row for row in rows if row["FunctionArn"] == arn]
    if "EventSourceArn" in call.parameters:
        rows = [row for row in rows if row.get("EventSourceArn") == call.parameters["EventSourceArn"]]
    return page(rows, call, "EventSourceMappings", default=100)


@operation
def get_event_source_mapping(lam: Lambda, call: Call) -> dict[str, Any]:
    """One mapping."""
    return _shown(_mapping(lam, call))


@operation
def update_event_source_mapping(lam: Lambda, call: Call) -> dict[str, Any]:
    """Point a mapping at another function, version or alias; the change takes a while, and no other comes between."""
    mapping = _mapping(lam, call)
    if _settling(mapping):
        raise MAPPING_BUSY.error()
    if "FunctionName" in call.parameters:
        arn = _function_arn(lam, call)
        _only_one(lam, call, mapping.get("EventSourceArn"), arn)
        mapping["FunctionArn"] = arn
    if "Enabled" in call.parameters:
        mapping["State"] = "Enabled" if call.parameters["Enabled"] else "Disabled"
    mapping["LastModified"] = datetime.now(UTC).timestamp()
    mapping[_SETTLES] = time.monotonic() + lam.settings.update_seconds
    return _shown(mapping)


@operation
def delete_event_source_mapping(lam: Lambda, call: Call) -> dict[str, Any]:
    """Forget a mapping."""
    mapping = _mapping(lam, call)
    del lam.region(call).mappings[mapping["UUID"]]
    return {**_shown(mapping), "State": "Deleting"}


def _function_arn(lam: Lambda, call: Call) -> str:
    """The ARN of what is to be called, qualified as it was named."""
    name, qualifier = split_reference(call.parameters["FunctionName"])
    function, _, _ = lam.region(call).resolve(name, qualifier)
    return f"{function.arn}:{qualifier}" if qualifier else function.arn


def _only_one(lam: Lambda, call: Call, source: str | None, arn: str) -> None:
    """Refuse a second mapping of a source to the same function, version or alias."""
    for mapping in lam.region(call).mappings.values():
        there = (mapping.get("EventSourceArn"), mapping["FunctionArn"])
        if source is not None and there == (source, arn) and mapping["UUID"] != call.parameters.get("UUID"):
            raise MAPPING_EXISTS.error(source=source, function=arn, uuid=mapping["UUID"])


def _settling(mapping: dict[str, Any]) -> bool:
    return bool(mapping.get(_SETTLES, 0.0) > time.monotonic())


def _shown(mapping: dict[str, Any]) -> dict[str, Any]:
    shown = {key: value for key, value in mapping.items() if key != _SETTLES}
    return {**shown, "State": "Updating"} if _settling(mapping) else shown


def _mapping(lam: Lambda, call: Call) -> dict[str, Any]:
    found = lam.region(call).mappings.get(call.parameters["UUID"])
    if found is None:
        raise RESOURCE_MISSING.error(message="The resource you requested does not exist.")
    return found
