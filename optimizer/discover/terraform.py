"""Terraform's files → the functions that they describe, in modules of the project's own and in AWS's usual one."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any

from optimizer.discover.files import is_test, joined
from optimizer.discover.hcl import ROOT, Module, read_module
from optimizer.discover.values import FoundFunction, Reading, UnresolvedError, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optimizer.discover.files import Project

_KEYS = {
    "name": "function_name",
    "handler": "handler",
    "runtime": "runtime",
    "memory_mb": "memory_size",
    "timeout_seconds": "timeout",
}
_DEFAULTS = {"memory_mb": 128, "timeout_seconds": 3, "architecture": "x86_64"}
"""What the provider takes where the file says nothing (its reference of aws_lambda_function)."""
_USUAL = re.compile(r"terraform-aws-modules/lambda/aws/?$")
_ARCHIVE = re.compile(r"\$\{(?:data\.)?archive_file\.([\w-]+)\.output_path\}")
_REFERENCE = re.compile(r"\$\{aws_lambda_function\.([\w-]+)\.\w+\}")
_URLS = {"NONE": "public", "AWS_IAM": "iam"}
_TOLD = re.compile(r"aws_lambda_function\b|terraform-aws-modules/lambda/aws")
_DEEP = 4


def read_terraform(project: Project) -> Reading:
    """The functions of all modules that nobody calls, and of those that they call; regions of the provider.

    Raises:
        UsageError: there are such files, and the library that reads them is missing.
    """
    files = [path for path in project.named("*.tf") if not is_test(path)]
    if not any(_TOLD.search(project.text(path) or "") for path in files):
        return Reading()  # nothing is parsed for nothing: it takes long
    folders = dict.fromkeys(map(posixpath.dirname, files))
    modules = {folder: read_module(project, folder, folder, {}) for folder in folders}
    called = {there for module in modules.values() for _, _, _, there in _calls(module) if there is not None}
    functions: list[FoundFunction] = []
    regions: list[Value] = []
    for folder, module in modules.items():
        if folder in called:
            continue
        found = list(_functions(project, module, "", 0))
        functions += found
        if found:
            regions += _regions(module)
    return Reading(functions=tuple(functions), regions=tuple(regions))


def _functions(project: Project, module: Module, prefix: str, depth: int) -> Iterator[FoundFunction]:
    for path, name, body in module.resources("aws_lambda_function"):
        if body.get("package_type") == "Image" or "image_uri" in body:
            where = module.place(path, f'"aws_lambda_function" "{name}"')
            project.note(f"{where}: {name} is a container image, which has no layers")
            continue
        yield _resource(module, path, name, body, prefix)
    for path, name, body, there in _calls(module):
        label = f"{prefix}module.{name}."
        if _USUAL.search(str(body.get("source", ""))):
            yield _usual(module, path, name, body, label.rstrip("."))
        elif there is not None and depth < _DEEP:
            inputs = {key: _argument(module, given) for key, given in body.items()}
            yield from _functions(project, read_module(project, there, module.top, inputs), label, depth + 1)


def _argument(module: Module, given: Any) -> Any:
    """What a call hands to a module's variable; the error itself where the caller does not know."""
    try:
        return module.evaluate(given)
    except UnresolvedError as error:
        return error


def _calls(module: Module) -> Iterator[tuple[str, str, dict[str, Any], str | None]]:
    """The module blocks: path, name, body, and the folder in the project that they lead to."""
    for path, block in module.of_kind("module"):
        for name, body in block.items():
            if isinstance(body, dict):
                source = body.get("source")
                local = isinstance(source, str) and source.startswith(("./", "../"))
                there = joined(module.folder, str(source)) if local else None
                yield path, name, body, "" if there == "." else there


def _resource(module: Module, path: str, name: str, body: dict[str, Any], prefix: str) -> FoundFunction:
    def value(key: str, given: Any) -> Value:
        return module.value(given, module.place(path, header, key))

    header = f'"aws_lambda_function" "{name}"'
    values = {key: value(attribute, body[attribute]) for key, attribute in _KEYS.items() if attribute in body}
    architectures = body.get("architectures")
    if architectures is not None:
        values["architecture"] = value("architectures", _first(module, architectures))
    if isinstance(body.get("role"), str) and body["role"].startswith("arn:"):
        values["role_arn"] = value("role", body["role"])
    source = _archive(module, body.get("filename"))
    if source is not None:
        values["source"] = source
    elif "filename" in body or "s3_key" in body:
        key = "filename" if "filename" in body else "s3_key"
        values["source"] = Value(value=None, where=value(key, "").where, how=f"{key} = {body[key]}")
    for there, label, url in module.resources("aws_lambda_function_url"):
        reference = _REFERENCE.fullmatch(str(url.get("function_name", "")))
        if reference and reference[1] == name:
            auth = str(url.get("authorization_type", ""))
            where = module.place(there, f'"aws_lambda_function_url" "{label}"', "authorization_type")
            values["url"] = Value(value=_URLS.get(auth), where=where, how=f"authorization_type {auth}")
    blocks = body.get("environment")
    variables = blocks[0].get("variables") if isinstance(blocks, list) and blocks else None
    where = module.place(path, header)
    return FoundFunction(
        tool="Terraform",
        label=f"{prefix}aws_lambda_function.{name}",
        where=where,
        base=module.top,
        values=_named(values, name, where),
        environment=_table(module, variables, lambda key: value(key, "").where),
        layers=tuple(value("layers", each) for each in _items(module, body.get("layers"))),
        defaults=_DEFAULTS,
        left=tuple(f"{key} ({value(key, '').where})" for key in ("vpc_config", "dead_letter_config") if key in body),
    )


