"""[pure] Which docstrings of a function's own modules nothing reads at run time, told from their syntax trees.

Frameworks make descriptions of the docstrings of what they are given: FastAPI of operations and models, agents of
tools, flask-restx of a resource's methods. So those stay wherever something may be given to a library.
"""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING

from optimizer.inventory.handed_on import Function, Names, handed_on

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

READERS = frozenset({"__doc__", "getdoc", "getmembers", "globals", "pydoc", "doctest", "docstring_parser", "ply"})
"""Names by which code asks for docstrings, or hands on whatever it holds: where one stands, all docstrings stay."""
_READING_BASES = frozenset({"cmd", "unittest", "xmlrpc"})
"""Modules of the standard library whose classes read their methods' docstrings."""
_PLAIN_DECORATORS = frozenset({"classmethod", "property", "staticmethod"})
_ACCESSORS = frozenset({"deleter", "getter", "setter"})
_Documented = ast.Module | ast.ClassDef | Function


def documented(tree: ast.AST) -> Iterator[tuple[_Documented, ast.Expr]]:
    """Every module, class and function in a tree that has a docstring, with the statement that is one."""
    for node in ast.walk(tree):
        if isinstance(node, _Documented) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(getattr(first.value, "value", None), str):
                yield node, first


def unread_docstrings(trees: Mapping[str, ast.Module]) -> dict[str, tuple[int, ...]]:
    """The lines on which the docstrings begin that nothing reads, sorted, by the module's path.

    A module's docstring goes; that of a function, unless a decorator of others touches it, or it is handed on: used as
    a value, but for one that is given to the standard library. Of classes only those that inherit from nothing, or from
    built-in exceptions, are not for others; methods of classes that inherit from a library's stay as they are.

    Args:
        trees: all modules of one function, by path.
    """
    if any(_asks(tree) for tree in trees.values()):
        return {}
    modules = {path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in trees}
    names = {path: Names(path, tree, modules) for path, tree in trees.items()}
    handed = frozenset().union(*(handed_on(tree, names[path]) for path, tree in trees.items()))
    found = {}
    for path, tree in trees.items():
        stay = f"{names[path].module}:" in handed
        lines = tuple(sorted(_Module(names[path], handed).unread(tree, stay=stay)))
        if lines:
            found[path] = lines
    return found


def _asks(tree: ast.Module) -> bool:
    """Whether a module names what reads docstrings."""
    for node in ast.walk(tree):
        named = {getattr(node, "id", None), getattr(node, "attr", None)}
        if isinstance(node, ast.alias):
            named |= set(node.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            named |= set((node.module or "").split("."))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            named |= {node.value, *(["__doc__"] if ".__doc__" in node.value else ())}  # "{0.__doc__}".format
        if not named.isdisjoint(READERS):
            return True
    return False


class _Module:
    """One module's docstrings, by what the names in it stand for and what all modules hand on."""

    def __init__(self, names: Names, handed: frozenset[str]) -> None:
        self.names = names
        self.handed = handed
        self.handed_members = frozenset(name.lstrip(".") for name in handed)

    def unread(self, node: ast.AST, *, stay: bool) -> Iterator[int]:
        """The lines on which docstrings in a node begin that nothing reads.

        Args:
            node: a module, or what is in it.
            stay: whether docstrings of functions right in it stay.
        """
        if isinstance(node, ast.Module) and not stay:
            yield from (first.lineno for owner, first in documented(node) if owner is node)
        for child in ast.iter_child_nodes(node):
            inner = stay
            if isinstance(child, Function):
                handed = self.handed_members if isinstance(node, ast.ClassDef) else self.handed
                goes, inner = not stay and self._function_goes(child, handed), False
            elif isinstance(child, ast.ClassDef):
                goes, inner = not stay and self._class_goes(child), self._methods_stay(child)
            else:
                goes = False
            if goes:
                yield from (first.lineno for owner, first in documented(child) if owner is child)
            yield from self.unread(child, stay=inner)

    def _function_goes(self, node: Function, handed: frozenset[str]) -> bool:
        decorators = [one.func if isinstance(one, ast.Call) else one for one in node.decorator_list]
        if not all(self._is_plain(one) for one in decorators):
            return False
        is_property = any(isinstance(one, ast.Name) and one.id == "property" for one in decorators)
        return is_property or node.name not in handed  # a property's name gives its value, never itself

    def _is_plain(self, decorator: ast.expr) -> bool:
        """Whether a decorator reads no docstring."""
        if isinstance(decorator, ast.Attribute) and decorator.attr in _ACCESSORS:
            return True
        if isinstance(decorator, ast.Name) and decorator.id not in self.names.origins:
            return decorator.id in _PLAIN_DECORATORS - self.names.defined
        return self.names.is_standard(decorator)

    def _class_goes(self, node: ast.ClassDef) -> bool:
        return not (node.decorator_list or node.keywords or node.name in self.handed) and all(
            self._is_exception(base) for base in node.bases
        )

    def _methods_stay(self, node: ast.ClassDef) -> bool:
        decorators = [one.func if isinstance(one, ast.Call) else one for one in node.decorator_list]
        return (
            bool(node.keywords)
            or node.name in self.handed
            or not all(self._is_exception(base) or self._is_silent(base) for base in node.bases)
            or not all(self.names.is_standard(one) for one in decorators)
        )

    def _is_silent(self, base: ast.expr) -> bool:
        """Whether a base is of the standard library and reads no docstring."""
        return self.names.is_standard(base) and self.names.root(base) not in _READING_BASES

    def _is_exception(self, base: ast.expr) -> bool:
        if not isinstance(base, ast.Name) or base.id in self.names.origins or base.id in self.names.defined:
            return False
        found = getattr(builtins, base.id, None)
        return isinstance(found, type) and issubclass(found, BaseException)
