"""Finds what of the slimming made a check fail, by building and verifying again with less of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from optimizer.verify.guilty import guilty
from optimizer.verify.switches import Change, Switch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from optimizer.verify.findings import Finding, Report

_NOT_SLIMMING = frozenset({"artifact", "size", "collision"})
"""Checks that what was left out can't make fail."""


@dataclass(slots=True, kw_only=True)
class _Trials:
    """Builds with less slimming, none of them twice."""

    build: Callable[[Change], Report]
    progress: Callable[[str], None]
    known: dict[Change, Report] = field(default_factory=dict)

    def report(self, change: Change) -> Report:
        if change not in self.known:
            self.known[change] = self.build(change)
        return self.known[change]

    def mends(self, change: Change, finding: Finding) -> bool:
        """Whether the finding is gone with that change."""
        if change not in self.known:
            self.progress(f"what was left out that {finding.subject} needs: build {len(self.known) + 1}")
        return all(each.key != finding.key for each in self.report(change).findings)


def blame(
    report: Report,
    *,
    switches: Sequence[Switch],
    left_out: Mapping[str, Sequence[str]],
    build: Callable[[Change], Report],
    progress: Callable[[str], None],
    asked: frozenset[str] = frozenset(),
) -> Report:
    """The report, with what is to blame for each finding that slimming could have made.

    A module of the layers that fails to import in just the same way without slimming becomes a note: a distribution
    may have modules that need what nobody requires. One that was `asked` for stays a finding.

    Args:
        report: of the build as it is configured.
        switches: what leaves files out of it.
        left_out: by rule, the distributions that it left something out of.
        build: plans, builds and verifies with a change.
        progress: called with a line before each build.
        asked: modules that were asked for by name.
    """
    suspects = [finding for finding in report.findings if finding.check not in _NOT_SLIMMING]
    if not suspects or not switches:
        return report
    trials = _Trials(build=build, progress=progress)
    progress("a check failed: building without slimming")
    whole = Change(off=frozenset(switches))
    plain = {finding.key: finding.actual for finding in trials.report(whole).findings}
    findings, notes = [], list(report.notes)
    for finding in report.findings:
        if finding not in suspects:
            findings.append(finding)
        elif finding.key not in plain:
            findings.append(_told(finding, _culprits(finding, switches, left_out, trials)))
        elif finding.check == "import" and finding.subject not in asked and plain[finding.key] == finding.actual:
            notes.append(f"{finding.subject} can't be imported, with slimming or without: {finding.actual}")
        else:
            findings.append(_told(finding, ["slimming is not to blame: it fails without it too"]))
    return replace(report, findings=tuple(findings), notes=tuple(notes))


def _culprits(
    finding: Finding, switches: Sequence[Switch], left_out: Mapping[str, Sequence[str]], trials: _Trials
) -> list[str]:
    """What each switch to blame left out, and how to keep it."""
    off = guilty(switches, lambda subset: trials.mends(Change(off=subset), finding))
    return [_culprit(switch, off - {switch}, finding, left_out, trials) for switch in sorted(off)]


def _culprit(
    switch: Switch, others: frozenset[Switch], finding: Finding, left_out: Mapping[str, Sequence[str]], trials: _Trials
) -> str:
    """Which distributions' files the switch left out that the finding needs; `others` are to blame too."""
    candidates = (switch.name,) if switch.kind == "drop" else tuple(left_out.get(switch.rule, ()))

    def mends(names: frozenset[str]) -> bool:
        return trials.mends(Change(off=others, keep=names), finding)

    if not candidates or not mends(frozenset(candidates)):
        return f"left out by rule {switch.rule}: {_off(switch)}"
    names = sorted(guilty(candidates, mends))
    keep = "; ".join(f'{name} = ["*"]' for name in names)
    instead = ", or name the service in [aws] services" if switch.kind == "services" else ""
    many = "distributions" if len(names) > 1 else "distribution"
    return f"left out by rule {switch.rule} from {many} {', '.join(names)}: keep it with [slim.keep] {keep}{instead}"


def _off(switch: Switch) -> str:
    """How to switch it off."""
    return (
        'say services = "all" under [aws]' if switch.kind == "services" else f"say {switch.name} = false under [slim]"
    )


def _told(finding: Finding, reasons: Sequence[str]) -> Finding:
    return replace(finding, actual=f"{finding.actual}\n    {'; '.join(reasons)}")
