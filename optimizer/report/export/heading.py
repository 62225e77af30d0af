"""The comment at the head of every export: what wrote it, and what to call."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from optimizer.report.escape import plain
from optimizer.units import human_bytes

if TYPE_CHECKING:
    from optimizer.report.export.model import Export, Layer

MARK = "# Made by layer-optimizer"
"""How the first line of every export begins: such a file is ours to replace."""


def heading(export: Export, deploying: str, *, tells: bool, note: str = "") -> list[str]:
    """The lines of the comment.

    Args:
        export: what is exported.
        deploying: the commands of the tool, a line each, in which FILE is the written file.
        tells: whether the file itself tells what was built, so that it is written again after each build.
        note: a sentence about the commands.
    """
    tool = deploying.replace("FILE", shlex.quote(export.file)).splitlines()
    if export.place:
        tool.insert(0, f"cd {shlex.quote(export.place)}")
    what = f"{export.title} with layers."
    if tells:
        lines = [f"{what} New versions are made by what stands here, so each time:"]
        lines += [f"  {line}" for line in (*export.before, export.command, *tool)]
    else:
        lines = [f"{what} What was built is read anew, so each time:"]
        lines += [f"  {line}" for line in (*export.before, *tool)]
        lines += ["and after changes of config/layers.toml:", f"  {export.command}"]
    first = f"{MARK}: change config/layers.toml, not this file, which export writes anew."
    return [plain(line) for line in (first, *(f"# {line}" for line in (*lines, *note.splitlines())))]


def about(layer: Layer) -> str:
    """A layer's comment."""
    return plain(f"{layer.name}: {human_bytes(layer.zipped_bytes)} zipped, published again when its content changes")
