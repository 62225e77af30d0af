"""Drift of layers, purely: what others did to the list of `$LATEST`, what is gone, and what the locks say otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.deploy import descriptions
from optimizer.deploy.actions import ShareLayer
from optimizer.deploy.drift.findings import Finding, fingerprints_of, is_own, short_arn, short_arns
from optimizer.deploy.planning.sharing import OURS, share_actions
from optimizer.deploy.values import ALIAS, LATEST, layer_base, layer_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optimizer.deploy.drift.findings import Expected, Seen
    from optimizer.deploy.values import Configuration

_SHOWN = 12
"""Hex digits of a fingerprint in messages."""


def latest_findings(expected: Expected, seen: Seen, live: Configuration, latest: Configuration) -> Iterator[Finding]:
    """What differs between the list of `$LATEST` and that of the version that the alias serves, change by change."""
    subject = f"{expected.function.name}:{LATEST}"
    there = {layer_base(arn): arn for arn in latest.layer_arns}
    served = {layer_base(arn): arn for arn in live.layer_arns}
    for base, arn in there.items():
        if base not in served:
            yield Finding(
                check="layer-attached",
                subject=subject,
                expected=f"{short_arns(live.layer_arns, live)}, as {ALIAS} serves them",
                actual=f"{short_arn(arn, live)} is attached too",
                mend=_attached_mend(arn, expected, seen, latest),
            )
        elif served[base] != arn:
            yield Finding(
                check="layer-replaced",
                subject=subject,
                expected=f"{short_arn(served[base], live)}, as {ALIAS} serves it",
                actual=short_arn(arn, live),
                mend=_replaced_mend(arn, expected, seen, latest),
            )
    for base, arn in served.items():
        if base not in there:
            ours = is_own(arn, live, expected.names)
            yield Finding(
                check="layer-detached",
                subject=subject,
                expected=f"{short_arn(arn, live)}, as {ALIAS} serves it",
                actual=f"it is not attached; there are {short_arns(latest.layer_arns, live)}",
                mend="The next deploy that changes something attaches it again."
                if ours
                else "The next deploy that changes something goes live without it: attach it again before, or name it "
                "under external_layers of the function.",
            )
    common = [base for base in served if base in there]
    order = [base for base in there if base in served]
    if order != common:
        yield Finding(
            check="layers-reordered",
            subject=subject,
            expected=_names(common),
            actual=_names(order),
            mend="The next deploy that changes something puts ours into their order again; a later layer's file "
            "replaces an earlier one's of the same path, so layers of others are to be put back by hand.",
        )


def gone_findings(expected: Expected, seen: Seen) -> Iterator[Finding]:
    """Layer versions that are attached to `$LATEST` or served by an alias, and deleted."""
    users: dict[str, list[str]] = {}
    places = [(LATEST, LATEST), *((alias.name, version) for alias in seen.aliases for version in alias.versions)]
    for name, version in places:
        configuration = seen.configuration(version)
        for arn in configuration.layer_arns if configuration else ():
            if seen.layers.get(arn) == "gone" and name not in users.setdefault(arn, []):
                users[arn].append(name)
    for arn, names in users.items():
        yield Finding(
            check="layer-gone",
            subject=f"{expected.function.name}:{' and '.join(names)}",
            expected=f"{arn} exists",
            actual="it is attached, and it was deleted",
            mend="It goes on working where it is attached and can't be attached again. "
            + (
                "The next deploy that sends layers publishes it anew."
                if layer_name(arn) in expected.names
                else "Name a version that exists under external_layers of the function, then deploy."
            ),
        )


def config_findings(expected: Expected, live: Configuration) -> Iterator[Finding]:
    """Where the list that is served, or `$LATEST`'s where none is, is not as the configuration has it."""
    subject = f"{expected.function.name}:{live.version}"
    own = [layer_name(arn) for arn in live.layer_arns if is_own(arn, live, frozenset(expected.ordered))]
    configured = [name for name in expected.ordered if name in own]
    if own != configured:
        yield Finding(
            check="layer-order",
            subject=subject,
            expected=f"{' '.join(configured)}, as the configuration has them",
            actual=" ".join(own),
            mend="Deploy: `python -m optimizer deploy`; or put the configuration back.",
        )
    attached = {layer_base(arn): arn for arn in live.layer_arns}
    for external in expected.function.external_layers:
        there = attached.get(layer_base(external.arn))
        if there != external.arn:
            yield Finding(
                check="external-layer",
                subject=subject,
                expected=f"{external.arn}, as the configuration has it",
                actual="it is not attached" if there is None else there,
                mend="Deploy: `python -m optimizer deploy` attaches it; or take it out of the configuration.",
            )


