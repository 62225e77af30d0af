"""Drift of code, settings, URL and role, purely: against the served version and against the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer import tags
from optimizer.deploy.drift.findings import Finding
from optimizer.deploy.planning.access import logs_policy
from optimizer.deploy.values import ALIAS, LATEST
from optimizer.deploy.wanted import AUTH, STATEMENTS, role_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optimizer.build import Function
    from optimizer.deploy.drift.findings import Seen
    from optimizer.deploy.values import Configuration


_SETTINGS = ("handler", "runtime", "architecture", "memory_mb", "timeout_seconds")
"""What a configured function and a version have under one name."""


def changed_findings(function: Function, live: Configuration, latest: Configuration) -> Iterator[Finding]:
    """Code and settings of `$LATEST` that are not those of the version that the alias serves."""
    subject = f"{function.name}:{LATEST}"
    if latest.code_sha256 != live.code_sha256:
        yield Finding(
            check="latest-code",
            subject=subject,
            expected=f"the code of version {live.version}, {live.code_sha256}",
            actual=f"other code, {latest.code_sha256} of {latest.modified}",
            mend="If a deploy was interrupted, run it again: it goes on from here. Somebody else's code is replaced by "
            "the next deploy that changes something.",
        )
    changed = differing(live, latest)
    if changed:
        yield Finding(
            check="latest-settings",
            subject=subject,
            expected=f"as version {live.version}: {', '.join(told for told, _ in changed)}",
            actual=", ".join(there for _, there in changed),
            mend="The next deploy that changes something sets what the configuration names and keeps the rest.",
        )


def differing(one: Configuration, other: Configuration) -> list[tuple[str, str]]:
    """The settings that differ, as `name value` of each; of variables only the names, since values may be secret."""
    found = _unlike(one, other, one.role, other.role)
    before, after = one.environment, other.environment
    if before is not None and after is not None:
        found += [(f"variable {n}", f"no variable {n}") for n in sorted(before.keys() - after.keys())]
        found += [(f"no variable {n}", f"variable {n}") for n in sorted(after.keys() - before.keys())]
        both = sorted(name for name in before.keys() & after.keys() if before[name] != after[name])
        found += [(f"variable {name}", f"another value of variable {name}") for name in both]
    return found


def _unlike(one: Configuration | Function, other: Configuration, role: str, other_role: str) -> list[tuple[str, str]]:
    """What both have under one name, and the roles, where they differ, as `name value` of each."""
    pairs = [(name, getattr(one, name), getattr(other, name)) for name in _SETTINGS]
    return [
        (f"{name} {before}", f"{name} {after}")
        for name, before, after in (*pairs, ("role", role, other_role))
        if before != after
    ]


def settings_findings(function: Function, live: Configuration) -> Iterator[Finding]:
    """Settings that the configuration names and the served version has otherwise."""
    named = _unlike(function, live, function.role_arn or live.role, live.role)
    if live.environment is not None:
        named += [
            (f"variable {name}", f"{'another value of' if name in live.environment else 'no'} variable {name}")
            for name, value in sorted(function.environment.items())
            if live.environment.get(name) != value
        ]
    if named:
        yield Finding(
            check="settings",
            subject=f"{function.name}:{live.version}",
            expected=f"as the configuration names them: {', '.join(wanted for wanted, _ in named)}",
            actual=", ".join(there for _, there in named),
            mend="Deploy: `python -m optimizer deploy` sets them; or put the configuration back.",
        )


def url_findings(function: Function, seen: Seen) -> Iterator[Finding]:
    """Where the alias's URL, or who may call it, is not as configured."""
    subject, auth, there = f"{function.name}:{ALIAS}", AUTH[function.url], seen.urls.get(ALIAS)
    if (there.auth if there else None) != auth:
        yield Finding(
            check="url",
            subject=subject,
            expected=f"a URL for {auth}" if auth else "no URL",
            actual=f"{there.address} for {there.auth}" if there else "none",
            mend="Deploy: `python -m optimizer deploy` sets it; or put the configuration back.",
        )
    wanted = frozenset(STATEMENTS) if auth == "NONE" else frozenset()
    ours = seen.grants & STATEMENTS.keys()
    if ours != wanted:
        yield Finding(
            check="permission",
            subject=subject,
            expected=f"the statements {' '.join(sorted(wanted))}" if wanted else "no statement that lets anybody call",
            actual=f"of these {' '.join(sorted(ours)) or 'none'}",
            mend="The next deploy that changes something sets it.",
        )


def tag_findings(function: Function, seen: Seen) -> Iterator[Finding]:
    """Tags that the configuration names and the function has otherwise, and ours that it does not name any more."""
    there = seen.latest.tags if seen.latest is not None else None
    if there is None:
        return
    ours = tags.keys_in(there.get(tags.MARKER, "")) & there.keys()
    wrong = sorted({*(k for k, v in function.tags.items() if there.get(k) != v), *(ours - function.tags.keys())})
    if wrong:
        yield Finding(
            check="tags",
            subject=function.name,
            expected=", ".join(f"{key}={function.tags[key]}" if key in function.tags else f"no {key}" for key in wrong),
            actual=", ".join(f"{key}={there[key]}" if key in there else f"no {key}" for key in wrong),
            mend="The next deploy that changes something sets them.",
        )


def role_findings(function: Function, seen: Seen) -> Iterator[Finding]:
    """A role that a deploy made; somebody else's is theirs."""
    role, name = seen.role, role_name(function.name)
    if function.role_arn or seen.latest is None or not seen.latest.role.endswith(f":role/{name}"):
        return
    if role is None:
        yield Finding(
            check="role-missing",
            subject=function.name,
            expected=f"its role {name}",
            actual="IAM has none: new environments of the function can't start",
            mend="Make the role again under this name and let Lambda assume it, or name another with role_arn.",
        )
        return
    if not role.ours:
        return
    if role.policy != function.policy:
        yield Finding(
            check="role-policy",
            subject=role.name,
            expected="the policy that the configuration names" if function.policy else "no policy beside writing logs",
            actual="another one" if role.policy and function.policy else "a policy" if role.policy else "none",
            mend="Deploy: `python -m optimizer deploy` writes it; or put the configuration back.",
        )
    logs = logs_policy(seen.region)
    if role.attached is not None and logs not in role.attached:
        yield Finding(
            check="role-logs",
            subject=role.name,
            expected=f"{logs} attached, so that the function writes its log",
            actual=f"attached: {', '.join(sorted(role.attached)) or 'none'}",
            mend="The next deploy that changes something attaches it.",
        )
