"""[pure] The selection rules: each takes files that nothing reads at run time, and says which and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from optimizer.inventory.uses import HIDDEN_FOLDERS, NATIVE_SUFFIXES
from optimizer.select.rewrites import REWRITES
from optimizer.select.test_folders import unused_tests

if TYPE_CHECKING:
    from collections.abc import Callable

    from optimizer.models import Distribution
    from optimizer.select.evidence import Evidence

INSTALLER_FILES = frozenset({"INSTALLER", "REQUESTED", "direct_url.json", "RECORD", "RECORD.jws", "RECORD.p7s"})
"""What an installer writes about the install itself (PEPs 376 and 610); RECORD is made anew from what ships."""
_COMPILERS = ("cffi", "cython", "llvmlite", "numba", "nvidia-cuda-nvrtc", "pythran", "triton", "ziglang")
_COMPILING = ("cupy", "jax", "pycuda", "pyopencl", "taichi", "torch")
"""Beginnings of the names of distributions that compile at run time, or bring what others compile with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One reason for files not to ship.

    `takes` gives the paths that go, of a distribution and the evidence about it. Rules that are `switchable` rest on
    that evidence, give way to a person's `keep` patterns and are off where `[slim]` says `name = false`; without the
    others the layer would be wrong.
    """

    name: str
    why: str
    takes: Callable[[Distribution, Evidence], frozenset[str]]
    switchable: bool = True


def is_protected(path: str, info: str) -> bool:
    """Whether a file is metadata that is read at run time, or a licence, which has to go where the code goes."""
    folder, _, rest = path.partition("/")
    if folder != info and not folder.endswith(".dist-info"):
        return False
    name = rest.rpartition("/")[2].upper()
    return (
        rest in {"METADATA", "PKG-INFO", "WHEEL", "entry_points.txt", "top_level.txt", "namespace_packages.txt"}
        or rest.startswith(("licenses/", "license_files/"))
        or name.startswith(("LICENSE", "LICENCE", "COPYING", "NOTICE", "AUTHORS"))
    )


def _installer(distribution: Distribution, _: Evidence) -> frozenset[str]:
    wanted = {f"{distribution.info}/{name}" for name in INSTALLER_FILES}
    return frozenset(file.path for file in distribution.files if file.path in wanted)


def _bytecode(distribution: Distribution, _: Evidence) -> frozenset[str]:
    paths = {file.path for file in distribution.files}
    return frozenset(
        path
        for path in paths
        if path.endswith((".pyc", ".pyo"))
        and ("__pycache__" in path.split("/") or path[:-1] in paths)  # without its source, a .pyc is the module
    )


def _scripts(distribution: Distribution, _: Evidence) -> frozenset[str]:
    paths = {file.path for file in distribution.files}
    if "bin/__init__.py" in paths:
        return frozenset()
    return frozenset(path for path in paths if path.startswith("bin/") and path.count("/") == 1)


def _stubs(distribution: Distribution, evidence: Evidence) -> frozenset[str]:
    return _unmentioned([f.path for f in distribution.files if f.path.endswith(".pyi")], evidence)


def _native_sources(distribution: Distribution, evidence: Evidence) -> frozenset[str]:
    paths = [file.path for file in distribution.files]
    if not any(path.endswith(".so") for path in paths) or distribution.name.startswith((*_COMPILERS, *_COMPILING)):
        return frozenset()
    return _unmentioned([path for path in paths if _suffix(path) in NATIVE_SUFFIXES], evidence)


def _unmentioned(paths: list[str], evidence: Evidence) -> frozenset[str]:
    """Those whose name and whose suffix no string of the distribution's own modules holds."""
    mentioned = evidence.own.files
    return frozenset(
        path for path in paths if path.rpartition("/")[2] not in mentioned and _suffix(path) not in mentioned
    )


def _suffix(path: str) -> str:
    _, dot, end = path.rpartition("/")[2].rpartition(".")
    return dot + end


def _examples(distribution: Distribution, evidence: Evidence) -> frozenset[str]:
    if distribution.name not in {"boto3", "botocore"}:
        return frozenset()
    names = {"examples-1.json", "examples-1.json.gz"}
    return frozenset(
        file.path
        for file in distribution.files
        if (file.path.rpartition("/")[2] in names and "examples-1" not in evidence.own.files)
        or (file.path.startswith("boto3/examples/") and "examples" not in evidence.own.files)
    )


def _editor_files(distribution: Distribution, evidence: Evidence) -> frozenset[str]:
    folders = HIDDEN_FOLDERS - evidence.own.files
    return frozenset(file.path for file in distribution.files if not folders.isdisjoint(file.path.split("/")[:-1]))


RULES = {
    rule.name: rule
    for rule in (
        Rule(
            name="installer-files",
            why="tell of this install, not of the distribution; RECORD is made anew from what ships",
            takes=_installer,
            switchable=False,
        ),
        Rule(
            name="installed-bytecode",
            why="bytecode made at the install carries this machine's paths and times: it would be stale on Lambda",
            takes=_bytecode,
            switchable=False,
        ),
        Rule(
            name="scripts",
            why="commands for a shell; a function has none, and their first line names this machine's Python",
            takes=_scripts,
            switchable=False,
        ),
        Rule(
            name="tests",
            why="folders of tests inside packages, as far as no module that ships leads into them",
            takes=unused_tests,
        ),
        Rule(
            name="stubs",
            why="*.pyi is for type checkers; no module of the distribution reads one",
            takes=_stubs,
        ),
        Rule(
            name="native-sources",
            why="for compilers and linkers: Lambda has neither, and no module of the distribution names the file",
            takes=_native_sources,
        ),
        Rule(
            name="sdk-examples",
            why="examples for the SDK's documentation: only botocore.docs and boto3.docs read them, to write pages",
            takes=_examples,
        ),
        Rule(
            name="editor-files",
            why="folders for editors and coding assistants (.agents, .vscode); no module of the distribution names one",
            takes=_editor_files,
        ),
    )
}
"""The rules, in the order in which a file is offered to them."""
INSTALL_RULES = frozenset(name for name, rule in RULES.items() if not rule.switchable)
"""Those that take what an installer made, whose files are not the distribution's."""
_DECIDED = {
    "botocore-services": "service models that neither the code makes a client for nor `[aws] services` lists",
    "slim.drop": "a pattern under [slim.drop]",
    "shared-path": "another distribution owns the path too, and ships it",
    "hidden": "its name, or that of a folder around it, begins with a dot",
    "build-only": "only the build reads it",
}


def why(rule: str) -> str:
    """Why files go that stand in a receipt under that name."""
    return RULES[rule].why if rule in RULES else {**REWRITES, **_DECIDED}[rule]
