"""Why one distribution is where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optimizer import graph
from optimizer.report.units import human_bytes

if TYPE_CHECKING:
    from optimizer.models import Inventory
    from optimizer.plan import LayerPlan


def explanation(plan: LayerPlan, inventory: Inventory, name: str) -> dict[str, Any] | None:
    """The facts as a document (schema 1), or None where the plan has no such distribution."""
    for layer in plan.layers:
        for d in layer.distributions:
            if d.name == name:
                break
        else:
            continue
        break
    else:
        return None
    requires = {str(x.name): tuple(map(str, x.requires)) for x in inventory.distributions}
    group = next(g for g in plan.groups if name in g.members)
    members = [x for x in layer.distributions if x.name in group.members]
    moved = sum(x.payload.zipped_bytes for x in members)
    moves = [
        {
            "to": other.name,
            "sent_bytes": layer.zipped_bytes + other.zipped_bytes,
            "layer_zipped_bytes": other.zipped_bytes + moved,
        }
        for other in plan.layers
        if other.name != layer.name
    ]
    return {
        "schema": 1,
        "name": name,
        "version": d.version,
        "layer": layer.name,
        "reason": d.reason,
        "installed_bytes": d.installed_bytes,
        "unzipped_bytes": d.payload.unzipped_bytes,
        "zipped_bytes": d.payload.zipped_bytes,
        "left_out": [{"rule": x.rule, "files": x.files, "bytes": x.bytes} for x in d.payload.dropped],
        "requirement_paths": [
            {"function": f.name, "path": list(graph.requirement_path(sorted(map(str, f.direct)), name, requires))}
            for f in inventory.functions
            if name in f.closure
        ],
        "required_by": sorted(other for other, edges in requires.items() if name in edges),
        "requires": list(requires[name]),
        "moves_with": [member for member in group.members if member != name],
        "because": list(group.reasons),
        "moves": moves,
    }


def explanation_text(found: dict[str, Any]) -> str:
    """The document for people."""
    lines = [
        f"{found['name']} {found['version']} is in {found['layer']}: {found['reason']}",
        (
            f"  {human_bytes(found['installed_bytes'])} installed, {human_bytes(found['unzipped_bytes'])} ship, "
            f"{human_bytes(found['zipped_bytes'])} zipped"
        ),
    ]
    lines += [f"  left out by {x['rule']}: {x['files']} files, {human_bytes(x['bytes'])}" for x in found["left_out"]]
    for way in found["requirement_paths"]:
        lines.append(f"  {way['function']} needs it: {' → '.join(['requirements', *way['path']])}")
    lines.append(f"  required by: {', '.join(found['required_by']) or 'no other distribution'}")
    lines.append(f"  requires: {', '.join(found['requires']) or 'nothing'}")
    if found["moves_with"]:
        lines.append(f"  moves only with {', '.join(found['moves_with'])}: {'; '.join(found['because'])}")
    for move in found["moves"]:
        lines.append(
            f"  moving it to {move['to']} would send {human_bytes(move['sent_bytes'])} once (both layers again); "
            f"{move['to']} would have {human_bytes(move['layer_zipped_bytes'])} zipped"
        )
    return "\n".join(lines) + "\n"
