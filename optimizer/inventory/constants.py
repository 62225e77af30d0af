"""Which strings an expression can be, followed through the constants of the modules that it is in.

Everything that can't be followed makes the answer None: an argument that somebody else may pass, a value that is
computed, a name that is bound in a way that is not looked at. Names of one module are one, whichever function binds
them: what two functions call `name` has the values of both.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Function = ast.FunctionDef | ast.AsyncFunctionDef

_MUTATING = frozenset({"add", "append", "clear", "extend", "insert", "pop", "remove", "setdefault", "update"})
_TRANSPARENT = frozenset({"cache", "lru_cache", "staticmethod", "classmethod"})
"""Decorators that pass the arguments on."""
_PLAIN_BASES = frozenset({"object", "str", "Enum", "StrEnum"})
"""Bases whose subclasses' attributes are what the class says."""


@dataclass(frozen=True, slots=True, eq=False)
class _Parameter:
    """A parameter of a function; `owner` is the class where it is a method, `bound` whether calls omit the first."""

    name: str
    index: int
    default: ast.expr | None
    function: Function
    owner: str | None
    bound: bool


@dataclass(slots=True)
class Module:
    """What the names of one module are bound to: expressions, parameters, or None where that is not looked at."""

    tree: ast.Module
    package: str
    bound: dict[str, list[ast.expr | _Parameter | None]] = field(default_factory=dict)
    elements: dict[str, list[ast.expr]] = field(default_factory=dict)
    imported: dict[str, tuple[str, str]] = field(default_factory=dict)
    classes: dict[str, dict[str, list[ast.expr | None]] | None] = field(default_factory=dict)


_NOWHERE = Module(ast.Module([], []), "")
"""A module of somebody else's."""


