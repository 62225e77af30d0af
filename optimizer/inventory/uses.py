"""What a module may make use of, read from its syntax tree: other modules, folders of tests, files by their names."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from optimizer.models import Distribution

    Roots = Mapping[str, tuple[str, ...]]

TEST_FOLDERS = frozenset({"test", "tests"})
_SOURCES = (".c", ".cc", ".cpp", ".cxx", ".cu", ".f", ".f90", ".for", ".pyx", ".rs")
_HEADERS = (".h", ".hh", ".hpp", ".hxx", ".inl", ".cuh", ".pxd", ".pxi", ".a")
NATIVE_SUFFIXES = frozenset({*_SOURCES, *_HEADERS})
"""Sources, headers and archives that a compiler or a linker reads."""
HIDDEN_FOLDERS = frozenset({".agents", ".claude", ".cursor", ".github", ".idea", ".vscode"})
"""Folders for editors, coding assistants and a project's host."""
_PATH_CALLS = ("Path", "PurePath", "PurePosixPath", "files", "get_data", "join", "joinpath", "open", "path")
_RESOURCE_CALLS = ("resource_filename", "resource_stream", "resource_string")
_MODULE_CALLS = ("__import__", "import_module", "iter_modules", "walk_packages")
_READS_PATHS = frozenset({*_PATH_CALLS, *_RESOURCE_CALLS, *_MODULE_CALLS})
"""Calls to which the bare word 'tests' is a folder's or a module's name."""
_LOGGERS = frozenset({"getLogger", "get_logger"})
_DOTTED = re.compile(r"\.*\w+(\.\w+)*\.?")
_SUFFIXED = re.compile(
    r"[\w*%{}-]*(?:" + "|".join(re.escape(suffix) for suffix in sorted({*NATIVE_SUFFIXES, ".pyi"})) + r")(?!\w)"
)
_PLACEHOLDERS = frozenset("*%{}")


@dataclass(slots=True, kw_only=True)
class Uses:
    """What the modules of one distribution, or of a function's own code, may make use of.

    `reached`: other importable roots by where they are named, as in `app/main.py:3`; `test_imports`: modules in
    folders of tests, by the module that imports them, or by "" where that is in no such folder; `test_names`: those
    named by strings, beginning with a dot where they are relative; `test_paths`: `test` and `tests`, where a path may
    have that part; `files`: names of files and suffixes that strings hold.
    """

    reached: dict[str, str] = field(default_factory=dict)
    test_imports: dict[str, set[str]] = field(default_factory=dict)
    test_names: set[str] = field(default_factory=set)
    test_paths: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)


def is_test(path: str) -> bool:
    """Whether a path leads through a folder of tests."""
    return not TEST_FOLDERS.isdisjoint(path.split("/")[:-1])


def note_uses(found: Uses, tree: ast.Module, path: str, roots: Roots) -> None:
    """Add what one module makes use of.

    Everything counts that might be an import or the name of a file, wherever it stands: in functions, in branches
    that never run, as a string. What is taken for one and is none does no harm but that more ships.

    Args:
        found: what is added to.
        tree: the module.
        path: its file, relative to the folder on sys.path.
        roots: what may be reached; see `importable_roots`.
    """
    module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    package = module if path.endswith("/__init__.py") else module.rpartition(".")[0]
    importer = module if is_test(path) else ""
    nodes = _walk(tree)
    for name, line in _imports(nodes, package):
        if not TEST_FOLDERS.isdisjoint(name.split(".")):
            found.test_imports.setdefault(importer, set()).add(name)
        if not importer:
            _reach(found, name, roots, f"{path}:{line}")
    if importer:
        return  # what tests say in strings is for the tests
    reader = _Strings(found=found, package=package, place=path, roots=roots)
    reader.read(nodes)
    if "docs" in path.split("/")[:-1]:
        found.files -= {"examples", "examples-1"} - reader.before


def note_extension(found: Uses, content: bytes) -> None:
    """Add the dotted names with a folder of tests in them that a compiled module holds."""
    for match in re.finditer(rb"\.tests?(?!\w)[\w.]{0,200}", content):  # first the rare part: these are large files
        before = re.search(rb"[A-Za-z_][\w.]{0,200}\Z", content[max(0, match.start() - 200) : match.start()])
        if before:
            found.test_names.add((before[0] + match[0]).decode())


def _walk(tree: ast.Module) -> list[ast.AST]:
    """Every node, those around it first; for tens of thousands of nodes a module, ast.walk takes twice as long."""
    nodes: list[ast.AST] = [tree]
    for node in nodes:
        for value in vars(node).values():
            if isinstance(value, ast.AST):
                if not isinstance(value, ast.expr_context):
                    nodes.append(value)
            elif isinstance(value, list):
                nodes += [item for item in value if isinstance(item, ast.AST)]
    return nodes


