"""Who uses a layer in a region: each function, version and alias, in which version of it and at which position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from optimizer.deploy.fleet.region import read_region
from optimizer.deploy.values import layer_name
from optimizer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from optimizer.deploy.fleet.layer_reference import LayerReference
    from optimizer.deploy.fleet.region import RegionFunction, RegionInventory
    from optimizer.deploy.port import Aws
    from optimizer.deploy.values import Configuration, ListedLayer


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasShare:
    """An alias that sends callers to a version, and the share of them, above 0 and at most 1."""

    name: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One function version that has the layer attached.

    `version` is `$LATEST` or a number, `position` counts from 1 in a list of `layers` layers; `deleted` is whether the
    layer version was deleted since (it works on where it is attached), None where that can't be told.
    """

    function: str
    version: str
    aliases: tuple[AliasShare, ...]
    arn: str
    layer_version: int
    position: int
    layers: int
    deleted: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumers:
    """What a region has of a layer.

    `functions` are those that use it, with their aliases, out of `functions_read`; `listed` the layer's versions that
    exist, newest first, None where another account's can't be listed. `known` is whether the layer or that version of
    it exists, as far as it can be told, or is used; `namesakes` are attached layers of the same name in other accounts.
    """

    region: str
    functions_read: int
    functions: tuple[RegionFunction, ...]
    uses: tuple[Use, ...]
    listed: tuple[ListedLayer, ...] | None
    known: bool
    namesakes: tuple[str, ...]

    @property
    def newest(self) -> ListedLayer | None:
        """The layer's newest version, where it can be told."""
        return self.listed[0] if self.listed else None


def find_consumers(aws: Aws, layer: LayerReference, progress: Callable[[str], None] = lambda _: None) -> Consumers:
    """Read the region, and which versions the layer has.

    Raises:
        AwsError: a call failed.
    """

    def uses(function: RegionFunction) -> bool:
        return any(layer.names(arn, version.account) for version in function.every for arn in version.layer_arns)

    inventory = read_region(aws, matters=uses, progress=progress)
    listed = aws.layer_versions(layer.listing)  # after the functions, so that no version in use is too new for it
    alive = None if listed is None else frozenset(one.arn for one in listed)
    functions = tuple(function for function in inventory if function.aliases is not None)
    exists = listed is None or any(layer.version in {None, one.version} for one in listed)
    return Consumers(
        region=aws.region,
        functions_read=len(inventory.functions),
        functions=functions,
        uses=tuple(
            use
            for function in functions
            for version in function.every
            for use in _uses(function, version, layer, alive)
        ),
        listed=listed,
        known=exists or bool(functions),
        namesakes=_namesakes(inventory, layer),
    )


def check_known(layer: LayerReference, found: Sequence[Consumers]) -> None:
    """Refuse a layer that none of the regions knows.

    Raises:
        UsageError: it does not exist, and nobody uses it.
    """
    if any(one.known for one in found):
        return
    said = f"version {layer.version} of the layer {layer.listing}" if layer.version else f"the layer {layer.listing}"
    functions = sum(one.functions_read for one in found)
    namesakes = sorted({arn for one in found for arn in one.namesakes})
    other = f" In use is another of that name: {', '.join(namesakes)}." if namesakes else ""
    raise UsageError(
        f"There is no {said.removeprefix('the ')} in {', '.join(one.region for one in found)}, and none of {functions} "
        f"functions uses one.{other}",
        mend="Look at the name and the region; another account's layer is named by its ARN.",
    )


def _uses(
    function: RegionFunction, version: Configuration, layer: LayerReference, alive: frozenset[str] | None
) -> list[Use]:
    arns = version.layer_arns
    return [
        Use(
            function=function.name,
            version=version.version,
            aliases=_shares(function, version.version),
            arn=arn,
            layer_version=int(arn.rpartition(":")[2]),
            position=position,
            layers=len(arns),
            deleted=None if alive is None else arn not in alive,
        )
        for position, arn in enumerate(arns, start=1)
        if layer.names(arn, version.account)
    ]


def _shares(function: RegionFunction, version: str) -> tuple[AliasShare, ...]:
    return tuple(
        AliasShare(
            name=alias.name,
            share=alias.weights[version] if version in alias.weights else 1.0 - sum(alias.weights.values()),
        )
        for alias in function.aliases_of(version)
    )


def _namesakes(inventory: RegionInventory, layer: LayerReference) -> tuple[str, ...]:
    """The layers of that name, whoever owns them, that the reference does not mean."""
    return tuple(
        sorted(
            {
                arn.rpartition(":")[0]
                for function in inventory
                for version in function.every
                for arn in version.layer_arns
                if layer_name(arn) == layer.name and not layer.is_of(arn, version.account)
            }
        )
    )