class Constants:
    """The modules whose constants are followed; those of one function, or a single one of a distribution."""

    def __init__(self, trees: Mapping[str, ast.Module], *, whole: bool) -> None:
        """Look through the modules.

        Args:
            trees: by path, as in `app/settings.py`.
            whole: whether these are all that call their functions; else parameters can't be followed.
        """
        self.modules = {_dotted(path): Module(tree, _package(path)) for path, tree in trees.items()}
        self.whole = whole
        self.calls: dict[str, list[tuple[Module, ast.Call]]] = {}
        self.stored: dict[str, list[tuple[Module, ast.expr | None]]] = {}
        self.escaped: set[str] = set()
        self.spelled: set[str] = set()
        self.mutated: set[str] = set()
        self.bases: set[str] = set()
        for module in self.modules.values():
            _Binder(self, module).visit(module.tree)

    def values(  # noqa: PLR0911  an answer for each form
        self, module: Module, node: ast.expr | None, seen: frozenset[int] = frozenset()
    ) -> set[str] | None:
        """The strings that an expression of the module can be, or None where that can't be told."""
        if node is None or id(node) in seen:
            return None if node is None else set()
        seen |= {id(node)}
        match node:
            case ast.Constant(value=str(text)):
                return {text}
            case ast.Constant():
                return set()
            case ast.IfExp(body=body, orelse=orelse):
                return _union(self.values(module, one, seen) for one in (body, orelse))
            case ast.BoolOp(values=nodes):
                return _union(self.values(module, one, seen) for one in nodes)
            case ast.Name(id=name):
                return self._name(module, name, seen)
            case ast.Subscript(value=ast.Name(id=name)):
                return self._items(module, name, seen)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="get"), args=[_, *others], keywords=[]):
                return _union([self._items(module, name, seen), *(self.values(module, one, seen) for one in others)])
            case ast.Attribute(attr="value", value=ast.Attribute() as member):
                return self._attribute(module, member, seen)  # of an Enum's member
            case ast.Attribute():
                return self._attribute(module, node, seen)
            case _:
                return None

    def _name(self, module: Module, name: str, seen: frozenset[int]) -> set[str] | None:
        found = module.bound.get(name, [])
        answers = [
            self._parameter(one, seen) if isinstance(one, _Parameter) else self.values(module, one, seen)
            for one in found
        ]
        answers += [self._elements(module, iterated, seen) for iterated in module.elements.get(name, ())]
        if name in module.imported:
            source, inner = module.imported[name]
            there = self.modules.get(source)
            answers.append(self._name(there, inner, seen) if there else None)
            answers.append(self._stores(name, seen))
        return _union(answers) if answers else None

    def _literal(self, module: Module, name: str) -> list[ast.expr] | None:
        """The expressions that a name stands for, where it is bound to such alone and never changed in place."""
        if name in self.mutated:
            return None
        if name in module.imported and name not in module.bound:
            source, inner = module.imported[name]
            there = self.modules.get(source)
            return self._literal(there, inner) if there and there is not module else None
        found = module.bound.get(name)
        nodes = [one for one in found or () if isinstance(one, ast.expr)]
        return nodes if found and len(nodes) == len(found) and name not in module.elements else None

    def _elements(self, module: Module, iterated: ast.expr, seen: frozenset[int]) -> set[str] | None:
        """What a loop over an expression can give."""
        if isinstance(iterated, ast.Name):
            literal = self._literal(module, iterated.id)
            return _union(self._elements(module, one, seen) for one in literal) if literal else None
        if isinstance(iterated, ast.Tuple | ast.List | ast.Set):
            return _union(self.values(module, one, seen) for one in iterated.elts)
        if isinstance(iterated, ast.Dict):
            return _union(self.values(module, one, seen) for one in iterated.keys)
        return None

    def _items(self, module: Module, name: str, seen: frozenset[int]) -> set[str] | None:
        """Any value of a literal dict, or any element of a literal sequence."""
        literal = self._literal(module, name)
        if not literal:
            return None
        return _union(
            (None if None in one.keys else _union(self.values(module, v, seen) for v in one.values))
            if isinstance(one, ast.Dict)
            else self._elements(module, one, seen)
            if isinstance(one, ast.Tuple | ast.List)
            else None
            for one in literal
        )

    def _attribute(self, module: Module, node: ast.Attribute, seen: frozenset[int]) -> set[str] | None:
        """`Settings.SERVICE` of a plain class, or `settings.SERVICE` of another module of the function."""
        parts = _parts(node.value)
        if not parts or parts[0] in module.bound:
            return None
        name, owner = parts[0], module
        source, inner = module.imported.get(name, ("", ""))
        if len(parts) > 1 or (name in self.modules and not source and name not in module.classes):
            return self._constant_of(".".join(parts), node.attr, seen)
        if inner == "*module" or f"{source}.{inner}" in self.modules:
            return self._constant_of(source if inner == "*module" else f"{source}.{inner}", node.attr, seen)
        if source:
            name, owner = inner, self.modules.get(source, _NOWHERE)
        table = owner.classes.get(name) or {}
        if node.attr not in table:
            return None
        return _union([self._stores(node.attr, seen), *(self.values(owner, v, seen) for v in table[node.attr])])

    def _constant_of(self, dotted: str, name: str, seen: frozenset[int]) -> set[str] | None:
        there = self.modules.get(dotted)
        return _union([self._name(there, name, seen), self._stores(name, seen)]) if there else None

    def _stores(self, name: str, seen: frozenset[int]) -> set[str] | None:
        """What assignments to an attribute of that name can set it to, anywhere."""
        if name in self.spelled:
            return None  # setattr, or something like it
        return _union(self.values(module, node, seen) for module, node in self.stored.get(name, ()))

    def _parameter(self, parameter: _Parameter, seen: frozenset[int]) -> set[str] | None:
        """What a function's own default and every call of it in these modules give."""
        if id(parameter) in seen:
            return set()
        seen |= {id(parameter)}
        function = parameter.function
        name = function.name
        if name == "__init__" and parameter.owner:
            name = parameter.owner
            if name in self.bases:
                return None
        decorators = {(_parts(d.func if isinstance(d, ast.Call) else d) or ["?"])[-1] for d in function.decorator_list}
        known = self.whole and not name.startswith("__") and decorators <= _TRANSPARENT
        if not known or name in self.escaped | self.spelled:
            return None
        home = next(module for module in self.modules.values() if parameter in module.bound.get(parameter.name, ()))
        answers = [self.values(home, parameter.default, seen)] if parameter.default else []
        calls = self.calls.get(name, ())
        for module, call in calls:
            given = _argument(call, parameter.name, parameter.index - parameter.bound)
            if given is None:
                answers.append(None)
            elif isinstance(given, ast.expr):
                answers.append(self.values(module, given, seen))
            elif parameter.default is None:
                return None
        return _union(answers) if answers else None


def _argument(call: ast.Call, name: str, index: int) -> ast.expr | bool | None:
    """The expression that a call passes; False where it passes none, None where that can't be told."""
    if any(isinstance(one, ast.Starred) for one in call.args) or any(k.arg is None for k in call.keywords):
        return None
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    return call.args[index] if 0 <= index < len(call.args) else False


def _union(answers: Iterator[set[str] | None] | list[set[str] | None]) -> set[str] | None:
    found: set[str] = set()
    for answer in answers:
        if answer is None:
            return None
        found |= answer
    return found


