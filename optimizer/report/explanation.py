"""Why one distribution is where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optimizer import graph
from optimizer.history import YEAR, co_release_families
from optimizer.models import whole
from optimizer.select import CHANGED, why
from optimizer.units import human_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from optimizer.history import History
    from optimizer.models import Dropped, Inventory
    from optimizer.plan import LayerPlan


def explanation(
    plan: LayerPlan, inventory: Inventory, name: str, history: History | None = None
) -> dict[str, Any] | None:
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
    installed = {f.path: f.bytes for x in inventory.distributions if whole(x.name) == whole(name) for f in x.files}
    requires = {str(x.name): tuple(map(str, x.requires)) for x in inventory.distributions}
    group = next(g for g in plan.groups if name in g.members)
    members = [x for x in layer.distributions if x.name in group.members]
    moved = sum(x.payload.zipped_bytes for x in members)
    costs = plan.partition.alternatives.get(group.name, {})
    moves = [
        {
            "to": other.name,
            "sent_bytes": layer.zipped_bytes + other.zipped_bytes,
            "layer_zipped_bytes": other.zipped_bytes + moved,
            "cost_bytes_per_year": round(costs[other.name]) if other.name in costs else None,
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
        "releases": _releases(history, name, group.members),
        "installed_bytes": d.installed_bytes,
        "unzipped_bytes": d.payload.unzipped_bytes,
        "zipped_bytes": d.payload.zipped_bytes,
        "left_out": [
            {
                "rule": x.rule,
                "why": why(x.rule),
                "files": x.files,
                "bytes": x.bytes,
                "largest": _largest(x, installed),
                "paths": list(x.paths),
            }
            for x in d.payload.dropped
        ],
        "changed": list(d.payload.changed),
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


def _largest(dropped: Dropped, installed: Mapping[str, int]) -> list[dict[str, Any]]:
    """The largest few of the files that a rule took."""
    by_size = sorted(dropped.paths, key=lambda path: (-installed[path], path))
    return [{"path": path, "bytes": installed[path]} for path in by_size[:3]]


def _releases(history: History | None, name: str, members: tuple[str, ...]) -> dict[str, Any] | None:
    """What is known of its releases in the last year of the history, and of those that it moves with."""
    if history is None or name not in history.distributions:
        return None
    since = history.through - YEAR

    def days(member: str) -> list[date]:
        known = history.distributions.get(member)
        return [r.day for r in known.releases if r.day > since] if known else []

    last = history.distributions[name].releases[-1:]
    families = co_release_families(history, history.distributions, since=since, through=history.through)
    return {
        "per_year": len(days(name)),
        "days_with_those_that_it_moves_with": len({day for member in members for day in days(member)}),
        "last": {"day": str(last[0].day), "version": last[0].version} if last else None,
        "releases_with": [m for family in families if name in family for m in family if m != name],
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
    for x in found["left_out"]:
        lines.append(f"  left out by {x['rule']}: {x['files']} files, {human_bytes(x['bytes'])}: {x['why']}")
        largest = ", ".join(f"{f['path']} {human_bytes(f['bytes'])}" for f in x["largest"])
        lines.append(f"    {largest}{' …' if x['files'] > len(x['largest']) else ''}")
    lines += [f"  {path} ships with lines at its end: {CHANGED}" for path in found["changed"]]
    lines += [
        f"  {way['function']} needs it: {' → '.join(['requirements', *way['path']])}"
        for way in found["requirement_paths"]
    ]
    lines.append(f"  required by: {', '.join(found['required_by']) or 'no other distribution'}")
    lines.append(f"  requires: {', '.join(found['requires']) or 'nothing'}")
    if found["moves_with"]:
        lines.append(f"  moves only with {', '.join(found['moves_with'])}: {'; '.join(found['because'])}")
    releases = found["releases"]
    if releases is None:
        lines.append("  releases: none known; it is taken to change as the prior says")
    else:
        last = releases["last"]
        said = f", the last {last['version']} on {last['day']}" if last else ""
        lines.append(f"  releases in the last year: {releases['per_year']}{said}")
        if releases["releases_with"]:
            lines.append(f"  releases together with {', '.join(releases['releases_with'])}")
    for move in found["moves"]:
        year = move["cost_bytes_per_year"]
        if year is not None:
            word = "more" if year >= 0 else "less"
            lines.append(f"  in {move['to']} it would cost {human_bytes(abs(year))} a year {word}")
        lines.append(
            f"  moving it to {move['to']} would send {human_bytes(move['sent_bytes'])} once (both layers again); "
            f"{move['to']} would have {human_bytes(move['layer_zipped_bytes'])} zipped"
        )
    return "\n".join(lines) + "\n"
