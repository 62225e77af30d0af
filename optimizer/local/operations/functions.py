"""Functions: created, updated in two calls, read, listed, deleted; every limit checked at every step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optimizer import limits
from optimizer.local.conditions import FUNCTION_EXISTS, INVALID, VERSION_IN_USE
from optimizer.local.operations.account import set_tags
from optimizer.local.operations.configuration import attachable, check_bytes, configure, describe
from optimizer.local.service import UNLOCKED, operation, page
from optimizer.local.state import ACCOUNT, Function, Snapshot, split_reference
from optimizer.local.uploads import check_room, receive

if TYPE_CHECKING:
    from optimizer.local.protocol import Call
    from optimizer.local.service import Lambda
    from optimizer.local.state import Blob, Region

UNLOCKED.update({"CreateFunction", "UpdateFunctionCode"})  # uploads take long, and calls go on meanwhile
_DEFAULTS: dict[str, Any] = {
    "Description": "",
    "Timeout": 3,
    "MemorySize": 128,
    "PackageType": "Zip",
    "Architectures": ["x86_64"],
    "TracingConfig": {"Mode": "PassThrough"},
    "EphemeralStorage": {"Size": 512},
    "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
}


@operation
def create_function(lam: Lambda, call: Call) -> dict[str, Any]:
    """A new function: Pending, then Active."""
    region = lam.region(call)
    blob = receive(lam, region, call.parameters["Code"])
    with lam.state.lock:
        return _create(lam, region, call.parameters, blob)


def _create(lam: Lambda, region: Region, given: dict[str, Any], blob: Blob) -> dict[str, Any]:
    name, _ = split_reference(given["FunctionName"])
    if name in region.functions:
        raise FUNCTION_EXISTS.error(name=name)
    for key in ("Runtime", "Handler"):
        if key not in given:
            raise INVALID.error(message=f"{key} is mandatory for functions created with deployment packages")
    layers = attachable(region, given.get("Layers", ()))
    check_bytes(blob, layers)
    arn = f"arn:aws:lambda:{region.name}:{ACCOUNT}:function:{name}"
    configuration: dict[str, Any] = {
        **_DEFAULTS,
        "FunctionName": name,
        "FunctionArn": arn,
        "Version": "$LATEST",
        "State": "Pending",
        "StateReason": "The function is being created.",
        "StateReasonCode": "Creating",
        "LastUpdateStatus": "InProgress",
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"},
    }
    if "Architectures" in given:
        configuration["Architectures"] = given["Architectures"]
    configure(lam, configuration, given)
    snapshot = Snapshot(configuration=configuration, blob=blob, layers=layers)
    describe(snapshot)
    function = Function(name=name, arn=arn, latest=snapshot, serving=snapshot, settles_at=0.0)
    function.begin_update(lam.settings.update_seconds)
    set_tags(function, given.get("Tags", {}))
    region.functions[name] = function
    if given.get("Publish"):
        function.settles_at = 0.0
        function.settle()
        from optimizer.local.operations.versions import publish

        return publish(lam, function, given.get("Description"))
    return dict(configuration)


@operation
def update_function_code(lam: Lambda, call: Call) -> dict[str, Any]:
    """New code, checked against the layers that are attached at this moment."""
    given = call.parameters
    region = lam.region(call)
    with lam.state.lock:
        attached = _updatable(lam, region, given).latest.attached_bytes
    blob = receive(lam, region, given, attached_bytes=attached)
    with lam.state.lock:
        function = _updatable(lam, region, given)
        check_room(blob, function.latest.attached_bytes)
        return _update_code(lam, function, given, blob)


def _updatable(lam: Lambda, region: Region, given: dict[str, Any]) -> Function:
    """The function, if it may be updated now.

    Raises:
        ServiceError: it may not, or is not there.
    """
    function = region.function(given["FunctionName"])
    lam.may_update(function, given.get("RevisionId"))
    return function


def _update_code(lam: Lambda, function: Function, given: dict[str, Any], blob: Blob) -> dict[str, Any]:
    configuration = dict(function.latest.configuration)
    if "Architectures" in given:
        configuration["Architectures"] = given["Architectures"]
    updated = Snapshot(configuration=configuration, blob=blob, layers=function.latest.layers)
    describe(updated)
    if given.get("DryRun"):
        return dict(configuration)
    function.latest = updated
    function.begin_update(lam.settings.update_seconds)
    if given.get("Publish"):
        function.settles_at = 0.0
        function.settle()
        from optimizer.local.operations.versions import publish

        return publish(lam, function, None)
    return dict(function.latest.configuration)


@operation
def update_function_configuration(lam: Lambda, call: Call) -> dict[str, Any]:
    """New settings; `Layers` replaces the whole list."""
    given = call.parameters
    region = lam.region(call)
    function = _updatable(lam, region, given)
    layers = function.latest.layers
    if "Layers" in given:
        layers = attachable(region, given["Layers"])
        check_bytes(function.latest.blob, layers)
    configuration = dict(function.latest.configuration)
    configure(lam, configuration, given)
    function.latest = Snapshot(configuration=configuration, blob=function.latest.blob, layers=layers)
    describe(function.latest)
    function.begin_update(lam.settings.update_seconds)
    return dict(configuration)


@operation
def get_function(lam: Lambda, call: Call) -> dict[str, Any]:
    """Configuration, and where the code is downloaded."""
    function, _, snapshot = lam.region(call).resolve(call.parameters["FunctionName"], call.parameters.get("Qualifier"))
    result: dict[str, Any] = {
        "Configuration": _shown(function, snapshot, call),
        "Code": {"RepositoryType": "S3", "Location": lam.content_url(snapshot.blob.path)},
    }
    if function.tags and not call.parameters.get("Qualifier"):  # of a version only what is specific to it is told
        result["Tags"] = function.tags
    if function.reserved_concurrency is not None:
        result["Concurrency"] = {"ReservedConcurrentExecutions": function.reserved_concurrency}
    return result


@operation
def get_function_configuration(lam: Lambda, call: Call) -> dict[str, Any]:
    """Configuration alone."""
    function, _, snapshot = lam.region(call).resolve(call.parameters["FunctionName"], call.parameters.get("Qualifier"))
    return _shown(function, snapshot, call)


def _shown(function: Function, snapshot: Snapshot, call: Call) -> dict[str, Any]:
    """The configuration under the ARN that was asked for: an alias's ARN ends in the alias."""
    asked = call.parameters.get("Qualifier") or split_reference(call.parameters["FunctionName"])[1]
    shown = dict(snapshot.configuration)
    if asked:
        shown["FunctionArn"] = f"{function.arn}:{asked}"
    return shown


