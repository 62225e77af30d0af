"""[reads] An installed environment, a folder or wheels, and the function's own source, as an Inventory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.errors import InventoryError
from optimizer.inventory.closure import Closure
from optimizer.inventory.environment import Environment, Installed, InstalledEnvironment
from optimizer.inventory.exclusion import excluded
from optimizer.inventory.requirements import RequirementLine, read_requirements, requirement_files
from optimizer.inventory.source import read_source
from optimizer.inventory.wheels import WheelEnvironment
from optimizer.models import FunctionSource, Inventory

if TYPE_CHECKING:
    from pathlib import Path

    from optimizer.config import Config

__all__ = [
    "Environment",
    "Installed",
    "InstalledEnvironment",
    "RequirementLine",
    "WheelEnvironment",
    "read_inventory",
    "read_requirements",
    "requirement_files",
]


def read_inventory(config: Config, environment: Environment, *, requirements: Path | None = None) -> Inventory:
    """Everything in reach of the functions' requirements, as the environment has it.

    Args:
        config: whose functions name sources and requirements files.
        environment: where distributions are looked up.
        requirements: read instead of every function's own requirements file.

    Raises:
        UsageError: a source folder or requirements file is missing.
        InventoryError: what is required can't be shipped; every reason at once.
    """
    target = config.target
    closure = Closure(environment, target, cut=config.slim.cut)
    functions = []
    for function in config.function:
        direct, reach = closure.walk(read_requirements(requirements or config.root / function.requirements))
        functions.append(
            FunctionSource(
                name=function.name,
                files=read_source(config.root / function.source),
                direct=direct,
                closure=reach,
            )
        )
    defects = tuple(sorted(closure.defects.values(), key=lambda d: (d.distribution, d.code, d.detail)))
    errors = tuple(str(defect) for defect in defects if defect.severity == "error")
    if errors:
        raise InventoryError(
            errors,
            where="The running environment" if environment.source == "installed" else environment.source,
            mend=f"{environment.mend} {requirements or config.root / config.function[0].requirements}",
        )
    return Inventory(
        target=target,
        source=environment.source,
        distributions=closure.distributions(),
        functions=tuple(functions),
        defects=defects,
        demands=closure.demands(),
        excluded=excluded(closure, config.slim),
    )
