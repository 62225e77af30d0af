"""What can be deleted or was, for people region by region, and as the JSON document."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from rich.text import Text

from optimizer.deploy.values import LATEST
from optimizer.units import human_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from optimizer.deploy.pruning.prune import Judged
    from optimizer.deploy.pruning.pruner import Pruning

_COUNTED = {"in-use": "in use", "newest": "among the newest"}
"""Reasons that are told once for all versions of a layer or function: there are many, and nothing is to be done."""

_STYLES = {"-": "red", "=": "dim", "!": "yellow"}


def print_pruning(found: Sequence[Pruning], console: Console, *, executed: bool) -> None:
    """What can go and what is kept for which reason; after execution what became of it."""
    for one in found:
        console.print(_heading(one), soft_wrap=True, highlight=False)
        if one.error is not None:
            _line(console, "!", one.error.message)
            _line(console, " ", one.error.mend)
        for judged in one.going:
            _going(console, one, judged)
        for judged in one.versions:
            if judged.reason is not None and judged.reason not in _COUNTED:
                _line(console, "=", f"{judged.kind} {judged.name} is kept: {judged.detail}")
        for words in _counted(one.versions):
            _line(console, "=", words)
        for arn, users in one.late.items():
            _line(
                console,
                "!",
                f"{arn} was attached by {', '.join(users)} in the moment in which it was deleted. It goes on working "
                "there and can't be attached again: deploy that function again.",
            )
        console.print()
    console.print(_sum(found, executed=executed), soft_wrap=True, highlight=False)
    frozen = _frozen(found)
    if frozen and not any(judged.kind == "function" for one in found for judged in one.versions):
        words = f"Of what is in use, {_versions(frozen)} of layers are so by published versions of functions alone: "
        _line(console, "", f"{words}--versions looks for old ones of these that no alias refers to.")
    if not executed and any(one.going and one.error is None for one in found):
        console.print(Text("Nothing was deleted: that takes --yes.", "bold"))


def pruning_document(
    found: Sequence[Pruning], *, keep: int, executed: bool, calls: Mapping[str, int]
) -> dict[str, Any]:
    """The document of `prune --format json`."""
    return {
        "schema": 1,
        "executed": executed,
        "keep": keep,
        "calls": dict(sorted(calls.items())),
        "regions": [_entry(one) for one in found],
    }


def _heading(one: Pruning) -> Text:
    heading = Text.assemble((one.region, "bold cyan"))
    if one.storage is not None:
        heading.append(f"  {_storage(one.storage.used_bytes, one.storage.limit_bytes)}")
    return (
        heading.append("  nothing more is deleted" if one.outcomes else "  refused", "bold red")
        if one.error
        else heading
    )


def _storage(used: int, limit: int) -> str:
    return f"code storage {human_bytes(used)} of {human_bytes(limit)} ({used / max(limit, 1):.1%})"


def _going(console: Console, one: Pruning, judged: Judged) -> None:
    size = human_bytes(judged.zipped_bytes or 0)
    outcome = one.outcomes.get(judged.arn)
    words = f"{judged.kind} {judged.name} of {judged.since[:10]}, {size}"
    if outcome == "kept":
        _line(console, "=", f"{words}: kept after all, {one.kept[judged.arn]}")
    elif outcome == "gone":
        _line(console, "=", f"{words}: somebody else deleted it meanwhile")
    else:
        _line(console, "-", f"{words}: deleted" if outcome == "deleted" else words)


def _counted(versions: Sequence[Judged]) -> list[str]:
    """Which versions of each layer and function are kept as used or new."""
    lines = []
    for kind, subject in dict.fromkeys((one.kind, one.subject) for one in versions):
        told = []
        for reason, words in _COUNTED.items():
            numbers = [
                one.version for one in versions if (one.kind, one.subject, one.reason) == (kind, subject, reason)
            ]
            if numbers:
                told.append(f"{words} {', '.join(map(str, sorted(numbers)))}")
        if told:
            lines.append(f"{kind} {subject} keeps {'; '.join(told)}")
    return lines


def _frozen(found: Sequence[Pruning]) -> int:
    """How many layer versions are in use by published versions of functions alone."""
    return sum(
        bool(judged.users) and not any(user.endswith(f":{LATEST}") for user in judged.users)
        for one in found
        for judged in one.versions
    )


def _line(console: Console, sign: str, words: str) -> None:
    """A line with its sign, folded beside it; without a sign it begins at the edge."""
    lines = textwrap.wrap(words, max(console.width - 5, 40), break_long_words=False, break_on_hyphens=False)
    for number, line in enumerate(lines):
        head = f"  {' ' if number else sign}  " if sign else ""
        console.print(Text.assemble((head, _STYLES.get(sign, "")), line), soft_wrap=True)


def _sum(found: Sequence[Pruning], *, executed: bool) -> Text:
    if executed:
        count = sum(outcome == "deleted" for one in found for outcome in one.outcomes.values())
        text = f"Deleted {_versions(count)}: {human_bytes(sum(one.freed_bytes for one in found))} freed."
        for one in found:
            if one.after is not None:
                text += f"\n{one.region}: {_storage(one.after.used_bytes, one.after.limit_bytes)} now"
        return Text(text, "bold green" if all(one.error is None for one in found) else "bold red")
    going = [judged for one in found if one.error is None for judged in one.going]
    if not going:
        return Text("Nothing can be deleted.", "bold")
    return Text(f"{_versions(len(going))} can go: {human_bytes(sum(one.zipped_bytes or 0 for one in going))}.", "bold")


def _versions(count: int) -> str:
    return f"{count} version{'' if count == 1 else 's'}"


def _entry(one: Pruning) -> dict[str, Any]:
    error = one.error
    return {
        "region": one.region,
        "outcome": "failed" if error else "done",
        "error": {"code": error.code, "message": error.message, "mend": error.mend} if error else None,
        "code_storage": {
            "used_bytes": one.storage.used_bytes,
            "limit_bytes": one.storage.limit_bytes,
            "used_bytes_after": one.after.used_bytes if one.after else None,
        }
        if one.storage
        else None,
        "deletable_bytes": one.bytes,
        "freed_bytes": one.freed_bytes,
        "versions": [
            {
                "kind": judged.kind,
                "name": judged.subject,
                "version": judged.version,
                "arn": judged.arn,
                "created": judged.since,
                "fingerprint": judged.fingerprint,
                "zipped_bytes": judged.zipped_bytes,
                "action": "delete" if judged.reason is None else "keep",
                "reason": judged.reason,
                "detail": one.kept.get(judged.arn, judged.detail),
                "used_by": list(judged.users),
                "outcome": one.outcomes.get(judged.arn),
            }
            for judged in one.versions
        ],
        "attached_meanwhile": {arn: list(users) for arn, users in one.late.items()},
    }
