"""Of each distribution the wheel that an installer takes on the target, among those whose hash is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.errors import HashError, ResolutionError
from optimizer.inventory.resolve.advice import MEND, no_wheel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from packaging.utils import NormalizedName

    from optimizer.inventory.resolve.advice import Asked
    from optimizer.inventory.resolve.uv import Offer, Project


def choose(projects: Iterable[Project], hashes: Mapping[NormalizedName, AbstractSet[str]], asked: Asked) -> list[Offer]:
    """One wheel of each project, in their order.

    Args:
        projects: with the wheels that there are.
        hashes: SHA-256 in hex that a wheel has to have one of; a project without an entry takes any.
        asked: for which target.

    Raises:
        HashError: the index has other wheels than those asked for; all of them at once.
        ResolutionError: there is none that loads on the target; all of them at once.
    """
    chosen: list[Offer] = []
    wrong: list[str] = []
    unfit: list[str] = []
    for project in projects:
        fitting = project.fitting(asked.target)
        allowed = hashes.get(project.name)
        right = [offer for offer in fitting if offer.sha256 and (allowed is None or offer.sha256 in allowed)]
        elsewhere = [offer.filename for offer in project.offers if offer.sha256 in (allowed or ())]
        if right:
            chosen.append(right[0])
        elif elsewhere:
            files = ", ".join(elsewhere)
            unfit.append(f"{project.name} {project.version} is pinned to {files}, which does not load there")
        elif fitting:
            wrong.append(_difference(project, fitting, allowed))
        else:
            unfit.append(no_wheel(project.name, f"=={project.version}", asked))
    if wrong:
        raise HashError(
            f"The wheels are not those whose hashes are asked for; nothing is built from them:{listed(wrong)}",
            mend=f"Find out why. To take what the index has, make the hashes anew: in {asked.file} where they stand "
            "there, else with `plan --upgrade --write`.",
        )
    if unfit:
        raise ResolutionError(f"{asked.file} has no wheels for {asked.where}:{listed(unfit)}", mend=MEND)
    return chosen


def listed(lines: Iterable[str]) -> str:
    """The lines as an error shows them."""
    return "".join(f"\n  {line}" for line in lines)


def _difference(project: Project, fitting: tuple[Offer, ...], allowed: AbstractSet[str] | None) -> str:
    actual = ", ".join(f"{offer.sha256 or 'none'} ({offer.filename})" for offer in fitting)
    expected = " or ".join(sorted(allowed)) if allowed else "of any value"
    return f"{project.name} {project.version}: expected sha256 {expected}; the index has {actual}"
