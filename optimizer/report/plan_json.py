"""A layer plan as the JSON that others script against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optimizer import limits

if TYPE_CHECKING:
    from optimizer.plan import LayerPlan
    from optimizer.report.comparison import Comparison


def plan_document(plan: LayerPlan, comparison: Comparison | None = None) -> dict[str, Any]:
    """The document of `plan --format json`, schema 1."""
    certificate, stability = plan.partition.certificate, plan.partition.stability
    return {
        "schema": 1,
        "target": {"runtime": plan.target.runtime, "architecture": plan.target.architecture},
        "source": plan.source,
        "limits": {"unzipped_bytes": limits.UNZIPPED_BYTES, "layers": limits.LAYERS},
        "functions": [
            {
                "name": function.config.name,
                "unzipped_bytes": function.unzipped_bytes,
                "zipped_bytes": function.zipped_bytes,
                "fingerprint": function.fingerprint,
            }
            for function in plan.functions
        ],
        "external_layers": [{"arn": x.arn, "unzipped_bytes": x.unzipped_bytes} for x in plan.external_layers],
        "layers": [
            {
                "name": layer.name,
                "role": layer.role,
                "order": layer.order,
                "unzipped_bytes": layer.unzipped_bytes,
                "zipped_bytes": layer.zipped_bytes,
                "fingerprint": layer.fingerprint,
                "lock": layer.change,
                "distributions": [
                    {
                        "name": d.name,
                        "version": d.version,
                        "installed_bytes": d.installed_bytes,
                        "unzipped_bytes": d.payload.unzipped_bytes,
                        "zipped_bytes": d.payload.zipped_bytes,
                        "reason": d.reason,
                        "left_out": [{"rule": x.rule, "files": x.files, "bytes": x.bytes} for x in d.payload.dropped],
                    }
                    for d in layer.distributions
                ],
            }
            for layer in plan.layers
        ],
        "excluded": [{"name": e.name, "version": e.version, "reason": e.reason} for e in plan.excluded],
        "never_imported": list(plan.never_imported),
        "total_unzipped_bytes": plan.total_unzipped_bytes,
        "headroom_bytes": plan.headroom_bytes,
        "fits": plan.fits,
        "objective": {
            "cost": certificate.cost,
            "lower_bound": certificate.lower_bound,
            "gap": certificate.gap,
            "proved": certificate.proved,
            "method": certificate.method,
            "republished_bytes_per_year": certificate.republished_bytes_per_year,
            "floor_bytes_per_year": certificate.floor_bytes_per_year,
        },
        "stability": {
            "decision": stability.decision,
            "because": stability.because,
            "moves": [{"name": name, "from": before, "to": after} for name, before, after in stability.moves],
            "sent_bytes": stability.sent_bytes,
            "saved_bytes_per_year": stability.saved_bytes_per_year,
        },
        **({"frontier": _frontier(plan)} if plan.frontier else {}),
        **({"comparison": comparison.document()} if comparison else {}),
        "warnings": list(plan.warnings),
    }


def _frontier(plan: LayerPlan) -> list[dict[str, Any]]:
    """What other numbers of layers would cost."""
    return [
        {
            "layers": count,
            "cost": known.cost,
            "lower_bound": known.lower_bound,
            "gap": known.gap,
            "proved": known.proved,
            "republished_bytes_per_year": known.republished_bytes_per_year,
        }
        for count, known in sorted(plan.frontier.items())
    ]
