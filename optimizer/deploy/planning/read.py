"""Reads the remote state of one function in one region: as little as tells that nothing is to be done, else all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from optimizer.deploy import descriptions
from optimizer.deploy.mark import read_mark
from optimizer.deploy.planning.callers import CallingPermission, Surroundings
from optimizer.deploy.planning.marked import marked_state, read_access
from optimizer.deploy.settle import settled
from optimizer.deploy.values import ALIAS, RemoteState, layer_account
from optimizer.deploy.wanted import known_fingerprints

if TYPE_CHECKING:
    from optimizer.deploy.clock import Clock
    from optimizer.deploy.port import Aws
    from optimizer.deploy.values import Alias, Configuration, LayerVersion
    from optimizer.deploy.wanted import Wanted


def read_state(aws: Aws, wanted: Wanted, clock: Clock, *, adopt: bool = False) -> RemoteState:
    """What there is of the function.

    Where the alias serves what is wanted, three calls tell it: GetAlias, whose description has the last deploy's mark,
    GetFunctionUrlConfig, and GetRolePolicy or GetPolicy (a role of ours has a policy that may have changed;
    permissions are granted before a URL becomes public, so the URL itself tells of them). Where by the mark only the
    code differs, two calls do: GetAlias, and GetFunction for `$LATEST`. Without a mark that is still true the live
    version's own description tells of its fingerprints, and GetFunction for `$LATEST` of the tags: an answer about a
    version has what is specific to that version, which tags are not. Only Get* and List* are called.

    With `adopt`, who calls `$LATEST` is read in any case, and what is needed to move them.

    Raises:
        AwsError: a call failed, or an update of somebody else's does not settle.
    """
    name = wanted.function.name
    alias = read_alias(aws, name)
    mark = read_mark(alias)
    if alias is not None and mark is not None and wanted.has_rest(mark) and not adopt:
        state = marked_state(aws, wanted, alias, mark)
        if state is not None:
            return state
    live = aws.configuration(name, ALIAS) if alias is not None else None
    if alias is not None and live is not None and not alias.weighted and wanted.is_served_by(live):
        access = read_access(aws, wanted, own_role=wanted.has_own_role(live), marked=False)
        state = replace(access, alias=alias, mark=mark, live=live)
        if wanted.has_access(state):
            latest = aws.configuration(name) if wanted.layers is not None else None
            if latest is None or wanted.has_tags(latest):
                return _with_callers(aws, name, state) if adopt else state
    state = _whole(aws, wanted, RemoteState(region=aws.region, alias=alias, mark=mark, live=live), clock)
    return _with_callers(aws, name, state) if adopt and state.latest is not None else state


def _with_callers(aws: Aws, name: str, state: RemoteState) -> RemoteState:
    callers = state.callers if state.latest is not None else aws.callers_of_latest(name)
    sources = [caller.statement.source_arn for caller in callers if isinstance(caller, CallingPermission)]
    around = aws.surroundings(name, [source for source in sources if source]) if callers else Surroundings()
    return replace(state, callers=callers, surroundings=around)


def read_alias(aws: Aws, function: str) -> Alias | None:
    """The alias with the shares that a canary gave.

    While Lambda allocates provisioned concurrency for the version that an alias was moved to, it gives the old one a
    share of 1 by itself; that is none of ours to take back.

    Raises:
        AwsError: a call failed.
    """
    alias = aws.alias(function, ALIAS)
    if alias is not None and alias.weighted and ALIAS in aws.provisioned(function):
        return replace(alias, weights={})
    return alias


def _whole(aws: Aws, wanted: Wanted, known: RemoteState, clock: Clock) -> RemoteState:
    """All there is; of it `known` is read already."""
    name = wanted.function.name
    latest = aws.configuration(name)
    if latest is None:
        return RemoteState(
            region=aws.region,
            grants=frozenset(),
            role=None if wanted.function.role_arn else aws.role(wanted.role_name),
            published=_published(aws, wanted),
        )
    if not latest.settled:  # an earlier deploy was interrupted, or somebody else's is under way
        latest = settled(aws, name, clock)
    alias = known.alias
    return replace(
        known,
        latest=latest,
        url=aws.url(name, ALIAS) if alias else None,
        grants=frozenset(aws.statements(name, ALIAS)) if alias and wanted.layers is not None else frozenset(),
        role=aws.role(wanted.role_name) if wanted.has_own_role(latest) and wanted.layers is not None else None,
        published=_published(aws, wanted),
        fingerprints=_fingerprints(aws, wanted, latest, known_fingerprints(wanted, known.live)),
        retired=_retired(aws, wanted, latest, known.live),
        callers=aws.callers_of_latest(name),
    )


def _published(aws: Aws, wanted: Wanted) -> dict[str, LayerVersion]:
    """By layer, the newest version that carries the wanted fingerprint."""
    function = wanted.function
    found = {}
    for layer in wanted.layers or ():
        version = aws.find_layer(
            layer.name, layer.fingerprint, runtime=function.runtime, architecture=function.architecture
        )
        if version is not None:
            found[layer.name] = version
    return found


def _fingerprints(aws: Aws, wanted: Wanted, latest: Configuration, known: dict[str, str]) -> dict[str, str]:
    """The short fingerprints of the attached layers of ours; only a code-only deploy needs those not known yet."""
    found = dict(known)
    for arn in wanted.own(latest):
        if arn not in found and wanted.layers is None:
            fingerprint = descriptions.layer_fingerprint(aws.layer_description(arn) or "")
            if fingerprint is not None:
                found[arn] = fingerprint[: descriptions.SHORT]
    return found


def _retired(aws: Aws, wanted: Wanted, latest: Configuration, live: Configuration | None) -> frozenset[str]:
    """Attached layers that are not wanted any more, but that the live version's description names as ours.

    Another project's layers carry a fingerprint too; only the version's description tells whose they are.
    """
    told = set(descriptions.version_fingerprints(live.description)[1:]) if live else set()
    if wanted.layers is None or not told:
        return frozenset()
    external = {layer.arn for layer in wanted.function.external_layers}
    strangers = [
        arn
        for arn in latest.layer_arns
        if arn not in wanted.own(latest) and arn not in external and layer_account(arn) == latest.account
    ]
    retired = set()
    for arn in strangers:
        fingerprint = descriptions.layer_fingerprint(aws.layer_description(arn) or "")
        if fingerprint is not None and fingerprint[: descriptions.SHORT] in told:
            retired.add(arn)
    return frozenset(retired)
