"""What releases really change, for people and as the JSON document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from optimizer.report.escape import plain
from optimizer.units import human_bytes
from optimizer.upgrades import service_of

if TYPE_CHECKING:
    from rich.console import RenderableType

    from optimizer.models import Target
    from optimizer.upgrades import Advice, Advised, Comparison, FamilySaving

_NAMED = 5
"""How many paths the document names."""
_SHOWN = 2
"""How many of them the table shows."""
_STYLES = {"nothing": "green", "one-module": "yellow", "one-service": "yellow", "several": "default"}


def upgrades_document(advice: Advice, *, releases: int) -> dict[str, Any]:
    """The document of `upgrades --format json`, schema 1."""
    return {
        "schema": 1,
        "releases": releases,
        "distributions": [
            {
                "name": one.wanted.name,
                "installed": one.wanted.installed,
                "layer": one.wanted.layer,
                "releases_with": [name for name in one.family if name != one.wanted.name],
                "comparisons": [_comparison(c, one.wanted.layer_bytes) for c in one.wanted.comparisons],
                "share_without_effect": None if one.share is None else round(one.share, 4),
                "extrapolated_from": len(one.wanted.comparisons),
                "releases_per_year": None if one.per_year is None else round(one.per_year, 1),
                "saved_bytes_per_year": one.saved_bytes,
                "note": one.wanted.note,
            }
            for one in advice.distributions
        ],
        "families": [
            {
                "members": list(family.members),
                "layer": family.layer,
                "days_compared": family.days,
                "days_without_effect": family.quiet,
                "release_days_per_year": round(family.per_year, 1),
                "saved_bytes_per_year": family.saved_bytes,
                "not_looked_at": list(family.unknown),
            }
            for family in advice.families
        ],
        "saved_bytes_per_year": advice.saved_bytes,
    }


def _comparison(one: Comparison, sent: int) -> dict[str, Any]:
    return {
        "from": one.before,
        "to": one.after,
        "day": None if one.day is None else str(one.day),
        "newer": one.newer,
        "advice": _advice(one) or None,
        "held_by": list(one.held_by),
        "change": one.change,
        "files_changed": len(one.paths),
        "files_added": len(one.added),
        "files_removed": len(one.removed),
        "changed": list(one.paths[:_NAMED]),
        "sent_bytes": sent,
    }


def print_upgrades(advice: Advice, target: Target, console: Console) -> None:
    """A table for each distribution, and what skipping saves."""
    parts: list[RenderableType] = [
        Text.assemble(
            ("What releases really change", "bold"), f" of what ships to {target.runtime} on {target.architecture}"
        ),
        Text(),
    ]
    for one in advice.distributions:
        parts += [_heading(one)]
        if one.wanted.comparisons:
            parts += [_table(one), _share(one)]
        barred = sorted({by for c in one.wanted.comparisons for by in c.held_by})
        if barred:
            parts.append(Text(f"   held back by {' and '.join(barred)}"))
        if one.wanted.note:
            parts.append(Text.assemble(("   note: ", "yellow"), plain(one.wanted.note)))
        parts.append(Text())
    parts += [_family(family) for family in advice.families]
    parts += [_total(advice), Text(_MEANING, "dim")]
    console.print(Group(*parts), highlight=False)


_MEANING = (
    "Extrapolated from the releases above; against taking every release on its day, and at most: it counts as if "
    "nothing else of a layer changed on the same day. 'nothing': only version strings, metadata and gzip's time stamps "
    "differ."
)


def _heading(one: Advised) -> Text:
    wanted = one.wanted
    others = [name for name in one.family if name != wanted.name]
    return Text.assemble(
        (f"{wanted.name} {wanted.installed}", "bold cyan"),
        f" in {wanted.layer}: a release sends {human_bytes(wanted.layer_bytes)}",
        f"; releases with {', '.join(others)}" if others else "",
    )


def _table(one: Advised) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for column in ("   release", "day", "changes", "advice"):
        table.add_column(column, no_wrap=True)
    table.add_column("files", overflow="fold")
    for c in one.wanted.comparisons:
        table.add_row(
            Text(f"   {c.after}"),
            str(c.day or ""),
            Text(c.change.replace("-", " "), _STYLES[c.change]),
            Text(_advice(c), "green" if _advice(c) == "skip" else "default"),
            Text(_files(c)),
        )
    return table


def _advice(one: Comparison) -> str:
    """What to do about a release that is newer than the installed one; `held` is one that others' requirements bar."""
    if not one.newer:
        return ""
    return "held" if one.held_by else "skip" if one.change == "nothing" else "take"


def _files(one: Comparison) -> str:
    """How many files, and the first of them by the ends of their paths."""
    if not one.paths:
        return ""
    marks = {**dict.fromkeys(one.added, "+"), **dict.fromkeys(one.removed, "-"), **dict.fromkeys(one.modified, "~")}
    counts = [f"{mark}{len(of)}" for mark, of in (("+", one.added), ("-", one.removed), ("~", one.modified)) if of]
    named = list(dict.fromkeys(marks[path] + plain(_short(path)) for path in one.paths))
    return f"{' '.join(counts)}  {' '.join(named[:_SHOWN])}" + (" …" if len(named) > _SHOWN else "")


def _short(path: str) -> str:
    """The end of a path, which tells most; of a service's model its folder."""
    service = service_of(path)
    return f"data/{service}" if service else "/".join(path.split("/")[-2:])


def _share(one: Advised) -> Text:
    count = len(one.wanted.comparisons)
    quiet = sum(c.change == "nothing" for c in one.wanted.comparisons)
    line = f"   {quiet} of {count} changed nothing that runs"
    if len(one.family) > 1:
        return Text(f"{line}; what that saves is told below, with what releases together")
    if one.per_year is None:
        return Text(f"{line}; how many releases a year has is not known")
    line += f"; of {one.per_year:.0f} releases a year that is {(one.share or 0) * one.per_year:.0f}"
    return Text(f"{line}, {human_bytes(one.saved_bytes)}")


def _family(family: FamilySaving) -> Text:
    names = ", ".join(family.members)
    if family.unknown:
        return Text(
            f"{names} release together: nothing is counted as saved, since "
            f"{', '.join(family.unknown)} could not be or was not looked at"
        )
    return Text(
        f"{names} release together into {family.layer}: on {family.quiet} of {family.days} days none of them changed; "
        f"of {family.per_year:.0f} days a year, {human_bytes(family.saved_bytes)}"
    )


def _total(advice: Advice) -> Text:
    return Text.assemble(
        "Skipping what changes nothing saves at most ", (f"{human_bytes(advice.saved_bytes)} a year", "bold green"), "."
    )
