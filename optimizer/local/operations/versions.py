"""Versions and aliases: frozen code and layers, and names that point at them."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

from optimizer.local.conditions import (
    ALIAS_EXISTS,
    CODE_DIFFERS,
    INVALID,
    PROVISIONED_WITH_WEIGHTS,
    RESOURCE_MISSING,
    STALE_REVISION,
)
from optimizer.local.service import operation, page
from optimizer.local.state import Snapshot

if TYPE_CHECKING:
    from optimizer.local.protocol import Call
    from optimizer.local.service import Lambda
    from optimizer.local.state import Function, Region

_NOT_COMPARED = frozenset(
    {
        "Version",
        "FunctionArn",
        "RevisionId",
        "LastModified",
        "State",
        "StateReason",
        "StateReasonCode",
        "LastUpdateStatus",
        "LastUpdateStatusReason",
        "LastUpdateStatusReasonCode",
        "Description",
    }
)
"""What may differ between $LATEST and the newest version while nothing has changed."""


def publish(lam: Lambda, function: Function, description: str | None) -> dict[str, Any]:
    """Freeze $LATEST; where nothing changed since the newest version, that one is the answer."""
    latest = function.latest
    if function.versions:
        newest = function.versions[max(function.versions)]
        if _compared(newest.configuration) == _compared(latest.configuration):
            return dict(newest.configuration)
    number = function.next_version
    function.next_version += 1
    configuration = {
        **latest.configuration,
        "Version": str(number),
        "FunctionArn": f"{function.arn}:{number}",
        "RevisionId": str(uuid.uuid4()),
        "State": "Active",
        "LastUpdateStatus": "Successful",
    }
    if description is not None:
        configuration["Description"] = description
    ready_at = 0.0
    if configuration["SnapStart"]["ApplyOn"] == "PublishedVersions":
        ready_at = time.monotonic() + lam.settings.snapshot_seconds
        configuration.update(
            State="Pending", StateReason="The snapshot of the version is being made.", StateReasonCode="Creating"
        )
    function.versions[number] = Snapshot(
        configuration=configuration, blob=latest.blob, layers=latest.layers, ready_at=ready_at
    )
    return dict(configuration)


def _compared(configuration: dict[str, Any]) -> dict[str, Any]:
    """What makes a version another one."""
    kept = {key: value for key, value in configuration.items() if key not in _NOT_COMPARED}
    return {**kept, "SnapStart": configuration["SnapStart"]["ApplyOn"]}


@operation
def publish_version(lam: Lambda, call: Call) -> dict[str, Any]:
    """Freeze $LATEST, guarded by CodeSha256 and RevisionId."""
    given = call.parameters
    function = lam.region(call).function(given["FunctionName"])
    lam.may_update(function, given.get("RevisionId"))
    actual = function.latest.configuration["CodeSha256"]
    if given.get("CodeSha256") not in {None, actual}:
        raise CODE_DIFFERS.error(given=given["CodeSha256"], actual=actual)
    return publish(lam, function, given.get("Description"))


@operation
def list_versions_by_function(lam: Lambda, call: Call) -> dict[str, Any]:
    """$LATEST and every published version, oldest first."""
    function = lam.region(call).function(call.parameters["FunctionName"])
    rows = [dict(function.latest.configuration), *(dict(s.configuration) for _, s in sorted(function.versions.items()))]
    return page(rows, call, "Versions")


@operation
def create_alias(lam: Lambda, call: Call) -> dict[str, Any]:
    """A name for a version."""
    given = call.parameters
    region = lam.region(call)
    function = region.function(given["FunctionName"])
    name = given["Name"]
    arn = f"{function.arn}:{name}"
    if name in function.aliases:
        raise ALIAS_EXISTS.error(arn=arn)
    region.resolve(function.name, given["FunctionVersion"])
    alias: dict[str, Any] = {
        "AliasArn": arn,
        "Name": name,
        "FunctionVersion": given["FunctionVersion"],
        "Description": given.get("Description", ""),
        "RevisionId": str(uuid.uuid4()),
    }
    _route(alias, given, function, region)
    function.aliases[name] = alias
    return dict(alias)


@operation
def get_alias(lam: Lambda, call: Call) -> dict[str, Any]:
    """Where a name points."""
    return dict(_alias(lam, call)[1])


@operation
def update_alias(lam: Lambda, call: Call) -> dict[str, Any]:
    """Point a name elsewhere, guarded by RevisionId."""
    given = call.parameters
    function, alias = _alias(lam, call)
    region = lam.region(call)
    if given.get("RevisionId") not in {None, alias["RevisionId"]}:
        raise STALE_REVISION.error()
    changed = dict(alias)
    if "FunctionVersion" in given:
        region.resolve(function.name, given["FunctionVersion"])
        changed["FunctionVersion"] = given["FunctionVersion"]
    if "Description" in given:
        changed["Description"] = given["Description"]
    _route(changed, given, function, region)
    if alias["Name"] in function.provisioned:
        if given.get("RoutingConfig", {}).get("AdditionalVersionWeights"):
            raise PROVISIONED_WITH_WEIGHTS.error()
        if changed["FunctionVersion"] != alias["FunctionVersion"]:
            changed["RoutingConfig"] = {"AdditionalVersionWeights": {alias["FunctionVersion"]: 1.0}}
            function.allocated_at[alias["Name"]] = time.monotonic() + lam.settings.update_seconds
    changed["RevisionId"] = str(uuid.uuid4())
    function.aliases[alias["Name"]] = changed
    return dict(changed)


@operation
def delete_alias(lam: Lambda, call: Call) -> dict[str, Any]:
    """Take a name away."""
    function = lam.region(call).function(call.parameters["FunctionName"])
    name = call.parameters["Name"]
    function.aliases.pop(name, None)
    function.policies.pop(name, None)
    function.provisioned.pop(name, None)
    url = function.urls.pop(name, None)
    if url is not None:
        lam.listeners.close(url.identifier)
    return {}


@operation
def list_aliases(lam: Lambda, call: Call) -> dict[str, Any]:
    """A function's aliases, or those that point at one version."""
    function = lam.region(call).function(call.parameters["FunctionName"])
    version = call.parameters.get("FunctionVersion")
    rows = [dict(a) for _, a in sorted(function.aliases.items()) if version in {None, a["FunctionVersion"]}]
    return page(rows, call, "Aliases")


