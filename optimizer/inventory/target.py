"""What holds on the target: marker values, and the wheel tags that load there."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from packaging.tags import Tag, compatible_tags, cpython_tags, parse_tag

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.markers import Environment

    from optimizer.models import Target

_OLDEST_GLIBC_MINOR = {"x86_64": 5, "aarch64": 17}
"""manylinux1 is glibc 2.5; aarch64 begins with manylinux2014 (PEPs 513 and 599)."""
_LEGACY = {"x86_64": ("manylinux2014", "manylinux2010", "manylinux1"), "aarch64": ("manylinux2014",)}


def marker_environment(target: Target) -> Environment:
    """The values of PEP 508's markers on the target.

    The patch release is not ours to know: AWS keeps its runtimes at the newest, so a marker that asks for one or a
    later one holds.
    """
    version = target.lambda_runtime.version
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{version}.99",
        "os_name": "posix",
        "platform_machine": target.machine,
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": f"{version}.99",
        "platform_python_implementation": "CPython",
        "python_version": version,
        "sys_platform": "linux",
    }


def platforms(target: Target) -> tuple[str, ...]:
    """The platform tags that load on the target, the newest glibc first."""
    machine = target.machine
    newest = target.lambda_runtime.glibc[1]
    return (
        *(f"manylinux_2_{minor}_{machine}" for minor in range(newest, _OLDEST_GLIBC_MINOR[machine] - 1, -1)),
        *(f"{name}_{machine}" for name in _LEGACY[machine]),
        f"linux_{machine}",
    )


@cache
def _supported(target: Target) -> dict[Tag, int]:
    """The tags that load on the target, each with its rank: an installer prefers the lowest."""
    runtime = target.lambda_runtime
    interpreter = f"cp{runtime.python[0]}{runtime.python[1]}"
    ordered = [
        *cpython_tags(runtime.python, abis=[interpreter], platforms=platforms(target)),
        *compatible_tags(runtime.python, interpreter=interpreter, platforms=platforms(target)),
    ]
    return {tag: rank for rank, tag in reversed(tuple(enumerate(ordered)))}


def tags_fit(tags: tuple[str, ...], target: Target) -> bool:
    """Whether one of a wheel's tags loads on the target: one is enough."""
    if any(tag in {"py3-none-any", "py2.py3-none-any"} for tag in tags):
        return True
    return any(parsed in _supported(target) for tag in tags if tag.count("-") >= 2 for parsed in parse_tag(tag))  # noqa: PLR2004


def tag_rank(tags: Iterable[Tag], target: Target) -> int | None:
    """How an installer ranks a wheel with those tags for the target, the lowest first; None where it does not load."""
    supported = _supported(target)
    return min((supported[tag] for tag in tags if tag in supported), default=None)


def built_here(tags: tuple[str, ...]) -> bool:
    """Whether the wheel was built on some machine: its tag does not say which glibc it needs."""
    return bool(tags) and all(tag.rsplit("-", 1)[-1].startswith("linux_") for tag in tags)
