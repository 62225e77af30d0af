"""[pure] What a function's own modules hand on: functions, classes and modules that they use as values."""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_RUNNERS = frozenset({"asyncio", "atexit", "concurrent", "contextlib", "contextvars", "json", "signal", "threading"})
"""Modules of the standard library whose functions call what they are given, and do nothing else with it."""
_LIBRARY_CALLERS = frozenset({"fastapi.Depends", "fastapi.Security", "fastapi.params.Depends", "functools.partial"}) | {
    f"pydantic.{kind}{what}" for kind in ("After", "Before", "Plain", "Wrap") for what in ("Serializer", "Validator")
}
"""Other functions of which the same is true; the `__doc__` of what `functools.partial` makes is its own."""
_CALLERS = frozenset({"callable", "filter", "isinstance", "issubclass", "map", "max", "min", "sorted"})
"""Built-in functions of which the same is true."""
Function = ast.FunctionDef | ast.AsyncFunctionDef
_Scope = ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def handed_on(tree: ast.Module, names: Names) -> frozenset[str]:
    """What a module uses as a value: `name`, `.name` where it is some object's, `package.module:` for own modules.

    A class that others inherit from is, and a module whose name stands in a string. What is called, compared, or only
    asked for an attribute is not handed on, nor what is given to a function of the
    standard library that calls it. What looks like it and is none (a variable of a function's name) counts.
    """
    visitor = _HandedOn(names)
    visitor.visit(tree)
    return frozenset(visitor.found)


class Names:
    """What the names of one module stand for, as far as imports tell.

    Args:
        path: the module's, as in `app/main.py`.
        tree: its syntax tree.
        own: the dotted names of all modules of the code.
    """

    def __init__(self, path: str, tree: ast.Module, own: set[str]) -> None:
        self.tree = tree
        self.module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        self.own = own
        package = self.module if path.endswith("/__init__.py") else self.module.rpartition(".")[0]
        self.origins = dict(_origins(tree, package))
        self.defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef | Function)}

    def root(self, reference: ast.expr) -> str:
        """The outermost module that a reference leads to by imports, or empty."""
        while isinstance(reference, ast.Attribute | ast.Subscript):
            reference = reference.value
        return self.origins.get(reference.id, "").partition(".")[0] if isinstance(reference, ast.Name) else ""

    def dotted(self, reference: ast.expr) -> str:
        """What a reference leads to by imports, as in `package.module.name`."""
        first, _, rest = ast.unparse(reference).partition(".")
        return f"{self.origins.get(first, '')}.{rest}".rstrip(".")

    def is_standard(self, reference: ast.expr) -> bool:
        """Whether a reference leads to the standard library."""
        root = self.root(reference)
        return root in sys.stdlib_module_names and root not in self.own

    def only_calls(self, function: ast.expr) -> bool:
        """Whether a function calls what it is given, and does nothing else with it."""
        name = ast.unparse(function)
        if isinstance(function, ast.Name) and name not in self.origins:
            return name in _CALLERS - self.defined
        return self.dotted(function) in _LIBRARY_CALLERS or (
            self.is_standard(function) and self.root(function) in _RUNNERS
        )


def _origins(tree: ast.Module, package: str) -> Iterator[tuple[str, str]]:
    """Each name that an import binds, wherever it stands, with the dotted name of what it is."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield (alias.asname, alias.name) if alias.asname else (alias.name.partition(".")[0],) * 2
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")
            base = [*parents[: len(parents) - node.level + 1]] if node.level else []
            for alias in node.names:
                yield alias.asname or alias.name, ".".join([*base, *filter(None, [node.module]), alias.name])


class _HandedOn(ast.NodeVisitor):
    """Goes through one module for `handed_on`."""

    def __init__(self, names: Names) -> None:
        self.found: set[str] = set()
        self._names = names
        self._local: frozenset[str] = frozenset()

    def visit(self, node: ast.AST) -> None:
        """Look at a node with the names that are local to it."""
        outer = self._local
        if isinstance(node, _Scope):
            self._local = outer | _bound(node)
        super().visit(node)
        self._local = outer

    def visit_Name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load) or node.id in self._local:
            return
        origin = self._names.origins.get(node.id)
        if origin is None:
            self.found.add(node.id)
        else:
            self.found.add(f"{origin}:" if origin in self._names.own else origin.rpartition(".")[2])

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if isinstance(node.ctx, ast.Load):
            self.found.add(f".{node.attr}")
            if self._names.root(node):
                self.found.add(node.attr)
            self._hand_on(self._names.dotted(node))
        self._look(node.value)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self._hand_on(node.value.partition(":")[0])  # imported by its name, here or by who gets it

    def _hand_on(self, module: str) -> None:
        if module in self._names.own:
            self.found.add(f"{module}:")

    def visit_Call(self, node: ast.Call) -> None:
        self._look(node.func)
        look = self._look if self._names.only_calls(node.func) else self.visit
        for value in (*node.args, *(keyword.value for keyword in node.keywords)):
            look(value)

    def visit_Compare(self, node: ast.Compare) -> None:
        for value in (node.left, *node.comparators):
            self._look(value)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if _is_annotated(node):
            self._annotation(node)
        else:
            self._look(node.value)
            self.visit(node.slice)

    def visit_arg(self, node: ast.arg) -> None:
        self._annotation(node.annotation)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._annotation(node.annotation)
        for inner in filter(None, (node.target, node.value)):
            self.visit(inner)

    def visit_FunctionDef(self, node: Function) -> None:
        self._annotation(node.returns)
        for value in node.decorator_list:
            self._look(value)
        self.visit(node.args)  # defaults are none of its own names
        outer = self._local
        self._local = outer | _bound(node)
        for inner in node.body:
            self.visit(inner)
        self._local = outer

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.visit_FunctionDef(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for value in node.decorator_list:
            self._look(value)
        for value in node.bases:  # a library that gets the class reads what it inherits
            self.visit(value)
            if isinstance(value, ast.Subscript):
                self.visit(value.value)
        for inner in (*node.keywords, *node.body):
            self.visit(inner)

    def _annotation(self, node: ast.expr | None) -> None:
        """A type hands nothing on, but what stands beside it (`Annotated[int, Depends(count)]`) does."""
        for inner in ast.walk(node) if node else ():
            if isinstance(inner, ast.Call):
                self.visit(inner)
            elif isinstance(inner, ast.Subscript) and isinstance(inner.slice, ast.Tuple) and _is_annotated(inner):
                for value in inner.slice.elts[1:]:
                    self.visit(value)

    def _look(self, node: ast.expr) -> None:
        """What is called, compared or asked for an attribute is not handed on; what stands inside of it may be."""
        if isinstance(node, ast.Attribute):
            self._look(node.value)
        elif not isinstance(node, ast.Name):
            self.visit(node)


def _is_annotated(node: ast.Subscript) -> bool:
    return ast.unparse(node.value).rpartition(".")[2] == "Annotated"


def _bound(scope: _Scope | Function) -> frozenset[str]:
    """The names of parameters and variables of a function or comprehension."""
    found = {node.id for node in ast.walk(scope) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return frozenset(found | {node.arg for node in ast.walk(scope) if isinstance(node, ast.arg)})
