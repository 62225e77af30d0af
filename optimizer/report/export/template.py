"""What the formats that end as a CloudFormation template share: layers' places, roles, permissions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from optimizer.report.export.model import ALIAS
from optimizer.report.export.yaml_text import Noted, Tag, attribute, ref

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optimizer.report.export.model import Export, Exported, Layer

TRUST: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}
"""Lambda alone may assume a function's role."""
LOGS = "service-role/AWSLambdaBasicExecutionRole"
"""The managed policy that lets a function write its logs."""
DYNAMIC = "{{resolve:"
"""How CloudFormation's dynamic references begin, which it replaces wherever they stand, with no way to escape them."""
BOTH = "URLs made since October 2025 need both permissions: to call the URL, and the function through it."
"""Why a public URL has two permissions."""
_BASIC = Tag(name="Sub", value=f"arn:${{AWS::Partition}}:iam::aws:policy/{LOGS}")


def text(value: str) -> str | Tag:
    """A text as CloudFormation takes it for itself; `${...}` alone looks like a forgotten !Sub to its linters."""
    if "${" not in value:
        return value
    parts = re.split(r"(?<=\$)(?=\{)", value)
    return Tag(name="Join", value=["", parts])


def texts(values: Mapping[str, str]) -> dict[str, str | Tag]:
    """Variables or tags."""
    return {key: text(value) for key, value in values.items()}


def parameters(export: Export) -> dict[str, Any]:
    """SSM parameters that hold ARNs: CloudFormation reads them anew at each deploy."""
    return {
        f"{layer.id}Layer": Noted(
            note=f"The ARN of {layer.name}, which publish --ssm wrote; read again at each deploy.",
            value={"Type": "AWS::SSM::Parameter::Value<String>", "Default": layer.published.parameter},
        )
        for layer in export.layers
        if layer.published is not None and layer.published.parameter is not None
    }


def mappings(export: Export) -> dict[str, Any]:
    """The published ARNs by region, where there are several regions."""
    found: dict[str, Any] = {}
    for layer in export.layers:
        if layer.published is not None and layer.published.parameter is None and len(layer.published.arns) > 1:
            for region, arn in layer.published.arns.items():
                found.setdefault(region, {})[layer.id] = arn
    return {"LayerArns": found} if found else {}


def layer_arn(layer: Layer) -> str | Tag:
    """How a function names the layer: ours by its resource, a published one by parameter, region or ARN."""
    there = layer.published
    if there is None or there.parameter is not None:
        return ref(f"{layer.id}Layer")
    if len(there.arns) > 1:
        return Tag(name="FindInMap", value=["LayerArns", ref("AWS::Region"), layer.id])
    return next(iter(there.arns.values()))


def attached(one: Exported) -> list[Any]:
    """All layers of a function in attach order."""
    ours: list[Any] = [layer_arn(layer) for layer in one.layers]
    external = [layer.arn for layer in one.given.external_layers]
    if ours:
        ours[0] = Noted(note="In attach order: a later layer's file replaces an earlier one's.", value=ours[0])
    if external:
        external[0] = Noted(note="Not ours, attached as they are.", value=external[0])  # type: ignore[call-overload]
    return [*ours, *external]


def role(one: Exported) -> dict[str, Any]:
    """The role of a function for which none is configured."""
    given = one.given
    properties: dict[str, Any] = {
        "AssumeRolePolicyDocument": TRUST,
        "ManagedPolicyArns": [Noted(note="Write logs.", value=_BASIC)],
    }
    if given.policy is not None:
        properties["Policies"] = [{"PolicyName": "function", "PolicyDocument": given.policy}]
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def role_arn(one: Exported) -> str | Tag:
    """The configured role, or the one that is made."""
    return one.given.role_arn or attribute(f"{one.id}Role", "Arn")


def url_permissions(one: Exported, target: Any) -> dict[str, Any]:
    """What lets anybody call a public URL.

    Args:
        one: the function.
        target: the function or alias that the URL belongs to.
    """
    common = {"FunctionName": target, "Principal": "*"}
    return {
        f"{one.id}UrlPermission": Noted(
            note=BOTH,
            value={
                "Type": "AWS::Lambda::Permission",
                "Properties": {**common, "Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"},
            },
        ),
        f"{one.id}InvokePermission": invoke_permission(common),
    }


def invoke_permission(common: dict[str, Any]) -> dict[str, Any]:
    """The second of them."""
    return {
        "Type": "AWS::Lambda::Permission",
        "Properties": {**common, "Action": "lambda:InvokeFunction", "InvokedViaFunctionUrl": True},
    }


def shares(export: Export, suffix: str = "Layer") -> dict[str, Any]:
    """Who else may attach our layers; a permission is of one version, so a new version gets new ones.

    Args:
        export: what is exported.
        suffix: what stands behind a layer's id in its resource's name.
    """
    if export.share is None:
        return {}
    found: dict[str, Any] = {}
    for layer in export.made:
        common = {"LayerVersionArn": ref(f"{layer.id}{suffix}"), "Action": "lambda:GetLayerVersion"}
        who = {account: {"Principal": account} for account in export.share.accounts}
        if export.share.organization is not None:
            who[export.share.organization] = {"Principal": "*", "OrganizationId": export.share.organization}
        for name, principal in who.items():
            letters = "".join(c for c in name.title() if c.isalnum())
            found[f"{layer.id}For{letters}"] = {
                "Type": "AWS::Lambda::LayerVersionPermission",
                "DeletionPolicy": "Retain",
                "UpdateReplacePolicy": "Retain",
                "Properties": {**common, **principal},
            }
    return found


def outputs(export: Export, urls: Mapping[str, Any]) -> dict[str, Any]:
    """The functions' URLs."""
    return {
        f"{one.id}Url": {"Description": f"Where {one.given.name} is called ({ALIAS})", "Value": urls[one.id]}
        for one in export.functions
        if one.given.url != "none"
    }
