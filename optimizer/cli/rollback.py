"""`rollback`: the alias goes back to an earlier version, code and layers together."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.cli.carrying_out import Manner, carry_out
from optimizer.cli.common import CONFIG, ConfigOption, Format, FormatOption, note
from optimizer.cli.leasing import LeaseOption
from optimizer.cli.remote import (
    EndpointOption,
    ExplainOption,
    FunctionOption,
    LocalOption,
    RegionOption,
    chosen,
    one_place,
    remote,
)
from optimizer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from optimizer.build import Manifest
    from optimizer.deploy import Deployment


def rollback(
    *,
    to: Annotated[
        str | None,
        typer.Option("--to", help="The version to go back to; without it, the one before.", metavar="VERSION"),
    ] = None,
    function: FunctionOption = None,
    region: RegionOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the change set; change nothing.")] = False,
    explain: ExplainOption = False,
    local: LocalOption = False,
    endpoint_url: EndpointOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")] = False,
    lease: LeaseOption = None,
    config: ConfigOption = CONFIG,
    output_format: FormatOption = Format.TEXT,
) -> int:
    """Move the alias `live` back to an earlier version, which has its code and its layers frozen in it.

    Without --to it is the one that the alias served before; where a canary was cut off, all traffic goes back. The
    version is checked before anybody is sent to it. Nothing is built, and $LATEST stays as it is.

    Example: python -m optimizer rollback --to 12
    """
    one_place(local=local, endpoint_url=endpoint_url)
    if to is not None and not to.isdecimal():
        raise UsageError(f"--to {to}: versions are numbers", mend="Name a published version, such as --to 12.")
    if not (yes or dry_run or explain or sys.stdin.isatty()):
        raise UsageError(
            "rollback asks before it changes anything, and there is no terminal to ask at",
            mend="Give --yes to go back without being asked, or --dry-run to see what would be done.",
        )
    manifest = _configured(config, function or (), region or (), to)
    from optimizer.deploy import Deployer, Journal, Options, RealClock, plan_rollback

    with remote(manifest, local=local, endpoint_url=endpoint_url) as aws:
        stop = threading.Event()
        deployer = Deployer(
            manifest=manifest,
            options=Options(),
            connect=aws.connect,
            clock=RealClock(stop),
            journal=Journal(),
            progress=note,
            stop=stop,
        )
        manner = Manner(
            yes=yes,
            dry_run=dry_run,
            explain=explain,
            as_json=output_format is Format.JSON,
            lease=lease,
            question="Go back?",
            nothing="Nothing to do: that version is live.",
            again=_again,
        )
        return carry_out(deployer, aws, lambda: plan_rollback(deployer, to=to), manner)


def _again(planned: Sequence[Deployment]) -> str:
    """How it goes on: where a person describes the alias, nothing tells without --to that it was moved already."""
    from optimizer.deploy.actions import UseVersion

    actions = [(one, action) for one in planned if one.changes for action in one.changes.actions]
    return (
        "".join(
            f"\nThis goes on: python -m optimizer rollback --function {one.function} --region {one.region} "
            f"--to {action.version}"
            for one, action in actions
            if isinstance(action, UseVersion)
        ).strip()
        or "Running the same command again goes on."
    )


def _configured(config: Path, names: Sequence[str], regions: Sequence[str], to: str | None) -> Manifest:
    """The configured functions as a manifest without artifacts, those that are asked for.

    Raises:
        UsageError: there is no such function, or one version is named for several places.
    """
    from optimizer.build import Manifest
    from optimizer.build.artifacts import function_entry
    from optimizer.config import load

    read = load(config)
    layers = tuple(layer.name for layer in read.layer)
    functions = tuple(function_entry(one, layers, read.root) for one in read.function)
    manifest = Manifest(target=read.target, artifacts=(), functions=functions, compressor="")
    manifest = chosen(manifest, names, regions, where=str(config))
    places = sum(len(one.regions) for one in manifest.functions)
    if to is not None and places > 1:
        raise UsageError(
            f"--to {to} names a version, and {places} functions and regions have versions of their own",
            mend="Name one function with --function, and one region with --region.",
        )
    return manifest
