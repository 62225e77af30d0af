"""What can be known of shared objects without loading them: machine, glibc, the libraries that they need."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from optimizer import limits
from optimizer.runtime.folders import LIBRARY_FOLDERS
from optimizer.runtime.glibc import find_provider, refusals
from optimizer.verify.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from optimizer.models import Target
    from optimizer.runtime.glibc import Library


def check_libraries(libraries: Mapping[str, Library], target: Target) -> Iterator[Finding]:
    """What is wrong with the shared objects of a function, keyed by their absolute path on Lambda.

    A library that falls with one that it needs is not told again: that one is.
    """
    fit = {path: library for path, library in libraries.items() if library.machine == target.machine}
    for path, library in sorted(libraries.items()):
        if path not in fit:
            yield Finding(check="elf-machine", subject=path, expected=target.machine, actual=library.machine)
    glibc = target.lambda_runtime.glibc
    for path, message in sorted(refusals(fit, glibc, LIBRARY_FOLDERS).items()):
        if message.endswith(f"(required by {path})"):
            expected = f"symbols of glibc {glibc[0]}.{glibc[1]} at most, which {target.runtime} has"
            yield Finding(check="glibc", subject=path, expected=expected, actual=message)
    for path, library in sorted(fit.items()):
        lost = [name for name in library.needed if not _found(path, name, fit, target)]
        if lost:
            yield Finding(
                check="library",
                subject=path,
                expected="the libraries that it needs, in the layers or in Lambda's runtime",
                actual=f"not found: {', '.join(sorted(lost))}",
            )


def _found(path: str, name: str, libraries: Mapping[str, Library], target: Target) -> bool:
    """Whether the loader finds a library, or a neighbour has it, which packages load by path before they need it."""
    if name in limits.SYSTEM_LIBRARIES or name.startswith(f"libpython{target.lambda_runtime.version}.so"):
        return True
    if find_provider(path, name, libraries, LIBRARY_FOLDERS):
        return True
    top = _top(path)
    return any(posixpath.basename(other) == name and _top(other) in {top, f"{top}.libs"} for other in libraries)


def _top(path: str) -> str:
    """The top-level folder that a path under /opt/python or /var/task lies in."""
    inner = path.removeprefix("/opt/python/").removeprefix("/var/task/")
    return inner.split("/", 1)[0]
