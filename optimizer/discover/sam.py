"""SAM and CloudFormation templates, and samconfig.toml → the functions that they describe."""

from __future__ import annotations

import posixpath
import re
import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from optimizer.discover.files import is_test, joined, line_of
from optimizer.discover.intrinsics import Template, written
from optimizer.discover.values import FoundFunction, Reading, Value
from optimizer.discover.yaml_nodes import Node, UnreadableError, parse_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optimizer.discover.files import Project

_NAMES = ("template.yaml", "template.yml", "template.json", "sam.yaml", "sam.yml", "cloudformation.yaml")
_ENDINGS = ("*.template", "*.template.yaml", "*.template.yml", "*.template.json")
_SERVERLESS = "AWS::Serverless::Function"
_TYPES = (_SERVERLESS, "AWS::Lambda::Function")
_KEYS = {
    "name": ("FunctionName",),
    "handler": ("Handler",),
    "runtime": ("Runtime",),
    "memory_mb": ("MemorySize",),
    "timeout_seconds": ("Timeout",),
    "role_arn": ("Role",),
}
_DEFAULTS = {"memory_mb": 128, "timeout_seconds": 3, "architecture": "x86_64"}
"""What Lambda takes where a template says nothing (CloudFormation's reference of AWS::Lambda::Function)."""
_URLS = {"NONE": "public", "AWS_IAM": "iam"}


def read_sam(project: Project) -> Reading:
    """The functions of the templates there are; regions from samconfig.toml.

    Raises:
        UsageError: there is one, and the library that reads it is missing.
    """
    functions: list[FoundFunction] = []
    regions: list[Value] = []
    others: list[Value] = []
    for path in project.named(*_NAMES, *_ENDINGS):
        text = project.text(path)
        if text is None or is_test(path) or "AWS::" not in text:
            continue
        try:
            top = parse_yaml(text, path)
        except UnreadableError as error:
            project.note(f"{path}{f':{error.line}' if error.line else ''} can't be read as YAML: {error}")
            continue
        given, own, other = _samconfig(project, posixpath.dirname(path))
        template = Template(path=path, top=top, given=given)
        found = list(_functions(template, project))
        if found:
            functions += found
            regions += own
            others += other
    return Reading(functions=tuple(functions), regions=tuple(regions), other_regions=tuple(others))


def _functions(template: Template, project: Project) -> Iterator[FoundFunction]:
    resources = template.top.get("Resources")
    shared = template.top.get("Globals", "Function") or Node(1)
    for name, resource in resources.pairs.items() if resources else ():
        kind = resource.get("Type")
        if kind is None or kind.text not in _TYPES:
            continue
        own = resource.get("Properties") or Node(resource.line)
        layers = [shared, own] if kind.text == _SERVERLESS else [own]
        where = f"{template.path}:{resource.line}"
        packaging = _last(layers, "PackageType")
        if (packaging is not None and packaging.text == "Image") or own.get("ImageUri"):
            project.note(f"{where}: {name} is a container image, which has no layers")
            continue
        yield _function(template, name, layers, where)


def _function(template: Template, label: str, layers: list[Node], where: str) -> FoundFunction:
    values = {key: template.value(node) for key, names in _KEYS.items() if (node := _last(layers, *names)) is not None}
    named = values.get("name")
    if named is None or named.value is None:
        told = named.how if named else "CloudFormation makes it of the stack's name"
        told = f"this is its logical id; its name is not said ({told})"
        values["name"] = Value(value=label, where=named.where if named else where, how=told, sure=False)
    architectures = _last(layers, "Architectures")
    if architectures is not None and architectures.items:
        values["architecture"] = template.value(architectures.items[0])
    code = _last(layers, "CodeUri") or _last(layers, "Code")
    inline = _last(layers, "InlineCode")
    if inline is not None:
        values["source"] = Value(value=None, where=f"{template.path}:{inline.line}", how="InlineCode")
    elif code is not None:
        values["source"] = template.value(code)
    url = _last(layers, "FunctionUrlConfig", "AuthType")
    if url is not None:
        auth = template.value(url)
        values["url"] = Value(value=_URLS.get(auth.value), where=auth.where, how=f"AuthType {auth.value or auth.how}")
    environment: dict[str, Value] = {}
    attached: list[Value] = []
    for properties in layers:
        variables = properties.get("Environment", "Variables")
        environment |= {k: template.value(v) for k, v in (variables.pairs if variables else {}).items()}
        listed = properties.get("Layers")
        for node in listed.items if listed else ():
            attached.append(template.value(node))
            own = _layer_requirements(template, written(node).removeprefix("!Ref "))
            if own is not None:
                values["layer_requirements"] = own
    left = tuple(
        f"{key} ({template.path}:{node.line})"
        for key in ("Policies", "Events", "VpcConfig", "DeadLetterQueue")
        if (node := _last(layers, key)) is not None
    )
    return FoundFunction(
        tool="SAM" if len(layers) > 1 else "CloudFormation",
        label=label,
        where=where,
        base=posixpath.dirname(template.path),
        values=values,
        environment=environment,
        layers=tuple(attached),
        defaults=_DEFAULTS,
        left=left,
    )


def _layer_requirements(template: Template, label: str) -> Value | None:
    """The requirements file of a layer that the template makes of a folder, relative to the project."""
    content = template.top.get("Resources", label, "Properties", "ContentUri")
    if content is None:
        return None
    found = template.value(content)
    folder = joined(posixpath.dirname(template.path), str(found.value)) if found.value else None
    return replace(found, value=posixpath.join(folder, "requirements.txt")) if folder else None


def _last(layers: list[Node], *keys: str) -> Node | None:
    """The node under those keys, the function's own before the shared one."""
    return next((node for layer in reversed(layers) if (node := layer.get(*keys)) is not None), None)


def _samconfig(project: Project, folder: str) -> tuple[dict[str, str], list[Value], list[Value]]:
    """What samconfig.toml sets: parameters by name, the default environment's regions, and those of the others."""
    path = posixpath.join(folder, "samconfig.toml")
    text = project.text(path) if project.has(path) else None
    if text is None:
        return {}, [], []
    try:
        tables = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        project.note(f"{path} can't be read as TOML: {error}")
        return {}, [], []
    given: dict[str, str] = {}
    regions: dict[str, list[Value]] = {"default": [], "": []}
    for environment, commands in tables.items():
        for command, table in commands.items() if isinstance(commands, dict) else ():
            parameters = table.get("parameters") if isinstance(table, dict) else None
            if not isinstance(parameters, dict) or command not in {"global", "deploy"}:
                continue
            region = parameters.get("region")
            if isinstance(region, str):
                line = line_of(text, f"[{environment}.{command}", "region", region)
                found = Value(value=region, where=f"{path}:{line}", how=f"{environment}.{command}")
                regions["default" if environment == "default" else ""].append(found)
            if environment == "default":
                given |= _parameters(parameters)
    if regions["default"]:
        given["AWS::Region"] = regions["default"][0].value
    return given, regions["default"], regions[""]


def _parameters(table: dict[str, Any]) -> dict[str, str]:
    """`parameter_overrides` (one text or a list of them), and the stack's name."""
    overrides = table.get("parameter_overrides", "")
    words = overrides if isinstance(overrides, str) else " ".join(map(str, overrides)) if overrides else ""
    pairs = re.findall(r"""([A-Za-z0-9]+)=("[^"]*"|\S+)""", words)
    given = {name: value.strip('"') for name, value in pairs}
    if isinstance(table.get("stack_name"), str):
        given["AWS::StackName"] = table["stack_name"]
    return given
