"""What the page is made from, for `plan --format html` and `tune`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from optimizer.cli import solving

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optimizer.cli.pipeline import Planned
    from optimizer.cli.solving import Effort
    from optimizer.partition import Certificate
    from optimizer.plan import LayerPlan
    from optimizer.report.comparison import Comparison


def with_frontier(found: Planned, effort: Effort) -> Planned:
    """The plan with what other numbers of layers would cost; marked as interrupted where Ctrl-C came meanwhile."""
    costs = solving.frontier(found.problem, found.store, effort, found.config.layer_slots)
    if costs is None:
        return replace(found, interrupted=True)
    return replace(found, plan=replace(found.plan, frontier=_with_own(costs, found.plan)))


def document_of(
    found: Planned, served: Mapping[str, str] | None = None, *, comparison: Comparison | None = None
) -> dict[str, Any]:
    """The page's document; the content cache of `found` has to be open."""
    from optimizer.report.page import page_document

    return page_document(
        found.plan,
        config=found.config,
        problem=found.problem,
        inventory=found.inventory,
        history=found.history,
        payloads=found.payloads,
        comparison=comparison,
        served=served,
    )


def _with_own(costs: dict[int, Certificate], plan: LayerPlan) -> dict[int, Certificate]:
    """The frontier with what the plan itself found, where that is as good: it was searched for longer."""
    own, count = plan.partition.certificate, len(plan.layers)
    known = costs.get(count)
    if own.cost is None or (known is not None and known.cost is not None and known.cost < own.cost * (1 - 1e-9)):
        return costs
    return {**costs, count: own}
