"""Reads what runs, function by function in every region, for `status`: only Get* and List* are called."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from optimizer.deploy.drift.drift import drift
from optimizer.deploy.drift.findings import Seen, is_own
from optimizer.deploy.values import ALIAS, layer_name
from optimizer.deploy.wanted import role_name
from optimizer.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from optimizer.deploy.drift.findings import Expected, Finding
    from optimizer.deploy.port import Aws
    from optimizer.deploy.values import Absence, Configuration, LayerFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionStatus:
    """One function in one region: what was seen and what is not as expected; or the `error` that hid it."""

    expected: Expected
    region: str
    seen: Seen | None = None
    findings: tuple[Finding, ...] = ()
    error: AwsError | None = None

    @property
    def name(self) -> str:
        """The function's name."""
        return self.expected.function.name


def read_status(
    expected: Sequence[Expected], *, regions: Sequence[str] | None, connect: Callable[[str], Aws]
) -> tuple[FunctionStatus, ...]:
    """Every function in each of its regions, side by side by region; one that can't be read does not hide the others.

    Args:
        expected: the functions.
        regions: only these of theirs; None for all.
        connect: AWS in a region.
    """
    places = [
        (one, region) for one in expected for region in one.function.regions if regions is None or region in regions
    ]
    by_region: dict[str, list[Expected]] = {}
    for one, region in places:
        by_region.setdefault(region, []).append(one)
    if not by_region:
        return ()
    with ThreadPoolExecutor(max_workers=len(by_region), thread_name_prefix="status") as pool:
        read = pool.map(lambda place: _read_region(connect, *place), by_region.items())
        found = {(one.name, one.region): one for statuses in read for one in statuses}
    return tuple(found[one.function.name, region] for one, region in places)


def _read_region(connect: Callable[[str], Aws], region: str, expected: Sequence[Expected]) -> list[FunctionStatus]:
    layers: dict[str, LayerFacts | Absence] = {}
    found = []
    for one in expected:
        try:
            seen = read_function(connect(region), one, layers)
        except AwsError as error:
            found.append(FunctionStatus(expected=one, region=region, error=error))
        else:
            found.append(FunctionStatus(expected=one, region=region, seen=seen, findings=drift(one, seen)))
    return found


def read_function(aws: Aws, expected: Expected, layers: dict[str, LayerFacts | Absence]) -> Seen:
    """One function as it is.

    Args:
        aws: where.
        expected: whose.
        layers: what is known of layer versions already; what is read here is entered.

    Raises:
        AwsError: a call failed.
    """
    name = expected.function.name
    latest = aws.configuration(name)
    if latest is None:
        return Seen(region=aws.region)
    versions, aliases = aws.versions(name), aws.aliases(name)
    served = {version for alias in aliases for version in alias.versions}
    shown = (latest, *(one for one in versions if one.version in served))
    attached = dict.fromkeys(arn for one in shown for arn in one.layer_arns)
    for arn in attached:
        if arn not in layers:
            layers[arn] = aws.layer_facts(arn)
    live = next(
        (one for alias in aliases if alias.name == ALIAS for one in shown if one.version == alias.version), None
    )
    own_role = role_name(name)
    has_own_role = not expected.function.role_arn and latest.role.endswith(f":role/{own_role}")
    return Seen(
        region=aws.region,
        latest=latest,
        versions=versions,
        aliases=aliases,
        urls={alias.name: url for alias in aliases if (url := aws.url(name, alias.name)) is not None},
        grants=frozenset(aws.statements(name, ALIAS)) if any(one.name == ALIAS for one in aliases) else frozenset(),
        role=aws.role(own_role) if has_own_role else None,
        provisioned=aws.provisioned(name),
        callers=tuple(caller.told for caller in aws.callers_of_latest(name) if not caller.waits),
        layers={arn: layers[arn] for arn in attached},
        layer_grants=_grants(aws, expected, live, layers) if live is not None else {},
    )


def _grants(
    aws: Aws, expected: Expected, live: Configuration, layers: Mapping[str, LayerFacts | Absence]
) -> dict[str, frozenset[str]]:
    """Who may attach our layers that are live, as far as the configuration says anything of that."""
    return {
        arn: aws.layer_grants(layer_name(arn), int(arn.rpartition(":")[2]))
        for arn in live.layer_arns
        if expected.share is not None and is_own(arn, live, expected.names) and not isinstance(layers[arn], str)
    }
