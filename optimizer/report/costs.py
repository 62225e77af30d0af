"""What a plan's certificate and frontier say, in words and rows that every report shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from optimizer.units import human_bytes

if TYPE_CHECKING:
    from optimizer.partition import Certificate
    from optimizer.plan import LayerPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontierRow:
    """One number of layers: expected bytes a year, their share of the dearest, and what the last layer saves."""

    count: int
    cost: int
    share: float
    saves: str
    remark: str


def certificate_sentences(certificate: Certificate) -> list[str]:
    """The certificate in sentences, without their full stops."""
    if certificate.cost is None:
        return ["not known, so layers are split by their roles alone: run `python -m optimizer history update`"]
    sent = human_bytes(round(certificate.cost))
    year = human_bytes(certificate.republished_bytes_per_year or 0)
    floor = human_bytes(certificate.floor_bytes_per_year or 0)
    best = "the best there is (proved)" if certificate.proved else gap_text(certificate)
    return [
        f"{sent} a year expected: {best}, by {certificate.method}",
        f"over last year's releases {year}; a layer for each distribution would have sent {floor}",
    ]


def gap_text(certificate: Certificate) -> str:
    """How far the cost may be above the best."""
    if certificate.proved or not certificate.gap:
        return "the best"
    cost, bound = certificate.cost or 0.0, certificate.lower_bound or 0.0
    if not bound:
        return "no bound is known"
    return f"at most {max(cost / bound - 1, 0.0001):.2%} above the best"


def pin_costs(plan: LayerPlan) -> list[str]:
    """What holding a distribution by its root or pin costs, where moving it alone would save something."""
    found = []
    for group in plan.groups:
        others = plan.partition.alternatives.get(group.name, {})
        if not plan.partition.reasons[group.name].startswith(("root of", "pinned to")) or not others:
            continue
        layer, more = min(others.items(), key=lambda pair: (pair[1], pair[0]))
        if round(more) < 0:
            here = plan.partition.assignment[group.name]
            what = f"holding {' and '.join(group.members)} in {here}"
            found.append(f"{what} costs {human_bytes(round(-more))} a year more than {layer}")
    return found


def frontier_rows(plan: LayerPlan) -> list[FrontierRow]:
    """What each number of layers would cost, without regard to the locks."""
    known = {count: c for count, c in sorted(plan.frontier.items()) if c.cost is not None}
    most = max((c.cost or 0.0 for c in known.values()), default=0.0)
    rows: list[FrontierRow] = []
    for count, certificate in known.items():
        cost = round(certificate.cost or 0.0)
        remarks = [] if certificate.proved else [gap_text(certificate)]
        if count < len({layer.role for layer in plan.layers}):
            remarks.append("without the roles")
        if count == len(plan.layers):
            remarks.append("this many are planned")
        before = rows[-1].cost if rows and rows[-1].count == count - 1 else None
        saves = "" if before is None else human_bytes(before - cost)
        rows.append(
            FrontierRow(
                count=count, cost=cost, share=cost / most if most else 0.0, saves=saves, remark=", ".join(remarks)
            )
        )
    return rows
