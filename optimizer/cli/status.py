"""`status`: what runs under each alias, from which fingerprints, and whether it drifted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.cli.common import CONFIG, ConfigOption, Format, FormatOption, emit, emit_json, rendered, slowly
from optimizer.cli.remote import EndpointOption, LocalOption, one_place, remote
from optimizer.errors import UsageError

if TYPE_CHECKING:
    from optimizer.config import Config
    from optimizer.deploy.findings import Expected

_FAILED = 3
_COLUMNS = 80


def status(
    *,
    function: Annotated[
        list[str] | None, typer.Option("--function", help="Only this function; may be repeated.", metavar="NAME")
    ] = None,
    region: Annotated[list[str] | None, typer.Option("--region", help="Only this region; may be repeated.")] = None,
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
    from optimizer.deploy.status import read_status
    from optimizer.report.status import print_status, status_document

    with remote(None, local=local, endpoint_url=endpoint_url) as aws, slowly("reading what runs"):
        statuses = read_status(expected, regions=region or None, connect=aws.connect)
        calls = aws.clients.calls
    if output_format is Format.JSON:
        emit_json(status_document(statuses, calls))
    else:
        emit(rendered(lambda console: print_status(statuses, console), columns=_COLUMNS))
    if any(one.error is not None for one in statuses):
        return _FAILED
    return 1 if any(one.findings for one in statuses) else 0


def _expected(path: object, names: list[str], regions: list[str]) -> list[Expected]:
    raise NotImplementedError
