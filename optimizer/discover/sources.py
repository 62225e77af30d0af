"""The project's own modules → which are handlers, which folder ships, and what they import; nothing is run."""

from __future__ import annotations

import ast
import posixpath
import warnings
from functools import cached_property
from typing import TYPE_CHECKING

from optimizer.discover.files import is_test
from optimizer.discover.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optimizer.discover.files import Project

_NAMES = ("lambda_handler", "handler")
_USUAL = ("lambda_function", "handler", "app", "main", "index")
_SKIPPED = frozenset({"setup.py", "noxfile.py"})
_ARGUMENTS = 2
_MANY = 3000


class Sources:
    """The syntax trees of the project's modules, each parsed once."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._trees: dict[str, ast.Module | None] = {}
        self._imports: dict[str, dict[str, int]] = {}

    def modules(self, folder: str = "") -> tuple[str, ...]:
        """The paths of the Python files in the folder, tests and the like left out."""
        inside = f"{folder}/" if folder not in {"", "."} else ""
        found = (p for p in self.project.named("*.py") if p.startswith(inside) and not is_test(p))
        return tuple(path for path in found if posixpath.basename(path) not in _SKIPPED)[:_MANY]

    def tree(self, path: str) -> ast.Module | None:
        """The module's syntax tree, or None, with a note, where it is none."""
        if path not in self._trees:
            text = self.project.text(path)
            self._trees[path] = None if text is None else self._parse(path, text)
        return self._trees[path]

    def _parse(self, path: str, text: str) -> ast.Module | None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what Python thinks of somebody's escapes is no business of ours
                return ast.parse(text)
        except SyntaxError as error:
            self.project.note(f"{path}:{error.lineno or 1} is no Python that runs here: {error.msg}")
        except (ValueError, RecursionError, MemoryError) as error:
            self.project.note(f"{path} is no Python that can be parsed: {error or type(error).__name__}")
        return None

    def handlers(self) -> tuple[Value, ...]:
        """What looks like a handler, as `path:name` with its place; the likeliest first."""
        found = [
            Value(value=f"{path}:{name}", where=f"{path}:{line}", how=how)
            for path in self.modules()
            if (tree := self.tree(path)) is not None
            for name, line, how in _handlers(tree)
        ]
        return tuple(sorted(found, key=_likely))

    def imports(self, path: str) -> dict[str, int]:
        """The top-level names that a module imports absolutely, each with the line."""
        if path in self._imports:
            return self._imports[path]
        tree = self.tree(path)
        found = self._imports.setdefault(path, {})
        for node in ast.walk(tree) if tree is not None else ():
            if isinstance(node, ast.Import):
                for alias in node.names:
                    found.setdefault(alias.name.partition(".")[0], node.lineno)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.setdefault(node.module.partition(".")[0], node.lineno)
        return found

    def imported_at(self, folder: str, name: str) -> str:
        """The first place in the folder that imports that top-level name, or nothing."""
        places = (f"{path}:{line}" for path in self.modules(folder) if (line := self.imports(path).get(name)))
        return next(places, "")

    def folder_of(self, path: str, outermost: str = "") -> str:
        """The folder that has to be on sys.path for the module at that path: what `source` is.

        It is the module's own, or the one above its package, or the one where what the modules in it import of the
        project's own is found, whichever is the outermost; never above `outermost`. Relative to the project, `.` for
        its root.
        """
        folder = posixpath.dirname(path)
        while self.project.has(posixpath.join(folder, "__init__.py")) and folder not in {"", outermost}:
            folder = posixpath.dirname(folder)
        grown = True
        while grown and folder not in {"", outermost}:
            grown = False
            for name in sorted({n for module in self.modules(folder) for n in self.imports(module)}):
                home = self._home(name, folder, outermost)
                if home is not None and home != folder:
                    folder, grown = home, True
                    break
        return folder or "."

    def _home(self, name: str, folder: str, outermost: str) -> str | None:
        """The nearest folder, from this one outwards, that has a module or package of that name."""
        while True:
            if self.has_module(folder, name):
                return folder
            if folder in {"", outermost}:
                return None
            folder = posixpath.dirname(folder)

    def has_module(self, folder: str, name: str) -> bool:
        """Whether the folder has such a module, or a folder of that name with modules in it."""
        inside = posixpath.join(folder, name)
        return inside in self._packages or self.project.has(f"{inside}.py")

    @cached_property
    def _packages(self) -> frozenset[str]:
        """The folders that modules are in."""
        found: set[str] = set()
        for path in self.modules():
            folder = posixpath.dirname(path)
            while folder and folder not in found:
                found.add(folder)
                folder = posixpath.dirname(folder)
        return frozenset(found)


def _handlers(tree: ast.Module) -> Iterator[tuple[str, int, str]]:
    """The handlers that a module defines: name, line and what tells."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name in _NAMES and len(node.args.args) == _ARGUMENTS:
            yield node.name, node.lineno, f"def {node.name}({', '.join(a.arg for a in node.args.args)})"
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and _adapts(node.value):
            name = node.targets[0].id
            if not name.startswith("_"):  # what a handler of the module's own calls
                yield name, node.lineno, f"{name} = Mangum(...)"


def _adapts(value: ast.expr) -> bool:
    """Whether the expression makes an adapter for Lambda."""
    if not isinstance(value, ast.Call):
        return False
    name = value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")
    return name == "Mangum"


def _likely(found: Value) -> tuple[int, int, int, str]:
    path, _, name = found.value.rpartition(":")
    stem = posixpath.basename(path).removesuffix(".py")
    usual = _USUAL.index(stem) if stem in _USUAL else len(_USUAL)
    return path.count("/"), usual, _NAMES.index(name) if name in _NAMES else len(_NAMES), path
