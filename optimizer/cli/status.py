"""`status`: what runs under each alias, from which fingerprints, and whether it drifted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.cli.common import (
    CONFIG,
    ConfigOption,
    Format,
    FormatOption,
    emit,
    emit_json,
    rendered,
    slowly,
    tell_errors,
)
from optimizer.cli.remote import EndpointOption, LocalOption, connected, one_place
from optimizer.errors import check_known

if TYPE_CHECKING:
    from pathlib import Path

    from optimizer.deploy.drift.findings import Expected

_FAILED = 3
_COLUMNS = 80


def status(
    *,
    function: Annotated[
        list[str] | None, typer.Option("--function", help="Only this function; may be repeated.", metavar="NAME")
    ] = None,
    region: Annotated[
        list[str] | None, typer.Option("--region", help="Only this region; may be repeated.", metavar="REGION")
    ] = None,
    local: LocalOption = False,
    endpoint_url: EndpointOption = None,
    config: ConfigOption = CONFIG,
    output_format: FormatOption = Format.TEXT,
) -> int:
    """Tell what runs under each alias in every region, and what is not as configuration and locks have it.

    It only reads. The exit status is 1 where something drifted, and 3 where a region could not be read.

    Example: python -m optimizer status --region eu-central-1
    """
    one_place(local=local, endpoint_url=endpoint_url)
    expected = _expected(config, function or [], region or [])
    from optimizer.deploy.drift.status import read_status
    from optimizer.report.status import print_status, status_document

    with connected(local=local, endpoint_url=endpoint_url) as aws, slowly("reading what runs"):
        statuses = read_status(expected, regions=region or None, connect=aws.connect)
        calls = aws.clients.calls
    if output_format is Format.JSON:
        emit_json(status_document(statuses, calls))
        tell_errors(one.error for one in statuses)
    else:
        emit(rendered(lambda console: print_status(statuses, console), columns=_COLUMNS))
    if any(one.error is not None for one in statuses):
        return _FAILED
    return 1 if any(one.findings for one in statuses) else 0


def _expected(path: Path, names: list[str], regions: list[str]) -> list[Expected]:
    """The functions as configuration and locks have them.

    Raises:
        ConfigError: the configuration is wrong.
        UsageError: a function or region that was asked for is not in it, or a lock can't be read.
    """
    from optimizer import plan
    from optimizer.build import Share
    from optimizer.build.artifacts import function_entry
    from optimizer.cli.pipeline import read_locks
    from optimizer.config import load
    from optimizer.deploy.drift.findings import Expected
    from optimizer.partition.naming import origin

    config = load(path)
    check_known("function", names, (function.name for function in config.function), where="the configuration")
    chosen = [function for function in config.function if not names or function.name in names]
    places = (region for function in chosen for region in function.regions)
    check_known("region", regions, places, where="the configuration")
    locks = read_locks(config)
    marks = plan.locked_layers(locks)
    configured = [layer.name for layer in config.layer]
    ordered = [name for name in configured if name in marks]
    spare = [name for name in marks if name not in configured and origin(name, configured) is not None]
    unlocked = tuple(name for name in configured if name not in locks)
    return [
        Expected(
            function=function_entry(function, (*ordered, *spare), config.root),
            ordered=tuple(ordered),
            fingerprints=marks,
            unlocked=unlocked,
            share=Share(accounts=config.share.accounts, organization=config.share.organization)
            if config.share
            else None,
        )
        for function in chosen
    ]
