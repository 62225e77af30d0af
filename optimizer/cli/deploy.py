"""`deploy`: publish what changed, attach, check, and move the alias."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.cli.canary import CanaryOption, ForOption, RateOption, canary_of
from optimizer.cli.carrying_out import Manner, carry_out
from optimizer.cli.common import (
    CONFIG,
    ConfigOption,
    Format,
    FormatOption,
    LayersOption,
    PathOption,
    RequirementsOption,
    WheelsOption,
    note,
)
from optimizer.cli.leasing import LeaseOption
from optimizer.cli.remote import (
    ArtifactsOption,
    BucketOption,
    EndpointOption,
    ExplainOption,
    FunctionOption,
    LocalOption,
    RegionOption,
    artifacts,
    chosen,
    one_place,
    remote,
    source_of,
)
from optimizer.errors import UsageError

if TYPE_CHECKING:
    pass


def deploy(
    *,
    artifacts_folder: ArtifactsOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the change set; change nothing.")] = False,
    explain: ExplainOption = False,
    code_only: Annotated[
        bool, typer.Option("--code-only", help="Send only the function's code; its layers have to be attached.")
    ] = False,
    function: FunctionOption = None,
    region: RegionOption = None,
    local: LocalOption = False,
    endpoint_url: EndpointOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")] = False,
    accept_latest: Annotated[
        bool,
        typer.Option("--accept-latest", help="Deploy though $LATEST has callers, who see half-done states meanwhile."),
    ] = False,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Move callers of $LATEST to the alias; what can't be moved is told.")
    ] = False,
    canary: CanaryOption = None,
    watched_for: ForOption = None,
    max_error_rate: RateOption = None,
    lease: LeaseOption = None,
    bucket: BucketOption = None,
    config: ConfigOption = CONFIG,
    path: PathOption = None,
    wheels: WheelsOption = None,
    requirements: RequirementsOption = None,
    layers: LayersOption = None,
    output_format: FormatOption = Format.TEXT,
) -> int:
    """Publish the layers that changed, attach them in order, check the new version, and move the alias `live` to it.

    Callers of the alias are served by a whole, checked version at every moment. An interrupted deploy goes on where it
    was when it is run again. With --canary the new version gets a share of the traffic first; if too many of its calls
    fail, or the deploy is interrupted, all of it goes back.

    Example: python -m optimizer deploy --dry-run
    """
    one_place(local=local, endpoint_url=endpoint_url)
    in_steps = canary_of(canary, watched_for, max_error_rate)
    if not (yes or dry_run or explain or sys.stdin.isatty()):
        raise UsageError(
            "deploy asks before it changes anything, and there is no terminal to ask at",
            mend="Give --yes to deploy without being asked, or --dry-run to see what would be done.",
        )
    as_json = output_format is Format.JSON
    source = source_of(config=config, path=path, wheels=wheels, requirements=requirements, layers=layers)
    with artifacts(artifacts_folder, source, code_only=code_only and not explain, quiet=as_json) as built:
        from optimizer.deploy import Deployer, Journal, Options, RealClock

        manifest = chosen(built.manifest, function, region)
        with remote(manifest, local=local, endpoint_url=endpoint_url) as aws:
            stop = threading.Event()
            deployer = Deployer(
                manifest=manifest,
                options=Options(
                    code_only=code_only, accept_latest=accept_latest, adopt=adopt, bucket=bucket, canary=in_steps
                ),
                connect=aws.connect,
                clock=RealClock(stop),
                journal=Journal(),
                progress=note,
                planned_layers=built.planned_layers,
                stop=stop,
            )
            manner = Manner(
                yes=yes,
                dry_run=dry_run,
                explain=explain,
                as_json=as_json,
                lease=lease,
                question="Deploy this?",
                nothing="Nothing to do: what is live is what was built.",
            )
            return carry_out(deployer, aws, deployer.plan, manner)
