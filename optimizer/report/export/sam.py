"""Export to AWS SAM: short resources that its transform makes layer versions, versions, alias and role of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optimizer.report.export import template
from optimizer.report.export.heading import about, heading
from optimizer.report.export.model import ALIAS
from optimizer.report.export.yaml_text import Noted, attribute, mapping, spaced

if TYPE_CHECKING:
    from optimizer.report.export.model import Export, Exported, Layer

_DEPLOY = "sam deploy --guided --template-file FILE"
_NO_BUILD = "There is no `sam build` between: the zips are what is deployed."
_NEW_VERSION = (
    "A new version whenever anything changes, not code alone. SAM does not see that a layer changed;\n"
    "the fingerprints in Description tell it."
)


def sam(export: Export) -> str:
    """The template.

    Raises:
        UsageError: a value can't be written for CloudFormation.
    """
    export.refuse(template.DYNAMIC, "CloudFormation")
    resources: dict[str, Any] = {f"{layer.id}Layer": _layer(layer, export) for layer in export.made}
    resources |= template.shares(export)
    resources |= {f"{one.id}Function": _function(one) for one in export.functions}
    urls = {one.id: attribute(f"{one.id}FunctionUrl", "FunctionUrl") for one in export.functions}
    sections: dict[str, Any] = {
        "Parameters": template.parameters(export),
        "Mappings": template.mappings(export),
        "Resources": resources,
        "Outputs": template.outputs(export, urls),
    }
    lines = heading(export, _DEPLOY, tells=True, note=_NO_BUILD)
    lines += mapping(
        {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Transform": "AWS::Serverless-2016-10-31",
            "Description": f"{export.title} with layers of layer-optimizer",
        }
    )
    for name, values in sections.items():
        if values:
            lines += ["", f"{name}:", *spaced(values, 2)]
    return "\n".join(lines) + "\n"


def _layer(layer: Layer, export: Export) -> Noted:
    properties = {
        "LayerName": layer.name,
        "Description": layer.said,
        "ContentUri": layer.path,
        "CompatibleRuntimes": [export.runtime],
        "CompatibleArchitectures": [export.architecture],
        "RetentionPolicy": Noted(note="Earlier versions stay for whoever still has them attached.", value="Retain"),
    }
    return Noted(note=about(layer), value={"Type": "AWS::Serverless::LayerVersion", "Properties": properties})


def _function(one: Exported) -> dict[str, Any]:
    given = one.given
    properties: dict[str, Any] = {
        "FunctionName": given.name,
        "Description": one.said,
        "CodeUri": one.path,
        "Handler": given.handler,
        "Runtime": given.runtime,
        "Architectures": [given.architecture],
        "MemorySize": given.memory_mb,
        "Timeout": given.timeout_seconds,
        "Layers": template.attached(one),
        "Environment": {"Variables": template.texts(given.environment)},
        "Tags": template.texts(given.tags),
        "Role": given.role_arn,
        "Policies": Noted(note="Beside writing logs, which SAM allows by itself.", value=[given.policy]),
        "AutoPublishAlias": Noted(note="Callers call this alias: a whole version at every moment.", value=ALIAS),
        "AutoPublishAliasAllProperties": Noted(note=_NEW_VERSION, value=True),
        "FunctionUrlConfig": _url(one),
    }
    absent = [
        *(["Layers"] if not one.layers and not given.external_layers else []),
        *(["Environment"] if not given.environment else []),
        *(["Tags"] if not given.tags else []),
        *(["Role"] if given.role_arn is None else ["Policies"]),
        *(["Policies"] if given.policy is None else []),
        *(["FunctionUrlConfig"] if given.url == "none" else []),
    ]
    kept = {key: value for key, value in properties.items() if key not in absent}
    return {"Type": "AWS::Serverless::Function", "Properties": kept}


def _url(one: Exported) -> Any:
    if one.given.url == "public":
        return Noted(note="Anybody may call it; SAM adds both permissions that needs.", value={"AuthType": "NONE"})
    return {"AuthType": "AWS_IAM"}
