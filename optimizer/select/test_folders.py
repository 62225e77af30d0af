"""[pure] Folders of tests inside packages: which of their files nothing leads to.

numpy without its `tests` folders imports, yet `numpy.testing` fails, which scipy imports: it takes one module out of
`numpy/_core/tests`. So a folder goes only as far as nothing leads into it, by what all the modules say that ship:

- What an import statement outside of folders of tests names stays, with the packages around it and what it imports in
  its turn; so do the folder's files that are no modules.
- Where a string names the folder (`"x.tests"`, `"tests/data"`, an entry point, a compiled module), all of it stays.
- Discovery (`pkgutil.walk_packages`) imports what is there, and does not miss what is not.

Only folders inside a regular package are looked at: a namespace stays whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.inventory.uses import TEST_FOLDERS

if TYPE_CHECKING:
    from optimizer.models import Distribution
    from optimizer.select.evidence import Evidence


def unused_tests(distribution: Distribution, evidence: Evidence) -> frozenset[str]:
    """The paths of files in folders of tests that nothing leads to."""
    paths = {file.path for file in distribution.files}
    inside: dict[str, set[str]] = {}
    for path in paths:
        folder = _test_folder(path, paths)
        if folder is not None:
            inside.setdefault(folder, set()).add(path)
    if not inside:
        return frozenset()
    reached = _reached(evidence)
    taken: set[str] = set()
    for folder, files in inside.items():
        if _is_named(folder, evidence):
            continue
        needed = {path for path in files if path.endswith(".py") and _module(path) in reached}
        if needed:
            needed |= {path for path in files if not path.endswith(".py")}
        taken |= files - needed
    return frozenset(taken)


def _test_folder(path: str, paths: set[str]) -> str | None:
    """The outermost folder of tests that a file is in, where that lies in a regular package."""
    parts = path.split("/")[:-1]
    for end, part in enumerate(parts):
        if part in TEST_FOLDERS:
            parent = "/".join(parts[:end])
            return "/".join(parts[: end + 1]) if f"{parent}/__init__.py" in paths else None
    return None


def _reached(evidence: Evidence) -> set[str]:
    """Every dotted name in folders of tests that import statements lead to, the packages around each included."""
    reached: set[str] = set()
    todo = list(evidence.test_imports.get("", ()))
    while todo:
        name = todo.pop()
        while name and name not in reached:
            reached.add(name)
            todo += evidence.test_imports.get(name, ())
            name = name.rpartition(".")[0]
    return reached


def _is_named(folder: str, evidence: Evidence) -> bool:
    """Whether a string leads to the folder."""
    last = folder.rpartition("/")[2]
    if last in evidence.own.test_paths:
        return True
    dotted = folder.replace("/", ".")
    for name in evidence.test_names:
        if name.startswith("."):
            if last in name.split("."):
                return True
        elif name == dotted or name.startswith(f"{dotted}.") or name.rstrip(".") == dotted:
            return True
    return False


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
