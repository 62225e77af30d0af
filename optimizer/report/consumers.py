"""Who uses a layer: a table for people, and the JSON document."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from optimizer.deploy.fleet.consumers import AliasShare, Consumers, Use

_WHOLE = 1.0


def print_consumers(layer: str, found: Sequence[Consumers], console: Console) -> None:
    """Region by region, a line for each function version, and a line that sums it up."""
    parts: list[RenderableType] = []
    for one in found:
        parts.append(_heading(layer, one))
        if one.uses:
            parts += [_table(one), _sum(one)]
        parts.append(Text())
    console.print(Group(*parts[:-1]), highlight=False)


def consumers_document(layer: str, found: Sequence[Consumers], *, calls: Mapping[str, int]) -> dict[str, Any]:
    """The document of `consumers --format json`."""
    return {
        "schema": 1,
        "layer": layer,
        "calls": dict(sorted(calls.items())),
        "regions": [
            {
                "region": one.region,
                "functions_read": one.functions_read,
                "newest": one.newest.version if one.newest else None,
                "versions": None if one.listed is None else [version.version for version in one.listed],
                "consumers": [
                    {
                        "function": use.function,
                        "version": use.version,
                        "aliases": [{"name": alias.name, "share": alias.share} for alias in use.aliases],
                        "layer_arn": use.arn,
                        "layer_version": use.layer_version,
                        "deleted": use.deleted,
                        "position": use.position,
                        "layers": use.layers,
                    }
                    for use in one.uses
                ],
            }
            for one in found
        ],
    }


def _heading(layer: str, one: Consumers) -> Text:
    if one.listed is None:
        versions = "its versions can't be listed: it is another account's"
    elif one.newest is None:
        versions = "all of its versions were deleted" if one.uses else "it does not exist here"
    else:
        versions = f"newest version {one.newest.version}"
    used = "" if one.uses else f"; none of {one.functions_read} functions uses it"
    return Text.assemble((layer, "bold cyan"), f" in {one.region}: {versions}{used}")


def _table(one: Consumers) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for title in ("function", "version", "aliases", "layer version", "place"):
        table.add_column(title, no_wrap=title != "aliases", overflow="fold", header_style="dim")
    before = ""
    for use in one.uses:
        name = "" if use.function == before else use.function
        before = use.function
        table.add_row(
            Text(name),
            use.version,
            Text(", ".join(_alias(alias) for alias in use.aliases)),
            _layer_version(use, one),
            f"{use.position} of {use.layers}",
        )
    return table


def _alias(alias: AliasShare) -> str:
    return alias.name if alias.share == _WHOLE else f"{alias.name} {alias.share:.0%}"


def _layer_version(use: Use, one: Consumers) -> Text:
    text = Text(str(use.layer_version))
    if use.deleted:
        text.append(" deleted", "red")
    elif one.newest is not None and use.layer_version == one.newest.version:
        text.append(" newest", "green")
    return text


def _sum(one: Consumers) -> Text:
    """How many functions have which version, by what their aliases serve or, without any, by `$LATEST`."""
    functions: Counter[int] = Counter()
    for name in sorted({use.function for use in one.uses}):
        own = [use for use in one.uses if use.function == name]
        functions.update({use.layer_version for use in own if use.aliases} or {use.layer_version for use in own})
    spread = ", ".join(f"{count} on version {version}" for version, count in sorted(functions.items()))
    used = len({use.function for use in one.uses})
    versions = "1 version" if len(one.uses) == 1 else f"{len(one.uses)} versions"
    return Text(
        f"{used} of {one.functions_read} functions use it, in {versions} of theirs; served are: {spread}", "dim"
    )
