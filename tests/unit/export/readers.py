"""Reads exports back with libraries of their own, as the tools would."""

import ast
import json
from typing import Any

import hcl2
import yaml


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short tags, as the long form that they stand for."""


def _tagged(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".")
    else:
        value = loader.construct_sequence(node, deep=True)
    return {suffix if suffix == "Ref" else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _tagged)


def template(text: str) -> dict[str, Any]:
    """A template or serverless.yml with what joins literal parts as the text that it makes."""
    return _joined(yaml.load(text, Loader=_Loader))  # noqa: S506  a SafeLoader


def _joined(value: Any) -> Any:
    if isinstance(value, dict):
        if list(value) == ["Fn::Join"]:
            between, parts = value["Fn::Join"]
            return between.join(parts)
        return {key: _joined(one) for key, one in value.items()}
    return [_joined(one) for one in value] if isinstance(value, list) else value


def of_type(document: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """The properties of a template's resources of a type, by logical id."""
    return {
        name: one.get("Properties", {}) for name, one in document["Resources"].items() if one["Type"] == f"AWS::{kind}"
    }


def terraform(text: str) -> dict[str, dict[str, dict[str, Any]]]:
    """Resources by type and name; texts have their quotes, since only so are they known from references."""
    text = text.replace('= "$${"', '= "$${}"')  # which python-hcl2 can't read; Terraform can, as a test shows
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for block in hcl2.loads(text).get("resource", []):
        for kind, named in block.items():
            for name, body in named.items():
                found.setdefault(kind.strip('"'), {})[name.strip('"')] = body
    return found


def hcl_text(literal: str) -> str:
    """What a text in quotes means to Terraform, where nothing in it is a template."""
    body = literal[1:-1]
    assert "${" not in body.replace("$${", "")
    assert "%{" not in body.replace("%%{", "")
    raw = body.replace("$${", "${").replace("%%{", "%{")
    return ast.literal_eval(f'"{raw}"')  # \n, \t, \", \\, \uXXXX and \UXXXXXXXX are HCL's escapes and Python's


def calls(text: str) -> dict[str, list[dict[str, Any]]]:
    """The keyword arguments of every call in Python source, by the called name; what is no literal is its source."""
    found: dict[str, list[dict[str, Any]]] = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            options = {one.arg: _literal(one.value) for one in node.keywords if one.arg}
            found.setdefault(ast.unparse(node.func), []).append(options | {"": [_literal(one) for one in node.args]})
    return found


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return [ast.unparse(one) for one in node.elts] if isinstance(node, ast.List) else ast.unparse(node)


def environment(tool: str, text: str) -> dict[str, str]:
    """The variables of an export's first function that has some."""
    if tool == "terraform":
        functions = terraform(text)["aws_lambda_function"].values()
        found = next(one["environment"] for one in functions if "environment" in one)[0]["variables"]
        return {key.strip('"'): hcl_text(value) for key, value in found.items() if key != "__is_block__"}
    if tool == "cdk":
        return next(one["environment"] for one in calls(text)["lambda_.Function"] if "environment" in one)
    document = template(text)
    if tool == "serverless":
        return next(one["environment"] for one in document["functions"].values() if "environment" in one)
    functions = [*of_type(document, "Serverless::Function").values(), *of_type(document, "Lambda::Function").values()]
    return json.loads(json.dumps(next(one["Environment"]["Variables"] for one in functions if "Environment" in one)))
