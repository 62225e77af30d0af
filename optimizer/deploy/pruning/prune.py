"""What can be deleted, purely: old versions of ours that nothing refers to; whatever is kept is kept for a reason."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from optimizer.deploy import descriptions
from optimizer.deploy.mark import read_before, version_before
from optimizer.deploy.values import ALIAS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from optimizer.deploy.fleet.region import RegionFunction
    from optimizer.deploy.values import Configuration, ListedLayer

CALLS_DAYS = 14
"""So many days without a call by its number make a version one that nobody calls: CloudWatch keeps minutes for 15."""

Reason = Literal["not-ours", "in-use", "rollback", "newest", "locked", "configured", "shared", "unreadable"]
"""Why a version is kept: it carries no fingerprint of ours; something refers to it or calls it; a rollback goes back
to it; it is one of the newest; by the committed lock a deploy may want it; the configuration names it; its policy lets
others use it, whom nobody sees from here; or that can't be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A version, and why it is kept with `detail` in words; `reason` None: it can go.

    `subject` is the layer or function, `since` when it was made or last changed, `zipped_bytes` what it takes, None
    where that was not read. `users` are the versions of functions that have it attached.
    """

    kind: Literal["layer", "function"]
    subject: str
    version: int
    arn: str
    since: str
    fingerprint: str | None
    reason: Reason | None = None
    detail: str = ""
    zipped_bytes: int | None = None
    users: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """`web:3`."""
        return f"{self.subject}:{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What is kept besides what is used.

    The newest `keep` of each layer and function, layer versions with the `locked` fingerprint of their layer, and
    `arns`, which the configuration names.
    """

    keep: int
    locked: Mapping[str, str]
    arns: frozenset[str] = frozenset()


Users = dict[str, tuple[str, ...]]
"""Who has a layer version attached, by its ARN: `app:$LATEST`, `app:3`."""


def users_of(versions: Iterable[Configuration], *, without: Collection[str] = ()) -> Users:
    """Who has which layer version attached; `without` those versions (`app:3`) that are going to be deleted."""
    users: dict[str, list[str]] = {}
    for version in versions:
        name = f"{version.function}:{version.version}"
        if name not in without:
            for arn in version.layer_arns:
                users.setdefault(arn, []).append(name)
    return {arn: tuple(names) for arn, names in users.items()}


def judge_layer(layer: str, listed: Sequence[ListedLayer], users: Users, rules: Rules) -> tuple[Judged, ...]:
    """Every version of a layer, newest first; whom those that can go are shared with is not looked at yet."""
    found = []
    newer = 0
    for one in sorted(listed, key=lambda one: -one.version):
        fingerprint = descriptions.layer_fingerprint(one.description)
        reason: Reason | None = None
        detail = ""
        if fingerprint is None:
            reason, detail = "not-ours", "it carries no fingerprint"
        elif one.arn in users:
            reason, detail = "in-use", f"used by {', '.join(users[one.arn])}"
        elif newer < rules.keep:
            reason, detail = "newest", f"one of the newest {rules.keep}"
        elif rules.locked.get(layer) == fingerprint:
            reason, detail = "locked", f"it is what layers/{layer}/layer.lock says"
        elif one.arn in rules.arns:
            reason, detail = "configured", "the configuration names it under external_layers"
        newer += fingerprint is not None
        found.append(
            Judged(
                kind="layer",
                subject=layer,
                version=one.version,
                arn=one.arn,
                since=one.created,
                fingerprint=fingerprint,
                reason=reason,
                detail=detail,
                users=users.get(one.arn, ()),
            )
        )
    return tuple(found)


def with_sharing(version: Judged, shared_with: Sequence[str] | None) -> Judged:
    """A layer version, kept where others may use it: whether they do can't be seen from here."""
    if version.reason is not None:
        return version
    if shared_with is None:
        return replace(version, reason="unreadable", detail="whom it is shared with can't be read")
    if shared_with:
        return replace(version, reason="shared", detail=f"shared: {'; '.join(shared_with)}")
    return version


def judge_function(function: RegionFunction, provisioned: Mapping[str, int], keep: int) -> tuple[Judged, ...]:
    """Every published version of a function, newest first; who calls those that can go is not looked at yet."""
    before = _before(function)
    found = []
    newer = 0
    for one in sorted(function.versions, key=lambda one: -int(one.version)):
        told = descriptions.version_fingerprints(one.description)
        aliases = function.aliases_of(one.version)
        reason: Reason | None = None
        detail = ""
        if not told:
            reason, detail = "not-ours", "no deploy made it"
        elif function.aliases is None:
            reason, detail = "unreadable", "its aliases are not known"
        elif aliases:
            reason, detail = "in-use", f"used by the alias {', '.join(alias.name for alias in aliases)}"
        elif one.version in before:
            reason, detail = "rollback", f"a rollback of the alias {before[one.version]} goes back to it"
        elif newer < keep:
            reason, detail = "newest", f"one of the newest {keep}"
        elif one.version in provisioned:
            reason, detail = "in-use", f"it has provisioned concurrency {provisioned[one.version]}"
        newer += bool(told)
        found.append(
            Judged(
                kind="function",
                subject=function.name,
                version=int(one.version),
                arn=one.arn,
                since=one.modified,
                fingerprint=told[0] if told else None,
                reason=reason,
                detail=detail,
                zipped_bytes=one.zipped_bytes,
            )
        )
    return tuple(found)


def _before(function: RegionFunction) -> dict[str | None, str]:
    """The alias that goes back to a version, by the version: as its description tells, or as `rollback` chooses."""
    aliases = function.aliases or ()
    before = {read_before(alias): alias.name for alias in aliases}
    before |= {version_before(alias, function.versions): ALIAS for alias in aliases if alias.name == ALIAS}
    return before


def with_callers(version: Judged, callers: Sequence[str], calls: int | None) -> Judged:
    """A function's version, kept where somebody may call it by its number, or did."""
    if version.reason is not None:
        return version
    if callers:
        return replace(version, reason="in-use", detail=f"called by {', '.join(callers)}")
    if calls is None:
        return replace(version, reason="unreadable", detail="whether it is called by its number can't be read")
    if calls:
        told = f"called by its number {calls} times in the last {CALLS_DAYS} days"
        return replace(version, reason="in-use", detail=told)
    return version


def calls_since(version: Judged, now: datetime) -> datetime:
    """From when on calls count: not those by which a deploy checks a version that it has just made."""
    since = now - timedelta(days=CALLS_DAYS)
    try:
        made = datetime.strptime(version.since, "%Y-%m-%dT%H:%M:%S.%f%z")
    except ValueError:
        return since
    return min(max(since, (made + timedelta(hours=2)).replace(minute=0, second=0, microsecond=0)), now)
