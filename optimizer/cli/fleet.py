"""What consumers and roll share: which layer, in which regions, and how fast the control plane is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from optimizer import limits
from optimizer.cli.common import CONFIG
from optimizer.deploy.fleet.layer_reference import LayerReference
from optimizer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from optimizer.config import Config

LayerArgument = Annotated[
    str, typer.Argument(help="A layer's name, NAME:VERSION, or an ARN, also of another account's.", metavar="LAYER")
]
RegionOption = Annotated[
    list[str] | None,
    typer.Option("--region", help="Instead of the configured functions' regions; may be repeated.", metavar="REGION"),
]
PaceOption = Annotated[
    int,
    typer.Option(
        "--calls-per-second",
        help="The pace of control-plane calls in each region; Lambda takes 15, from all callers together.",
        min=1,
        max=1000,
    ),
]
PACE = limits.PACED_PER_SECOND


def configured(path: Path) -> Config | None:
    """The configuration, where there is one: these commands work for layers of anybody.

    Raises:
        ConfigError: it is wrong.
        UsageError: a file was named that is not there.
    """
    if path == CONFIG and not path.exists():
        return None
    from optimizer.config import load

    return load(path)


def regions_of(given: Sequence[str] | None, layer: LayerReference, config: Config | None) -> tuple[str, ...]:
    """Where to look: the regions given, else the ARN's, else the configured functions', else the environment's.

    Raises:
        UsageError: there is none, or the layer is of another region.
    """
    if layer.region is not None:
        if given and set(given) != {layer.region}:
            raise UsageError(
                f"The layer {layer.base} is of the region {layer.region}, and can be attached there alone",
                mend=f"Leave --region out, or give --region {layer.region}.",
            )
        return (layer.region,)
    found = given or [region for function in (config.function if config else ()) for region in function.regions]
    if not found:
        from optimizer.deploy import default_region

        default = default_region()
        found = [default] if default else []
    if not found:
        raise UsageError(
            "There is no configuration here, and nothing else that names a region",
            mend="Give --region, or set AWS_REGION.",
        )
    return tuple(dict.fromkeys(found))
