"""`upgrades`: what the newest releases really change of what ships, and which can be skipped."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.cli.common import (
    CONFIG,
    ConfigOption,
    Format,
    FormatOption,
    LayersOption,
    PathOption,
    RequirementsOption,
    WheelsOption,
    emit,
    emit_json,
    note,
    rendered,
)
from optimizer.cli.pipeline import Planned, Source, planned
from optimizer.errors import UsageError
from optimizer.models import whole

if TYPE_CHECKING:
    from optimizer.upgrades import Advice


def upgrades(
    distribution: Annotated[
        list[str] | None, typer.Argument(help="Names of distributions; without any, all of the plan.")
    ] = None,
    releases: Annotated[
        int, typer.Option("--releases", min=2, max=100, help="How many of the newest releases of each to compare.")
    ] = 10,
    config: ConfigOption = CONFIG,
    path: PathOption = None,
    wheels: WheelsOption = None,
    requirements: RequirementsOption = None,
    layers: LayersOption = None,
    output_format: FormatOption = Format.TEXT,
) -> int:
    """Compare releases by what ships of them, and say which change nothing that runs and can be skipped.

    Asks the package index and downloads wheels, once: what is found is remembered.

    Example: python -m optimizer upgrades boto3 botocore --releases 20
    """
    with planned(Source(config=config, path=path, wheels=wheels, requirements=requirements, layers=layers)) as result:
        advice = _advice(result, distribution or [], releases)
        if output_format is Format.JSON:
            from optimizer.report.upgrades import upgrades_document

            emit_json(upgrades_document(advice, releases=releases))
        else:
            emit(_text(result, advice))
    return 0


def _advice(result: Planned, named: list[str], releases: int) -> Advice:
    from datetime import UTC, datetime

    from optimizer import upgrades as stage
    from optimizer.history.index import SimpleIndex

    placed = {
        d.name: (d, layer) for layer in result.plan.layers for d in layer.distributions if whole(d.name) == d.name
    }
    wanted = _names(named, sorted(placed))
    snapshot = result.history
    touched = {placed[name][1].name for name in wanted}
    beside = {name for name, (_, layer) in placed.items() if layer.name in touched}
    with SimpleIndex() as index:
        looker = stage.Looker(
            index=index,
            target=result.plan.target,
            config=result.config,
            services=result.services,
            store=result.store,
            progress=note,
        )
        found = looker.look(
            {name: placed[name][0].version for name in wanted},
            count=releases,
            days_of=frozenset(beside - (snapshot.distributions.keys() if snapshot else set())),
        )
    days = {
        name: [(each.day, each.version) for each in known if each.day is not None]
        for name, known in found.releases.items()
    }
    history = stage.known_history(snapshot, days, target=result.plan.target, today=datetime.now(UTC).date())
    return stage.advise(
        [
            stage.Wanted(
                name=name,
                installed=placed[name][0].version,
                layer=placed[name][1].name,
                layer_bytes=placed[name][1].zipped_bytes,
                comparisons=stage.compare(
                    found.looked[name].contents,
                    placed[name][0].version,
                    [demand for demand in result.inventory.demands if demand.name == name],
                ),
                note=found.looked[name].note,
            )
            for name in wanted
        ],
        history,
        {name: layer.name for name, (_, layer) in placed.items()},
    )


def _names(named: list[str], known: list[str]) -> list[str]:
    """The distributions that were named, or all; every name that is not there is told at once."""
    from packaging.utils import canonicalize_name

    wanted = sorted({str(canonicalize_name(name)) for name in named}) or known
    faults = [name for name in wanted if name not in known]
    if faults:
        close = sorted({match for name in faults for match in difflib.get_close_matches(name, known, n=2)})
        raise UsageError(
            f"{', '.join(faults)}: not among the distributions that ship",
            mend=f"Close to it: {', '.join(close)}." if close else "Run `python -m optimizer plan` to see what ships.",
        )
    return wanted


def _text(result: Planned, advice: Advice) -> str:
    from optimizer.report.upgrades import print_upgrades

    return rendered(lambda console: print_upgrades(advice, result.plan.target, console))
