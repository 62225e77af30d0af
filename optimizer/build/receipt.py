"""What was left out of the artifacts, by rule and distribution, as the document that stands beside the manifest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from optimizer.select import CHANGED, INSTALL_RULES, why

if TYPE_CHECKING:
    from optimizer.models import Payload
    from optimizer.plan import LayerPlan

NAME = "receipt.json"


def receipt(plan: LayerPlan) -> str:
    """The receipt (schema 1), with every path.

    What an installer made is not in it: it depends on how the same distributions came to this machine.
    """
    parts = [(layer.name, d.payload) for layer in plan.layers for d in layer.distributions]
    parts += [(function.config.name, function.payload) for function in plan.functions]
    payloads = [payload for _, payload in parts]
    rules = sorted({dropped.rule for payload in payloads for dropped in payload.dropped} - INSTALL_RULES)
    document = {
        "schema": 1,
        "rules": [{"name": rule, "why": why(rule), **_total(rule, payloads)} for rule in rules],
        "left_out": [
            {
                "artifact": artifact,
                "name": payload.name,
                "version": payload.version,
                "rule": dropped.rule,
                "files": dropped.files,
                "bytes": dropped.bytes,
                "paths": list(dropped.paths),
            }
            for artifact, payload in parts
            for dropped in payload.dropped
            if dropped.rule not in INSTALL_RULES
        ],
        "changed": [
            {"artifact": artifact, "name": payload.name, "path": path, "why": CHANGED}
            for artifact, payload in parts
            for path in payload.changed
        ],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _total(rule: str, payloads: list[Payload]) -> dict[str, Any]:
    found = [dropped for payload in payloads for dropped in payload.dropped if dropped.rule == rule]
    return {"files": sum(dropped.files for dropped in found), "bytes": sum(dropped.bytes for dropped in found)}
