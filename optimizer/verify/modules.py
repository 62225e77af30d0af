"""[pure] Which modules the layers offer for import: top-level ones, and for namespace packages their portions' own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.content import LAYER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from optimizer.models import Target

Tree = dict[str, "Tree | None"]


def find_modules(paths: Iterable[str], target: Target) -> tuple[str, ...]:
    """The modules to import, sorted, from all the layers' paths.

    A regular package is imported and not looked into; of a namespace package (`google`), which is no file to lose,
    the packages and modules below it are. A compiled file beside them counts whatever its name is: mypyc's have names
    that no statement could import, and the packages that they belong to can't do without them.
    """
    suffixes = _suffixes(target)
    site = f"lib/python{target.lambda_runtime.version}/site-packages/"
    tree: Tree = {}
    for path in paths:
        if path.startswith(LAYER.prefix) and "__pycache__" not in path:
            _put(tree, path.removeprefix(LAYER.prefix).removeprefix(site).split("/"))
    return tuple(sorted(set(_modules(tree, suffixes, ""))))


def _suffixes(target: Target) -> tuple[str, ...]:
    """What the names of files end in that the target's Python imports (`_imp.extension_suffixes()` on Linux)."""
    tag = f"cpython-{target.lambda_runtime.version.replace('.', '')}-{target.machine}-linux-gnu"
    return (f".{tag}.so", ".abi3.so", ".so", ".py", ".pyc")


def _put(tree: Tree, parts: list[str]) -> None:
    for part in parts[:-1]:
        below = tree.setdefault(part, {})
        if below is None:  # a file of that name too, in another layer
            return
        tree = below
    tree.setdefault(parts[-1], None)


def _modules(tree: Tree, suffixes: tuple[str, ...], inside: str) -> Iterable[str]:
    for name, below in tree.items():
        if below is None:
            module = _module(name, suffixes)
            if module not in {None, "__init__", "__main__"}:
                yield f"{inside}{module}"
        elif not name.isidentifier():
            continue  # metadata, `numpy.libs`: nothing that could be imported
        elif any(b is None and _module(n, suffixes) == "__init__" for n, b in below.items()):
            yield f"{inside}{name}"
        else:
            yield from _modules(below, suffixes, f"{inside}{name}.")


def _module(file: str, suffixes: tuple[str, ...]) -> str | None:
    """The name under which a file is imported; None for other files."""
    for suffix in suffixes:
        if file.endswith(suffix):
            name = file.removesuffix(suffix)
            compiled = suffix.endswith(".so") and name.replace("_", "a").isalnum()
            return name if name.isidentifier() or compiled else None
    return None
