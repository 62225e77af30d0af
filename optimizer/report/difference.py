"""The difference between two builds as a table, as Markdown and as the JSON document."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from optimizer.report.difference_words import SENT, files, name, setting, status, summary, title, what
from optimizer.report.escape import cell, plain
from optimizer.units import signed_bytes

if TYPE_CHECKING:
    from rich.console import RenderableType

    from optimizer.build.difference import Change, Difference, Status, ZipDifference
    from optimizer.build.manifest import Artifact

_LARGEST = 5
"""How many files the document names."""
_STYLES: dict[Status, str] = {
    "new": "green",
    "published": "yellow",
    "same-content": "dim",
    "unchanged": "dim",
    "removed": "red",
}


def difference_document(difference: Difference) -> dict[str, Any]:
    """The document of `diff --format json`, schema 1."""
    return {
        "schema": 1,
        "summary": summary(difference),
        "differs": difference.differs,
        "target": {"before": asdict(difference.before), "after": asdict(difference.after)},
        "sent_bytes": difference.sent_bytes,
        "zipped_bytes": difference.zipped_bytes,
        "artifacts": [
            {
                "name": one.name,
                "kind": one.kind,
                "status": one.status,
                "sent_bytes": one.sent_bytes,
                "zipped_bytes": one.zipped_bytes,
                "unzipped_bytes": one.unzipped_bytes,
                "before": _artifact(one.before),
                "after": _artifact(one.after),
                "changes": [_change(change) for change in one.changes],
            }
            for one in difference.zips
        ],
        "settings": [asdict(one) for one in difference.settings],
    }


def _artifact(artifact: Artifact | None) -> dict[str, Any] | None:
    if artifact is None:
        return None
    keys = ("fingerprint", "sha256", "zipped_bytes", "unzipped_bytes", "files")
    return {key: getattr(artifact, key) for key in keys}


def _change(change: Change) -> dict[str, Any]:
    kinds = [file.kind for file in change.files]
    return {
        "distribution": change.name or None,
        "change": change.kind,
        "version_before": change.before or None,
        "version_after": change.after or None,
        "other_layer": change.other,
        "zipped_bytes": change.zipped_bytes,
        "unzipped_bytes": change.unzipped_bytes,
        "files": {kind: kinds.count(kind) for kind in ("added", "removed", "changed")},
        "largest": [
            {"path": f.path, "change": f.kind, "bytes_before": f.before, "bytes_after": f.after}
            for f in change.files[:_LARGEST]
        ],
    }


def print_difference(difference: Difference, console: Console) -> None:
    """The summary, then what differs of each zip, then which zips do not."""
    parts: list[RenderableType] = [Text(plain(summary(difference)), "bold")]
    for one in difference.zips:
        if one.changes or one.status in {"new", "published", "removed"}:
            heading = Text.assemble((title(one), "bold cyan"), ": ", (status(one), _STYLES[one.status]), _bytes(one))
            parts += [Text(), heading]
            if one.changes:
                parts.append(_table(one))
    quiet = [f"{title(one)}: {status(one)}" for one in difference.zips if one.status not in {*SENT, "removed"}]
    parts += [Text(), *(Text(line, "dim") for line in quiet)] if quiet else []
    if difference.settings:
        parts += [Text(), *(Text(plain(setting(one))) for one in difference.settings)]
    console.print(Group(*parts), highlight=False)


def difference_markdown(difference: Difference) -> str:
    """The same as GitHub-flavoured Markdown, ending in a newline."""
    lines = [
        f"**{cell(summary(difference))}**",
        "",
        "| artifact | | to send | zipped | unzipped |",
        "|---|---|--:|--:|--:|",
    ]
    lines += [
        f"| {cell(title(one))} | {status(one)} "
        f"| {signed_bytes(one.zipped_bytes)} | {signed_bytes(one.unzipped_bytes)} |"
        for one in difference.zips
    ]
    for one in difference.zips:
        if one.changes:
            lines += ["", f"<details><summary>{title(one)}: {len(one.changes)} changed</summary>", ""]
            lines += ["| distribution | | zipped | unzipped | files |", "|---|---|--:|--:|---|"]
            lines += [
                f"| {cell(name(c))} | {cell(what(c))} | {signed_bytes(c.zipped_bytes)} "
                f"| {signed_bytes(c.unzipped_bytes)} | {cell(files(c))} |"
                for c in one.changes
            ]
            lines += ["", "</details>"]
    if difference.settings:
        lines += ["", *(f"- {cell(setting(one))}" for one in difference.settings)]
    return "\n".join(lines) + "\n"


def _bytes(one: ZipDifference) -> str:
    return f"; {signed_bytes(one.zipped_bytes)} zipped, {signed_bytes(one.unzipped_bytes)} unzipped"


def _table(one: ZipDifference) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for column in ("   distribution", "change"):
        table.add_column(column, no_wrap=True)
    for column in ("zipped", "unzipped"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("files", overflow="fold")
    for c in one.changes:
        table.add_row(
            Text(f"   {plain(name(c))}"),
            Text(plain(what(c))),
            signed_bytes(c.zipped_bytes),
            signed_bytes(c.unzipped_bytes),
            Text(plain(files(c))),
        )
    return table
