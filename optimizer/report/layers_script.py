"""What `publish` would do, as commands of the AWS CLI: layers, who may attach them, parameters with their ARNs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from optimizer.deploy.actions import ChangeSet, PublishLayer
from optimizer.deploy.execution.publishing import parameter_name
from optimizer.report.change_set import symbol
from optimizer.report.cli_writer import Writer
from optimizer.report.escape import plain
from optimizer.report.script import HEAD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optimizer.deploy import Published
    from optimizer.deploy.execution.layers_alone import Publication
    from optimizer.report.cli_equivalents import Equivalents
    from optimizer.report.shell import Command, Word


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that is done in a region, and the commands for it; none where something is kept."""

    symbol: str
    action: str
    subject: str
    reason: str
    commands: tuple[Command, ...]


def steps_of(place: Published, run: Equivalents, ssm: str | None) -> tuple[Step, ...]:
    """What would be done in a region, in the order of publishing: layers, then shares, then parameters.

    Args:
        place: what was planned there.
        run: writes the commands.
        ssm: where the parameters' names begin, if any are written.
    """
    actions = (*(one.action for one in place.layers), *(share for one in place.layers for share in one.shares))
    changes = ChangeSet(function="", region=place.region, actions=actions, layers=())
    steps = [
        Step(symbol=symbol(action), action=action.name, subject=action.subject, reason=action.reason, commands=own)
        for action, own in zip(actions, run.of(changes), strict=True)
    ]
    if ssm is not None:
        arns = [(one.action.subject, arn) for one in place.layers if (arn := _arn(one, run, place.region)) is not None]
        steps += [_parameter(parameter_name(ssm, layer), arn, Writer(run=run, changes=changes)) for layer, arn in arns]
    return tuple(steps)


def _arn(one: Publication, run: Equivalents, region: str) -> Word | None:
    """A layer's ARN: a variable where a command publishes it."""
    if isinstance(one.action, PublishLayer):
        return run.layer(region, one.action.subject, one.action.artifact.fingerprint)
    return one.action.found.arn if one.action.found else None


def _parameter(name: str, arn: Word, writer: Writer) -> Step:
    put = writer.aws("ssm", "put-parameter", name=name, value=arn, type="String", overwrite=True)
    return Step(symbol="~", action="put-parameter", subject=name, reason="the layer's ARN", commands=(put,))


def layers_script(published: Sequence[Published], steps: Sequence[Sequence[Step]]) -> str:
    """The whole as a bash script; what is kept stands there as a comment alone.

    Args:
        published: what was planned in each region.
        steps: of each of them.
    """
    lines = [*HEAD]
    for place, own in zip(published, steps, strict=True):
        lines += ["", f"# layers in {plain(place.region)}"]
        if place.error is not None:
            lines.append(f"# failed: {plain(place.error.message)}")
        for step in own:
            lines.append(f"# {step.symbol} {step.action} {plain(step.subject)}: {plain(step.reason)}")
            lines += [command.wrapped() for command in step.commands]
    return "\n".join(lines) + "\n"
