"""The difference between two builds in words, as a table, as Markdown and as the JSON document."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from optimizer.report.escape import cell, plain
from optimizer.units import human_bytes, signed_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from optimizer.build.difference import Change, Difference, SettingChange, Status, ZipDifference
    from optimizer.build.manifest import Artifact

_NAMED = 3
"""How many distributions the summary names, and how many files a table."""
_LARGEST = 5
"""How many files the document names."""
_SENT = frozenset({"new", "published"})
_MARKS = {"added": "+", "removed": "-", "changed": "~"}
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
            heading = Text.assemble((_title(one), "bold cyan"), ": ", (_status(one), _STYLES[one.status]), _bytes(one))
            parts += [Text(), heading]
            if one.changes:
                parts.append(_table(one))
    quiet = [f"{_title(one)}: {_status(one)}" for one in difference.zips if one.status not in {*_SENT, "removed"}]
    parts += [Text(), *(Text(line, "dim") for line in quiet)] if quiet else []
    if difference.settings:
        parts += [Text(), *(Text(plain(_setting(one))) for one in difference.settings)]
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
        f"| {cell(_title(one))} | {_status(one)} "
        f"| {signed_bytes(one.zipped_bytes)} | {signed_bytes(one.unzipped_bytes)} |"
        for one in difference.zips
    ]
    for one in difference.zips:
        if one.changes:
            lines += ["", f"<details><summary>{_title(one)}: {len(one.changes)} changed</summary>", ""]
            lines += ["| distribution | | zipped | unzipped | files |", "|---|---|--:|--:|---|"]
            lines += [
                f"| {cell(_name(c))} | {cell(_what(c))} | {signed_bytes(c.zipped_bytes)} "
                f"| {signed_bytes(c.unzipped_bytes)} | {cell(_files(c))} |"
                for c in one.changes
            ]
            lines += ["", "</details>"]
    if difference.settings:
        lines += ["", *(f"- {cell(_setting(one))}" for one in difference.settings)]
    return "\n".join(lines) + "\n"


def summary(difference: Difference) -> str:
    """One sentence: what changed, by how many bytes, and what is sent for it.

    Example: urllib3 2.7.0 → 2.8.0, +14.2 KiB zipped; only utilities is published again (8.7 MiB to send)
    """
    if not difference.differs:
        return "no difference: nothing is published"
    told = list(_phrases(difference))
    more = [f"{len(told) - _NAMED} more changes"] if len(told) > _NAMED + 1 else []
    words = _joined([*told[:_NAMED], *more] if more else told)
    sent = f"{words}, {signed_bytes(difference.zipped_bytes) if difference.zipped_bytes else 'as many bytes'} zipped"
    return f"{sent if words else _unexplained(difference)}; {_published(difference)}"


def _phrases(difference: Difference) -> Iterator[str]:
    """What changed: versions first, then what else changed, then moves, each told once, and code."""
    changes = [c for one in difference.zips if one.kind == "layer" for c in one.changes if c.kind != "left"]
    moves = [c for c in changes if c.kind == "came" and c.before == c.after]
    others = sorted(
        (c for c in changes if c not in moves), key=lambda c: (c.before is None or c.after is None, _name(c))
    )
    yield from (f"{_name(c)} {_what(c, brief=True)}" for c in others)
    if len(moves) > _NAMED:
        yield f"{len(moves)} distributions moved"
    else:
        yield from (f"{_name(c)} {_what(c, brief=True)}" for c in moves)
    for one in difference.zips:
        if one.kind == "function" and (one.changes or one.status in {"new", "removed"}):
            yield f"{_title(one)} {_plainly(one)}"


def _plainly(one: ZipDifference) -> str:
    return {"new": "is new", "removed": "is gone"}.get(one.status, "changed")


def _unexplained(difference: Difference) -> str:
    """What differs where no source file does."""
    if difference.before != difference.after:
        before, after = difference.before, difference.after
        return f"from {before.runtime} {before.architecture} to {after.runtime} {after.architecture}"
    if any(one.status == "published" for one in difference.zips):
        return "the same sources, with other bytecode or build options"
    if any(one.status in {"new", "removed"} for one in difference.zips):
        return "other layers"
    same = [_title(one) for one in difference.zips if one.status == "same-content"]
    if same:
        return f"same content, other bytes in {_joined(same)}"
    return f"other settings of {_joined(sorted({one.function for one in difference.settings}))}"


def _published(difference: Difference) -> str:
    """Which zips a deploy sends."""
    layers = [one for one in difference.zips if one.kind == "layer" and one.after]
    published = [one for one in layers if one.status in _SENT]
    code = [_title(one) for one in difference.zips if one.kind == "function" and one.status in _SENT]
    size = f"({human_bytes(difference.sent_bytes)} to send)"
    if not published:
        return f"only {_joined(code)} is sent {size}" if code else "nothing is published"
    names = [one.name for one in published]
    verb = (
        f"{'is' if len(names) == 1 else 'are'} published{'' if any(z.status == 'new' for z in published) else ' again'}"
    )
    only = "only " if len(published) < len(layers) else "all: " if len(layers) > 1 else ""
    beside = f", with {_joined(code)}" if code else ""
    return f"{only}{_joined(names)} {verb}{beside} {size}"


def _title(one: ZipDifference) -> str:
    return one.name if one.kind == "layer" else f"the code of {one.name}"


def _status(one: ZipDifference) -> str:
    code = one.kind == "function"
    match one.status:
        case "new":
            return f"new, {human_bytes(one.sent_bytes)} to send"
        case "published":
            again = "changed" if code else "published again"
            why = "" if one.changes else " for its target, bytecode or build options"
            return f"{again}{why}, {human_bytes(one.sent_bytes)} to send"
        case "same-content":
            return "same content, other bytes: not sent" if code else "same content, other bytes: not published"
        case "unchanged":
            return "unchanged"
        case "removed":
            return "gone"


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
            Text(f"   {plain(_name(c))}"),
            Text(plain(_what(c))),
            signed_bytes(c.zipped_bytes),
            signed_bytes(c.unzipped_bytes),
            Text(plain(_files(c))),
        )
    return table


def _name(change: Change) -> str:
    return change.name or "files"


def _what(change: Change, *, brief: bool = False) -> str:
    """What became of a distribution in its layer."""
    versions = change.after or change.before or ""
    if change.before and change.after and change.before != change.after:
        versions = f"{change.before} → {change.after}"
    words = {
        "updated": "",
        "added": "added",
        "removed": "removed",
        "changed": "same version, other files" if versions and not brief else "changed",
        "came": f"moved here from {change.other}" if not brief else f"moved from {change.other}",
        "left": f"moved to {change.other}",
    }[change.kind]
    return " ".join(word for word in (versions, words) if word)


def _files(change: Change) -> str:
    """How many, and of what is not wholly new or gone those that differ most with their bytes."""
    files = change.files
    kinds = [file.kind for file in files]
    counts = " ".join(f"{mark}{kinds.count(kind)}" for kind, mark in _MARKS.items() if kind in kinds)
    if change.kind in {"added", "removed"}:
        return counts
    named = [f"{_MARKS[f.kind]}{_short(f.path)} {signed_bytes(f.after - f.before)}" for f in files[:_NAMED]]
    return f"{counts}  {', '.join(named)}" + (" …" if len(files) > _NAMED else "")


def _short(path: str) -> str:
    return "/".join(path.split("/")[-2:])


def _setting(one: SettingChange) -> str:
    if one.before is None and one.after is None:
        return f"{one.function}: {one.name} differs"
    return f"{one.function}: {one.name} {one.before} → {one.after}"


def _joined(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)
