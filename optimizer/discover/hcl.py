"""Terraform's files: one folder of them as a module, and its expressions as far as the files say what they give."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from optimizer.discover.values import UnresolvedError, Value
from optimizer.discover.yaml_nodes import UnreadableError, library_is_missing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from optimizer.discover.files import Project

_TEMPLATE = re.compile(r"\$\{([^{}]*)\}")
_NAME = re.compile(r"(var|local|each|count|path|terraform)\.([\w.-]+)")
_INDEX = re.compile(r"""\[(?:"([\w-]+)"|(\d+))\]""")
_DEEP = 20
_LONG = 4096
ROOT = "//"
"""What `path.module` begins with: such a path starts at the project's root, any other where terraform is run."""


@dataclass(slots=True, kw_only=True)
class Module:
    """The files of one folder: `texts` by path, `blocks` by path as python-hcl2 reads them, `inputs` the caller's."""

    folder: str
    top: str
    texts: dict[str, str]
    blocks: dict[str, dict[str, Any]]
    inputs: dict[str, Any] = field(default_factory=dict)

    def of_kind(self, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """The top-level blocks of a kind, each with the path of its file."""
        for path, document in self.blocks.items():
            found = document.get(kind)
            for block in found if isinstance(found, list) else ():
                if isinstance(block, dict):
                    yield path, block

    def resources(self, kind: str, block_kind: str = "resource") -> Iterator[tuple[str, str, dict[str, Any]]]:
        """The resources, or data sources, of a type: path, name and body of each."""
        for path, block in self.of_kind(block_kind):
            named = block.get(kind)
            for name, body in named.items() if isinstance(named, dict) else ():
                if isinstance(body, dict):
                    yield path, name, body

    def place(self, path: str, header: str, key: str = "") -> str:
        """`file:line` of a block, or of the first attribute of that name after its header."""
        text = self.texts[path]
        at = max(text.find(header), 0)
        if key and (found := re.compile(rf'^\s*"?{re.escape(key)}"?\s*[={{]', re.MULTILINE).search(text, at)):
            at = found.end()
        return f"{path}:{text.count(chr(10), 0, at) + 1}"

    def value(self, given: Any, where: str) -> Value:
        """What an attribute says, with its place; None for its value where the files do not say."""
        how = given if isinstance(given, str) and "${" in given else ""
        how = how[2:-1] if how.startswith("${") and how.endswith("}") and how.count("${") == 1 else how
        how = " ".join(how.split())[:100]
        try:
            return Value(value=self.evaluate(given), where=where, how=how)
        except UnresolvedError as error:
            return Value(value=None, where=where, how=how or str(error))

    def evaluate(self, given: Any, depth: int = 0) -> Any:
        """Text, number, truth value, list or table of an attribute; tables hold what can be known of them.

        Raises:
            UnresolvedError: the files do not say.
        """
        if depth > _DEEP:
            raise UnresolvedError("expressions that are too deep")
        if isinstance(given, UnresolvedError):
            raise given
        if not isinstance(given, str):
            return given
        whole = _TEMPLATE.fullmatch(given)
        if whole:
            return self._expression(whole[1].strip(), depth)

        def put(match: re.Match[str]) -> str:
            found = self._expression(match[1].strip(), depth)
            if isinstance(found, dict | list):
                raise UnresolvedError(match[0])
            return str(found)

        text = _TEMPLATE.sub(put, given)
        if len(text) > _LONG:
            raise UnresolvedError("a value that is too long")
        if "${" in text:
            raise UnresolvedError(text[:100])
        return text

    def _expression(self, expression: str, depth: int) -> Any:
        quoted = re.fullmatch(r'"([^"\\$]*)"', expression)
        if quoted:
            return quoted[1]
        if re.fullmatch(r"-?\d+", expression):
            return int(expression)
        if expression in {"true", "false"}:
            return expression == "true"
        name = _NAME.fullmatch(_INDEX.sub(lambda m: f".{m[1] or m[2]}", expression))
        if name is None:
            raise UnresolvedError(expression)
        kind, (first, *rest) = name[1], name[2].split(".")
        if kind == "path":
            return ROOT + (self.folder if first == "module" else self.top)
        if kind == "terraform" and first == "workspace":
            return "default"
        found = self.evaluate(self._variable(first) if kind == "var" else self._local(kind, first), depth + 1)
        for key in rest:
            inner = _entry(found, key)
            if inner is None:
                raise UnresolvedError(expression)
            found = self.evaluate(inner, depth + 1)
        return found

    def _variable(self, name: str) -> Any:
        if name in self.inputs:
            return self.inputs[name]
        for _, block in self.of_kind("variable"):
            body = block.get(name)
            if isinstance(body, dict) and "default" in body:
                return body["default"]
        raise UnresolvedError(f"var.{name}")

    def _local(self, kind: str, name: str) -> Any:
        for _, block in self.of_kind("locals") if kind == "local" else ():
            if name in block:
                return block[name]
        raise UnresolvedError(f"{kind}.{name}")


def _entry(found: Any, key: str) -> Any:
    """The entry of a table or a list, or None."""
    if isinstance(found, list):
        return found[int(key)] if key.isdigit() and int(key) < len(found) else None
    return found.get(key) if isinstance(found, dict) else None


def read_module(project: Project, folder: str, top: str, inputs: Mapping[str, Any]) -> Module:
    """The module in a folder, with what terraform.tfvars and *.auto.tfvars set where nobody calls it.

    Raises:
        UsageError: the library that reads it is missing.
    """
    module = Module(folder=folder, top=top, texts={}, blocks={}, inputs=dict(inputs))
    for path in project.named("*.tf", "*.tfvars"):
        if posixpath.dirname(path) != folder:
            continue
        base = posixpath.basename(path)
        variables = path.endswith(".tfvars")
        if variables and (folder != top or not (base == "terraform.tfvars" or base.endswith(".auto.tfvars"))):
            continue
        text = project.text(path)
        if text is None:
            continue
        try:
            document = parse_hcl(text, path)
        except UnreadableError as error:
            project.note(f"{path}{f':{error.line}' if error.line else ''} can't be read as HCL: {error}")
            continue
        if variables:
            module.inputs |= document
        else:
            module.texts[path], module.blocks[path] = text, document
    return module


def parse_hcl(text: str, path: str) -> dict[str, Any]:
    """What python-hcl2 reads in the text: blocks as lists, expressions as `${...}`.

    Raises:
        UnreadableError: it can't be parsed.
        UsageError: the library is missing.
    """
    try:
        import hcl2
        from lark.exceptions import LarkError
    except ImportError:
        raise library_is_missing(path, "python-hcl2") from None
    options = hcl2.SerializationOptions(with_comments=False, explicit_blocks=False, strip_string_quotes=True)
    try:
        document = hcl2.loads(text if text.endswith("\n") else text + "\n", serialization_options=options)
    except LarkError as error:
        line = getattr(error, "line", 0)
        raise UnreadableError(str(error).splitlines()[0], line if isinstance(line, int) and line > 0 else 0) from error
    except (RecursionError, ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise UnreadableError(f"{type(error).__name__}: {error}") from error
    return document if isinstance(document, dict) else {}
