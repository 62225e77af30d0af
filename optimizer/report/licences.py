"""The licences of what ships: a table by licence and one by distribution, for people, Markdown and JSON."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from optimizer.content import LAYER
from optimizer.report.escape import cell, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from optimizer.build.components import Component
    from optimizer.models import Target

_UNKNOWN = "unknown"


def licences_document(components: Sequence[Component], target: Target) -> dict[str, Any]:
    """The document of `licenses --format json`, schema 1."""
    return {
        "schema": 1,
        "target": {"runtime": target.runtime, "architecture": target.architecture},
        "licences": [
            {"licence": licence, "distributions": [one.name for one in holders]}
            for licence, holders in _by_licence(components)
        ],
        "distributions": [
            {
                "name": one.name,
                "version": one.version,
                "layers": layers,
                "licence": str(one.licence) if one.licence.known else None,
                "expression": one.licence.expression,
                "said_by": one.licence.said_by,
                "files": files,
            }
            for one, layers, files in _by_name(components)
        ],
        "unknown": _unknown(components),
    }


def print_licences(components: Sequence[Component], target: Target, console: Console) -> None:
    """Which licence which distributions have, then each distribution with the licence files that ship."""
    rows = _by_name(components)
    by_licence, by_name = (
        _table("licence", "distributions"),
        _table("distribution", "version", "licence", "licence files that ship"),
    )
    for licence, holders in _by_licence(components):
        style = "yellow" if licence == _UNKNOWN else "default"
        by_licence.add_row(Text(plain(licence), style), Text(", ".join(one.name for one in holders)))
    for one, _, files in rows:
        style = "default" if one.licence.known else "yellow"
        inside = f"{one.info.removeprefix(LAYER.prefix)}/"
        names = plain(", ".join(file.removeprefix(inside) for file in files))
        shown = Text(names) if files else Text("none", "yellow")
        by_name.add_row(Text(one.name), Text(one.version), Text(plain(str(one.licence)), style), shown)
    head = f" of {len(rows)} distributions that ship to {target.runtime} on {target.architecture}"
    parts: list[RenderableType] = [Text.assemble(("Licences", "bold"), head), Text(), by_licence, Text(), by_name]
    if unknown := _unknown(components):
        parts += [Text(), Text(_flag(unknown), "yellow")]
    console.print(Group(*parts), highlight=False)


def licences_markdown(components: Sequence[Component], target: Target) -> str:
    """The same as GitHub-flavoured Markdown, ending in a newline."""
    lines = [f"## Licences of what ships to {target.runtime} on {target.architecture}", ""]
    lines += ["| licence | distributions |", "|---|---|"]
    for licence, holders in _by_licence(components):
        lines.append(f"| {cell(licence)} | {', '.join(cell(one.name) for one in holders)} |")
    lines += ["", "| distribution | version | licence | layers | licence files that ship |", "|---|---|---|---|---|"]
    for one, layers, files in _by_name(components):
        lines.append(
            f"| {cell(one.name)} | {cell(one.version)} | {cell(str(one.licence))} | {', '.join(layers)} "
            f"| {cell(', '.join(files))} |"
        )
    if unknown := _unknown(components):
        lines += ["", f"**{cell(_flag(unknown))}**"]
    return "\n".join(lines) + "\n"


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in {"distribution", "version"})
    return table


def _by_name(components: Sequence[Component]) -> list[tuple[Component, list[str], list[str]]]:
    """Each distribution once, with the layers that have something of it and its licence files as installed."""
    found: defaultdict[str, list[Component]] = defaultdict(list)
    for one in components:
        found[one.name].append(one)
    return [
        (
            several[0],
            [one.layer for one in several],
            sorted({file.removeprefix(LAYER.prefix) for one in several for file in one.licence_files}),
        )
        for _, several in sorted(found.items())
    ]


def _by_licence(components: Sequence[Component]) -> list[tuple[str, list[Component]]]:
    """The distributions by what their metadata says, sorted, the unknown last."""
    found: defaultdict[str, list[Component]] = defaultdict(list)
    for one, _, _ in _by_name(components):
        found[str(one.licence)].append(one)
    return sorted(found.items(), key=lambda row: (row[0] == _UNKNOWN, row[0]))


def _unknown(components: Sequence[Component]) -> list[str]:
    return [one.name for one, _, _ in _by_name(components) if not one.licence.known]


def _flag(unknown: Sequence[str]) -> str:
    who = "the metadata of this one names none" if len(unknown) == 1 else "the metadata of these names none"
    return f"licence unknown: {', '.join(unknown)}; {who}: read what ships with it, or ask its authors"
