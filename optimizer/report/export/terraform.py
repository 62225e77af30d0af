"""Export to Terraform: a file of resources that reads at each plan what was built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optimizer.deploy.planning.sharing import OURS
from optimizer.deploy.wanted import STATEMENTS, role_name
from optimizer.report.export.hcl_text import Block, Call, Expression, block, text
from optimizer.report.export.heading import about, heading
from optimizer.report.export.model import ALIAS
from optimizer.report.export.template import BOTH, LOGS, TRUST
from optimizer.report.export.yaml_text import Noted

if TYPE_CHECKING:
    from optimizer.report.export.model import Export, Exported, Layer

_DEPLOY = "terraform apply"
_PROVIDER = (
    "hashicorp/aws 6.28 or newer knows the second. It grants the like when it makes a URL, outside of its state;\n"
    "these are seen in plans and taken back."
)
_READ = "What `python -m optimizer build` wrote, read at each plan: fingerprints tell what a layer holds."


def terraform(export: Export) -> str:
    """The text of the .tf file."""
    blocks = [*_locals(export), *(_layer(layer, export) for layer in export.made)]
    blocks += _shares(export)
    blocks += [_parameter(layer) for layer in export.layers if layer.published and layer.published.parameter]
    if any(one.given.role_arn is None for one in export.functions):
        blocks.append(block("data", ["aws_partition", "current"], {}))
    if _regional(export):
        blocks.append(block("data", ["aws_region", "current"], {}, "hashicorp/aws 6 or newer: its region."))
    for one in export.functions:
        blocks += _function(one)
    tells = any(layer.published and not layer.published.parameter for layer in export.layers)
    parts = ["\n".join(heading(export, _DEPLOY, tells=tells)), *("\n".join(lines) for lines in blocks)]
    return "\n\n".join(parts).replace("{\n}", "{}") + "\n"


def _build(name: str) -> str:
    """The text of an expression for a file of the build."""
    return f'"${{local.build}}/{text(name)[1:-1]}"'


def _regional(export: Export) -> list[Layer]:
    found = [layer for layer in export.layers if layer.published and not layer.published.parameter]
    return [layer for layer in found if layer.published and len(layer.published.arns) > 1]


def _locals(export: Export) -> list[list[str]]:
    body: dict[str, Any] = {"build": Expression(text=f'"${{path.module}}/{text(export.folder)[1:-1]}"')}
    if export.made:
        found = 'for one in local.manifest.artifacts : one.name => one.fingerprint if one.kind == "layer"'
        body["manifest"] = Expression(text=f"jsondecode(file({_build('manifest.json')}))")
        body["fingerprints"] = Expression(text=f"{{ {found} }}")
    if regional := _regional(export):
        arns = {layer.name: layer.published.arns for layer in regional if layer.published}
        body["layer_arns"] = Noted(note="As published, by layer and region.", value=arns)
    return [block("locals", [], body, _READ if export.made else "What `python -m optimizer build` wrote.")]


def _layer(layer: Layer, export: Export) -> list[str]:
    file = _build(layer.file)
    body = {
        "layer_name": layer.name,
        "description": Expression(text=f'"lo1 ${{local.fingerprints[{text(layer.name)}]}}"'),
        "filename": Expression(text=file),
        "source_code_hash": Expression(text=f"filebase64sha256({file})"),
        "compatible_runtimes": [export.runtime],
        "compatible_architectures": [export.architecture],
        "skip_destroy": Noted(note="Earlier versions stay for whoever still has them attached.", value=True),
    }
    return block("resource", ["aws_lambda_layer_version", layer.snake], body, about(layer))


def _shares(export: Export) -> list[list[str]]:
    share = export.share
    if share is None:
        return []
    who: list[tuple[str, dict[str, Any]]] = [(account, {"principal": account}) for account in share.accounts]
    if share.organization is not None:
        who.append((share.organization, {"principal": "*", "organization_id": share.organization}))
    return [
        block(
            "resource",
            ["aws_lambda_layer_version_permission", f"{layer.snake}_for_{name.replace('-', '_')}"],
            {
                "layer_name": Expression(text=f"aws_lambda_layer_version.{layer.snake}.layer_name"),
                "version_number": Expression(text=f"aws_lambda_layer_version.{layer.snake}.version"),
                "statement_id": f"{OURS}{name}",
                "action": "lambda:GetLayerVersion",
                **principal,
                "skip_destroy": True,
            },
        )
        for layer in export.made
        for name, principal in who
    ]


def _parameter(layer: Layer) -> list[str]:
    name = layer.published.parameter if layer.published else None
    note = f"The ARN of {layer.name}, which publish --ssm wrote; read again at each plan."
    return block("data", ["aws_ssm_parameter", f"{layer.snake}_layer"], {"name": name}, note)


def _arn(layer: Layer) -> Any:
    there = layer.published
    if there is None:
        return Expression(text=f"aws_lambda_layer_version.{layer.snake}.arn")
    if there.parameter is not None:
        return Expression(text=f"data.aws_ssm_parameter.{layer.snake}_layer.insecure_value")
    if len(there.arns) > 1:
        return Expression(text=f"local.layer_arns[{text(layer.name)}][data.aws_region.current.region]")
    return next(iter(there.arns.values()))


def _attached(one: Exported) -> list[Any]:
    ours: list[Any] = [_arn(layer) for layer in one.layers]
    external: list[Any] = [layer.arn for layer in one.given.external_layers]
    if ours:
        ours[0] = Noted(note="In attach order: a later layer's file replaces an earlier one's.", value=ours[0])
    if external:
        external[0] = Noted(note="Not ours, attached as they are.", value=external[0])
    return [*ours, *external]


def _function(one: Exported) -> list[list[str]]:
    given, file = one.given, _build(one.file)
    role: Any = given.role_arn or Expression(text=f"aws_iam_role.{one.snake}.arn")
    body: dict[str, Any] = {
        "function_name": given.name,
        "filename": Expression(text=file),
        "source_code_hash": Expression(text=f"filebase64sha256({file})"),
        "handler": given.handler,
        "runtime": given.runtime,
        "architectures": [given.architecture],
        "memory_size": given.memory_mb,
        "timeout": given.timeout_seconds,
        "role": role,
        "publish": Noted(note="A version whenever code, layers or settings change.", value=True),
    }
    if layers := _attached(one):
        body["layers"] = layers
    if given.environment:
        body["environment"] = Block(body={"variables": given.environment})
    if given.tags:
        body["tags"] = given.tags
    found = [] if given.role_arn else _role(one)
    found.append(block("resource", ["aws_lambda_function", one.snake], body))
    found.append(_alias(one))
    if given.url != "none":
        found += _url(one)
    return found


def _alias(one: Exported) -> list[str]:
    body = {
        "name": ALIAS,
        "function_name": Expression(text=f"aws_lambda_function.{one.snake}.function_name"),
        "function_version": Expression(text=f"aws_lambda_function.{one.snake}.version"),
    }
    note = "Callers call this alias: a whole version at every moment."
    return block("resource", ["aws_lambda_alias", one.snake], body, note)


def _role(one: Exported) -> list[list[str]]:
    body = {"name": role_name(one.given.name), "assume_role_policy": Call(name="jsonencode", value=TRUST)}
    attach = {
        "role": Expression(text=f"aws_iam_role.{one.snake}.name"),
        "policy_arn": Expression(text=f'"arn:${{data.aws_partition.current.partition}}:iam::aws:policy/{LOGS}"'),
    }
    found = [
        block("resource", ["aws_iam_role", one.snake], body),
        block("resource", ["aws_iam_role_policy_attachment", f"{one.snake}_logs"], attach, "Write logs."),
    ]
    if one.given.policy is not None:
        own = {
            "name": "function",
            "role": Expression(text=f"aws_iam_role.{one.snake}.name"),
            "policy": Call(name="jsonencode", value=one.given.policy),
        }
        found.append(block("resource", ["aws_iam_role_policy", one.snake], own))
    return found


def _url(one: Exported) -> list[list[str]]:
    alias = {
        "function_name": Expression(text=f"aws_lambda_function.{one.snake}.function_name"),
        "qualifier": Expression(text=f"aws_lambda_alias.{one.snake}.name"),
    }
    public = one.given.url == "public"
    body = {**alias, "authorization_type": "NONE" if public else "AWS_IAM"}
    found = [block("resource", ["aws_lambda_function_url", one.snake], body)]
    if public:
        note = f"{BOTH}\n{_PROVIDER}"
        for statement, through in STATEMENTS.items():
            more = {"invoked_via_function_url": True} if through else {"function_url_auth_type": "NONE"}
            action = "lambda:InvokeFunction" if through else "lambda:InvokeFunctionUrl"
            given = {**alias, "statement_id": statement, "action": action, "principal": "*", **more}
            name = f"{one.snake}_{'invoke' if through else 'url'}"
            found.append(block("resource", ["aws_lambda_permission", name], given, "" if through else note))
    value = {"value": Expression(text=f"aws_lambda_function_url.{one.snake}.function_url")}
    found.append(block("output", [f"{one.snake}_url"], value))
    return found
