"""Reads as little as the last deploy's mark allows: what tells that nothing is to be done, or only code."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from optimizer.deploy import descriptions
from optimizer.deploy.port import Settings
from optimizer.deploy.values import ALIAS, LayerVersion, RemoteState, Role, Url, layer_name
from optimizer.deploy.wanted import AUTH

if TYPE_CHECKING:
    from optimizer.deploy.mark import Mark
    from optimizer.deploy.port import Aws
    from optimizer.deploy.values import Alias, Configuration
    from optimizer.deploy.wanted import Wanted


def marked_state(aws: Aws, wanted: Wanted, alias: Alias, mark: Mark) -> RemoteState | None:
    """What there is, where the mark says that all but the code is what is wanted; None where more has to be read.

    Where only code is to be changed, callers of `$LATEST` are not asked for: one update takes it from one whole state
    to the next, and whoever calls it was named, and accepted, when more than code was last changed.

    Raises:
        AwsError: a call failed.
    """
    arns = mark.arns(alias, wanted.function.layers)
    if arns is None or wanted.fingerprints is None:
        return None
    layers = tuple(
        LayerVersion(name=layer_name(arn), version=number, arn=arn, fingerprint=fingerprint)
        for arn, number, fingerprint in zip(arns, mark.layers, wanted.fingerprints, strict=True)
    )
    published = {layer.name: layer for layer in layers}
    if wanted.is_marked_by(mark):
        access = read_access(aws, wanted, own_role=mark.draft.own_role)
        state = replace(access, mark=mark, alias=alias, published=published)
        return state if wanted.has_access(state) else None
    latest = aws.configuration(wanted.function.name)
    if latest is None or not _only_code_differs(wanted, latest, arns):
        return None
    auth = AUTH[wanted.function.url]
    return RemoteState(
        region=aws.region,
        mark=mark,
        alias=alias,
        latest=latest,
        url=Url(address=mark.url, auth=auth) if mark.url and auth else aws.url(wanted.function.name, ALIAS),
        published=published,
        fingerprints={layer.arn: layer.fingerprint[: descriptions.SHORT] for layer in layers},
        whole=False,
    )


def read_access(aws: Aws, wanted: Wanted, *, own_role: bool, marked: bool = True) -> RemoteState:
    """What may have changed around a version that is what is wanted: URL, and the role's policy or the permissions.

    Both where no mark tells that a deploy came to its end.

    Raises:
        AwsError: a call failed.
    """
    name = wanted.function.name
    url = aws.url(name, ALIAS)
    role, grants = None, None
    if wanted.layers is not None:
        if own_role:
            policy = aws.role_policy(wanted.role_name)
            role = Role(name=wanted.role_name, arn="", ours=True, policy=policy, attached=None)
        if not marked or (not own_role and wanted.function.url == "public"):
            grants = frozenset(aws.statements(name, ALIAS))
    return RemoteState(region=aws.region, url=url, role=role, grants=grants, whole=False)


def _only_code_differs(wanted: Wanted, latest: Configuration, arns: tuple[str, ...]) -> bool:
    """Whether `$LATEST` has everything but the code, so that one update makes it whole again."""
    return (
        latest.settled
        and latest.update_status != "Failed"
        and latest.state != "Failed"
        and wanted.own(latest) == arns
        and {layer.arn for layer in wanted.function.external_layers} <= set(latest.layer_arns)
        and latest.architecture == wanted.function.architecture
        and "PYTHONPATH" not in (latest.environment or {})
        and (wanted.layers is None or wanted.settings(latest) == Settings())
    )
