"""The account's settings, concurrency, tags and event source mappings: kept as state."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from optimizer import limits
from optimizer.local.conditions import (
    INVALID,
    PROVISIONED_MISSING,
    RESOURCE_MISSING,
    WEIGHTS_WITH_PROVISIONED,
)
from optimizer.local.service import operation, page
from optimizer.local.state import split_reference, timestamp

if TYPE_CHECKING:
    from optimizer.local.protocol import Call
    from optimizer.local.service import Lambda
    from optimizer.local.state import Function


@operation
def get_account_settings(lam: Lambda, call: Call) -> dict[str, Any]:
    """Limits and use of this region."""
    region = lam.region(call)
    return {
        "AccountLimit": {
            "TotalCodeSize": lam.settings.code_storage_bytes,
            "CodeSizeUnzipped": limits.UNZIPPED_BYTES,
            "CodeSizeZipped": limits.DIRECT_ZIP_BYTES,
            "ConcurrentExecutions": 1000,
            "UnreservedConcurrentExecutions": 1000
            - sum(function.reserved_concurrency or 0 for function in region.functions.values()),
        },
        "AccountUsage": {"TotalCodeSize": region.stored_bytes, "FunctionCount": len(region.functions)},
    }


@operation
def put_function_concurrency(lam: Lambda, call: Call) -> dict[str, Any]:
    """Reserve concurrency."""
    function = lam.region(call).function(call.parameters["FunctionName"])
    function.reserved_concurrency = call.parameters["ReservedConcurrentExecutions"]
    return {"ReservedConcurrentExecutions": function.reserved_concurrency}


@operation
def get_function_concurrency(lam: Lambda, call: Call) -> dict[str, Any]:
    """What is reserved; nothing where nothing is."""
    reserved = lam.region(call).function(call.parameters["FunctionName"]).reserved_concurrency
    return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}


@operation
def delete_function_concurrency(lam: Lambda, call: Call) -> dict[str, Any]:
    """Reserve nothing any more."""
    lam.region(call).function(call.parameters["FunctionName"]).reserved_concurrency = None
    return {}


@operation
def put_provisioned_concurrency_config(lam: Lambda, call: Call) -> dict[str, Any]:
    """Provision for a version or alias; $LATEST can't have it."""
    function, qualifier = _qualified(lam, call)
    if "RoutingConfig" in function.aliases.get(qualifier, {}):
        raise WEIGHTS_WITH_PROVISIONED.error()
    wanted = call.parameters["ProvisionedConcurrentExecutions"]
    function.provisioned[qualifier] = {
        "RequestedProvisionedConcurrentExecutions": wanted,
        "AvailableProvisionedConcurrentExecutions": wanted,
        "AllocatedProvisionedConcurrentExecutions": wanted,
        "Status": "READY",
        "LastModified": timestamp(),
    }
    return dict(function.provisioned[qualifier])


@operation
def get_provisioned_concurrency_config(lam: Lambda, call: Call) -> dict[str, Any]:
    """What is provisioned."""
    function, qualifier = _qualified(lam, call)
    if qualifier not in function.provisioned:
        raise PROVISIONED_MISSING.error()
    return dict(function.provisioned[qualifier])


@operation
def delete_provisioned_concurrency_config(lam: Lambda, call: Call) -> dict[str, Any]:
    """Provision nothing any more."""
    function, qualifier = _qualified(lam, call)
    function.provisioned.pop(qualifier, None)
    return {}


@operation
def list_provisioned_concurrency_configs(lam: Lambda, call: Call) -> dict[str, Any]:
    """All of a function's."""
    function = lam.region(call).function(call.parameters["FunctionName"])
    rows = [{"FunctionArn": f"{function.arn}:{q}", **config} for q, config in sorted(function.provisioned.items())]
    return page(rows, call, "ProvisionedConcurrencyConfigs")


def _qualified(lam: Lambda, call: Call) -> tuple[Function, str]:
    function, number, _ = lam.region(call).resolve(call.parameters["FunctionName"], call.parameters["Qualifier"])
    if number == "$LATEST":
        raise INVALID.error(
            message="Provisioned Concurrency Configs cannot be applied to unpublished function versions."
        )
    return function, call.parameters["Qualifier"]


@operation
def tag_resource(lam: Lambda, call: Call) -> dict[str, Any]:
    """Tag a function."""
    lam.region(call).function(call.parameters["Resource"]).tags.update(call.parameters["Tags"])
    return {}


@operation
def list_tags(lam: Lambda, call: Call) -> dict[str, Any]:
    """A function's tags."""
    return {"Tags": dict(lam.region(call).function(call.parameters["Resource"]).tags)}


@operation
def untag_resource(lam: Lambda, call: Call) -> dict[str, Any]:
    """Take tags away."""
    tags = lam.region(call).function(call.parameters["Resource"]).tags
    for key in call.parameters["TagKeys"]:
        tags.pop(key, None)
    return {}


@operation
def create_event_source_mapping(lam: Lambda, call: Call) -> dict[str, Any]:
    """Remember a mapping; it is not polled here."""
    region = lam.region(call)
    name, qualifier = split_reference(call.parameters["FunctionName"])
    function, _, _ = region.resolve(name, qualifier)
    identifier = str(uuid.uuid4())
    mapping: dict[str, Any] = {
        "UUID": identifier,
        "FunctionArn": f"{function.arn}:{qualifier}" if qualifier else function.arn,
        "State": "Enabled" if call.parameters.get("Enabled", True) else "Disabled",
        "LastModified": datetime.now(UTC).timestamp(),
    }
    mapping |= {k: call.parameters[k] for k in ("EventSourceArn", "BatchSize") if k in call.parameters}
    region.mappings[identifier] = mapping
    return dict(mapping)


@operation
def list_event_source_mappings(lam: Lambda, call: Call) -> dict[str, Any]:
    """Those of a function: without a qualifier in the name, those of its unqualified ARN."""
    region = lam.region(call)
    rows = list(region.mappings.values())
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
    return dict(_mapping(lam, call))


@operation
def update_event_source_mapping(lam: Lambda, call: Call) -> dict[str, Any]:
    """Point a mapping at another function, version or alias."""
    mapping = _mapping(lam, call)
    if "FunctionName" in call.parameters:
        name, qualifier = split_reference(call.parameters["FunctionName"])
        function, _, _ = lam.region(call).resolve(name, qualifier)
        mapping["FunctionArn"] = f"{function.arn}:{qualifier}" if qualifier else function.arn
    if "Enabled" in call.parameters:
        mapping["State"] = "Enabled" if call.parameters["Enabled"] else "Disabled"
    return dict(mapping)


@operation
def delete_event_source_mapping(lam: Lambda, call: Call) -> dict[str, Any]:
    """Forget a mapping."""
    mapping = _mapping(lam, call)
    del lam.region(call).mappings[mapping["UUID"]]
    return {**mapping, "State": "Deleting"}


def _mapping(lam: Lambda, call: Call) -> dict[str, Any]:
    found = lam.region(call).mappings.get(call.parameters["UUID"])
    if found is None:
        raise RESOURCE_MISSING.error(message="The resource you requested does not exist.")
    return found
