"""Plans a rollback: which published version the alias goes back to, and what that takes; changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.deploy import descriptions
from optimizer.deploy.actions import (
    ChangeSet,
    Check,
    KeepAlias,
    KeepCode,
    KeepLayer,
    MoveAlias,
    OwnLayer,
    UseVersion,
)
from optimizer.deploy.mark import read_before, version_before, words_of
from optimizer.deploy.planning.canary import return_actions
from optimizer.deploy.planning.read import read_alias
from optimizer.deploy.values import ALIAS, LayerVersion, layer_account, layer_name
from optimizer.errors import DeployRefusedError

if TYPE_CHECKING:
    from optimizer.build import Function
    from optimizer.deploy.actions import Action
    from optimizer.deploy.execution.deployments import Deployer, Deployment
    from optimizer.deploy.port import Aws
    from optimizer.deploy.values import Alias, Configuration


def plan_rollback(deployer: Deployer, *, to: str | None) -> tuple[Deployment, ...]:
    """Read what there is and decide, for every function in every region.

    Args:
        deployer: knows the functions, and what is configured of them.
        to: the version to go back to; None for the one before.
    """
    return deployer.decide(lambda function, aws: _change_set(aws, function, to))


def _change_set(aws: Aws, function: Function, to: str | None) -> ChangeSet:
    """What leads the alias back.

    Raises:
        DeployRefusedError: there is no such version, or nothing to go back from.
    """
    alias = read_alias(aws, function.name)
    if alias is None:
        raise DeployRefusedError(
            f"{function.name} in {aws.region} can't go back: there is no such function with an alias {ALIAS!r}",
            mend="Deploy first; or name with --function and --region where something was deployed.",
        )
    versions = {there.version: there for there in aws.versions(function.name)}
    target = _target(aws, function, versions, alias, to)
    layers = _layers(aws, function, target)
    url = aws.url(function.name, ALIAS)
    actions = (
        *return_actions(alias),
        *(action for action, _ in layers),
        *_moves(function, alias, target, to),
    )
    return ChangeSet(
        function=function.name,
        region=aws.region,
        actions=actions,
        layers=tuple(layer for _, layer in layers),
        version=alias.version,
        url=url.address if url else None,
        before=alias.version if target.version != alias.version else read_before(alias),
        words=words_of(alias),
    )


def _target(
    aws: Aws, function: Function, versions: dict[str, Configuration], alias: Alias, to: str | None
) -> Configuration:
    """The version to go back to: the named one; the alias's own where a canary shares its traffic; else the one before.

    An alias that was rolled back stays where it is, so that the same command can be run again after it was cut off.

    Raises:
        DeployRefusedError: there is none.
    """
    stays = bool(alias.weights) or _back_from(alias) is not None
    wanted = to or (alias.version if stays else version_before(alias, versions.values()))
    if wanted is None:
        raise DeployRefusedError(
            f"{function.name} in {aws.region} can't go back: no published version before {alias.version} carries our "
            "fingerprints",
            mend=f"Name one with --to; there are {_named(versions)}.",
        )
    if wanted not in versions:
        raise DeployRefusedError(
            f"{function.name} in {aws.region} has no version {wanted}",
            mend=f"Name one that is there: {_named(versions)}.",
        )
    return versions[wanted]


def _back_from(alias: Alias) -> str | None:
    """The newer version that a rollback took the alias back from, if that is what was last done to it."""
    told = read_before(alias)
    return told if told is not None and alias.version.isdigit() and int(told) > int(alias.version) else None


def _named(versions: dict[str, Configuration]) -> str:
    published = sorted(map(int, versions), reverse=True)
    return ", ".join(map(str, published)) or "no published versions"


def _moves(function: Function, alias: Alias, target: Configuration, to: str | None) -> tuple[Action, ...]:
    """Check the version and move the alias to it; nothing where it serves it already."""
    name, number, path = function.name, target.version, function.check_path
    if number == alias.version:
        newer = _back_from(alias)
        why = f", rolled back from {newer}; --to names an earlier one" if newer and to is None else ""
        return () if alias.weights else (KeepAlias(subject=ALIAS, reason=f"serves {number}{why}", version=number),)
    told = descriptions.version_fingerprints(target.description)
    holds = f"code {told[0][:12]} and the layers above" if told else "not published by a deploy of ours"
    known = "" if to or read_before(alias) == number else "; whether it has ever served is not known"
    actions: list[Action] = [UseVersion(subject=name, reason=f"version {number}: {holds}{known}", version=number)]
    if path is not None:
        actions.append(Check(subject=name, reason=f"GET {path} before anybody else calls it", path=path))
    actions.append(
        MoveAlias(
            subject=ALIAS,
            reason=f"from version {alias.version} back to {number}",
            revision=alias.revision,
            before=alias.version,
            mark=None,
        )
    )
    actions.append(KeepCode(subject=name, reason="$LATEST stays as it is, until the next deploy"))
    return tuple(actions)


def _layers(aws: Aws, function: Function, target: Configuration) -> list[tuple[KeepLayer, OwnLayer]]:
    """Every layer of the version in attach order, with the fingerprints that the version's description tells.

    They are of the layers of ours: those of a configured name, or of this account where an older version has others.
    """
    told = descriptions.version_fingerprints(target.description)[1:]
    arns = target.layer_arns
    named = [arn for arn in arns if layer_name(arn) in function.layers]
    ours = [arn for arn in arns if layer_account(arn) == target.account]
    own = next((some for some in (named, ours) if len(some) == len(told)), [])
    marks = dict(zip(own, told, strict=True)) if own else {}
    return [_layer(aws, arn, marks.get(arn, "")) for arn in arns]


def _layer(aws: Aws, arn: str, fingerprint: str) -> tuple[KeepLayer, OwnLayer]:
    name, number = layer_name(arn), int(arn.rpartition(":")[2])
    why = f"version {number}, frozen into that version"
    match aws.layer_facts(arn):
        case "gone":
            why += "; it was deleted, and goes on working there"
        case "hidden":
            why += "; it is not ours to read"
    return (
        KeepLayer(
            subject=name,
            reason=why,
            found=LayerVersion(name=name, version=number, arn=arn, fingerprint=fingerprint),
            fingerprint=fingerprint,
        ),
        OwnLayer(name=name, fingerprint=fingerprint, version=number, arn=arn),
    )
