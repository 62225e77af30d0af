"""The difference between two builds in words: the sentence that sums it up, and what each row says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.units import human_bytes, signed_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from optimizer.build.difference import Change, Difference, SettingChange, ZipDifference

_NAMED = 3
"""How many distributions the summary names, and how many files a row."""
SENT = frozenset({"new", "published"})
"""What a status is where a deploy sends the artifact."""
_MARKS = {"added": "+", "removed": "-", "changed": "~"}


def summary(difference: Difference) -> str:
    """One sentence: what changed, by how many bytes, and what is sent for it.

    Example: urllib3 2.7.0 → 2.8.0, +14.2 KiB zipped; only utilities is published again (8.7 MiB to send)
    """
    if not difference.differs:
        return "no difference: nothing is published"
    told = list(_phrases(difference))
    more = [f"{len(told) - _NAMED} more changes"] if len(told) > _NAMED + 1 else []
    words = joined([*told[:_NAMED], *more] if more else told)
    sent = f"{words}, {signed_bytes(difference.zipped_bytes) if difference.zipped_bytes else 'as many bytes'} zipped"
    return f"{sent if words else _unexplained(difference)}; {_published(difference)}"


def _phrases(difference: Difference) -> Iterator[str]:
    """What changed: versions first, then what else changed, then moves, each told once, and code."""
    changes = [c for one in difference.zips if one.kind == "layer" for c in one.changes if c.kind != "left"]
    moves = [c for c in changes if c.kind == "came" and c.before == c.after]
    others = sorted(
        (c for c in changes if c not in moves), key=lambda c: (c.before is None or c.after is None, name(c))
    )
    yield from (f"{name(c)} {what(c, brief=True)}" for c in others)
    if len(moves) > _NAMED:
        yield f"{len(moves)} distributions moved"
    else:
        yield from (f"{name(c)} {what(c, brief=True)}" for c in moves)
    for one in difference.zips:
        if one.kind == "function" and (one.changes or one.status in {"new", "removed"}):
            yield f"{title(one)} {_plainly(one)}"


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
    same = [title(one) for one in difference.zips if one.status == "same-content"]
    if same:
        return f"same content, other bytes in {joined(same)}"
    return f"other settings of {joined(sorted({one.function for one in difference.settings}))}"


def _published(difference: Difference) -> str:
    """Which zips a deploy sends."""
    layers = [one for one in difference.zips if one.kind == "layer" and one.after]
    published = [one for one in layers if one.status in SENT]
    code = [title(one) for one in difference.zips if one.kind == "function" and one.status in SENT]
    size = f"({human_bytes(difference.sent_bytes)} to send)"
    if not published:
        return f"only {joined(code)} is sent {size}" if code else "nothing is published"
    names = [one.name for one in published]
    verb = (
        f"{'is' if len(names) == 1 else 'are'} published{'' if any(z.status == 'new' for z in published) else ' again'}"
    )
    only = "only " if len(published) < len(layers) else "all: " if len(layers) > 1 else ""
    beside = f", with {joined(code)}" if code else ""
    return f"{only}{joined(names)} {verb}{beside} {size}"


def title(one: ZipDifference) -> str:
    """How an artifact is called."""
    return one.name if one.kind == "layer" else f"the code of {one.name}"


def status(one: ZipDifference) -> str:
    """Whether it is sent, and why where no change says so."""
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


def name(change: Change) -> str:
    """Whose change it is; code belongs to no distribution."""
    return change.name or "files"


def what(change: Change, *, brief: bool = False) -> str:
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


def files(change: Change) -> str:
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


def setting(one: SettingChange) -> str:
    """One setting before and after, or that it differs."""
    if one.before is None and one.after is None:
        return f"{one.function}: {one.name} differs"
    return f"{one.function}: {one.name} {one.before} → {one.after}"


def joined(names: Sequence[str]) -> str:
    """A list as one says it."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)
