"""serverless.yml → the functions that it describes."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING

from optimizer.discover.files import is_test, joined
from optimizer.discover.serverless_variables import Service
from optimizer.discover.values import FoundFunction, Reading, UnresolvedError, Value
from optimizer.discover.yaml_nodes import Node, UnreadableError, parse_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optimizer.discover.files import Project

_KEYS = {
    "runtime": "runtime",
    "architecture": "architecture",
    "memorySize": "memory_mb",
    "timeout": "timeout_seconds",
}
_DEFAULTS = {"memory_mb": 1024, "timeout_seconds": 6, "architecture": "x86_64", "region": "us-east-1"}
"""What the framework takes where the file says nothing (its reference of serverless.yml)."""


def read_serverless(project: Project) -> Reading:
    """The functions of each service for AWS, and their regions.

    Raises:
        UsageError: there is one, and the library that reads it is missing.
    """
    functions: list[FoundFunction] = []
    regions: list[Value] = []
    for path in project.named("serverless.yml", "serverless.yaml", "serverless.json"):
        text = project.text(path)
        if text is None or is_test(path):
            continue
        try:
            top = parse_yaml(text, path)
        except UnreadableError as error:
            project.note(f"{path}{f':{error.line}' if error.line else ''} can't be read as YAML: {error}")
            continue
        service = Service(project=project, path=path, top=top)
        found = list(_functions(service))
        functions += found
        region = top.get("provider", "region")
        if found and region is not None:
            regions.append(service.value(region))
        elif found:
            told = "no provider.region: the framework's default"
            regions.append(Value(value=_DEFAULTS["region"], where=path, how=told))
    for path in project.named("serverless.ts", "serverless.js"):
        if not is_test(path):
            project.note(f"{path} is a program, and is not run")
    return Reading(functions=tuple(functions), regions=tuple(regions))


def _functions(service: Service) -> Iterator[FoundFunction]:
    provider = service.top.get("provider") or Node(1)
    name = provider.get("name")
    if name is not None and name.text != "aws":
        return
    try:
        listed = service.node(service.top.get("functions"))
    except UnresolvedError:
        return
    for table in listed.items or [listed]:
        try:
            pairs = service.node(table).pairs
        except UnresolvedError:
            continue
        for label, given in pairs.items():
            try:
                own = service.node(given)
            except UnresolvedError:
                continue
            if own.get("image") is not None:
                service.project.note(f"{service.path}:{own.line}: {label} is a container image, which has no layers")
            elif own.get("handler") is not None:
                yield _function(service, label, provider, own)


def _function(service: Service, label: str, provider: Node, own: Node) -> FoundFunction:
    where = f"{service.path}:{own.line}"
    values = {
        key: service.value(node)
        for name, key in _KEYS.items()
        if (node := own.get(name) or provider.get(name)) is not None
    }
    handler = own.get("handler")
    if handler is not None:
        values["handler"] = service.value(handler)
    values["name"] = _name(service, label, own, where)
    values["source"] = Value(value=".", where=where, how="the service's folder")
    requirements = service.top.get("custom", "pythonRequirements", "fileName")
    if requirements is not None:
        named = service.value(requirements)
        path = joined(posixpath.dirname(service.path), str(named.value)) if named.value else None
        values["requirements"] = replace(named, value=path)
    role = own.get("role") or provider.get("iam", "role")
    if role is not None and role.text:
        values["role_arn"] = service.value(role)
    url = own.get("url")
    if url is not None:
        authorizer = url.get("authorizer")
        iam = authorizer is not None and authorizer.text == "aws_iam"
        kind = "iam" if iam else "public" if url.pairs or url.flag else "none"
        values["url"] = Value(value=kind, where=f"{service.path}:{url.line}", how="url")
    environment: dict[str, Value] = {}
    for properties in (provider, own):
        environment |= _environment(service, properties.get("environment"))
    layers = own.get("layers") or provider.get("layers")
    left = tuple(
        f"{key} ({service.path}:{node.line})"
        for key, node in (
            ("events", own.get("events")),
            ("iam", provider.get("iam", "role", "statements") or provider.get("iamRoleStatements")),
            ("vpc", own.get("vpc") or provider.get("vpc")),
        )
        if node is not None
    )
    return FoundFunction(
        tool="Serverless",
        label=label,
        where=where,
        base=posixpath.dirname(service.path),
        values=values,
        environment=environment,
        layers=tuple(service.value(node) for node in (layers.items if layers else ())),
        defaults=_DEFAULTS,
        left=left,
    )


def _environment(service: Service, table: Node | None) -> dict[str, Value]:
    try:
        pairs = service.node(table).pairs
    except UnresolvedError:
        return {}
    return {key: service.value(node) for key, node in pairs.items()}


def _name(service: Service, label: str, own: Node, where: str) -> Value:
    """The function's name: its own, or the framework's `service-stage-function`."""
    given = own.get("name")
    if given is not None:
        value = service.value(given)
        told = f"this is its key; its name is {value.how}"
        return value if value.value is not None else Value(value=label, where=value.where, how=told, sure=False)
    named = service.top.get("service", "name") or service.top.get("service")
    try:
        name = service.node(named).text
        stage = service.node(Node(0, text="${sls:stage}", plain=True)).text
    except UnresolvedError:
        return Value(value=label, where=where, how="this is its key; the service's name is not said", sure=False)
    return Value(value=f"{name}-{stage}-{label}", where=where, how="service-stage-function")
