"""Which AWS services a module's source makes clients for, read from its syntax tree."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

_MAKERS = frozenset({"client", "resource", "create_client"})
"""boto3's and its sessions' `client` and `resource`, botocore's sessions' `create_client`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCalls:
    """The literal first arguments of calls that make clients, and the lines of those that can't be followed."""

    names: frozenset[str] = frozenset()
    unknown_lines: tuple[int, ...] = ()


def client_calls(source: bytes, *, own: bool, tree: ast.Module | None = None) -> ClientCalls:
    """Look through one module.

    A name that stands for string constants alone in this module is followed, as in `for name in ("s3", "sqs")`.
    Modules that do not compile make no clients.

    Args:
        source: the module's text.
        own: the function's own code: every `.client(...)` counts. In a distribution only modules that import boto3
            or botocore are looked at, since others have clients of their own.
        tree: the same, parsed, where that is at hand.
    """
    if not own and b"boto3" not in source and b"botocore" not in source:
        return ClientCalls()
    try:
        tree = tree or ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return ClientCalls()
    if not own and not _imports_sdk(tree):
        return ClientCalls()
    bindings = _Bindings()
    bindings.visit(tree)
    names: set[str] = set()
    unknown = []
    for node in ast.walk(tree):
        argument = _service_argument(node)
        if argument is None:
            continue
        found = bindings.values(argument)
        if found is None:
            unknown.append(argument.lineno)
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
        if any(module.split(".")[0] in {"boto3", "botocore", "aioboto3", "aiobotocore"} for module in modules):
            return True
    return False


def _service_argument(node: ast.AST) -> ast.expr | None:
    """The argument that names the service, where the node makes a client."""
    if not isinstance(node, ast.Call):
        return None
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
    if called not in _MAKERS:
        return None
    for keyword in node.keywords:
        if keyword.arg == "service_name":
            return keyword.value
    return node.args[0] if node.args else None


@dataclass
class _Bindings(ast.NodeVisitor):
    """Every value that a name is bound to in the module; None among them where one is no string constant."""

    bound: dict[str, set[str | None]] = field(default_factory=dict)

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self._bind(target, [node.value])
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._bind(node.target, [node.value])
        self.generic_visit(node)

    def visit_For(self, node: ast.For) -> None:
        self._bind(node.target, _elements(node.iter))
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        self._bind(node.target, _elements(node.iter))
        self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> None:
        self.bound.setdefault(node.arg, set()).add(None)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self._bind(node.target, None)
        self.generic_visit(node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self._bind(node.target, [node.value])
        self.generic_visit(node)

    def values(self, argument: ast.expr) -> set[str] | None:
        """The strings that an argument can be, or None where that can't be told."""
        if isinstance(argument, ast.Constant):
            return {argument.value} if isinstance(argument.value, str) else set()
        if isinstance(argument, ast.IfExp):
            first, second = self.values(argument.body), self.values(argument.orelse)
            return None if first is None or second is None else first | second
        if isinstance(argument, ast.Name):
            found = self.bound.get(argument.id)
            if found and None not in found:
                return {value for value in found if value is not None}
        return None

    def _bind(self, target: ast.expr, values: list[ast.expr] | None) -> None:
        for node in ast.walk(target):
            if isinstance(node, ast.Name):
                plain = node is target and values is not None
                self.bound.setdefault(node.id, set()).update(map(_constant, values or []) if plain else [None])


def _constant(value: ast.expr) -> str | None:
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None


def _elements(iterated: ast.expr) -> list[ast.expr] | None:
    return iterated.elts if isinstance(iterated, ast.Tuple | ast.List | ast.Set) else None