@operation
def list_functions(lam: Lambda, call: Call) -> dict[str, Any]:
    """Every function, or every version of every function with FunctionVersion=ALL."""
    rows = []
    for _, function in sorted(lam.region(call).functions.items()):
        function.settle()
        rows.append(_listed(function.latest))
        if call.parameters.get("FunctionVersion") == "ALL":
            rows += [_listed(snapshot) for _, snapshot in sorted(function.versions.items())]
    return page(rows, call, "Functions", most=limits.LISTED)


def _listed(snapshot: Snapshot) -> dict[str, Any]:
    """A listing leaves the states out."""
    hidden = ("State", "StateReason", "StateReasonCode", "LastUpdateStatus", "LastUpdateStatusReason")
    return {k: v for k, v in snapshot.configuration.items() if k not in (*hidden, "LastUpdateStatusReasonCode")}


@operation
def delete_function(lam: Lambda, call: Call) -> dict[str, Any]:
    """The whole function, or one version that no alias points at."""
    region = lam.region(call)
    function = region.function(call.parameters["FunctionName"])
    qualifier = call.parameters.get("Qualifier")
    if qualifier is None or qualifier == "$LATEST":
        for url in function.urls.values():
            lam.listeners.close(url.identifier)
        del region.functions[function.name]
        lam.environments.close(function.arn)
        return {"StatusCode": 204}
    _, number, _ = region.resolve(function.name, qualifier)
    for alias in function.aliases.values():
        weights = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
        if number == alias["FunctionVersion"] or number in weights:
            raise VERSION_IN_USE.error(arn=f"{function.arn}:{number}", alias=alias["Name"])
    del function.versions[int(number)]
    lam.environments.close(f"{function.arn}:{number}")
    return {"StatusCode": 204}
