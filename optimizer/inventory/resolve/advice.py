"""Why there is no solution: which distributions have no wheel for the target, what there is of them, and what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import NormalizedName, canonicalize_name

from optimizer import limits
from optimizer.errors import OptimizerError, ResolutionError
from optimizer.inventory.resolve import uv
from optimizer.models import Target

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from optimizer.inventory.requirements import RequirementLine
    from optimizer.inventory.resolve.uv import Offer, Project

_NAMED = re.compile(r"\bfor `([A-Za-z0-9][\w.-]*)")
"""uv's hints name the distributions so: "Wheels are required for `x` because ..."."""
_SHOWN = 6
MEND = (
    "Ask for a version that has a wheel, plan for a runtime that it loads on, or build the wheel yourself (pip wheel, "
    "on a Linux with that glibc) and name its folder: --wheels DIR."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is resolved: the requirements that hold on the target, and the options that say where wheels come from."""

    file: Path
    lines: tuple[RequirementLine, ...]
    options: tuple[str, ...]
    target: Target

    @property
    def where(self) -> str:
        """The target in words."""
        glibc = ".".join(map(str, self.target.lambda_runtime.glibc))
        return f"{self.target.runtime} on {self.target.architecture} (glibc {glibc})"


def no_solution(error: uv.NoSolutionError, asked: Asked) -> OptimizerError:
    """The error for what uv could not resolve: every distribution without a wheel at once, or else uv's own words.

    Args:
        error: what uv says.
        asked: what it was asked.
    """
    faults: list[str] = []
    excluded: list[NormalizedName] = []
    text = said = str(error)
    names = error.names
    while text:
        named = sorted({*names, *(canonicalize_name(name) for name in _NAMED.findall(text))} - set(excluded))
        found = {name: fault for name in named if (fault := _misfit(name, text, asked))}
        if not found:
            break
        faults += found.values()
        excluded += found
        text, names = _rest(asked, excluded)
    if not faults:
        return ResolutionError(
            f"{asked.file} can't be resolved for {asked.where}:\n{text}", mend="Change what the requirements ask for."
        )
    indirect = set(excluded) - {canonicalize_name(line.requirement.name) for line in asked.lines}
    told = "".join(f"\n  {fault}" for fault in faults) + (f"\n{text}" if text else "")
    why = f"\nWhat requires {', '.join(sorted(indirect))}:\n{said}" if indirect else ""
    return ResolutionError(f"{asked.file} has no wheels for {asked.where}:{told}{why}", mend=MEND)


def no_wheel(name: NormalizedName, specifier: str, asked: Asked) -> str:
    """What there is of a distribution that has no wheel for the target, and which version has one.

    Args:
        name: the distribution.
        specifier: the versions that are asked for, or empty.
        asked: the target, and where wheels come from.
    """
    return _misfit(name, f"{name}{specifier}", asked) or f"{name}{specifier} has no wheel for {asked.where}"


def _rest(asked: Asked, excluded: Sequence[NormalizedName]) -> tuple[str, frozenset[NormalizedName]]:
    """What uv still says without those, and whom it names; empty where the rest can be resolved."""
    try:
        uv.resolve(asked.file, asked.target, excluding=excluded)
    except uv.NoSolutionError as error:
        return str(error), error.names
    return "", frozenset()


def _misfit(name: NormalizedName, text: str, asked: Asked) -> str | None:
    """What is wrong with the distribution; None where it has a wheel for the target."""
    specifier = _wanted(name, text, asked.lines)
    newest = _one(f"{name}{specifier}", asked, anywhere=True)
    if newest is not None and newest.fitting(asked.target):
        return None
    loading = _one(str(name), asked, anywhere=False)
    if loading is None:
        advice = "no version of it has one"
    else:
        advice = f"the newest version that has one is {loading.version}: {name}=={loading.version}"
    if newest is None:
        return f"{name}{specifier} has no wheels at all, only a source distribution; {advice}"
    tags = _tags(newest.offers, asked.target)
    elsewhere = [
        r for r in limits.RUNTIMES if newest.fitting(Target(runtime=r, architecture=asked.target.architecture))
    ]
    loads = f"; {newest.version} loads on {', '.join(elsewhere)}" if elsewhere else ""
    return f"{name} {newest.version} has no wheel for it, but for {tags}; {advice}{loads}"


def _wanted(name: NormalizedName, text: str, lines: Sequence[RequirementLine]) -> str:
    """Which versions are asked for: by the file, or else by what uv says of them."""
    own = [str(x.requirement.specifier) for x in lines if canonicalize_name(x.requirement.name) == name]
    if any(own):
        return ",".join(filter(None, own))
    spelled = re.escape(name).replace(r"\-", "[-_.]+")
    told = re.search(rf"(?<![\w.-]){spelled}(?:\[[^\]]*\])?(==[\w.+!]*\w)", text, re.IGNORECASE)
    return told[1] if told else ""


def _one(requirement: str, asked: Asked, *, anywhere: bool) -> Project | None:
    try:
        found = uv.look_up([requirement], asked.target, anywhere=anywhere, options=asked.options)
    except uv.NoSolutionError:
        return None
    return found[0] if found else None


def _tags(offers: Sequence[Offer], target: Target) -> str:
    """The tags of the wheels that there are, the target's own Python and machine first."""
    interpreter = f"cp{target.lambda_runtime.version.replace('.', '')}-"
    tags = {"-".join(offer.filename.removesuffix(".whl").split("-")[-3:]) for offer in offers}
    ordered = sorted(
        tags, key=lambda tag: (not tag.startswith(interpreter), target.machine not in tag, "linux" not in tag, tag)
    )
    more = f" and {len(ordered) - _SHOWN} more" if len(ordered) > _SHOWN else ""
    return ", ".join(ordered[:_SHOWN]) + more
