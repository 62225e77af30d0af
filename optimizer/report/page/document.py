"""What the page shows and reckons with, as one JSON document: the plan, the problem behind it, and their history."""

from __future__ import annotations

from email.parser import HeaderParser
from typing import TYPE_CHECKING, Any

from optimizer import limits
from optimizer.content import END_BYTES, raw
from optimizer.partition.document import problem_document
from optimizer.report import comparison_words as words
from optimizer.report.advice import never_imported_text, overflow
from optimizer.report.costs import certificate_sentences, pin_costs
from optimizer.report.page.configuration import configuration
from optimizer.report.page.folders import folders
from optimizer.report.page.windows import releases_per_year, windows
from optimizer.report.plan_json import plan_document
from optimizer.select import why

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from optimizer.config import Config
    from optimizer.content import Payloads
    from optimizer.history import History
    from optimizer.models import Dropped, Inventory
    from optimizer.partition import Problem
    from optimizer.plan import LayerPlan, PlannedDistribution
    from optimizer.report.comparison import Comparison

SCHEMA = 1


def page_document(
    plan: LayerPlan,
    *,
    config: Config,
    problem: Problem,
    inventory: Inventory,
    history: History | None,
    payloads: Payloads,
    comparison: Comparison | None = None,
    served: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """All that the page is made from, schema 1; without a history its costs, windows and frontier are empty.

    Args:
        plan: what is shown, its frontier included.
        config: what it was planned with; its file is read again for the text around the layers.
        problem: what the plan is the answer to.
        inventory: the distributions, for their summaries.
        history: the releases that the problem's windows were made from.
        payloads: finds the files of each payload.
        comparison: the plan against another one or the locks, where that was asked for.
        served: what a page that is served writes back with, or None for a file.

    Raises:
        DiskError: the cache lost a payload, or a file can't be read.
        UsageError: the configuration's file can't be read any more.
    """
    assignment = dict(plan.partition.assignment)
    names = [d.name for layer in plan.layers for d in layer.distributions]
    found = windows(history, names, config.plan.cadence, len(problem.observed))
    rates = releases_per_year(history, found, names, problem.observed_years)
    return {
        "schema": SCHEMA,
        "plan": plan_document(plan, comparison),
        "problem": problem_document(problem),
        "layers": [{"name": name, "role": role} for name, role in plan.partition.layers],
        "assignment": assignment,
        "functions": [
            {
                "name": f.config.name,
                "unzipped_bytes": f.unzipped_bytes,
                "external_unzipped_bytes": sum(x.unzipped_bytes for x in f.config.external_layers),
            }
            for f in plan.functions
        ],
        "limits": {
            "unzipped_bytes": limits.UNZIPPED_BYTES,
            "layers": config.layer_slots,
            "layer_name": limits.LAYER_NAME_PATTERN,
            "layer_name_length": limits.LAYER_NAME_LENGTH,
        },
        "end_bytes": END_BYTES,
        "distributions": _distributions(plan, inventory, payloads, rates),
        "windows": found,
        "history": _history(history, found, config, names),
        "excluded": [{"name": e.name, "version": e.version, "reason": e.reason} for e in plan.excluded],
        "never_imported": list(plan.never_imported),
        "never_imported_text": never_imported_text(plan),
        "warnings": list(plan.warnings),
        "certificate": _certificate(plan),
        "compared": _compared(comparison) if comparison else None,
        "configuration": configuration(config),
        "served": dict(served) if served else None,
    }


def _distributions(
    plan: LayerPlan, inventory: Inventory, payloads: Payloads, rates: Mapping[str, float | None]
) -> dict[str, Any]:
    item = {member: group.name for group in plan.groups for member in group.members}
    summaries = _summaries(inventory)
    return {
        d.name: {
            "version": d.version,
            "layer": layer.name,
            "item": item[d.name],
            "installed_bytes": d.installed_bytes,
            "unzipped_bytes": d.payload.unzipped_bytes,
            "zipped_bytes": d.payload.zipped_bytes,
            "bytecode_bytes": d.payload.bytecode_bytes,
            "releases_per_year": rates[d.name],
            "requires": list(d.requires),
            "reason": d.reason,
            "alternatives": {to: round(more) for to, more in plan.partition.alternatives.get(item[d.name], {}).items()},
            "summary": summaries.get(d.name, ""),
            "folders": folders(payloads.files(d.payload)),
            **_receipt(d),
        }
        for layer in plan.layers
        for d in layer.distributions
    }


def _receipt(distribution: PlannedDistribution) -> dict[str, Any]:
    """What of it does not ship, and what ships rewritten: the latter end the payload's receipt."""
    payload = distribution.payload
    return {
        "left_out": _rules(payload.dropped[: len(payload.dropped) - len(payload.rewritten)]),
        "rewritten": _rules(payload.rewritten),
    }


def _rules(receipt: Sequence[Dropped]) -> list[dict[str, Any]]:
    return [{"rule": x.rule, "why": why(x.rule), "files": x.files, "bytes": x.bytes} for x in receipt]


def _summaries(inventory: Inventory) -> dict[str, str]:
    """What each says of itself in a line, where its METADATA has one."""
    found = {}
    for distribution in inventory.distributions:
        wanted = f"{distribution.info}/METADATA"
        for file in distribution.files:
            if file.path == wanted:
                metadata = HeaderParser().parsestr(raw(file).decode("utf-8", "replace"))
                found[str(distribution.name)] = str(metadata.get("Summary", ""))
    return found


def _history(
    history: History | None, found: Sequence[Mapping[str, Any]], config: Config, names: Sequence[str]
) -> dict[str, Any] | None:
    if history is None:
        return None
    return {
        "since": found[-1]["from"] if found else str(history.since),
        "through": str(history.through),
        "cadence": config.plan.cadence,
        "unknown": [name for name in names if name not in history.distributions],
    }


def _compared(comparison: Comparison) -> dict[str, Any]:
    """The comparison in the words of the other reports."""
    return {
        "base": comparison.base,
        "headline": words.headline(comparison),
        "rows": [
            {
                "name": shift.name,
                "change": words.change(shift),
                "place": words.place(shift),
                "zipped": words.difference(shift.zipped_bytes),
                "unzipped": words.difference(shift.unzipped_bytes),
            }
            for shift in comparison.shifts
        ],
        "notes": [words.UNEXPLAINED] if words.unexplained(comparison) else [],
        "totals": [f"{what}: {now} ({difference})" for what, now, difference in words.totals(comparison)],
    }


def _certificate(plan: LayerPlan) -> list[str]:
    """What is known of the plan, a sentence each."""
    advice = overflow(plan)
    said = [] if advice is None else [advice.headline, *(f"what could be left out: {idea}" for idea in advice.ideas)]
    first, *more = certificate_sentences(plan.partition.certificate)
    said += [f"what releases cost: {first}", *more]
    stability = plan.partition.stability
    if plan.partition.certificate.cost is not None:
        said.append(f"locks {stability.decision}: {stability.because}")
    said += [f"{name} moves from {before} to {after}" for name, before, after in stability.moves]
    said += pin_costs(plan)
    return [f"{text[0].upper()}{text[1:]}." for text in said]
