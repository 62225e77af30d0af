"""What is there against what is expected, purely: each difference is a finding that says what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.deploy import descriptions
from optimizer.deploy.drift.drift_layers import (
    config_findings,
    gone_findings,
    latest_findings,
    lock_findings,
    share_findings,
)
from optimizer.deploy.drift.drift_settings import (
    changed_findings,
    differing,
    role_findings,
    settings_findings,
    tag_findings,
    url_findings,
)
from optimizer.deploy.drift.findings import Finding
from optimizer.deploy.mark import read_before, read_mark
from optimizer.deploy.values import ALIAS, LATEST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optimizer.build import Function
    from optimizer.deploy.drift.findings import Expected, Seen
    from optimizer.deploy.values import Alias, Configuration


def drift(expected: Expected, seen: Seen) -> tuple[Finding, ...]:
    """Every difference between what is expected of a function and what is there, the gravest first."""
    function, latest = expected.function, seen.latest
    if latest is None:
        return (
            Finding(
                check="function-missing",
                subject=function.name,
                expected=f"a function in {seen.region}",
                actual="there is none",
                mend="`python -m optimizer deploy` makes it; or mend name or regions in the configuration.",
            ),
        )
    found = [*_state(function, latest)]
    alias, live = seen.alias, seen.live
    if alias is None or live is None:
        found.append(
            Finding(
                check="alias-missing",
                subject=function.name,
                expected=f"the alias {ALIAS}",
                actual=f"the aliases {', '.join(one.name for one in seen.aliases) or 'none'}",
                mend="`python -m optimizer deploy` makes it.",
            )
        )
        return (
            *found,
            *config_findings(expected, latest),
            *gone_findings(expected, seen),
            *role_findings(function, seen),
        )
    found += _alias(function, alias, seen)
    if live.version != LATEST:
        found += _served(function, alias, live)
        if not _is_newest(latest, live, seen):
            found += latest_findings(expected, seen, live, latest)
            found += changed_findings(function, live, latest)
    found += gone_findings(expected, seen)
    found += config_findings(expected, live)
    found += lock_findings(expected, seen, live)
    found += settings_findings(function, live)
    found += share_findings(expected, seen)
    found += url_findings(function, seen)
    found += tag_findings(function, seen)
    found += role_findings(function, seen)
    return tuple(found)


def _is_newest(latest: Configuration, live: Configuration, seen: Seen) -> bool:
    """Whether `$LATEST` is the newest version of ours while the alias serves an older one, which is told once."""
    newest = seen.newest
    return (
        newest is not None
        and int(newest.version) > int(live.version)
        and (newest.code_sha256, newest.layer_arns) == (latest.code_sha256, latest.layer_arns)
        and not differing(newest, latest)
    )


def _state(function: Function, latest: Configuration) -> Iterator[Finding]:
    if latest.image:
        yield Finding(
            check="function-image",
            subject=function.name,
            expected="a function made from a zip",
            actual="it is made from a container image, which has no layers",
            mend="Give the function another name in the configuration, or delete that one.",
        )
    if latest.state == "Failed":
        yield Finding(
            check="function-failed",
            subject=function.name,
            expected="the state Active",
            actual=f"Failed: {latest.state_reason}",
            mend="Mend what the reason names, or delete the function; then deploy.",
        )
    if latest.update_status == "Failed":
        yield Finding(
            check="update-failed",
            subject=f"{function.name}:{LATEST}",
            expected="an update that ended well",
            actual=f"Failed: {latest.update_reason}",
            mend=f"Mend what the reason names; then deploy. {ALIAS} serves what it served before.",
        )
    elif not latest.settled:
        yield Finding(
            check="update-in-progress",
            subject=f"{function.name}:{LATEST}",
            expected="no update under way",
            actual=latest.update_reason or f"state {latest.state}, update {latest.update_status}",
            mend="Somebody deploys: ask again when it has ended.",
        )


def _alias(function: Function, alias: Alias, seen: Seen) -> Iterator[Finding]:
    subject = f"{function.name}:{alias.name}"
    if alias.version == LATEST:
        yield Finding(
            check="alias-latest",
            subject=subject,
            expected="a published version",
            actual=f"{LATEST}: callers see every state of a deploy",
            mend="`python -m optimizer deploy` publishes a version and moves the alias there.",
        )
        return
    if alias.weighted:
        shares = ", ".join(f"{share:.0%} version {version}" for version, share in sorted(alias.weights.items()))
        yield Finding(
            check="alias-weighted",
            subject=subject,
            expected=f"all calls to version {alias.version}",
            actual=f"{shares}, the rest version {alias.version}",
            mend="A canary that runs ends by itself. One that was left behind: deploy again, or roll back.",
        )
    newest, back_from = seen.newest, read_before(alias)
    behind = newest is not None and int(newest.version) > int(alias.version)
    if newest is not None and behind and newest.version not in alias.weights:
        rolled_back = back_from is not None and int(back_from) > int(alias.version)
        yield Finding(
            check="alias-behind",
            subject=subject,
            expected=f"version {newest.version}, the newest that a deploy made",
            actual=f"version {alias.version}",
            mend=f"It was rolled back from version {back_from}: deploy again when that is mended."
            if rolled_back
            else f"The check of version {newest.version} failed, or somebody moved the alias: deploy again.",
        )


def _served(function: Function, alias: Alias, live: Configuration) -> Iterator[Finding]:
    """A version that neither its own description nor the alias's mark says that a deploy made, or found to be equal."""
    if not descriptions.version_fingerprints(live.description) and read_mark(alias) is None:
        yield Finding(
            check="version-not-ours",
            subject=f"{function.name}:{live.version}",
            expected="a version that a deploy made, with fingerprints in its description",
            actual=f"the description {live.description!r}" if live.description else "no description",
            mend="Somebody published it by other means. The next deploy that changes something replaces it.",
        )