def _alias(lam: Lambda, call: Call) -> tuple[Function, dict[str, Any]]:
    function = lam.region(call).function(call.parameters["FunctionName"])
    alias = function.aliases.get(call.parameters["Name"])
    if alias is None:
        raise RESOURCE_MISSING.error(message=f"Cannot find alias arn: {function.arn}:{call.parameters['Name']}")
    return function, alias


def _route(alias: dict[str, Any], given: dict[str, Any], function: Function, region: Region) -> None:
    """Take over the share of a second version."""
    if "RoutingConfig" not in given:
        return
    weights = given["RoutingConfig"].get("AdditionalVersionWeights", {})
    alias.pop("RoutingConfig", None)
    if not weights:
        return
    if len(weights) > 1:
        raise INVALID.error(message="The number of items in AdditionalVersionWeights cannot be greater than 1")
    ((version, weight),) = weights.items()
    region.resolve(function.name, version)
    if version == "$LATEST" or alias["FunctionVersion"] == "$LATEST":
        raise INVALID.error(message="$LATEST is not supported for an alias pointing to more than 1 version")
    if not 0 <= weight <= 1:
        raise INVALID.error(message="The weight of an additional version has to be from 0 to 1")
    if version == alias["FunctionVersion"]:
        raise INVALID.error(message="The additional version has to be another one than the alias's own")
    alias["RoutingConfig"] = {"AdditionalVersionWeights": dict(weights)}
