"""A comparison in words and rows that text and Markdown share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.report.difference_words import joined
from optimizer.units import human_bytes, signed_bytes

if TYPE_CHECKING:
    from optimizer.report.comparison import Comparison, Published, Shift


def headline(comparison: Comparison) -> str:
    """What has to be sent, in a sentence without its end.

    Example: only aws-core is published again (2.2 MiB to send)
    """
    if not comparison.published:
        return f"{joined(comparison.removed)} is not needed any more" if comparison.removed else "nothing is published"
    size = f"({human_bytes(comparison.sent_bytes)} to send)"
    layers = [part for part in comparison.published if part.kind == "layer"]
    code = [_code(part) for part in comparison.published if part.kind == "function"]
    if not layers:
        return f"only {joined(code)} is sent {size}"
    names = joined([part.name for part in layers])
    scope = "all layers: " if len(layers) == comparison.layers > 1 else "" if code else "only "
    verb = "is" if len(layers) == 1 else "are"
    again = "" if any(part.new for part in layers) else " again"
    beside = f", with {joined(code)}" if code else ""
    return f"{scope}{names} {verb} published{again}{beside} {size}"


def change(shift: Shift) -> str:
    """What became of a distribution: versions, and whether it came or went."""
    match shift.kind:
        case "added":
            return f"{shift.version_after} added"
        case "removed":
            return f"{shift.version_before} removed"
        case "updated":
            return f"{shift.version_before} → {shift.version_after}"
        case "moved":
            return f"{shift.version_after} moved"
        case "changed":
            return f"{shift.version_after}, other content"


def place(shift: Shift) -> str:
    """The layer that it is in, and from which it came where that is another."""
    before, after = shift.layer_before, shift.layer_after
    if before and after and before != after:
        return f"{before} → {after}"
    return after or before or ""


def difference(count: int | None) -> str:
    """Bytes more or less, or nothing where a side does not know them."""
    return "" if count is None else "0 B" if not count else signed_bytes(count)


def totals(comparison: Comparison) -> list[tuple[str, str, str]]:
    """(what, now, difference) of what both sides know: bytes unzipped, and those that releases make us send."""
    rows = (
        ("unzipped", comparison.total_unzipped_bytes),
        ("sent a year, expected", comparison.cost),
        ("sent over last year's releases", comparison.republished_bytes_per_year),
    )
    return [
        (what, human_bytes(round(after)), difference(round(after) - round(before)))
        for what, (before, after) in rows
        if before is not None and after is not None
    ]


def unexplained(comparison: Comparison) -> bool:
    """Whether a layer is published though no distribution of it differs by version, layer or bytes."""
    told = {layer for shift in comparison.shifts for layer in (shift.layer_before, shift.layer_after)}
    return any(part.kind == "layer" and part.name not in told for part in comparison.published)


UNEXPLAINED = "where no distribution differs, contents, bytecode or build options do"


def _code(part: Published) -> str:
    return f"the code of {part.name}"
