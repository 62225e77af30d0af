"""The inventory of a region: every function with `$LATEST`, all published versions, and aliases where they matter."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from optimizer.deploy.values import LATEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from optimizer.deploy.port import Aws
    from optimizer.deploy.values import Alias, Configuration

_SIDE_BY_SIDE = 8
"""Listings at once; how many calls a second they make is the pacer's matter."""

_TOLD_EVERY = 250
"""After so many versions the progress says how many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionFunction:
    """One function: `$LATEST`, and the published `versions`, oldest first; each with its whole list of layers.

    `aliases` are None where they were not asked for. What a listing tells of a version leaves its states out.
    """

    name: str
    latest: Configuration
    versions: tuple[Configuration, ...] = ()
    aliases: tuple[Alias, ...] | None = None

    @property
    def every(self) -> tuple[Configuration, ...]:
        """`$LATEST` and the published versions."""
        return (self.latest, *self.versions)

    def version(self, number: str) -> Configuration | None:
        """A version by its number, or `$LATEST`."""
        return next((one for one in self.every if one.version == number), None)

    def alias(self, name: str) -> Alias | None:
        """An alias by its name, as far as aliases were asked for."""
        return next((one for one in self.aliases or () if one.name == name), None)

    def aliases_of(self, version: str) -> tuple[Alias, ...]:
        """The aliases that send callers to a version, all of them or a share."""
        return tuple(one for one in self.aliases or () if version in one.versions)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionInventory:
    """Every function of the region, by name."""

    region: str
    functions: tuple[RegionFunction, ...]

    def __iter__(self) -> Iterator[RegionFunction]:
        """The functions."""
        return iter(self.functions)

    def layer_arns(self) -> frozenset[str]:
        """Every layer version that any function's `$LATEST` or published version has attached, at any position."""
        return frozenset(arn for one in self.functions for version in one.every for arn in version.layer_arns)


@dataclass(slots=True)
class _Found:
    latest: Configuration | None = None
    versions: list[Configuration] = field(default_factory=list)


def read_region(
    aws: Aws,
    *,
    matters: Callable[[RegionFunction], bool] = lambda _: True,
    progress: Callable[[str], None] = lambda _: None,
) -> RegionInventory:
    """All functions of a region.

    ListFunctions tells of 50 versions a call, layers included; aliases need a call for each function, so they are
    asked for only where the function `matters`, side by side.

    Args:
        aws: the region.
        matters: whether a function's aliases are wanted; it is given without them.
        progress: told how far it is.

    Raises:
        AwsError: a call failed.
    """
    found: dict[str, _Found] = {}
    for count, version in enumerate(aws.every_version(), start=1):
        entry = found.setdefault(version.function, _Found())
        if version.version == LATEST:
            entry.latest = version
        else:
            entry.versions.append(version)
        if not count % _TOLD_EVERY:
            progress(f"{count} versions of {len(found)} functions in {aws.region} so far")
    functions = [
        RegionFunction(
            name=name,
            latest=entry.latest,
            versions=tuple(sorted(entry.versions, key=lambda one: int(one.version))),
        )
        for name, entry in sorted(found.items())
        if entry.latest is not None  # else it was deleted while its pages came
    ]
    asked = [one.name for one in functions if matters(one)]
    if asked:
        progress(f"asking for the aliases of {len(asked)} of {len(functions)} functions in {aws.region}")
    with ThreadPoolExecutor(max_workers=_SIDE_BY_SIDE, thread_name_prefix="aliases") as pool:
        aliases = dict(zip(asked, pool.map(aws.aliases, asked), strict=True))
    return RegionInventory(
        region=aws.region,
        functions=tuple(
            RegionFunction(name=one.name, latest=one.latest, versions=one.versions, aliases=aliases.get(one.name))
            for one in functions
        ),
    )
