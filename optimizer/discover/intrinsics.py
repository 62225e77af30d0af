"""CloudFormation's intrinsic functions, as far as a template alone says what they give."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from optimizer.discover.values import UnresolvedError, Value

if TYPE_CHECKING:
    from optimizer.discover.yaml_nodes import Node

_IN_SUB = re.compile(r"\$\{(!?)([^}]*)\}")
_DEEP = 20
_LONG = 4096
_LONG_FORMS = {
    "Ref": "!Ref",
    "Fn::Sub": "!Sub",
    "Fn::Join": "!Join",
    "Fn::FindInMap": "!FindInMap",
    "Fn::GetAtt": "!GetAtt",
    "Fn::ImportValue": "!ImportValue",
    "Fn::If": "!If",
    "Fn::Select": "!Select",
    "Fn::Split": "!Split",
}


@dataclass(slots=True, kw_only=True)
class Template:
    """A template and what its parameters are set to: `given` (overrides and pseudo parameters), else their defaults."""

    path: str
    top: Node
    given: dict[str, str] = field(default_factory=dict)

    def value(self, node: Node) -> Value:
        """What the node says, with its place; None for its value where the template does not say."""
        where = f"{self.path}:{node.line}"
        expression = written(node)
        try:
            return Value(value=self.text(node), where=where, how=expression)
        except UnresolvedError as error:
            return Value(value=None, where=where, how=expression or str(error))

    def text(self, node: Node, depth: int = 0) -> str:
        """The text that the node stands for.

        Raises:
            UnresolvedError: the template alone does not say.
        """
        if depth > _DEEP:
            raise UnresolvedError("expressions that are too deep")
        tag, argument = _function(node)
        if not tag:
            if node.text is None:
                raise UnresolvedError("a table or a list")
            return node.text
        if tag == "!Ref" and argument.text is not None:
            return self._parameter(argument.text, depth)
        if tag == "!Sub":
            return self._substituted(argument, depth)
        if tag == "!Join" and len(argument.items) == 2:  # noqa: PLR2004  separator and list
            separator, parts = argument.items
            return _bounded(self.text(separator, depth + 1).join(self.text(part, depth + 1) for part in parts.items))
        if tag == "!FindInMap" and len(argument.items) == 3:  # noqa: PLR2004  map and two keys
            found = self.top.get("Mappings", *(self.text(key, depth + 1) for key in argument.items))
            if found is not None:
                return self.text(found, depth + 1)
        raise UnresolvedError(written(node) or tag)

    def _parameter(self, name: str, depth: int) -> str:
        if name in self.given:
            return self.given[name]
        default = self.top.get("Parameters", name, "Default")
        if default is None:
            raise UnresolvedError(f"!Ref {name}")
        return self.text(default, depth + 1)

    def _substituted(self, argument: Node, depth: int) -> str:
        text, variables = argument.text, {}
        if argument.items:
            text = argument.items[0].text
            variables = argument.items[1].pairs if len(argument.items) > 1 else {}
        if text is None:
            raise UnresolvedError("!Sub")

        def put(match: re.Match[str]) -> str:
            literal, name = match[1], match[2].strip()
            if literal:
                return f"${{{name}}}"
            if name in variables:
                return self.text(variables[name], depth + 1)
            if "." in name:
                raise UnresolvedError(f"${{{name}}}")
            return self._parameter(name, depth)

        return _bounded(_IN_SUB.sub(put, text))


def written(node: Node) -> str:
    """The node's expression as the short form writes it; empty for plain text."""
    tag, argument = _function(node)
    if not tag:
        return ""
    text = argument.text if argument.text is not None else argument.items[0].text if argument.items else None
    return f"{tag} {text}" if text and len(text) < 100 else tag  # noqa: PLR2004  as much as a comment bears


def _function(node: Node) -> tuple[str, Node]:
    """The short form's tag and its argument; no tag for plain values."""
    if node.tag:
        return node.tag, node
    if len(node.pairs) == 1:
        ((key, argument),) = node.pairs.items()
        if key in _LONG_FORMS:
            return _LONG_FORMS[key], argument
    return "", node


def _bounded(text: str) -> str:
    if len(text) > _LONG:
        raise UnresolvedError("a value that is too long")
    return text
