"""[pure] Which of many changes make the difference: delta debugging (Zeller and Hildebrandt, 2002).

    guilty({a, b, c, d}, lambda s: "c" in s) == {c}, after some 2·log2(4) questions

The answer is minimal in that no single one can be left out of it. Where several answers are, any of them may come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")


def guilty(candidates: Sequence[T], passes: Callable[[frozenset[T]], bool]) -> frozenset[T]:
    """A minimal subset that passes; `passes` has to be true of all together, and is asked nothing twice.

    Where it is true of the empty set too, that is the answer.
    """
    known: dict[frozenset[T], bool] = {frozenset(candidates): True}

    def asked(subset: frozenset[T]) -> bool:
        if subset not in known:
            known[subset] = passes(subset)
        return known[subset]

    current = list(candidates)
    parts = 2
    if asked(frozenset()):
        return frozenset()
    while len(current) > 1:
        chunks = _split(current, parts)
        smaller = next((chunk for chunk in chunks if asked(frozenset(chunk))), None)
        if smaller is not None:
            current, parts = smaller, 2
            continue
        rests = [[each for each in current if each not in chunk] for chunk in chunks]
        smaller = next((rest for rest in rests if asked(frozenset(rest))), None)
        if smaller is not None:
            current, parts = smaller, max(parts - 1, 2)
        elif parts < len(current):
            parts = min(2 * parts, len(current))
        else:
            break
    return frozenset(current)


def _split(items: list[T], parts: int) -> list[list[T]]:
    """Parts of nearly equal length, none empty."""
    parts = min(parts, len(items))
    bounds = [len(items) * i // parts for i in range(parts + 1)]
    return [items[bounds[i] : bounds[i + 1]] for i in range(parts)]
