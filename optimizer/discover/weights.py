"""What distributions weigh, where it can be known before anything is planned: installed, or told by uv.lock."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion

from optimizer.discover.roles import Weight
from optimizer.inventory.closure import Closure
from optimizer.inventory.requirements import RequirementLine
from optimizer.inventory.target import marker_environment, tag_rank

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from packaging.requirements import Requirement

    from optimizer.inventory import Environment
    from optimizer.models import Target


def holds(requirement: Requirement, target: Target) -> bool:
    """Whether the requirement counts on the target."""
    return _marked(str(requirement.marker) if requirement.marker else "", target)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledWeights:
    """What is installed of what the requirements lead to, by name; `lacking` is what is not, or in another version."""

    weights: dict[str, Weight]
    lacking: tuple[str, ...]


def installed_weights(
    environment: Environment, requirements: Iterable[Requirement], target: Target
) -> InstalledWeights:
    """What an environment has of what the requirements lead to."""
    closure = Closure(environment, target)
    closure.walk(RequirementLine(r, "the requirements") for r in requirements)
    return InstalledWeights(
        weights={
            str(d.name): Weight(bytes=d.installed_bytes, requires=tuple(map(str, d.requires)))
            for d in closure.distributions()
        },
        lacking=tuple(
            f"{d.distribution} ({d.detail})" for d in closure.defects.values() if d.code in {"missing", "specifier"}
        ),
    )


def locked_weights(text: str, direct: Iterable[str], target: Target) -> dict[str, Weight]:
    """What uv.lock says of the wheels that the names lead to; empty where it has no bytes of one of them."""
    try:
        packages = tomllib.loads(text).get("package", [])
        known = {canonicalize_name(p["name"]): p for p in packages if isinstance(p, dict) and "wheels" in p}
        found: dict[str, Weight] = {}
        pending = list(direct)
        while pending:
            name = canonicalize_name(pending.pop())
            if name in found:
                continue
            package = known[name]
            requires = tuple(
                canonicalize_name(d["name"])
                for d in package.get("dependencies", [])
                if _marked(str(d.get("marker", "")), target)
            )
            found[name] = Weight(bytes=_wheel_bytes(package["wheels"], target), requires=requires)
            pending += requires
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError, RecursionError, ValueError):
        return {}  # another's format: without bytes the layers are proposed by role alone, which the file says
    return found


def _wheel_bytes(wheels: list[dict[str, Any]], target: Target) -> int:
    """The bytes of the wheel that an installer takes on the target.

    Raises:
        KeyError: there is none, or its bytes are not told.
    """
    ranked = []
    for wheel in wheels:
        try:
            tags = parse_wheel_filename(unquote(str(wheel["url"]).rpartition("/")[2]))[3]
        except (InvalidWheelFilename, InvalidVersion):
            continue
        rank = tag_rank(tags, target)
        if rank is not None:
            ranked.append((rank, int(wheel["size"])))
    if not ranked:
        raise KeyError("wheels")
    return min(ranked)[1]


def _marked(marker: str, target: Target) -> bool:
    try:
        values = cast("dict[str, str | AbstractSet[str]]", {**marker_environment(target), "extra": ""})
        return not marker or Marker(marker).evaluate(values)
    except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName):
        return True
