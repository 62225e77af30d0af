"""A replay as a table for people and as JSON."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from optimizer.units import human_bytes

if TYPE_CHECKING:
    from optimizer.replay import Replay, Row

MEANING = {
    "optimizer": "the cheapest split, free of roles",
    "as-configured": "the plan: roots in their layers",
    "three-way": "by role, by hand",
    "three-way-untrimmed": "the same with all service models",
    "one-layer": "everything in one layer",
    "one-zip": "everything in one zip, untrimmed, with the code",
    "popularity": "nixpkgs: the most wanted alone",
    "origin": "apko: by what releases together",
    "frequency-bins": "rpm-ostree: by frequency, equal bytes",
    "pairwise": "chunkah: merge the cheapest pair",
    "cut-by-rate": "ordered by releases, cut",
    "cut-by-rate-per-byte": "ordered by releases per byte, cut",
    "clairvoyant": "who knew these weeks",
}


def replay_document(replay: Replay) -> dict[str, Any]:
    """The document of `replay --format json`, schema 1."""
    return {
        "schema": 1,
        "layers": replay.layers,
        "cadence": replay.cadence,
        "fit": {"from": str(replay.fit[0]), "to": str(replay.fit[1])},
        "test": {"from": str(replay.test[0]), "to": str(replay.test[1])},
        "floor_bytes": replay.floor_bytes,
        "windows": [str(day) for day in replay.ends],
        "rows": [
            {
                "name": row.name,
                "layers": row.layers,
                "republished_bytes": row.republished_bytes,
                "publishes": row.publishes,
                "collateral_bytes": row.collateral_bytes,
                "republished_interval": list(row.republished_interval),
                "regret": row.regret,
                "regret_interval": list(row.regret_interval),
                "windows": list(row.windows),
            }
            for row in replay.rows
        ],
    }


def replay_text(replay: Replay) -> str:
    """The table, the cheapest first."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("split", no_wrap=True)
    table.add_column("layers", justify="right", no_wrap=True)
    table.add_column("sent", justify="right", no_wrap=True)
    table.add_column("95 %", justify="right", no_wrap=True)
    table.add_column("publishes", justify="right", no_wrap=True)
    table.add_column("collateral", justify="right", no_wrap=True)
    table.add_column("regret", justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for row in sorted(replay.rows, key=lambda row: (row.republished_bytes, row.name)):
        low, high = row.republished_interval
        table.add_row(
            Text(row.name, "bold" if row.name in {"optimizer", "as-configured"} else ""),
            str(row.layers),
            human_bytes(row.republished_bytes),
            f"{human_bytes(low)} - {human_bytes(high)}",
            str(row.publishes),
            human_bytes(row.collateral_bytes),
            f"{row.regret:.1%}",
            Text(MEANING[row.name], "dim"),
        )
    buffer = io.StringIO()
    console = Console(file=buffer, width=150, color_system=None)
    console.print(
        f"{replay.layers} layers; fitted to {replay.fit[0]} - {replay.fit[1]}, played {len(replay.ends)} windows of a "
        f"{replay.cadence}, {replay.test[0]} - {replay.test[1]}; floor {human_bytes(replay.floor_bytes)}",
        highlight=False,
        soft_wrap=True,
    )
    console.print(table, highlight=False)
    if (against := _against(replay)) is not None:
        console.print(against, highlight=False, soft_wrap=True)
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"


def _against(replay: Replay) -> str | None:
    """How the cheapest split stands to the usual ones."""
    mine = replay.row("optimizer").republished_bytes

    def share(row: Row) -> str:
        return f"{mine / row.republished_bytes:.2f} of {row.name}" if row.republished_bytes else f"as {row.name}"

    named = [replay.row(name) for name in ("three-way", "three-way-untrimmed", "one-zip")]
    return "optimizer sends " + ", ".join(share(row) for row in named)
