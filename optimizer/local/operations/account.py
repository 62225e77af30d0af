"""The account's settings, concurrency and tags: kept as state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optimizer import limits
from optimizer.local.conditions import (
    INVALID,
    PROVISIONED_MISSING,
    RESERVED_TAG,
    TAGS_OF_VERSION,
    TOO_MANY_TAGS,
    WEIGHTS_WITH_PROVISIONED,
)
from optimizer.local.service import operation, page
from optimizer.local.state import split_reference, timestamp
from optimizer.tags import MOST

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    set_tags(_tagged(lam, call), call.parameters["Tags"])
    return {}


def set_tags(function: Function, tags: Mapping[str, str]) -> None:
    """Take tags over, checked.

    Raises:
        ServiceError: they are too many, or a key is AWS's own.
    """
    if any(key.lower().startswith("aws:") for key in tags):
        raise RESERVED_TAG.error()
    if len({*function.tags, *tags}) > MOST:
        raise TOO_MANY_TAGS.error()
    function.tags.update(tags)


def _tagged(lam: Lambda, call: Call) -> Function:
    """The function of an ARN, which names neither a version nor an alias."""
    if split_reference(call.parameters["Resource"])[1]:
        raise TAGS_OF_VERSION.error()
    return lam.region(call).function(call.parameters["Resource"])


@operation
def list_tags(lam: Lambda, call: Call) -> dict[str, Any]:
    """A function's tags."""
    return {"Tags": dict(_tagged(lam, call).tags)}


@operation
def untag_resource(lam: Lambda, call: Call) -> dict[str, Any]:
    """Take tags away."""
    tags = _tagged(lam, call).tags
    for key in call.parameters["TagKeys"]:
        tags.pop(key, None)
    return {}
