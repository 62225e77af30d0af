"""Which AWS services a module's source makes clients for, read from its syntax tree."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from optimizer.inventory.constants import Constants

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from optimizer.inventory.constants import Module

_MAKERS = frozenset({"client", "resource", "create_client"})
"""boto3's and its sessions' `client` and `resource`, botocore's sessions' `create_client`."""
_SDK = frozenset({"boto3", "botocore", "aioboto3", "aiobotocore"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCalls:
    """The service names that calls make clients for, and the lines of those that can't be followed."""

    names: frozenset[str] = frozenset()
    unknown_lines: tuple[int, ...] = ()


def own_client_calls(trees: Mapping[str, ast.Module]) -> dict[str, ClientCalls]:
    """Look through all modules of a function's own code, by path: every `.client(...)` counts.

    Names are followed through constants, classes and arguments of the function's own, from module to module.
    """
    constants = Constants(trees, whole=True)
    return {path: _calls(constants, module) for path, module in zip(trees, constants.modules.values(), strict=True)}


def client_calls(source: bytes, tree: ast.Module) -> ClientCalls:
    """Look through one module of a distribution: only where it imports the SDK, since others have their own clients.

    Whoever imports the module may call its functions, so that arguments can't be followed.
    """
    if not any(name.encode() in source for name in _SDK) or not _imports_sdk(tree):
        return ClientCalls()
    constants = Constants({"module.py": tree}, whole=False)
    return _calls(constants, constants.modules["module"])


def _calls(constants: Constants, module: Module) -> ClientCalls:
    names: set[str] = set()
    unknown = []
    for argument, line in _Makers(module.tree).arguments():
        found = constants.values(module, argument)
        if found is None:
            unknown.append(line)
        else:
            names |= found
    return ClientCalls(names=frozenset(names), unknown_lines=tuple(sorted(unknown)))


def _imports_sdk(tree: ast.Module) -> bool:
    for node in ast.walk(tree):
        modules = (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
        if any(module.split(".")[0] in _SDK for module in modules):
            return True
    return False


class _Makers:
    """Finds what makes clients: methods by their names, and what a module calls them instead."""

    def __init__(self, tree: ast.Module) -> None:
        self.nodes = list(ast.walk(tree))
        self.names = set(_MAKERS)
        self.sdk = set(_SDK)
        for node in self.nodes:
            if isinstance(node, ast.Import):
                self.sdk |= {a.asname for a in node.names if a.asname and a.name in _SDK}
            elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in _SDK:
                self.names |= {a.asname for a in node.names if a.asname and a.name in _MAKERS}
            elif isinstance(node, ast.Assign) and self._is_reference(node.value):
                self.names |= {target.id for target in node.targets if isinstance(target, ast.Name)}

    def arguments(self) -> Iterator[tuple[ast.expr | None, int]]:
        """The expression that names the service wherever a client is made, None where there is none, and the line."""
        seen: set[int] = set()
        for node in self.nodes:
            if isinstance(node, ast.Assign) and all(isinstance(target, ast.Name) for target in node.targets):
                seen.add(id(node.value))
            if not isinstance(node, ast.Call):
                continue
            seen.add(id(node.func))
            if self._is_maker(node.func):
                if node.args or node.keywords:
                    yield _service(node, node.args), node.lineno
            elif _name(node.func) == "partial" and node.args and self._is_reference(node.args[0]):
                seen.add(id(node.args[0]))
                yield _service(node, node.args[1:]), node.lineno
        for node in self.nodes:
            if isinstance(node, ast.expr) and id(node) not in seen and self._is_reference(node):
                yield None, node.lineno  # given to something that may call it with any name

    def _is_maker(self, called: ast.expr) -> bool:
        if isinstance(called, ast.Attribute):
            return called.attr in _MAKERS
        if isinstance(called, ast.Name):
            return called.id in self.names
        return self._is_lookup(called)

    def _is_reference(self, node: ast.expr) -> bool:
        """`boto3.client` or `session.client` itself, without a call."""
        if isinstance(node, ast.Attribute) and node.attr in _MAKERS and isinstance(node.value, ast.Name):
            return node.value.id in self.sdk or "session" in node.value.id.lower()
        return self._is_lookup(node)

    def _is_lookup(self, node: ast.expr) -> bool:
        """`getattr(boto3, "client")`, or with a name that is computed."""
        if not isinstance(node, ast.Call) or _name(node.func) != "getattr" or len(node.args) < 2:  # noqa: PLR2004
            return False
        owner, attribute = node.args[:2]
        if isinstance(attribute, ast.Constant):
            return attribute.value in _MAKERS
        return isinstance(owner, ast.Name) and owner.id in self.sdk


def _service(node: ast.Call, arguments: list[ast.expr]) -> ast.expr | None:
    """The argument that names the service, or None where it is hidden in `*` or `**`."""
    for keyword in node.keywords:
        if keyword.arg == "service_name":
            return keyword.value
    return arguments[0] if arguments else None


def _name(called: ast.expr) -> str:
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
