"""What to say where a plan does not fit: by how much, the largest distributions, and what could be left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from optimizer import limits
from optimizer.errors import LimitError
from optimizer.models import whole
from optimizer.units import human_bytes

if TYPE_CHECKING:
    from optimizer.plan import LayerPlan

_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Overflow:
    """`headline` says total and excess, `largest` names distributions, `ideas` what could be left out and its gain."""

    headline: str
    largest: tuple[tuple[str, int], ...]
    ideas: tuple[str, ...]


def overflow(plan: LayerPlan) -> Overflow | None:
    """The advice, or None where the plan fits."""
    if plan.fits:
        return None
    distributions = [d for layer in plan.layers for d in layer.distributions]
    largest = sorted(distributions, key=lambda d: (-d.payload.unzipped_bytes, d.name))[:_SHOWN]
    provided = [d for d in distributions if d.name in limits.RUNTIME_DISTRIBUTIONS]
    ideas = []
    if provided:
        gain = human_bytes(sum(d.payload.unzipped_bytes for d in provided))
        names = ", ".join(d.name for d in provided)
        ideas.append(
            f"{gain}: {names}: the runtime carries its own, though AWS advises to ship yours since it changes under you"
        )
    bytecode = sum(d.payload.bytecode_bytes for d in distributions)
    if bytecode:
        ideas.append(
            f"{human_bytes(bytecode)}: bytecode, with `bytecode = false` under [build]: each cold start compiles anew"
        )
    leaves = {d.name for d in distributions} - {r for d in distributions for r in d.requires}
    ideas += [
        f"{human_bytes(d.payload.unzipped_bytes)}: {d.name}: nothing else requires it; "
        "take it out of the requirements if the function can do without"
        for d in largest
        if d.name in leaves
    ]
    ideas.append("or ship the function as a container image, which may have 10 GB")
    headline = (
        f"does not fit: {human_bytes(plan.total_unzipped_bytes)} unzipped ({plan.total_unzipped_bytes:,} bytes), "
        f"{human_bytes(-plan.headroom_bytes)} ({-plan.headroom_bytes:,} bytes) over Lambda's "
        f"{limits.UNZIPPED_BYTES:,} bytes for a function and its layers together; no split can mend that, only slimming"
    )
    return Overflow(
        headline=headline,
        largest=tuple((d.name, d.payload.unzipped_bytes) for d in largest),
        ideas=tuple(ideas),
    )


def never_imported_text(plan: LayerPlan) -> str:
    """The distributions that nothing leads to, what they weigh, and how to leave them out; empty where all are used."""
    if not plan.never_imported:
        return ""
    names = ", ".join(plan.never_imported)
    payloads = [d.payload for layer in plan.layers for d in layer.distributions if whole(d.name) in plan.never_imported]
    zipped = human_bytes(sum(payload.zipped_bytes for payload in payloads))
    listed = ", ".join(f'"{name}"' for name in plan.never_imported)
    return (
        f"never imported from the function's code: {names} ({zipped} zipped); "
        f"to leave them out: leave_out = [{listed}] under [slim]"
    )


def refusal(plan: LayerPlan) -> LimitError:
    """The error with which nothing is built from a plan that does not fit.

    Raises:
        ValueError: it fits.
    """
    advice = overflow(plan)
    if advice is None:
        raise ValueError("the plan fits")
    largest = ", ".join(f"{name} {human_bytes(count)}" for name, count in advice.largest)
    ways = "".join(f"\n  {number}. {idea}" for number, idea in enumerate(advice.ideas, 1))
    return LimitError(f"{advice.headline}. The largest: {largest}", mend=f"The ways out:{ways}")
