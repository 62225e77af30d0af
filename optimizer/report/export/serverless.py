"""Export to the Serverless Framework: its layers and functions, and roles that it has no short form of."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from optimizer.errors import UsageError
from optimizer.report.export import template
from optimizer.report.export.heading import about, heading
from optimizer.report.export.yaml_text import Noted, mapping, ref, spaced

if TYPE_CHECKING:
    from optimizer.report.export.model import Export, Exported, Layer

_DEPLOY = "serverless deploy --config FILE"
_RETAIN = (
    "Earlier versions of layers stay for whoever still has them attached. `retain: true` would do that too,\n"
    "and rename the resource, so that functions of this file could not refer to it."
)
_BESIDE = f"{template.BOTH} Serverless 3 adds the first alone."
_LATEST = (
    "Serverless gives a URL to $LATEST, not to an alias: a deploy that changes code and layers has\n"
    "a moment between, which callers may see."
)


def serverless(export: Export) -> str:
    """The text of serverless.yml.

    Raises:
        UsageError: a value can't be written for CloudFormation.
    """
    export.refuse(template.DYNAMIC, "CloudFormation")
    first = export.functions[0].given
    head: dict[str, Any] = {
        "service": _service(first.name),
        "frameworkVersion": "3 || 4",
        "provider": {
            "name": "aws",
            "runtime": export.runtime,
            "architecture": export.architecture,
            "region": first.regions[0],
        },
    }
    sections: dict[str, Any] = {
        "custom": _arns(export),
        "layers": {_key(layer.id): _layer(layer, export) for layer in export.made},
        "functions": {_key(one.id): _function(one) for one in export.functions},
    }
    resources, extensions = _resources(export), _extensions(export)
    lines = [*heading(export, _DEPLOY, tells=True), *mapping(head)]
    for name, values in sections.items():
        if values:
            lines += ["", f"{name}:", *spaced(values, 2)]
    if resources or extensions:
        lines += ["", "resources:"]
    if resources:
        lines += ["  Resources:", *spaced(resources, 4)]
    if extensions:
        lines += [*([""] if resources else []), *mapping({"extensions": Noted(note=_RETAIN, value=extensions)}, 2)]
    return "\n".join(lines) + "\n"


def literal(value: str) -> str:
    r"""A text in which Serverless resolves nothing: `\${` is its escape, and each backslash before it is doubled.

    Raises:
        UsageError: the text has a dollar right before, which its parser takes the escape for.
    """
    if "$${" in value:
        raise UsageError(
            f"Serverless has no way to write {value!r} as it is, because of '$${{'",
            mend="Change that value in config/layers.toml and build again, or deploy with `deploy`.",
        )
    return re.sub(r"(\\*)\$\{", lambda found: f"{found[1] * 2}\\${{", value)


def _policy(value: Any) -> Any:
    """A policy whose own variables, `${aws:username}` say, neither Serverless nor CloudFormation takes for theirs."""
    if isinstance(value, dict):
        return {key: _policy(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_policy(one) for one in value]
    return template.text(value) if isinstance(value, str) else value


def _service(name: str) -> str:
    """A stack's name: letters, digits and hyphens, a letter first."""
    words = "-".join(re.findall(r"[A-Za-z0-9]+", name))
    return words if words[:1].isalpha() else f"service-{words}".rstrip("-")


def _key(identifier: str) -> str:
    return identifier[:1].lower() + identifier[1:]


def _arns(export: Export) -> dict[str, Any]:
    found = template.mappings(export)
    return {"layerArns": Noted(note="As published, by region.", value=found["LayerArns"])} if found else {}


def _layer(layer: Layer, export: Export) -> Noted:
    return Noted(
        note=about(layer),
        value={
            "name": literal(layer.name),
            "description": literal(layer.said),
            "package": {"artifact": literal(layer.path)},
            "compatibleRuntimes": [export.runtime],
            "compatibleArchitectures": [export.architecture],
        },
    )


def _attached(one: Exported) -> list[Any]:
    found: list[Any] = []
    for layer in one.layers:
        there = layer.published
        if there is None:
            found.append(ref(f"{layer.id}LambdaLayer"))
        elif there.parameter is not None:
            found.append(f"${{ssm:{there.parameter}}}")
        elif len(there.arns) > 1:
            found.append(f"${{self:custom.layerArns.${{aws:region}}.{layer.id}}}")
        else:
            found.append(next(iter(there.arns.values())))
    if found:
        found[0] = Noted(note="In attach order: a later layer's file replaces an earlier one's.", value=found[0])
    return [*found, *(literal(layer.arn) for layer in one.given.external_layers)]


def _function(one: Exported) -> dict[str, Any]:
    given = one.given
    found: dict[str, Any] = {
        "name": literal(given.name),
        "description": one.said,
        "handler": literal(given.handler),
        "package": {"artifact": literal(one.path)},
        "memorySize": given.memory_mb,
        "timeout": given.timeout_seconds,
        "role": literal(given.role_arn) if given.role_arn else f"{one.id}Role",
    }
    if layers := _attached(one):
        found["layers"] = layers
    if given.environment:
        found["environment"] = template.texts(given.environment)
    if given.tags:
        found["tags"] = {key: literal(value) for key, value in given.tags.items()}
    if given.url != "none":
        found["url"] = Noted(note=_LATEST, value={"authorizer": "aws_iam"} if given.url == "iam" else True)
    return found


def _resources(export: Export) -> dict[str, Any]:
    found: dict[str, Any] = template.shares(export, suffix="LambdaLayer")
    for one in export.functions:
        if one.given.role_arn is None:
            made = replace(one, given=replace(one.given, policy=_policy(one.given.policy)))
            found[f"{one.id}Role"] = template.role(made)
        if one.given.url == "public":
            common = {"FunctionName": ref(f"{one.id}LambdaFunction"), "Principal": "*"}
            found[f"{one.id}InvokePermission"] = Noted(note=_BESIDE, value=template.invoke_permission(common))
    return found


def _extensions(export: Export) -> dict[str, Any]:
    kept = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    return {f"{layer.id}LambdaLayer": kept for layer in export.made}
