"""What runs and whether it drifted: for people, function by function, and as the JSON document."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from rich.text import Text

from optimizer.deploy import descriptions
from optimizer.deploy.drift.findings import fingerprints_of, is_own
from optimizer.deploy.values import LATEST, layer_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from optimizer.deploy.drift.findings import Finding, Seen
    from optimizer.deploy.drift.status import FunctionStatus
    from optimizer.deploy.values import Alias, Configuration

_SHOWN = 12
"""Hex digits of a fingerprint for people."""

_LABEL = 12
_NARROWEST = 40


def print_status(statuses: Sequence[FunctionStatus], console: Console) -> None:
    """What runs, function by function, and what is not as expected; lines fold at the console's width."""
    for one in statuses:
        console.print(_heading(one), soft_wrap=True, highlight=False)
        if one.error is not None:
            _paragraph(console, "  ", one.error.message, "red")
            _paragraph(console, "  ", one.error.mend)
        elif one.seen is not None and one.seen.latest is not None:
            _function(console, one, one.seen, one.seen.latest)
        for finding in one.findings:
            _finding(console, finding)
        console.print()
    console.print(_sum(statuses), highlight=False, soft_wrap=True)


def status_document(statuses: Sequence[FunctionStatus], calls: Mapping[str, int]) -> dict[str, Any]:
    """The document of `status --format json`."""
    return {
        "schema": 1,
        "drift": any(one.findings for one in statuses),
        "calls": dict(sorted(calls.items())),
        "functions": [_function_entry(one) for one in statuses],
    }


def _heading(one: FunctionStatus) -> Text:
    heading = Text.assemble((one.name, "bold cyan"), f" in {one.region}  ")
    if one.error is not None:
        return heading.append("can't be read", "bold red")
    count = len(one.findings)
    if count:
        return heading.append(f"drift: {count} finding{'s' if count > 1 else ''}", "bold red")
    return heading.append("as expected", "green")


def _function(console: Console, one: FunctionStatus, seen: Seen, latest: Configuration) -> None:
    shown: dict[str, str] = {}
    for alias in seen.aliases:
        _alias(console, one, seen, alias, shown)
    live = seen.live
    same = live is not None and (live.code_sha256, live.layer_arns) == (latest.code_sha256, latest.layer_arns)
    words = f"code and layers as {seen.alias.name}" if same and seen.alias else f"changed {_when(latest.modified)}"
    _labelled(console, LATEST, words)
    if not same:
        _layers(console, one, seen, latest)
    for number, caller in enumerate(seen.callers or ("none",)):
        _labelled(console, "" if number else "its callers", caller)
    for name in one.expected.unlocked:
        _paragraph(console, "  ", f"{name} has no lock to compare with: `python -m optimizer plan --write`", "dim")


def _alias(console: Console, one: FunctionStatus, seen: Seen, alias: Alias, shown: dict[str, str]) -> None:
    """One alias: its version, shares, URL and layers; these once for each version."""
    version = seen.configuration(alias.version)
    if version is None:
        return
    told = descriptions.version_fingerprints(version.description)
    words = f"version {alias.version} of {_when(version.modified)}, "
    words += f"code {told[0][:_SHOWN]}" if told else "not made by a deploy"
    commit = descriptions.commit_in(version.description)
    words += f" of commit {commit}" if commit else ""
    words += "".join(f"; {share:.0%} to version {other}" for other, share in sorted(alias.weights.items()))
    if version.snap_start:
        words += f"; SnapStart {version.snap_start}"
    if alias.name in seen.provisioned:
        words += f"; provisioned concurrency {seen.provisioned[alias.name]}"
    _labelled(console, alias.name, words)
    if alias.name in seen.urls:
        _labelled(console, "", f"{seen.urls[alias.name].address} {seen.urls[alias.name].auth}")
    if alias.version in shown:
        _labelled(console, "", f"layers as {shown[alias.version]}")
    elif version.layers:
        _layers(console, one, seen, version)
    shown.setdefault(alias.version, alias.name)


def _layers(console: Console, one: FunctionStatus, seen: Seen, version: Configuration) -> None:
    """The layers in attach order, each with its ARN on a line of its own, whole for whoever copies it."""
    marks = fingerprints_of(version, seen, one.expected.names)
    names = [layer_name(arn) for arn in version.layer_arns]
    width = max((len(name) for name in names), default=0)
    for place, (name, arn) in enumerate(zip(names, version.layer_arns, strict=True), 1):
        words = (
            f"{place} {name:{width}}  version {arn.rpartition(':')[2]:>3}  {_origin(one, seen, version, arn, marks)}"
        )
        console.print(Text(f"  {'':{_LABEL}}{words}"), soft_wrap=True)
        console.print(Text(f"  {'':{_LABEL}}  {arn}", "dim"), soft_wrap=True)