def _imports(nodes: list[ast.AST], package: str) -> Iterator[tuple[str, int]]:
    """Every dotted name that an import statement may load, with its line."""
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")
                parents = parents[: len(parents) - node.level + 1]
                base = ".".join([*parents, *([base] if base else [])])
            for alias in node.names:
                yield f"{base}.{alias.name}", node.lineno


def _reach(found: Uses, name: str, roots: Roots, place: str) -> None:
    """Note the root that a dotted name is or is inside of, or all that are inside of it."""
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        root = ".".join(parts[:end])
        if roots.get(root) == (root,):
            found.reached.setdefault(root, place)
            return
    for root in roots.get(name, ()):
        found.reached.setdefault(root, place)


def importable_roots(roots: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Packages and modules by the dotted names that lead to them: their own, and those of namespaces around them.

    A folder without an `__init__.py` is a namespace, which several distributions may share: `google.cloud` leads to
    all roots in it, `google.cloud.storage` to itself.
    """
    inside = {root: {root} for root in roots}
    for root in sorted(inside):
        parts = root.split(".")
        for end in range(1, len(parts)):
            inside.setdefault(".".join(parts[:end]), set()).add(root)
    return {name: tuple(sorted(found)) for name, found in sorted(inside.items())}


def own_roots(distribution: Distribution) -> frozenset[str]:
    """The outermost regular packages, and modules in no such package, of one distribution."""
    modules = [file.path for file in distribution.files if file.path.endswith((".py", ".so", ".pyc"))]
    packages = {path.rpartition("/")[0] for path in modules if path.rpartition("/")[2].startswith("__init__.")}
    roots = set()
    for path in modules:
        parts = path.split("/")
        if "__pycache__" in parts or parts[0].endswith(".libs"):
            continue
        outermost = next((end for end in range(1, len(parts)) if "/".join(parts[:end]) in packages), len(parts))
        names = [*parts[: outermost - 1], parts[outermost - 1].split(".")[0]]
        if all(name.isidentifier() for name in names):
            roots.add(".".join(names))
    return frozenset(roots)


@dataclass(slots=True, kw_only=True)
class _Strings:
    """Reads a module's string constants, docstrings aside."""

    found: Uses
    package: str
    place: str
    roots: Roots
    before: set[str] = field(default_factory=set)

    def read(self, nodes: list[ast.AST]) -> None:
        self.before = set(self.found.files)
        skipped: set[int] = set()
        for node in nodes:
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                skipped.add(id(node.value))  # a docstring, or a string that is thrown away
            elif isinstance(node, ast.Call):
                self._call(node, skipped)
            elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.Add):
                self._bare((node.left, node.right))
            elif isinstance(node, ast.Tuple | ast.List | ast.Set) and self.place.endswith("__init__.py"):
                words = {item.value for item in node.elts if isinstance(item, ast.Constant)}
                submodules = {name for name in TEST_FOLDERS if name in words}  # __all__, or loaded lazily
                self.found.test_names |= {f"{self.package}.{name}" for name in submodules}
            elif isinstance(node, ast.Name | ast.Attribute):
                if "attach_stub" in (getattr(node, "id", None), getattr(node, "attr", None)):
                    self.found.files.add(".pyi")  # lazy_loader reads a package's stub to know its submodules
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
                self._string(node.value, node.lineno)

    def _call(self, node: ast.Call, skipped: set[int]) -> None:
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called in _LOGGERS:
            skipped.update(map(id, node.args))
        elif called in _READS_PATHS:
            self._bare((*node.args, *(keyword.value for keyword in node.keywords)))

    def _bare(self, nodes: tuple[ast.expr, ...] | list[ast.expr]) -> None:
        """Single words that are the name of a folder or of a module where they stand."""
        for node in nodes:
            if isinstance(node, ast.Constant) and node.value in TEST_FOLDERS:
                self.found.test_paths.add(node.value)

    def _string(self, text: str, line: int) -> None:
        name = text.partition(":")[0]  # an entry point's `module:attribute` too
        if _DOTTED.fullmatch(name) and ("." in name or name in self.roots):
            if not TEST_FOLDERS.isdisjoint(name.split(".")):
                self.found.test_names.add(name)
            _reach(self.found, name, self.roots, f"{self.place}:{line}")
        if text in {"examples", "examples-1"}:
            self.found.files.add(text)
        if "/" in text or "\\" in text:
            parts = set(re.split(r"[/\\]", text))
            if not re.search(r"\s|://", text):
                self.found.test_paths |= parts & TEST_FOLDERS
            self.found.files |= parts & HIDDEN_FOLDERS
        elif text in HIDDEN_FOLDERS:
            self.found.files.add(text)
        if "." in text:
            self.found.files.update(map(_file_name, _SUFFIXED.findall(text)))


def _file_name(text: str) -> str:
    """The name of a file, or its suffix alone where the rest is filled in at run time."""
    return text[text.rindex(".") :] if not _PLACEHOLDERS.isdisjoint(text) else text
