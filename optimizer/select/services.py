"""Which of botocore's service models ship: those that the code makes clients for, or those that the file lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from optimizer.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from optimizer.config import Config
    from optimizer.inventory.clients import ClientCalls
    from optimizer.models import Distribution

CREDENTIAL_SERVICES = frozenset({"sts", "sso", "sso-oidc", "signin"})
"""What botocore's own credential providers make clients for (botocore/credentials.py, tokens.py, utils.py)."""
SDK = frozenset({"boto3", "botocore", "s3transfer"})
"""Distributions whose own calls pass on a name that they were given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """`kept` names the service models that ship, or is None where all do; `why` says how that was decided."""

    kept: frozenset[str] | None
    why: str
    warnings: tuple[str, ...] = ()


def available_services(distributions: Iterable[Distribution]) -> frozenset[str]:
    """The services that the installed botocore has models for."""
    for distribution in distributions:
        if distribution.name == "botocore":
            parts = (file.path.split("/") for file in distribution.files)
            return frozenset(p[2] for p in parts if p[:2] == ["botocore", "data"] and len(p) > 3)  # noqa: PLR2004
    return frozenset()


def choose_services(config: Config, available: frozenset[str], calls: Mapping[str, ClientCalls]) -> Services:
    """Decide which models ship.

    A call that can't be followed fails closed: everything is kept, and the warning names its line.

    Args:
        config: `[aws] services`.
        available: what the installed botocore has.
        calls: what each module makes clients for, by the place to be named in a warning.

    Raises:
        ConfigError: a listed service is none, or all would ship where each is to be an item of its own.
    """
    wanted = config.aws.services
    if wanted == "all" or not available:
        return Services(kept=None, why="all services ship")
    core = CREDENTIAL_SERVICES & available
    if wanted != "auto":
        unknown = [name for name in wanted if name not in available]
        if unknown:
            faults = tuple(f"aws.services: {name!r} is no service of the installed botocore" for name in unknown)
            raise ConfigError(faults, where=str(config.path))
        return Services(kept=frozenset(wanted) | core, why="as listed under [aws] services")
    lines = [f"{place}:{line}" for place, found in sorted(calls.items()) for line in found.unknown_lines]
    if lines:
        shown = ", ".join(lines[:3]) + (f" and {len(lines) - 3} more" if len(lines) > 3 else "")  # noqa: PLR2004
        if config.aws.split_services:
            fault = (
                "aws.split_services: all services would ship, since it can't be told which client is made at "
                f"{shown}: write the name as a literal, or list the services under aws.services"
            )
            raise ConfigError((fault,), where=str(config.path))
        warning = (
            f"botocore: all services ship, since it can't be told which client is made at {shown}: "
            "write the name as a literal, or list the services under [aws] in the configuration"
        )
        return Services(kept=None, why="a client's name can't be followed", warnings=(warning,))
    used = frozenset(name for found in calls.values() for name in found.names) & available
    return Services(kept=used | core, why="found in the code")
