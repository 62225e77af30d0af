"""The Serverless Framework's variables, `${self:custom.memory, 512}` and the like, as far as the project says."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from optimizer.discover.files import joined
from optimizer.discover.values import UnresolvedError, Value
from optimizer.discover.yaml_nodes import Node, UnreadableError, parse_yaml

if TYPE_CHECKING:
    from optimizer.discover.files import Project

_INNERMOST = re.compile(r"\$\{([^${}]*)\}")
_WHOLE = re.compile(r"\$\{[^${}]*\}")
_SOURCE = re.compile(r"(?P<kind>[a-zA-Z]+)(?:\((?P<argument>[^)]*)\))?(?::(?P<address>.*))?", re.DOTALL)
_ROUNDS = 60
_LONG = 4096


@dataclass(slots=True, kw_only=True)
class Service:
    """A serverless.yml with the project that its files are looked up in."""

    project: Project
    path: str
    top: Node
    _files: dict[str, Node] = field(default_factory=dict)

    def value(self, node: Node) -> Value:
        """What the node says, with its place; None for its value where the project does not say."""
        where = f"{self.path}:{node.line}"
        expression = node.text if node.text and "${" in node.text else ""
        try:
            found = self.node(node)
        except UnresolvedError as error:
            return Value(value=None, where=where, how=expression or str(error))
        if found.text is None:
            return Value(value=None, where=where, how=expression or "a table or a list")
        return Value(value=found.text, where=where, how=expression)

    def node(self, node: Node | None, rounds: int = _ROUNDS) -> Node:
        """The node that stands in the place of this one: what its variables lead to.

        Raises:
            UnresolvedError: the project does not say.
        """
        if node is None:
            raise UnresolvedError("nothing")
        if node.tag:
            raise UnresolvedError(node.tag)
        text = node.text
        while text is not None and (match := _INNERMOST.search(text)):
            rounds -= 1
            if rounds < 0 or len(text) > _LONG:
                raise UnresolvedError("variables that lead in a circle, or too far")
            found = self._variable(match[1], rounds)
            if found.text is None:
                if _WHOLE.fullmatch(text.strip()):
                    return found
                raise UnresolvedError(match[0])
            text = text[: match.start()] + found.text + text[match.end() :]
        return node if text == node.text else Node(node.line, text=text, plain=True)

    def _variable(self, variable: str, rounds: int) -> Node:
        """The first of the variable's sources that says something."""
        for source in variable.split(","):
            try:
                found = self._source(source.strip(), rounds)
            except UnresolvedError:
                continue
            if not found.empty:
                return found
        raise UnresolvedError(f"${{{variable}}}")

    def _source(self, source: str, rounds: int) -> Node:
        literal = re.fullmatch(r"""'([^']*)'|"([^"]*)"|(\d+|true|false)""", source)
        if literal:
            return Node(0, text=next(text for text in literal.groups() if text is not None), plain=True)
        match = _SOURCE.fullmatch(source)
        if match is None:
            raise UnresolvedError(source)
        kind, argument, address = match["kind"], match["argument"], match["address"] or ""
        if kind == "self":
            return self._at(self.top, address, rounds)
        if kind in {"opt", "sls"} and address == "stage":
            stage = self.top.get("provider", "stage")
            return self.node(stage, rounds) if stage is not None else Node(0, text="dev", plain=True)
        if (kind == "opt" and address == "region") or (kind == "aws" and address == "region"):
            region = self.top.get("provider", "region")
            return self.node(region, rounds) if region is not None else Node(0, text="us-east-1", plain=True)
        if kind == "param":
            return self._at(self.top, f"params.default.{address}", rounds)
        if kind == "file" and argument:
            return self._at(self._file(argument.strip()), address, rounds)
        raise UnresolvedError(source)

    def _at(self, node: Node, address: str, rounds: int) -> Node:
        """The node at a dotted address."""
        for key in address.split(".") if address else ():
            there = node.items[int(key)] if key.isdigit() and int(key) < len(node.items) else node.get(key)
            node = self.node(there, rounds - 1)
        return self.node(node, rounds - 1)

    def _file(self, name: str) -> Node:
        path = joined(posixpath.dirname(self.path), name)
        if path is None or not path.endswith((".yml", ".yaml", ".json")):
            raise UnresolvedError(f"file({name})")
        if path not in self._files:
            text = self.project.text(path) if self.project.has(path) else None
            if text is None:
                raise UnresolvedError(f"file({name})")
            try:
                self._files[path] = parse_yaml(text, path)
            except UnreadableError as error:
                self.project.note(f"{path}{f':{error.line}' if error.line else ''} can't be read as YAML: {error}")
                raise UnresolvedError(f"file({name})") from error
        return self._files[path]
