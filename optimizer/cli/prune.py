"""`prune`: old versions that nothing refers to; printed, and deleted with --yes."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer import limits
from optimizer.cli.common import (
    CONFIG,
    ConfigOption,
    Format,
    FormatOption,
    emit,
    emit_json,
    note,
    rendered,
    seldom,
    slowly,
    tell_errors,
)
from optimizer.cli.remote import EndpointOption, LocalOption, connected, one_place
from optimizer.errors import AwsError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optimizer.deploy.pruning.pruner import Pruner, Pruning

_COLUMNS = 80


def prune(
    *,
    keep: Annotated[int, typer.Option("--keep", help="How many of the newest versions stay, used or not.", min=1)] = 5,
    layer: Annotated[
        list[str] | None,
        typer.Option("--layer", help="Instead of the configuration's layers; may be repeated.", metavar="NAME"),
    ] = None,
    versions: Annotated[
        bool,
        typer.Option("--versions", help="Also old published versions of functions, which keep their layers in use."),
    ] = False,
    region: Annotated[
        list[str] | None,
        typer.Option("--region", help="Instead of the functions' regions; may be repeated.", metavar="REGION"),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Delete them; without it they are only printed.")] = False,
    local: LocalOption = False,
    endpoint_url: EndpointOption = None,
    config: ConfigOption = CONFIG,
    output_format: FormatOption = Format.TEXT,
) -> int:
    """Print the layer versions that nothing in the region refers to, and what they take; with --yes delete them.

    Only versions that a deploy of ours made are deleted. What is shared, used by any function, or one of the newest
    is kept. Each is looked at again just before it goes.

    Example: python -m optimizer prune --keep 3 --versions
    """
    one_place(local=local, endpoint_url=endpoint_url)
    _check_names(layer or [])
    from optimizer import plan
    from optimizer.cli.pipeline import read_locks
    from optimizer.config import load
    from optimizer.deploy.pruning.prune import Rules
    from optimizer.deploy.pruning.pruner import Pruner
    from optimizer.report.prune import print_pruning, pruning_document

    read = load(config)
    locked = plan.locked_layers(read_locks(read))
    names = [each.name for each in read.layer]
    with connected(local=local, endpoint_url=endpoint_url, calls_per_second=limits.PACED_PER_SECOND) as aws:
        pruner = Pruner(
            layers=list(dict.fromkeys(layer or [*names, *locked])),
            functions=[function.name for function in read.function] if versions else [],
            rules=Rules(
                keep=keep,
                locked=locked,
                arns=frozenset(each.arn for function in read.function for each in function.external_layers),
            ),
            connect=aws.connect,
            progress=seldom(),
            note=note,
        )
        regions = list(dict.fromkeys(region or [place for function in read.function for place in function.regions]))
        with slowly("looking at every function of the region"):
            found = pruner.plan(regions)
        executed = yes and any(one.going and one.error is None for one in found)
        if executed:
            with _told_when_cut_off(pruner):
                found = pruner.execute(found)
        if output_format is Format.JSON:
            emit_json(pruning_document(found, keep=keep, executed=executed, calls=aws.clients.calls))
            tell_errors(one.error for one in found)
        else:
            emit(rendered(lambda console: print_pruning(found, console, executed=executed), columns=_COLUMNS))
    return _status(found)


def _check_names(layers: list[str]) -> None:
    """Refuse what can't be a layer of this account's.

    Raises:
        UsageError: it can't.
    """
    for name in layers:
        if not re.fullmatch(limits.LAYER_NAME_PATTERN, name) or len(name) > limits.LAYER_NAME_LENGTH:
            raise UsageError(f"{name!r} is not a layer's name", mend="Name with --layer layers, not ARNs or versions.")


def _status(found: tuple[Pruning, ...]) -> int:
    """0, or that of an error that hid a region."""
    return max((one.error.exit_status for one in found if one.error is not None), default=0)


@contextmanager
def _told_when_cut_off(pruner: Pruner) -> Iterator[None]:
    """Say what was deleted when the block is interrupted."""
    try:
        yield
    except (KeyboardInterrupt, AwsError):
        note("\n".join(["Deleted before it was cut off:", *(f"  {one}" for one in pruner.done or ("nothing",))]))
        note("Running the same command again goes on with the rest.")
        raise
