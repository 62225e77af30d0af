"""A layer plan for people at a terminal, and the same without colour in a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from optimizer import limits
from optimizer.report import comparison_words as words
from optimizer.report.advice import never_imported_text, overflow
from optimizer.report.costs import certificate_sentences, frontier_rows, pin_costs
from optimizer.report.escape import plain
from optimizer.select import INSTALL_RULES
from optimizer.units import human_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from optimizer.plan import LayerPlan, PlannedLayer
    from optimizer.report.comparison import Comparison

_BAR = 24
_INDENT = 3
_NAME_SHARE, _NAME_LEAST = 4, 18
"""A name takes at most such a part of the columns, and always so many: what is longer is cut."""
_NARROW = 100
"""Below so many columns the table leaves out what is installed, so that reasons keep their room."""
_SHOWN = 4
"""So many distributions a rule's line names."""
_MARK = {
    "new": ("+ not locked yet", "green"),
    "changed": ("~ differs from its lock", "yellow"),
    "unchanged": ("= as locked", "dim"),
}
_SHIFTED = {"added": "green", "removed": "red", "updated": "yellow", "moved": "cyan", "changed": "yellow"}


def print_plan(plan: LayerPlan, console: Console, *, comparison: Comparison | None = None) -> None:
    """The whole plan: layers in order, distributions with bytes and reason, shares of the limit, headroom.

    What it is compared with, where that was asked for, comes first.
    """
    parts = _parts(plan, comparison, columns=console.width)
    console.print(Group(*parts), highlight=False)


def _parts(plan: LayerPlan, comparison: Comparison | None, *, columns: int) -> list[RenderableType]:
    narrow, longest = columns < _NARROW, max(columns // _NAME_SHARE, _NAME_LEAST)
    target = f"{plan.target.runtime} on {plan.target.architecture}"
    parts: list[RenderableType] = [
        Text.assemble(("Layer plan", "bold"), f" for {target}, from {plain(_source(plan.source))}"),
        Text(),
    ]
    if comparison is not None:
        parts += [*_compared(comparison, narrow=narrow, longest=longest), Text()]
    for layer in plan.layers:
        parts += [_layer(layer), _distributions(layer, narrow=narrow, longest=longest), *_left_out(layer), Text()]
    parts += [_shares(plan, longest=longest), Text(), *_cost(plan, narrow=narrow), Text(), _verdict(plan)]
    parts += _remarks([("not shipped:", "dim", f"{e.name} {e.version}: {e.reason}") for e in plan.excluded])
    idle = never_imported_text(plan)
    parts += _remarks([("note:", "cyan", idle)] if idle else [])
    return [*parts, *_remarks([("warning:", "yellow", warning) for warning in plan.warnings])]


def _compared(comparison: Comparison, *, narrow: bool, longest: int) -> list[RenderableType]:
    """What is sent for the difference, which distributions make it, and what it costs."""
    style = "yellow" if comparison.differs else "green"
    parts: list[RenderableType] = [
        Text.assemble(
            ("compared with ", "bold"),
            (plain(comparison.base), "bold"),
            ": ",
            (plain(words.headline(comparison)), style),
        )
    ]
    if comparison.shifts:
        table = _table(
            ("   distribution", longest + _INDENT), "change", "layer", ">zipped", *(() if narrow else (">unzipped",))
        )
        for shift in comparison.shifts:
            table.add_row(
                Text(f"   {plain(shift.name)}"),
                Text(plain(words.change(shift)), _SHIFTED[shift.kind]),
                Text(plain(words.place(shift))),
                words.difference(shift.zipped_bytes),
                *(() if narrow else (words.difference(shift.unzipped_bytes),)),
            )
        parts.append(table)
    if words.unexplained(comparison):
        parts.append(_indented(Text(words.UNEXPLAINED, "dim")))
    parts += [
        _indented(Text(f"{what}: {now} ({difference})", "dim")) for what, now, difference in words.totals(comparison)
    ]
    return parts


def _table(*columns: str | tuple[str, int]) -> Table:
    """A table without lines; a column's name begins with `>` where it is aligned right, and has its most characters."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for column in columns:
        name, most = column if isinstance(column, tuple) else (column, None)
        side: Literal["left", "right"] = "right" if name.startswith(">") else "left"
        name = name.removeprefix(">")
        table.add_column(name, justify=side, no_wrap=True, max_width=most, overflow="ellipsis")
    return table


def _remarks(rows: Sequence[tuple[str, str, str]]) -> list[RenderableType]:
    """(label, its style, text) under each other, texts aligned and wrapped beside their labels."""
    if not rows:
        return []
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for label, style, text in rows:
        table.add_row(Text(label, style), Text(plain(text)))
    return [table]


def _indented(text: Text) -> RenderableType:
    return Padding(text, (0, 0, 0, _INDENT))


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


def _distributions(layer: PlannedLayer, *, narrow: bool, longest: int) -> Table:
    table = _table(
        ("   distribution", longest + _INDENT),
        ("version", longest),
        *(() if narrow else (">installed",)),
        ">ships",
        ">zipped",
    )
    table.add_column("why here", overflow="fold")
    for d in layer.distributions:
        table.add_row(
            Text(f"   {plain(d.name)}"),
            Text(plain(d.version)),
            *(() if narrow else (human_bytes(d.installed_bytes),)),
            human_bytes(d.payload.unzipped_bytes),
            human_bytes(d.payload.zipped_bytes),
            Text(plain(d.reason)),
        )
    return table


def _left_out(layer: PlannedLayer) -> list[RenderableType]:
    """What selection took, a line a rule, but for what an installer left behind."""
    taken: dict[str, list[tuple[int, int, str]]] = {}
    for d in layer.distributions:
        for x in d.payload.dropped:
            if x.rule not in INSTALL_RULES:
                taken.setdefault(x.rule, []).append((x.bytes, x.files, d.name))
    lines: list[RenderableType] = []
    for rule, found in sorted(taken.items(), key=lambda item: (-sum(x[0] for x in item[1]), item[0])):
        largest = sorted(found, key=lambda x: (-x[0], x[2]))
        of = ", ".join(name for _, _, name in largest[:_SHOWN])
        more = f" and {len(largest) - _SHOWN} more" if len(largest) > _SHOWN else ""
        count = sum(files for _, files, _ in found)
        bytes_ = human_bytes(sum(size for size, _, _ in found))
        told = f"left out by {rule}: {count} file{'s'[: count != 1]}, {bytes_}, of {of}{more}"
        lines.append(_indented(Text(plain(told), style="dim")))
    return lines


def _shares(plan: LayerPlan, *, longest: int) -> Table:
    table = _table(("share of the 250 MiB", longest + _BAR // 2), "", ">unzipped", ">")
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
    stability, certificate = plan.partition.stability, plan.partition.certificate
    lines = [Text(sentence) for sentence in certificate_sentences(certificate)]
    if certificate.cost is not None:
        lines.append(Text.assemble("locks ", (stability.decision, "bold"), f": {stability.because}"))
    lines += [Text(f"{name}: {before} → {after}") for name, before, after in stability.moves]
    lines += [Text(line) for line in pin_costs(plan)]
    parts = [Text("what releases cost", "bold"), *map(_indented, lines)]
    if not plan.frontier:
        return parts
    table = _table(">   layers", ">a year", *(() if narrow else ("",)), ">the layer saves")
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