def _origin(one: FunctionStatus, seen: Seen, version: Configuration, arn: str, marks: Mapping[str, str]) -> str:
    gone = {"gone": ", deleted", "hidden": ", can't be read"}.get(str(seen.layers.get(arn)), "")
    if arn in marks:
        return marks[arn][:_SHOWN] + gone
    if arn in {external.arn for external in one.expected.function.external_layers}:
        return "external" + gone
    return ("no fingerprint" if is_own(arn, version, one.expected.names) else "not ours, kept") + gone


def _finding(console: Console, finding: Finding) -> None:
    console.print(Text.assemble(("  ! ", "bold red"), (finding.check, "bold"), f"  {finding.subject}"), soft_wrap=True)
    for label, words, style in (
        ("expected", finding.expected, ""),
        ("there", finding.actual, ""),
        ("to do", finding.mend, "dim"),
    ):
        _paragraph(console, f"    {label:{_LABEL - 2}}", words, style)


def _labelled(console: Console, label: str, words: str) -> None:
    _paragraph(console, f"  {label:{_LABEL}}", words)


def _paragraph(console: Console, label: str, words: str, style: str = "") -> None:
    """Text folded beside its label; names, ARNs and URLs stay whole."""
    lines = textwrap.wrap(
        words,
        max(console.width - len(label), _NARROWEST),
        break_long_words=False,
        break_on_hyphens=False,
    )
    for number, line in enumerate(lines):
        console.print(Text.assemble(" " * len(label) if number else label, (line, style)), soft_wrap=True)


def _when(modified: str) -> str:
    """Lambda's time to the minute; it is UTC."""
    return f"{modified[:16].replace('T', ' ')} UTC" if modified else "an unknown time"


def _sum(statuses: Sequence[FunctionStatus]) -> Text:
    drifted, unread = sum(bool(one.findings) for one in statuses), sum(one.error is not None for one in statuses)
    of = f"of {len(statuses)} function{'s' if len(statuses) > 1 else ''}"
    if unread:
        return Text(f"{unread} {of} can't be read; drift in {drifted}.", "bold red")
    if drifted:
        return Text(f"Drift in {drifted} {of}.", "bold red")
    return Text("No drift.", "bold green")


def _function_entry(one: FunctionStatus) -> dict[str, Any]:
    seen, error = one.seen, one.error
    entry: dict[str, Any] = {
        "function": one.name,
        "region": one.region,
        "outcome": "failed" if error else "drift" if one.findings else "as-expected",
        "error": {"code": error.code, "message": error.message, "mend": error.mend} if error else None,
        "latest": None,
        "aliases": [],
        "callers_of_latest": list(seen.callers) if seen else [],
        "provisioned_concurrency": dict(seen.provisioned) if seen else {},
        "layers_without_lock": list(one.expected.unlocked),
        "findings": [
            {key: getattr(finding, key) for key in ("check", "subject", "expected", "actual", "mend")}
            for finding in one.findings
        ],
    }
    if seen is not None and seen.latest is not None:
        entry["latest"] = _version_entry(one, seen, seen.latest)
        entry["aliases"] = [_alias_entry(one, seen, alias) for alias in seen.aliases]
    return entry


def _alias_entry(one: FunctionStatus, seen: Seen, alias: Alias) -> dict[str, Any]:
    url = seen.urls.get(alias.name)
    version = seen.configuration(alias.version)
    return {
        "name": alias.name,
        "weights": dict(sorted(alias.weights.items())),
        "url": {"address": url.address, "auth": url.auth} if url else None,
        "serves": _version_entry(one, seen, version) if version else None,
    }


def _version_entry(one: FunctionStatus, seen: Seen, version: Configuration) -> dict[str, Any]:
    told = descriptions.version_fingerprints(version.description)
    marks = fingerprints_of(version, seen, one.expected.names)
    return {
        "version": version.version,
        "modified": version.modified,
        "code_sha256": version.code_sha256,
        "code_fingerprint": told[0] if told else None,
        "commit": descriptions.commit_in(version.description),
        "snap_start": version.snap_start or None,
        "layers": [
            {
                "name": layer_name(arn),
                "version": int(arn.rpartition(":")[2]),
                "arn": arn,
                "fingerprint": marks.get(arn),
                "deleted": seen.layers.get(arn) == "gone",
            }
            for arn in version.layer_arns
        ],
    }
