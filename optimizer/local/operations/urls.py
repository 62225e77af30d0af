"""Function URLs: configured here, served by listeners of their own."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from optimizer.local.conditions import INVALID, RESOURCE_MISSING, URL_EXISTS
from optimizer.local.operations.permissions import UNQUALIFIED
from optimizer.local.service import operation, page
from optimizer.local.state import FunctionUrl, timestamp

if TYPE_CHECKING:
    from optimizer.local.protocol import Call
    from optimizer.local.service import Lambda
    from optimizer.local.state import Function


def _place(lam: Lambda, call: Call) -> tuple[Function, str]:
    """The function and the qualifier: an alias, or nothing; versions have no URLs."""
    function = lam.region(call).function(call.parameters["FunctionName"])
    qualifier = call.parameters.get("Qualifier")
    if qualifier is None:
        return function, UNQUALIFIED
    if qualifier.isdigit() or qualifier == UNQUALIFIED:
        raise INVALID.error(message=f"Value {qualifier!r} at 'qualifier' failed to satisfy constraint: an alias")
    if qualifier not in function.aliases:
        raise RESOURCE_MISSING.error(message=f"Function not found: {function.arn}:{qualifier}")
    return function, qualifier


@operation
def create_function_url_config(lam: Lambda, call: Call) -> dict[str, Any]:
    """Give a function or an alias its URL."""
    given = call.parameters
    function, qualifier = _place(lam, call)
    if qualifier in function.urls:
        raise URL_EXISTS.error()
    arn = function.arn if qualifier == UNQUALIFIED else f"{function.arn}:{qualifier}"
    identifier = hashlib.sha256(arn.encode()).hexdigest()[:32]
    url = FunctionUrl(identifier=identifier, configuration={})
    url.configuration = {
        "FunctionUrl": lam.listeners.open(identifier, call.region, function.name, qualifier),
        "FunctionArn": arn,
        "AuthType": given["AuthType"],
        "CreationTime": timestamp(),
        "InvokeMode": given.get("InvokeMode", "BUFFERED"),
        **({"Cors": given["Cors"]} if "Cors" in given else {}),
    }
    function.urls[qualifier] = url
    return dict(url.configuration)


@operation
def get_function_url_config(lam: Lambda, call: Call) -> dict[str, Any]:
    """The URL."""
    return _shown(_url(lam, call))


@operation
def update_function_url_config(lam: Lambda, call: Call) -> dict[str, Any]:
    """Change who may call it, or how."""
    url = _url(lam, call)
    url.configuration.update(
        {k: call.parameters[k] for k in ("AuthType", "Cors", "InvokeMode") if k in call.parameters}
    )
    url.configuration["LastModifiedTime"] = timestamp()
    return _shown(url)


@operation
def delete_function_url_config(lam: Lambda, call: Call) -> dict[str, Any]:
    """Take the URL away."""
    function, qualifier = _place(lam, call)
    url = _url(lam, call)
    lam.listeners.close(url.identifier)
    del function.urls[qualifier]
    return {}


@operation
def list_function_url_configs(lam: Lambda, call: Call) -> dict[str, Any]:
    """All of a function's."""
    function = lam.region(call).function(call.parameters["FunctionName"])
    return page([_shown(url) for _, url in sorted(function.urls.items())], call, "FunctionUrlConfigs")


def _url(lam: Lambda, call: Call) -> FunctionUrl:
    function, qualifier = _place(lam, call)
    if qualifier not in function.urls:
        raise RESOURCE_MISSING.error(message="The resource you requested does not exist.")
    return function.urls[qualifier]


def _shown(url: FunctionUrl) -> dict[str, Any]:
    return {"LastModifiedTime": url.configuration["CreationTime"], **url.configuration}
