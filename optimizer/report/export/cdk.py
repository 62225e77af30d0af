"""Export to the AWS CDK: an app of one stack in Python, which reads at each synthesis what was built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optimizer.report.export.heading import about, heading
from optimizer.report.export.model import ALIAS
from optimizer.report.export.python_text import Call, Code, statement, text
from optimizer.report.export.template import DYNAMIC
from optimizer.report.export.yaml_text import Noted

if TYPE_CHECKING:
    from optimizer.report.export.model import Export, Exported, Layer

_TOKEN = "${Token["  # noqa: S105  how the CDK marks places in texts
_LINE = 88
"""Where formatters break lines unless they are told otherwise."""
_DEPLOY = 'cdk deploy --app "python FILE"'
_FLAG = "So that a version of a function is made for a changed layer too (a flag, for the sake of older apps)."
_TOLD = "So that a version is made for a layer that was published anew: the CDK does not see its ARN."
_RETAIN = Code(text="RemovalPolicy.RETAIN")
_READ = "What `python -m optimizer build` wrote, read at each synthesis: fingerprints tell what a layer holds."
_FINGERPRINTS = """\
FINGERPRINTS = {
    artifact["name"]: artifact["fingerprint"]
    for artifact in json.loads((BUILD / "manifest.json").read_text("utf-8"))["artifacts"]
    if artifact["kind"] == "layer"
}"""


def cdk(export: Export) -> str:
    """The text of the app's Python file.

    Raises:
        UsageError: a value can't be written for the CDK.
    """
    export.refuse(DYNAMIC, "CloudFormation")
    export.refuse(_TOKEN, "The CDK")
    tells = any(layer.published for layer in export.layers)
    lines = [*heading(export, _DEPLOY, tells=tells), *_imports(export), ""]
    folder = Code(text=f"Path(__file__).parent / {text(export.folder)}")
    lines += statement("BUILD", folder, 0, _READ if export.made else "What `python -m optimizer build` wrote.")
    if export.made:
        lines += _FINGERPRINTS.splitlines()
    name = "LayeredStack"
    lines += [
        "",
        "",
        f"class {name}(Stack):",
        '    """Layers as layer-optimizer split them, and what they are attached to."""',
        "",
        "    def __init__(self, scope: Construct, construct_id: str, **options: Any) -> None:",
        "        super().__init__(scope, construct_id, **options)",
        f"        # {_FLAG}",
        '        self.node.set_context("@aws-cdk/aws-lambda:recognizeLayerVersion", True)',
        *_arns(export),
    ]
    for layer in export.layers:
        lines += ["", *_layer(layer, export)]
    for one in export.functions:
        lines += ["", *_function(one)]
    lines += ["", "", "app = App()", *_stack(export, name), "app.synth()"]
    return "\n".join(lines) + "\n"


def _imports(export: Export) -> list[str]:
    names = ["App", "Duration", "RemovalPolicy", "Stack"]
    names += ["Aws", "CfnMapping"] if _regional(export) else []
    names += ["CfnOutput"] if any(one.given.url != "none" for one in export.functions) else []
    names += ["Tags"] if any(one.given.tags for one in export.functions) else []
    policies = any(one.given.role_arn is not None or one.given.policy is not None for one in export.functions)
    parameters = any(layer.published and layer.published.parameter for layer in export.layers)
    lines = ["import json"] if export.made else []
    lines += ["from pathlib import Path", "from typing import Any", ""]
    names.sort(key=str.lower)
    line = f"from aws_cdk import {', '.join(names)}"
    lines += [line] if len(line) <= _LINE else ["from aws_cdk import (", *(f"    {name}," for name in names), ")"]
    lines += ["from aws_cdk import aws_iam as iam"] if policies else []
    lines += ["from aws_cdk import aws_lambda as lambda_"]
    lines += ["from aws_cdk import aws_ssm as ssm"] if parameters else []
    return ["", *lines, "from constructs import Construct"]


def _regional(export: Export) -> dict[str, dict[str, str]]:
    """The published ARNs by region and layer, where there are several regions."""
    found: dict[str, dict[str, str]] = {}
    for layer in export.layers:
        if layer.published is not None and layer.published.parameter is None and len(layer.published.arns) > 1:
            for region, arn in layer.published.arns.items():
                found.setdefault(region, {})[layer.id] = arn
    return found


def _arns(export: Export) -> list[str]:
    if not (found := _regional(export)):
        return []
    call = Call(name="CfnMapping", arguments=[Code(text="self"), "LayerArns"], options={"mapping": found})
    return ["", *statement("arns", call, 8, "As published, by region.")]


def _layer(layer: Layer, export: Export) -> list[str]:
    target, there = f"{layer.snake}_layer", layer.published
    if there is None:
        options = {
            "layer_version_name": layer.name,
            "description": Code(text=f'"lo1 " + FINGERPRINTS[{text(layer.name)}]'),
            "code": Code(text=f"lambda_.Code.from_asset(str(BUILD / {text(layer.file)}))"),
            "compatible_runtimes": Code(text=f"[{_runtime(export.runtime)}]"),
            "compatible_architectures": Code(text=f"[{_architecture(export.architecture)}]"),
            "removal_policy": Noted(note="Earlier versions stay for whoever still has them attached.", value=_RETAIN),
        }
        made = Call(name="lambda_.LayerVersion", arguments=[Code(text="self"), f"{layer.id}Layer"], options=options)
        return [*statement(target, made, 8, about(layer)), *_shares(target, export)]
    arn: Any = next(iter(there.arns.values()))
    if there.parameter is not None:
        arn = Code(text=f"ssm.StringParameter.value_for_string_parameter(self, {text(there.parameter)})")
    elif len(there.arns) > 1:
        arn = Code(text=f"arns.find_in_map(Aws.REGION, {text(layer.id)})")
    name = "lambda_.LayerVersion.from_layer_version_arn"
    made = Call(name=name, arguments=[Code(text="self"), f"{layer.id}Layer", arn], options={})
    return statement(target, made, 8, f"Published by layer-optimizer: {layer.said}")


def _shares(target: str, export: Export) -> list[str]:
    if export.share is None:
        return []
    who: list[tuple[str, dict[str, str]]] = [(account, {"account_id": account}) for account in export.share.accounts]
    if export.share.organization is not None:
        who.append((export.share.organization, {"account_id": "*", "organization_id": export.share.organization}))
    lines: list[str] = []
    for name, options in who:
        call = Call(name=f"{target}.add_permission", arguments=[f"For{name.title().replace('-', '')}"], options=options)
        lines += statement("", call, 8)
    return lines


def _runtime(runtime: str) -> str:
    return f"lambda_.Runtime.{runtime.replace('python', 'python_').replace('.', '_').upper()}"


def _architecture(architecture: str) -> str:
    return f"lambda_.Architecture.{architecture.upper().replace('ARM64', 'ARM_64')}"


def _function(one: Exported) -> list[str]:
    given, target = one.given, one.snake
    layers: list[Any] = [Code(text=f"{layer.snake}_layer") for layer in one.layers]
    if layers:
        layers[0] = Noted(note="In attach order: a later layer's file replaces an earlier one's.", value=layers[0])
    for number, external in enumerate(given.external_layers):
        arguments = [Code(text="self"), f"{one.id}External{number + 1}", external.arn]
        found = Call(name="lambda_.LayerVersion.from_layer_version_arn", arguments=arguments, options={})
        layers.append(found if number else Noted(note="Not ours, attached as they are.", value=found))
    options: dict[str, Any] = {
        "function_name": given.name,
        "code": Code(text=f"lambda_.Code.from_asset(str(BUILD / {text(one.file)}))"),
        "handler": given.handler,
        "runtime": Code(text=_runtime(given.runtime)),
        "architecture": Code(text=_architecture(given.architecture)),
        "memory_size": given.memory_mb,
        "timeout": Code(text=f"Duration.seconds({given.timeout_seconds})"),
        "layers": layers,
        "environment": given.environment,
        "description": None,
        "current_version_options": Call(name="lambda_.VersionOptions", options={"removal_policy": _RETAIN}),
    }
    if given.role_arn is not None:
        role = Call(
            name="iam.Role.from_role_arn",
            arguments=[Code(text="self"), f"{one.id}Role", given.role_arn],
            options={},
        )
        options["role"] = role
    if any(layer.published for layer in one.layers):
        options["description"] = Noted(note=_TOLD, value=one.said)
    kept = {key: value for key, value in options.items() if value not in ([], {}, None)}
    made = Call(name="lambda_.Function", arguments=[Code(text="self"), f"{one.id}Function"], options=kept)
    lines = statement(target, made, 8)
    if given.role_arn is None and given.policy is not None:
        lines += _policy(one)
    for key, value in given.tags.items():
        lines.append(f"        Tags.of({target}).add({text(key)}, {text(value)})")
    return [*lines, *_alias(one)]


def _policy(one: Exported) -> list[str]:
    document = Call(name="iam.PolicyDocument.from_json", arguments=[one.given.policy], options={})
    made = Call(
        name="iam.Policy",
        arguments=[Code(text="self"), f"{one.id}Policy"],
        options={
            "document": document,
            "roles": Code(text=f"[{one.snake}.role]"),
        },
    )
    return statement("", made, 8, "What it may do beside writing logs.")


def _alias(one: Exported) -> list[str]:
    options = {"alias_name": ALIAS, "version": Code(text=f"{one.snake}.current_version")}
    made = Call(name="lambda_.Alias", arguments=[Code(text="self"), f"{one.id}Alias"], options=options)
    note = "Callers call this alias: a whole version at every moment."
    if one.given.url == "none":
        return statement("", made, 8, note)
    lines = statement(f"{one.snake}_live", made, 8, note)
    public = one.given.url == "public"
    kind = Code(text=f"lambda_.FunctionUrlAuthType.{'NONE' if public else 'AWS_IAM'}")
    call = Call(name=f"{one.snake}_live.add_function_url", options={"auth_type": kind})
    lines += statement(
        f"{one.snake}_url", call, 8, "Anybody may call it; the CDK adds both permissions that needs." if public else ""
    )
    output = Call(
        name="CfnOutput",
        arguments=[Code(text="self"), f"{one.id}Url"],
        options={"value": Code(text=f"{one.snake}_url.url")},
    )
    return [*lines, *statement("", output, 8)]


def _stack(export: Export, name: str) -> list[str]:
    first = export.functions[0].given
    words = "".join(c if c.isascii() and c.isalnum() else "-" for c in first.name).strip("-")
    title = words if words[:1].isalpha() else f"stack-{words}".rstrip("-")
    options = {"env": {"region": first.regions[0]}} if len(export.regions) == 1 else {}
    made = Call(name=name, arguments=[Code(text="app"), title], options=options)
    return statement("", made, 0)