def lock_findings(expected: Expected, seen: Seen, live: Configuration) -> Iterator[Finding]:
    """Where the committed locks say something else than the fingerprints of what is served."""
    marks = fingerprints_of(live, seen, expected.names)
    by_name = {layer_name(arn): arn for arn in marks}
    for name in expected.function.layers:
        wanted = expected.fingerprints[name]
        arn = by_name.get(name)
        if arn is None and any(layer_name(one) == name for one in live.layer_arns):
            continue  # it carries no fingerprint: the version is not one that a deploy made, which is told
        if arn is None or marks[arn] != wanted[: descriptions.SHORT]:
            yield Finding(
                check="locks-ahead",
                subject=f"{expected.function.name}:{live.version}",
                expected=f"{name} {wanted[:_SHOWN]}, as layers/{name}/layer.lock has it",
                actual=f"{short_arn(arn, live)} {marks[arn][:_SHOWN]}" if arn else f"{name} is not attached",
                mend="The lock is not deployed yet: `python -m optimizer deploy`. If the lock is older than what is "
                "live, take the newer one from version control.",
            )
    for name, arn in by_name.items():
        if name not in expected.names:
            yield Finding(
                check="layer-unlocked",
                subject=f"{expected.function.name}:{live.version}",
                expected=f"no layer {name}: the locks have none",
                actual=f"{short_arn(arn, live)} {marks[arn][:_SHOWN]}",
                mend="The next deploy leaves it out: `python -m optimizer deploy`.",
            )


def share_findings(expected: Expected, seen: Seen) -> Iterator[Finding]:
    """Where others may attach our layers that are live, or may not, unlike the configuration has it."""
    for arn, granted in seen.layer_grants.items():
        if expected.share is None:
            continue
        version = int(arn.rpartition(":")[2])
        for action in share_actions(expected.share, layer_name(arn), "", version, granted):
            missing = isinstance(action, ShareLayer)
            who = action.statement.removeprefix(OURS)
            yield Finding(
                check="layer-sharing",
                subject=f"{layer_name(arn)}:{version}",
                expected=f"{who} may {'' if missing else 'not '}attach it",
                actual="it may not" if missing else f"it may, by the statement {action.statement}",
                mend="Deploy: `python -m optimizer deploy` changes it; or put [share] of the configuration back.",
            )


def _attached_mend(arn: str, expected: Expected, seen: Seen, latest: Configuration) -> str:
    if _is_coming(arn, expected, seen, latest):
        return "A deploy was interrupted, or is under way: run it again, it goes on from here."
    if arn in {external.arn for external in expected.function.external_layers}:
        return "The configuration has it: deploy, and it is served."
    return (
        "The next deploy that changes something keeps it in its place and serves it: take it off before, or name it "
        "under external_layers of the function."
    )


def _replaced_mend(arn: str, expected: Expected, seen: Seen, latest: Configuration) -> str:
    if _is_coming(arn, expected, seen, latest):
        return "A deploy was interrupted, or is under way: run it again, it goes on from here."
    if is_own(arn, latest, expected.names):
        return "The next deploy that changes something attaches the version that it is about."
    return "The next deploy that changes something keeps it and serves it: put the other version back before."


def _is_coming(arn: str, expected: Expected, seen: Seen, latest: Configuration) -> bool:
    """Whether it is what the lock says: on its way to being served."""
    mark = fingerprints_of(latest, seen, expected.names).get(arn)
    wanted = expected.fingerprints.get(layer_name(arn), "")
    return mark is not None and mark == wanted[: descriptions.SHORT]


def _names(bases: list[str]) -> str:
    return " ".join(base.split(":")[6] for base in bases)
