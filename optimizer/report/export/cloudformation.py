"""Export to plain CloudFormation: every resource in sight, zips as local paths for `aws cloudformation package`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optimizer.report.export import template
from optimizer.report.export.heading import about, heading
from optimizer.report.export.model import ALIAS
from optimizer.report.export.yaml_text import Noted, attribute, mapping, ref, spaced

if TYPE_CHECKING:
    from optimizer.report.export.model import Export, Exported, Layer

_DEPLOY = """\
aws cloudformation package --template-file FILE --s3-bucket BUCKET --output-template-file packaged.yaml
aws cloudformation deploy --template-file packaged.yaml --stack-name NAME --capabilities CAPABILITY_IAM"""
_PACKAGED = "Code and Content are local files here, as `aws cloudformation package` takes them."
_KEPT = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}


def cloudformation(export: Export) -> str:
    """The template.

    Raises:
        UsageError: a value can't be written for CloudFormation.
    """
    export.refuse(template.DYNAMIC, "CloudFormation")
    resources: dict[str, Any] = {f"{layer.id}Layer": _layer(layer, export) for layer in export.made}
    resources |= template.shares(export)
    for one in export.functions:
        resources |= _function(one)
    urls = {one.id: attribute(f"{one.id}Url", "FunctionUrl") for one in export.functions}
    sections: dict[str, Any] = {
        "Parameters": template.parameters(export),
        "Mappings": template.mappings(export),
        "Resources": resources,
        "Outputs": template.outputs(export, urls),
    }
    lines = heading(export, _DEPLOY, tells=True)
    lines += mapping(
        {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": f"{export.title} with layers of layer-optimizer",
            "Metadata": {
                "cfn-lint": {"config": {"ignore_checks": [Noted(note=_PACKAGED, value="W3002")]}},
            },
        }
    )
    for name, values in sections.items():
        if values:
            lines += ["", f"{name}:", *spaced(values, 2)]
    return "\n".join(lines) + "\n"


def _layer(layer: Layer, export: Export) -> Noted:
    return Noted(
        note=f"{about(layer)};\nearlier versions stay for whoever still has them attached.",
        value={
            "Type": "AWS::Lambda::LayerVersion",
            **_KEPT,
            "Properties": {
                "LayerName": layer.name,
                "Description": layer.said,
                "Content": layer.path,
                "CompatibleRuntimes": [export.runtime],
                "CompatibleArchitectures": [export.architecture],
            },
        },
    )


def _function(one: Exported) -> dict[str, Any]:
    given = one.given
    found: dict[str, Any] = {}
    if given.role_arn is None:
        found[f"{one.id}Role"] = template.role(one)
    found[f"{one.id}Function"] = {"Type": "AWS::Lambda::Function", "Properties": _properties(one)}
    version = f"{one.id}Version{one.digest}"
    found[version] = Noted(
        note="A version never changes: what is built anew has a new one, by the digits of this name.",
        value={
            "Type": "AWS::Lambda::Version",
            **_KEPT,
            "Properties": {"FunctionName": ref(f"{one.id}Function"), "Description": one.said},
        },
    )
    found[f"{one.id}Alias"] = Noted(
        note="Callers call this alias: a whole version at every moment.",
        value={
            "Type": "AWS::Lambda::Alias",
            "Properties": {
                "FunctionName": ref(f"{one.id}Function"),
                "FunctionVersion": attribute(version, "Version"),
                "Name": ALIAS,
            },
        },
    )
    if given.url != "none":
        found[f"{one.id}Url"] = {
            "Type": "AWS::Lambda::Url",
            "DependsOn": f"{one.id}Alias",
            "Properties": {
                "TargetFunctionArn": ref(f"{one.id}Function"),
                "Qualifier": ALIAS,
                "AuthType": "NONE" if given.url == "public" else "AWS_IAM",
            },
        }
    if given.url == "public":
        found |= template.url_permissions(one, ref(f"{one.id}Alias"))
    return found


def _properties(one: Exported) -> dict[str, Any]:
    given = one.given
    found: dict[str, Any] = {
        "FunctionName": given.name,
        "Description": one.said,
        "Code": one.path,
        "Handler": given.handler,
        "Runtime": given.runtime,
        "Architectures": [given.architecture],
        "MemorySize": given.memory_mb,
        "Timeout": given.timeout_seconds,
        "Role": template.role_arn(one),
    }
    if layers := template.attached(one):
        found["Layers"] = layers
    if given.environment:
        found["Environment"] = {"Variables": template.texts(given.environment)}
    if given.tags:
        found["Tags"] = [{"Key": key, "Value": template.text(value)} for key, value in given.tags.items()]
    return found
