"""A layer plan as Markdown, for a pull request or a wiki: what matters first, all else to be unfolded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer import limits
from optimizer.report import comparison_words as words
from optimizer.report.advice import never_imported_text, overflow
from optimizer.report.costs import certificate_sentences, frontier_rows, pin_costs
from optimizer.report.escape import cell
from optimizer.units import human_bytes

if TYPE_CHECKING:
    from optimizer.plan import LayerPlan, PlannedLayer
    from optimizer.report.comparison import Comparison

MOST_CHARACTERS = 60_000
"""A comment on GitHub may have 65,536: beyond this the largest tables are left out, and that is said."""


def plan_markdown(plan: LayerPlan, comparison: Comparison | None = None) -> str:
    """The plan as GitHub-flavoured Markdown, ending in a newline; with what it is compared with, if anything."""
    head = [f"## Layer plan for {plan.target.runtime} on {plan.target.architecture}", ""]
    if comparison is not None:
        head += _compared(comparison)
    head += _fits(plan)
    head += ["", *_layers(plan)]
    if plan.warnings:
        head += ["", "**Warnings**", "", *(f"- {cell(warning)}" for warning in plan.warnings)]
    folded = [_folded("What releases cost", _cost(plan)), *(_distributions(layer) for layer in plan.layers)]
    apart = _apart(plan)
    folded += [_folded("What does not ship", apart)] if apart else []
    room = MOST_CHARACTERS - len("\n".join(head))
    while sum(map(len, folded)) > room and folded:
        folded.remove(max(folded, key=len))
        if folded and folded[-1] is not _CUT:
            folded.append(_CUT)
    return "\n".join([*head, *folded]) + "\n"


_CUT = "\n_Tables that would not fit in a comment are left out: `python -m optimizer plan` shows them._"


def _compared(comparison: Comparison) -> list[str]:
    """What the difference sends, and which distributions make it."""
    lines = [f"**Compared with {cell(comparison.base)}**: {cell(words.headline(comparison))}.", ""]
    if comparison.shifts:
        lines += ["| distribution | change | layer | zipped | unzipped |", "|---|---|---|--:|--:|"]
        lines += [
            f"| {cell(s.name)} | {cell(words.change(s))} | {cell(words.place(s))} "
            f"| {words.difference(s.zipped_bytes)} | {words.difference(s.unzipped_bytes)} |"
            for s in comparison.shifts[:_SHOWN]
        ]
        if len(comparison.shifts) > _SHOWN:
            lines.append(f"| and {len(comparison.shifts) - _SHOWN} more | | | | |")
        lines.append("")
    if words.unexplained(comparison):
        lines += [f"{words.UNEXPLAINED[0].upper()}{words.UNEXPLAINED[1:]}.", ""]
    totals = "; ".join(f"{what} {now} ({change})" for what, now, change in words.totals(comparison))
    return [*lines, *([f"{totals[0].upper()}{totals[1:]}.", ""] if totals else [])]


_SHOWN = 25
"""So many distributions are listed before it says how many more."""


def _fits(plan: LayerPlan) -> list[str]:
    advice = overflow(plan)
    if advice is not None:
        return [
            f"**{cell(advice.headline)}**",
            "",
            "What could be left out:",
            *(f"- {cell(idea)}" for idea in advice.ideas),
        ]
    cost = plan.partition.certificate.cost
    sent = "" if cost is None else f" Releases make it send {human_bytes(round(cost))} a year."
    used, headroom = human_bytes(plan.total_unzipped_bytes), human_bytes(plan.headroom_bytes)
    return [f"**Fits**: {used} of {human_bytes(limits.UNZIPPED_BYTES)}, {headroom} of headroom.{sent}"]


def _layers(plan: LayerPlan) -> list[str]:
    lines = ["| # | layer | unzipped | zipped | share | lock |", "|--:|---|--:|--:|--:|---|"]
    lines += [
        f"| {layer.order + 1} | {cell(layer.name)} "
        f"| {human_bytes(layer.unzipped_bytes)} | {human_bytes(layer.zipped_bytes)} "
        f"| {layer.unzipped_bytes / limits.UNZIPPED_BYTES:.1%} | {layer.change} |"
        for layer in plan.layers
    ]
    return lines + [
        f"| | code of {cell(f.config.name)} | {human_bytes(f.unzipped_bytes)} | {human_bytes(f.zipped_bytes)} "
        f"| {f.unzipped_bytes / limits.UNZIPPED_BYTES:.1%} | |"
        for f in plan.functions
    ]


def _distributions(layer: PlannedLayer) -> str:
    count = len(layer.distributions)
    return _folded(
        f"{cell(layer.name)}: {count} distribution{'s'[: count != 1]}",
        [
            "| distribution | version | installed | ships | zipped | why here |",
            "|---|---|--:|--:|--:|---|",
            *(
                f"| {cell(d.name)} | {cell(d.version)} | {human_bytes(d.installed_bytes)} "
                f"| {human_bytes(d.payload.unzipped_bytes)} "
                f"| {human_bytes(d.payload.zipped_bytes)} | {cell(d.reason)} |"
                for d in layer.distributions
            ),
        ],
    )


def _apart(plan: LayerPlan) -> list[str]:
    """Distributions that do not ship, or of which nothing is imported."""
    lines = [f"- {cell(e.name)} {cell(e.version)}: {cell(e.reason)}" for e in plan.excluded]
    idle = never_imported_text(plan)
    return [*lines, *([f"- {cell(idle[0].upper() + idle[1:])}."] if idle else [])]


def _cost(plan: LayerPlan) -> list[str]:
    """What releases cost, how the plan stands to the locks, and what other numbers of layers would cost."""
    stability = plan.partition.stability
    lines = [f"- {cell(sentence)}" for sentence in certificate_sentences(plan.partition.certificate)]
    if plan.partition.certificate.cost is None:
        return lines
    lines.append(f"- locks {stability.decision}: {cell(stability.because)}")
    lines += [f"  - {cell(name)}: {cell(before)} → {cell(after)}" for name, before, after in stability.moves]
    lines += [f"- {cell(cost)}" for cost in pin_costs(plan)]
    if plan.frontier:
        lines += ["", "| layers | sent a year, expected | the layer saves | |", "|--:|--:|--:|---|"]
        lines += [f"| {r.count} | {human_bytes(r.cost)} | {r.saves} | {r.remark} |" for r in frontier_rows(plan)]
    return lines


def _folded(summary: str, lines: list[str]) -> str:
    return "\n".join(["", f"<details><summary>{summary}</summary>", "", *lines, "", "</details>"])
