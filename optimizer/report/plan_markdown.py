"""A layer plan as Markdown, for a pull request or a wiki."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer import limits
from optimizer.report.advice import never_imported_text, overflow
from optimizer.report.costs import certificate_text, frontier_rows, pin_costs
from optimizer.report.escape import cell
from optimizer.units import human_bytes

if TYPE_CHECKING:
    from optimizer.plan import LayerPlan


def plan_markdown(plan: LayerPlan) -> str:
    """The plan as GitHub-flavoured Markdown, ending in a newline."""
    lines = [f"## Layer plan for {plan.target.runtime} on {plan.target.architecture}", ""]
    advice = overflow(plan)
    if advice is None:
        lines.append(
            f"**Fits**: {human_bytes(plan.total_unzipped_bytes)} of {human_bytes(limits.UNZIPPED_BYTES)}, "
            f"{human_bytes(plan.headroom_bytes)} of headroom."
        )
    else:
        lines += [f"**{advice.headline}**", "", "What could be left out:", *(f"- {idea}" for idea in advice.ideas)]
    lines += ["", "| # | layer | unzipped | zipped | share | lock |", "|--:|---|--:|--:|--:|---|"]
    lines += [
        f"| {layer.order + 1} | {layer.name} "
        f"| {human_bytes(layer.unzipped_bytes)} | {human_bytes(layer.zipped_bytes)} "
        f"| {layer.unzipped_bytes / limits.UNZIPPED_BYTES:.1%} | {layer.change} |"
        for layer in plan.layers
    ]
    lines += [
        f"| | code of {f.config.name} | {human_bytes(f.unzipped_bytes)} | {human_bytes(f.zipped_bytes)} "
        f"| {f.unzipped_bytes / limits.UNZIPPED_BYTES:.1%} | |"
        for f in plan.functions
    ]
    lines += _cost(plan)
    for layer in plan.layers:
        lines += [
            "",
            f"<details><summary>{layer.name}: {len(layer.distributions)} distributions</summary>",
            "",
            "| distribution | version | installed | ships | zipped | why here |",
            "|---|---|--:|--:|--:|---|",
            *(
                f"| {d.name} | {d.version} | {human_bytes(d.installed_bytes)} "
                f"| {human_bytes(d.payload.unzipped_bytes)} "
                f"| {human_bytes(d.payload.zipped_bytes)} | {cell(d.reason)} |"
                for d in layer.distributions
            ),
            "",
            "</details>",
        ]
    if plan.excluded:
        lines += ["", "Not shipped:", *(f"- {e.name} {e.version}: {cell(e.reason)}" for e in plan.excluded)]
    idle = never_imported_text(plan)
    if idle:
        lines += ["", f"{cell(idle[0].upper() + idle[1:])}."]
    if plan.warnings:
        lines += ["", "Warnings:", *(f"- {cell(warning)}" for warning in plan.warnings)]
    return "\n".join(lines) + "\n"


def _cost(plan: LayerPlan) -> list[str]:
    """What releases cost, how the plan stands to the locks, and what other numbers of layers would cost."""
    stability = plan.partition.stability
    lines = ["", f"**What releases cost**: {certificate_text(plan.partition.certificate)}."]
    if plan.partition.certificate.cost is None:
        return lines
    lines += ["", f"Locks {stability.decision}: {cell(stability.because)}."]
    if stability.moves:
        lines += ["", *(f"- {name}: {before} → {after}" for name, before, after in stability.moves)]
    lines += [line for cost in pin_costs(plan) for line in ("", f"{cell(cost)}.")]
    if plan.frontier:
        lines += ["", "| layers | sent a year, expected | the layer saves | |", "|--:|--:|--:|---|"]
        lines += [f"| {r.count} | {human_bytes(r.cost)} | {r.saves} | {r.remark} |" for r in frontier_rows(plan)]
    return lines
