"""A layer plan for people at a terminal, and the same without colour in a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from optimizer import limits
from optimizer.report.advice import never_imported_text, overflow
from optimizer.report.costs import certificate_text, frontier_rows, pin_costs
from optimizer.select import INSTALL_RULES
from optimizer.units import human_bytes

if TYPE_CHECKING:
    from rich.console import RenderableType

    from optimizer.plan import LayerPlan, PlannedLayer

_BAR = 24
_NARROW = 100
"""Below so many columns the table leaves out what is installed, so that reasons keep their room."""
_SHOWN = 4
"""So many distributions a rule's line names."""
_MARK = {
    "new": ("+ not locked yet", "green"),
    "changed": ("~ differs from its lock", "yellow"),
    "unchanged": ("= as locked", "dim"),
}


def print_plan(plan: LayerPlan, console: Console) -> None:
    """The whole plan: layers in order, distributions with bytes and reason, shares of the limit, headroom."""
    console.print(Group(*_parts(plan, narrow=console.width < _NARROW)), highlight=False)


def _parts(plan: LayerPlan, *, narrow: bool) -> list[RenderableType]:
    target = f"{plan.target.runtime} on {plan.target.architecture}"
    parts: list[RenderableType] = [
        Text.assemble(("Layer plan", "bold"), f" for {target}, from {_source(plan.source)}"),
        Text(),
    ]
    for layer in plan.layers:
        parts += [_layer(layer), _distributions(layer, narrow=narrow), *_left_out(layer), Text()]
    parts += [_shares(plan), Text(), *_cost(plan, narrow=narrow), Text(), _verdict(plan)]
    parts += [Text(f"not shipped: {e.name} {e.version}: {e.reason}", style="dim") for e in plan.excluded]
    idle = never_imported_text(plan)
    if idle:
        parts.append(Text.assemble(("note: ", "cyan"), idle))
    for warning in plan.warnings:
        parts.append(Text.assemble(("warning: ", "yellow"), warning))
    return parts


def _source(source: str) -> str:
    return "the running environment" if source == "installed" else source


def _layer(layer: PlannedLayer) -> Text:
    mark, style = _MARK[layer.change]
    came = f" (split off {layer.role})" if layer.role != layer.name else ""
    return Text.assemble(
        (f"{layer.order + 1}. {layer.name}", "bold cyan"),
        came,
        f"  {human_bytes(layer.unzipped_bytes)} unzipped, {human_bytes(layer.zipped_bytes)} zipped  ",
        (mark, style),
    )


def _distributions(layer: PlannedLayer, *, narrow: bool) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("   distribution", no_wrap=True)
    table.add_column("version", no_wrap=True)
    if not narrow:
        table.add_column("installed", justify="right", no_wrap=True)
    table.add_column("ships", justify="right", no_wrap=True)
    table.add_column("zipped", justify="right", no_wrap=True)
    table.add_column("why here", overflow="fold")
    for d in layer.distributions:
        table.add_row(
            Text(f"   {d.name}"),
            Text(d.version),
            *(() if narrow else (human_bytes(d.installed_bytes),)),
            human_bytes(d.payload.unzipped_bytes),
            human_bytes(d.payload.zipped_bytes),
            Text(d.reason),
        )
    return table


def _left_out(layer: PlannedLayer) -> list[Text]:
    """What selection took, a line a rule, but for what an installer left behind."""
    taken: dict[str, list[tuple[int, int, str]]] = {}
    for d in layer.distributions:
        for x in d.payload.dropped:
            if x.rule not in INSTALL_RULES:
                taken.setdefault(x.rule, []).append((x.bytes, x.files, d.name))
    lines = []
    for rule, found in sorted(taken.items(), key=lambda item: (-sum(x[0] for x in item[1]), item[0])):
        largest = sorted(found, key=lambda x: (-x[0], x[2]))
        of = ", ".join(name for _, _, name in largest[:_SHOWN])
        more = f" and {len(largest) - _SHOWN} more" if len(largest) > _SHOWN else ""
        count = sum(files for _, files, _ in found)
        bytes_ = human_bytes(sum(size for size, _, _ in found))
        lines.append(
            Text(f"   left out by {rule}: {count} file{'s'[: count != 1]}, {bytes_}, of {of}{more}", style="dim")
        )
    return lines


def _shares(plan: LayerPlan) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("share of the 250 MiB", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("unzipped", justify="right", no_wrap=True)
    table.add_column("", justify="right", no_wrap=True)
    rows = [(layer.name, layer.unzipped_bytes) for layer in plan.layers]
    rows += [(f"code of {f.config.name}", f.unzipped_bytes) for f in plan.functions]
    rows += [
        (external.arn.split(":layer:")[-1] + " (external)", external.unzipped_bytes)
        for external in plan.external_layers
    ]
    rows.append(("total", plan.total_unzipped_bytes))
    for name, count in rows:
        share = count / limits.UNZIPPED_BYTES
        style = "red" if share > 1 else "bold" if name == "total" else "cyan"
        table.add_row(Text(name), Text(_bar(share), style), human_bytes(count), f"{share:.1%}")
    return table


def _bar(share: float) -> str:
    """A bar with eighths of a cell, so that small shares are still seen."""
    eighths = min(round(share * _BAR * 8), _BAR * 8)
    if share > 0:
        eighths = max(eighths, 1)
    full, part = divmod(eighths, 8)
    return ("█" * full + (" ▏▎▍▌▋▊▉"[part] if part else "")).ljust(_BAR, "·")


def _cost(plan: LayerPlan, *, narrow: bool) -> list[RenderableType]:
    """What releases make us send, how far from the best that is, how it stands to the locks, and the frontier."""
    stability = plan.partition.stability
    parts: list[RenderableType] = [
        Text.assemble(("what releases cost", "bold"), f": {certificate_text(plan.partition.certificate)}")
    ]
    if plan.partition.certificate.cost is not None:
        parts.append(Text.assemble("   locks ", (stability.decision, "bold"), f": {stability.because}"))
    parts += [Text(f"   {name}: {before} → {after}") for name, before, after in stability.moves]
    parts += [Text(f"   {line}") for line in pin_costs(plan)]
    if not plan.frontier:
        return parts
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("   layers", justify="right", no_wrap=True)
    table.add_column("a year", justify="right", no_wrap=True)
    if not narrow:
        table.add_column("", no_wrap=True)
    table.add_column("the layer saves", justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for row in frontier_rows(plan):
        style = "bold" if row.count == len(plan.layers) else ""
        bar = () if narrow else (Text(_bar(row.share), "cyan"),)
        table.add_row(str(row.count), human_bytes(row.cost), *bar, row.saves, row.remark, style=style)
    return [*parts, table]


def _verdict(plan: LayerPlan) -> RenderableType:
    advice = overflow(plan)
    if advice is None:
        return Text.assemble(
            ("fits", "bold green"), f": {human_bytes(plan.headroom_bytes)} of headroom ({plan.headroom_bytes:,} bytes)"
        )
    lines = [Text(advice.headline, "bold red"), Text("The largest:")]
    lines += [Text(f"   {name}  {human_bytes(count)}") for name, count in advice.largest]
    lines.append(Text("What could be left out:"))
    lines += [Text(f"   {idea}") for idea in advice.ideas]
    return Group(*lines)
