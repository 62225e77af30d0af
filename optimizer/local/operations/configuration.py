"""What a function's code, layers and settings have to satisfy, checked before anything is taken over."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from optimizer import limits
from optimizer.local.conditions import (
    COMBINED_TOO_LARGE,
    ENVIRONMENT_TOO_LARGE,
    INVALID,
    LAYER_MISSING,
    LAYERS_TOO_LARGE,
    RESERVED_VARIABLE,
    ROLE_UNUSABLE,
    SAME_LAYER_TWICE,
    TOO_MANY_LAYERS,
)
from optimizer.local.state import timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from optimizer.local.service import Lambda
    from optimizer.local.state import Blob, LayerVersion, Region, Snapshot

_SETTINGS = (
    "Description",
    "Handler",
    "Runtime",
    "Role",
    "Timeout",
    "MemorySize",
    "KMSKeyArn",
    "TracingConfig",
    "EphemeralStorage",
    "DeadLetterConfig",
    "FileSystemConfigs",
    "LoggingConfig",
)
_RESERVED_VARIABLES = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
    }
)
"""Keys that Lambda itself sets (Lambda's documentation, reserved environment variables)."""


def attachable(region: Region, arns: Sequence[str]) -> tuple[LayerVersion, ...]:
    """The layer versions of those ARNs; a deleted one works on where it is attached, but no call may name it again.

    Raises:
        ServiceError: they are too many, one does not exist, or two are of one layer.
    """
    if len(arns) > limits.LAYERS:
        raise TOO_MANY_LAYERS.error()
    by_layer: dict[str, str] = {}
    found = []
    for arn in arns:
        version = region.layer_version(arn)
        if version is None:
            raise LAYER_MISSING.error(arn=arn)
        layer = arn.rpartition(":")[0]
        if layer in by_layer:
            raise SAME_LAYER_TWICE.error(first=by_layer[layer], second=arn)
        by_layer[layer] = arn
        found.append(version)
    return tuple(found)


def check_bytes(blob: Blob, layers: tuple[LayerVersion, ...]) -> None:
    """Check code and layers together.

    Raises:
        ServiceError: they are over the limit.
    """
    attached = sum(layer.blob.unzipped_bytes for layer in layers)
    if attached >= limits.UNZIPPED_BYTES:
        raise LAYERS_TOO_LARGE.error()
    actual = blob.unzipped_bytes + attached
    if actual > limits.UNZIPPED_BYTES:
        raise COMBINED_TOO_LARGE.error(actual=actual)


def configure(lam: Lambda, configuration: dict[str, Any], given: Mapping[str, Any]) -> None:
    """Take over what the request names, checked.

    Raises:
        ServiceError: something of it can't be.
    """
    _check_numbers(given)
    if "Runtime" in given and given["Runtime"] not in limits.RUNTIMES:
        known = ", ".join(limits.RUNTIMES)
        raise INVALID.error(message=f"The runtime {given['Runtime']} is not served by the embedded AWS: {known}")
    if "Role" in given and not lam.services.role_trusts_lambda(given["Role"]):
        raise ROLE_UNUSABLE.error()
    configuration |= {key: given[key] for key in _SETTINGS if key in given}
    if "Environment" in given:
        variables = dict(given["Environment"].get("Variables", {}))
        measured = sum(len(k.encode()) + len(v.encode()) for k, v in variables.items())
        if measured > limits.ENVIRONMENT_BYTES:
            raise ENVIRONMENT_TOO_LARGE.error(measured=json.dumps(variables, separators=(",", ":")))
        if reserved := sorted(_RESERVED_VARIABLES & set(variables)):
            raise RESERVED_VARIABLE.error(names=", ".join(reserved))
        configuration["Environment"] = {"Variables": variables}
    if "SnapStart" in given:
        chosen = given["SnapStart"].get("ApplyOn", "None")
        configuration["SnapStart"] = {"ApplyOn": chosen, "OptimizationStatus": "Off"}


def _check_numbers(given: Mapping[str, Any]) -> None:
    """Lambda's own bounds, where the API model allows more."""
    low, high = limits.MEMORY_MB
    for name, least, most in (("MemorySize", low, high), ("Timeout", 1, limits.TIMEOUT_SECONDS)):
        value = given.get(name, least)
        if not least <= value <= most:
            wire = name[0].lower() + name[1:]
            bound = f"less than or equal to {most}" if value > most else f"greater than or equal to {least}"
            raise INVALID.error(message=f"'{wire}' value failed to satisfy constraint: Member must have value {bound}")


def describe(snapshot: Snapshot) -> None:
    """Write what follows from code and layers into the configuration."""
    snapshot.configuration.update(
        CodeSha256=snapshot.blob.code_sha256,
        CodeSize=snapshot.blob.zipped_bytes,
        LastModified=timestamp(),
        RevisionId=str(uuid.uuid4()),
    )
    snapshot.configuration.pop("Layers", None)
    if snapshot.layers:
        snapshot.configuration["Layers"] = [
            {"Arn": layer.arn, "CodeSize": layer.blob.zipped_bytes} for layer in snapshot.layers
        ]
