"""`consumers`: which functions, versions and aliases use a layer, and in which version of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from optimizer.cli.common import CONFIG, ConfigOption, Format, FormatOption, emit, emit_json, rendered, seldom
from optimizer.cli.fleet import PACE, LayerArgument, PaceOption, RegionOption, configured, regions_of
from optimizer.cli.remote import EndpointOption, LocalOption, connected, one_place
from optimizer.deploy.fleet.layer_reference import LayerReference


def consumers(
    layer: LayerArgument,
    *,
    region: RegionOption = None,
    local: LocalOption = False,
    endpoint_url: EndpointOption = None,
    calls_per_second: PaceOption = PACE,
    config: ConfigOption = CONFIG,
    output_format: FormatOption = Format.TEXT,
) -> int:
    """Show every function, version and alias that uses a layer: in which version of it, at which place of the list.

    A layer version that was deleted works on where it is attached, and is shown as deleted.

    Example: python -m optimizer consumers web-framework --region eu-central-1
    """
    one_place(local=local, endpoint_url=endpoint_url)
    wanted = LayerReference.parse(layer)
    places = regions_of(region, wanted, configured(config))
    from optimizer.deploy.fleet.consumers import check_known, find_consumers
    from optimizer.report.consumers import consumers_document, print_consumers

    with (
        connected(local=local, endpoint_url=endpoint_url, calls_per_second=calls_per_second) as aws,
        ThreadPoolExecutor(max_workers=len(places), thread_name_prefix="region") as pool,
    ):
        progress = seldom()
        found = tuple(pool.map(lambda place: find_consumers(aws.connect(place), wanted, progress), places))
        calls = dict(aws.clients.calls)
    check_known(wanted, found)
    if output_format is Format.JSON:
        emit_json(consumers_document(layer, found, calls=calls))
    else:
        emit(rendered(lambda console: print_consumers(layer, found, console)))
    return 0