def _parts(node: ast.expr) -> list[str]:
    """`a.b.c` as its parts; empty where it is no such thing."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        inner = _parts(node.value)
        return [*inner, node.attr] if inner else []
    return []


def _dotted(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _package(path: str) -> str:
    module = _dotted(path)
    return module if path.endswith("/__init__.py") else module.rpartition(".")[0]


class _Binder(ast.NodeVisitor):
    """Notes what the names of a module are bound to, and what is done with functions and attributes."""

    def __init__(self, constants: Constants, module: Module) -> None:
        self.all = constants
        self.module = module
        self.owner: str | None = None
        self.called: set[int] = set()

    def _bind(self, target: ast.expr, value: ast.expr | None) -> None:
        if isinstance(target, ast.Name):
            self.module.bound.setdefault(target.id, []).append(value)
        elif isinstance(target, ast.Attribute):
            self.all.stored.setdefault(target.attr, []).append((self.module, value))
        elif isinstance(target, ast.Subscript):
            self.all.mutated.update(_parts(target.value)[-1:])
        elif isinstance(target, ast.Starred):
            self._bind(target.value, None)
        elif isinstance(target, ast.Tuple | ast.List):
            for one in target.elts:
                self._bind(one, None)

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self._bind(target, node.value)
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._bind(node.target, node.value)
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self._bind(node.target, None)
        self.all.mutated.update(_parts(node.target)[-1:])
        self.generic_visit(node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self._bind(node.target, node.value)
        self.generic_visit(node)

    def _loop(self, node: ast.For | ast.AsyncFor | ast.comprehension) -> None:
        if isinstance(node.target, ast.Name):
            self.module.elements.setdefault(node.target.id, []).append(node.iter)
        else:
            self._bind(node.target, None)
        self.generic_visit(node)

    visit_For = visit_AsyncFor = visit_comprehension = _loop  # noqa: N815  names that ast gives

    def visit_withitem(self, node: ast.withitem) -> None:
        if node.optional_vars is not None:
            self._bind(node.optional_vars, None)
        self.generic_visit(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        self._unknown(node.name)
        self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        self._unknown(node.name)
        self.generic_visit(node)

    def _unknown(self, name: str | None) -> None:
        if name:
            self.module.bound.setdefault(name, []).append(None)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.asname:
                self.module.imported[alias.asname] = (alias.name, "*module")

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = node.module or ""
        if node.level:
            parents = self.module.package.split(".") if self.module.package else []
            parents = parents[: len(parents) - node.level + 1]
            base = ".".join([*parents, *([base] if base else [])])
        for alias in node.names:
            self.module.imported[alias.asname or alias.name] = (base, alias.name)
            if alias.asname:
                self.all.escaped.add(alias.name)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        bases = {(_parts(base) or ["?"])[-1] for base in node.bases}
        self.all.bases |= bases
        plain = bases <= _PLAIN_BASES and not node.decorator_list and not node.keywords
        table: dict[str, list[ast.expr | None]] = {}
        for statement in node.body:
            if isinstance(statement, ast.Assign):
                for target in statement.targets:
                    for name in _parts(target):
                        table.setdefault(name, []).append(statement.value)
            elif isinstance(statement, ast.AnnAssign):
                for name in _parts(statement.target):
                    table.setdefault(name, []).append(statement.value)
        self.module.classes[node.name] = table if plain and node.name not in self.module.classes else None
        before, self.owner = self.owner, node.name
        self.generic_visit(node)
        self.owner = before

    def _function(self, node: Function) -> None:
        arguments = node.args
        plain = [*arguments.posonlyargs, *arguments.args]
        defaults = [*[None] * (len(plain) - len(arguments.defaults)), *arguments.defaults]
        static = any(_parts(d)[-1:] == ["staticmethod"] for d in node.decorator_list)
        bound = self.owner is not None and not static
        known = [*zip(plain, defaults, range(len(plain)), strict=True)]
        known += [(a, d, -1) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
        for argument, default, index in known:
            parameter = _Parameter(argument.arg, index, default, node, self.owner, bound)
            self.module.bound.setdefault(argument.arg, []).append(parameter)
        for rest in (arguments.vararg, arguments.kwarg):
            self._unknown(rest.arg if rest else None)
        before, self.owner = self.owner, None
        self.generic_visit(node)
        self.owner = before

    visit_FunctionDef = visit_AsyncFunctionDef = _function  # noqa: N815

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
            self._unknown(argument.arg)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        parts = _parts(node.func)
        called = parts[-1] if parts else getattr(node.func, "attr", None)
        if called:
            self.called.add(id(node.func))
            self.all.calls.setdefault(called, []).append((self.module, node))
            if called in _MUTATING and isinstance(node.func, ast.Attribute):
                self.all.mutated.update(_parts(node.func.value)[-1:])
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load) and id(node) not in self.called:
            self.all.escaped.add(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if isinstance(node.ctx, ast.Load) and id(node) not in self.called:
            self.all.escaped.add(node.attr)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self.all.spelled.add(node.value)
