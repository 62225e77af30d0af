"""Lambda's answers as values: configurations and aliases, as single calls and listings have them."""

from __future__ import annotations

from typing import Any

from optimizer.deploy.values import Alias, AttachedLayer, Configuration


def configuration_of(answer: dict[str, Any], tags: dict[str, str] | None = None) -> Configuration:
    """A function's configuration; a listing leaves the states out, and an image has neither handler nor runtime."""
    environment, snap_start = answer.get("Environment", {}), answer.get("SnapStart", {})
    return Configuration(
        arn=answer["FunctionArn"],
        version=answer["Version"],
        description=answer.get("Description", ""),
        code_sha256=answer["CodeSha256"],
        zipped_bytes=answer["CodeSize"],
        layers=tuple(
            AttachedLayer(arn=layer["Arn"], zipped_bytes=layer.get("CodeSize", 0)) for layer in answer.get("Layers", ())
        ),
        handler=answer.get("Handler", ""),
        runtime=answer.get("Runtime", ""),
        architecture=answer.get("Architectures", ["x86_64"])[0],
        memory_mb=answer["MemorySize"],
        timeout_seconds=answer["Timeout"],
        environment=None if "Error" in environment else environment.get("Variables", {}),
        role=answer["Role"],
        revision=answer.get("RevisionId", ""),
        state=answer.get("State", "Active"),
        state_reason=answer.get("StateReason", ""),
        update_status=answer.get("LastUpdateStatus", "Successful"),
        update_reason=answer.get("LastUpdateStatusReason", ""),
        image=answer.get("PackageType") == "Image",
        modified=answer.get("LastModified", ""),
        tags=tags,
        snap_start=snap_start.get("OptimizationStatus", "Off") if snap_start.get("ApplyOn", "None") != "None" else "",
    )


def alias_of(answer: dict[str, Any]) -> Alias:
    """An alias with the shares of other versions."""
    weights = answer.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    return Alias(
        name=answer["Name"],
        version=answer["FunctionVersion"],
        revision=answer.get("RevisionId", ""),
        arn=answer.get("AliasArn", ""),
        description=answer.get("Description", ""),
        weights=dict(weights),
    )
