"""The snapshot for people and as JSON: how often each distribution released in the last year, and with which others."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from optimizer.history import co_release_families
from optimizer.history.scenarios import YEAR
from optimizer.units import human_bytes

if TYPE_CHECKING:
    from optimizer.history import History

_WIDTH = 120
_SHOWN = 2


def history_document(history: History) -> dict[str, Any]:
    """The document of `history show --format json`, schema 1; those that release most often come first.

    `releases_per_year` counts the 52 weeks up to the snapshot's last day, from which the families come too; a family
    in `families` has two members or more, and `family` holds all members of the one, itself included.
    """
    after = history.through - YEAR
    families = co_release_families(history, history.distributions, since=after, through=history.through)
    home = {name: family for family in families for name in family}
    rows = []
    for name, entry in history.distributions.items():
        last = entry.releases[-1] if entry.releases else None
        rows.append(
            {
                "name": name,
                "origin": entry.origin,
                "releases_per_year": sum(r.day > after for r in entry.releases),
                "last_release": {"day": str(last.day), "version": last.version} if last else None,
                "wheel_bytes": (last.wheel_bytes or None) if last else None,
                "family": list(home[name]),
            }
        )
    return {
        "schema": 1,
        "since": str(history.since),
        "through": str(history.through),
        "distributions": sorted(rows, key=lambda row: (-row["releases_per_year"], row["name"])),
        "families": [list(family) for family in families if len(family) > 1],
    }


def history_text(document: dict[str, Any]) -> str:
    """The document as tables, with colour on a terminal."""
    from rich.console import Console, Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("distribution", no_wrap=True)
    table.add_column("a year", justify="right", no_wrap=True)
    table.add_column("last", no_wrap=True)
    table.add_column("version", no_wrap=True)
    table.add_column("wheel", justify="right", no_wrap=True)
    table.add_column("from", no_wrap=True)
    table.add_column("releases with", overflow="fold")
    for row in document["distributions"]:
        last = row["last_release"]
        table.add_row(
            Text(row["name"]),
            str(row["releases_per_year"]),
            Text(last["day"] if last else "-"),
            Text(last["version"] if last else "-"),
            human_bytes(row["wheel_bytes"]) if row["wheel_bytes"] else "-",
            row["origin"],
            Text(_others(row)),
        )
    head = Text.assemble(
        ("Releases", "bold"), f" from {document['since']} through {document['through']}; a year is its last 52 weeks"
    )
    terminal = Console()
    buffer = io.StringIO()
    console = Console(
        file=buffer,
        force_terminal=terminal.is_terminal,
        width=terminal.width if terminal.is_terminal else max(terminal.width, _WIDTH),
        color_system="auto" if terminal.is_terminal else None,
    )
    console.print(Group(head, Text(), table), highlight=False)
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"


def _others(row: dict[str, Any]) -> str:
    """The family's other members; of many, the first."""
    others = [name for name in row["family"] if name != row["name"]]
    return ", ".join(others) if len(others) <= _SHOWN else f"{others[0]} and {len(others) - 1} more"