def _usual(module: Module, path: str, name: str, body: dict[str, Any], label: str) -> FoundFunction:
    """A call of terraform-aws-modules/lambda."""

    def value(key: str, given: Any) -> Value:
        return module.value(given, module.place(path, header, key))

    header = f'module "{name}"'
    values = {key: value(attribute, body[attribute]) for key, attribute in _KEYS.items() if attribute in body}
    if "architectures" in body:
        values["architecture"] = value("architectures", _first(module, body["architectures"]))
    if "source_path" in body:
        given = body["source_path"]
        values["source"] = value("source_path", _first(module, given) if isinstance(given, list) else given)
    if body.get("create_lambda_function_url") in {True, "true"}:
        auth = str(body.get("authorization_type", "NONE"))
        values["url"] = Value(
            value=_URLS.get(auth), where=value("create_lambda_function_url", "").where, how=f"authorization_type {auth}"
        )
    where = module.place(path, header)
    return FoundFunction(
        tool="Terraform",
        label=label,
        where=where,
        base=module.top,
        values=_named(values, name, where),
        environment=_table(module, body.get("environment_variables"), lambda key: value(key, "").where),
        layers=tuple(value("layers", each) for each in _items(module, body.get("layers"))),
        defaults=_DEFAULTS,
    )


def _named(values: dict[str, Value], name: str, where: str) -> dict[str, Value]:
    """The values with a name: the resource's, where the files do not say the function's."""
    given = values.get("name")
    if given is None or given.value is None:
        told = f"this is the resource's name; function_name is {given.how if given else 'not said'}"
        values["name"] = Value(value=name, where=given.where if given else where, how=told, sure=False)
    return values


def _archive(module: Module, filename: Any) -> Value | None:
    """The folder that `archive_file` zips to that file, or None."""
    reference = _ARCHIVE.fullmatch(filename) if isinstance(filename, str) else None
    for kind in ("data", "resource"):
        for path, name, body in module.resources("archive_file", kind):
            same = reference[1] == name if reference else filename and body.get("output_path") == filename
            key = "source_dir" if "source_dir" in body else "source_file"
            if same and key in body:
                found = module.value(body[key], module.place(path, f'"archive_file" "{name}"', key))
                if found.value is None or key == "source_dir":
                    return found
                folder = posixpath.dirname(str(found.value))
                return Value(value=folder or ".", where=found.where, how=f"the folder of {key}")
    return None


def _first(module: Module, given: Any) -> Any:
    items = _items(module, given)
    return items[0] if items else UnresolvedError("an empty list")


def _items(module: Module, given: Any) -> list[Any]:
    """The items of a list, or one expression where the files do not say which there are."""
    if given is None:
        return []
    try:
        found = module.evaluate(given)
    except UnresolvedError:
        return [given]
    return found if isinstance(found, list) else [found]


def _table(module: Module, given: Any, place: Any) -> dict[str, Value]:
    """A table of attributes; none where it is computed, which is told by a value of its own."""
    if given is None:
        return {}
    try:
        found = module.evaluate(given)
    except UnresolvedError as error:
        return {"variables": Value(value=None, where=place("variables"), how=str(error)[:100])}
    return {str(key): module.value(each, place(key)) for key, each in found.items()} if isinstance(found, dict) else {}


def _regions(module: Module) -> list[Value]:
    """The regions of the AWS providers that have no alias."""
    found = []
    for path, block in module.of_kind("provider"):
        body = block.get("aws")
        if isinstance(body, dict) and "region" in body and "alias" not in body:
            found.append(module.value(body["region"], module.place(path, 'provider "aws"', "region")))
    return found


def source_path(value: str, base: str) -> str | None:
    """A path as Terraform takes it, relative to the project; None where it leaves the project."""
    if value.startswith(ROOT):
        return joined("", value.removeprefix(ROOT).lstrip("/") or ".")
    return joined(base, value)
