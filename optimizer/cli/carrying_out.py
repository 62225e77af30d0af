"""What deploy and rollback do with a plan: show it, ask, carry it out, and tell what came of it."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from optimizer.cli.common import emit_json, note
from optimizer.cli.leasing import leased
from optimizer.cli.remote import console, interruptible, told_when_cut_off
from optimizer.errors import AwsError, DeployRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from optimizer.cli.remote import Remote
    from optimizer.deploy import Deployer, Deployment
    from optimizer.errors import OptimizerError


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How the command line wants it: `question` is asked on a terminal, `nothing` said where nothing is to be done.

    With `explain` the commands of the AWS CLI that do the same are printed, and nothing more is done. `again` says of
    what was planned how it goes on when it was cut off.
    """

    yes: bool
    dry_run: bool
    explain: bool
    as_json: bool
    lease: str | None
    question: str
    nothing: str
    again: Callable[[Sequence[Deployment]], str] = lambda _: "Running the same command again goes on."


def carry_out(deployer: Deployer, aws: Remote, plan: Callable[[], Sequence[Deployment]], manner: Manner) -> int:
    """Plan, show, ask, execute and tell; the exit status.

    Raises:
        AwsError: AWS stopped one of the deployments.
        DeployRefusedError: one was refused, or its check failed.
    """
    from optimizer.report.change_set import deploy_document, print_changes, print_results

    if manner.explain:
        return _explain(deployer, aws, plan(), as_json=manner.as_json)
    journal, as_json = deployer.journal, manner.as_json

    def again() -> str:
        return manner.again(planned)

    with leased(None if manner.dry_run else manner.lease, aws, deployer.manifest):
        deployments = planned = plan()
        possible = [one.changes for one in deployments if one.changes is not None]
        changes = any(one.changes for one in possible)
        if not as_json or not (manner.yes or manner.dry_run):
            print_changes(deployments, console(stderr=as_json), nothing=manner.nothing)
        wanted = bool(possible) and not manner.dry_run
        executed = wanted and (not changes or manner.yes or typer.confirm(manner.question, err=True))
        if executed:
            with told_when_cut_off(journal, again), interruptible(deployer.stop):
                deployments = deployer.execute(deployments)
    error = stopped([(f"{one.function} in {one.region}", one.error) for one in deployments])
    calls, sent = aws.clients.calls, journal.sent_bytes
    if as_json:
        emit_json(deploy_document(deployments, executed=executed, sent_bytes=sent, calls=calls, error=error))
    elif executed:
        print_results(deployments, console(), sent_bytes=sent, calls=calls)
    with told_when_cut_off(journal, again) if executed else nullcontext():
        if error is not None:
            raise error
    if executed or manner.dry_run:
        return 0
    note("Nothing was changed.")
    return 1


def _explain(deployer: Deployer, aws: Remote, deployments: Sequence[Deployment], *, as_json: bool) -> int:
    """Print the commands of the AWS CLI that do the same, as a script or in the JSON document."""
    from optimizer.report.change_set import deploy_document
    from optimizer.report.cli_equivalents import Equivalents
    from optimizer.report.script import explained, script

    manifest, endpoint_url = deployer.manifest, aws.clients.connection.endpoint_url
    equivalents = Equivalents(zip_path=manifest.zip_path, commit=manifest.commit, endpoint_url=endpoint_url)
    commands = explained(deployments, equivalents)
    error = stopped([(f"{one.function} in {one.region}", one.error) for one in deployments])
    if as_json:
        calls = aws.clients.calls
        emit_json(
            deploy_document(deployments, executed=False, sent_bytes=0, calls=calls, error=error, commands=commands)
        )
    else:
        typer.echo(script(deployments, commands), nl=False)
    if error is not None:
        raise error
    return 0


def stopped(places: Sequence[tuple[str, OptimizerError | None]]) -> OptimizerError | None:
    """What stopped it in each place: one error as it is, several as one; AWS's failures weigh more than refusals."""
    found = [(place, error) for place, error in places if error is not None]
    if len(found) < 2:  # noqa: PLR2004
        return found[0][1] if found else None
    kind = AwsError if any(isinstance(error, AwsError) for _, error in found) else DeployRefusedError
    return kind(
        "\n".join(f"{place}: {error.message}" for place, error in found),
        mend="\n".join(dict.fromkeys(error.mend for _, error in found)),
    )
