"""[pure] Requirements and paths → groups: distributions that can't be separated, each with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from optimizer.models import whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from optimizer.models import Distribution


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Distributions that share a layer: `members` sorted by name, `reasons` why they do (empty for one alone)."""

    members: tuple[str, ...]
    reasons: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The first member's name."""
        return self.members[0]


def make_groups(distributions: Iterable[Distribution], together: Iterable[tuple[str, ...]] = ()) -> tuple[Group, ...]:
    """Collapse cycles of requirements, overlaps of paths and what the configuration keeps together.

    The result does not depend on the order of the input; groups are sorted by their first member.
    """
    found = sorted(distributions, key=lambda d: d.name)
    links: list[tuple[tuple[str, ...], str]] = [
        (members, f"{', '.join(members)} require each other") for members in cycles({d.name: d.requires for d in found})
    ]
    links += [((a, b), f"{a} and {b} share {what}") for a, b, what in overlaps(found)]
    names = {str(d.name) for d in found}
    for wanted in together:
        present = tuple(sorted(name for name in wanted if name in names))
        if len(present) > 1:
            links.append((present, f"the configuration keeps {', '.join(present)} together"))
    root = {name: name for name in names}

    def find(name: str) -> str:
        while root[name] != name:
            root[name] = root[root[name]]
            name = root[name]
        return name

    for members, _ in links:
        for other in members[1:]:
            a, b = sorted((find(members[0]), find(other)))
            root[b] = a
    grouped: dict[str, list[str]] = {}
    for name in sorted(names):
        grouped.setdefault(find(name), []).append(name)
    return tuple(
        Group(
            members=tuple(members),
            reasons=tuple(sorted(reason for linked, reason in links if find(linked[0]) == top)),
        )
        for top, members in sorted(grouped.items())
    )


def cycles(requires: Mapping[str, Iterable[str]]) -> list[tuple[str, ...]]:
    """The strongly connected components of more than one member (Tarjan 1972), each sorted; without recursion."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    found = []
    for start in sorted(requires):
        if start in index:
            continue
        index[start] = low[start] = len(index)
        stack.append(start)
        on_stack.add(start)
        work = [(start, iter(sorted(requires[start])))]
        while work:
            node, edges = work[-1]
            for edge in edges:
                if edge not in requires:
                    continue
                if edge not in index:
                    index[edge] = low[edge] = len(index)
                    stack.append(edge)
                    on_stack.add(edge)
                    work.append((edge, iter(sorted(requires[edge]))))
                    break
                if edge in on_stack:
                    low[node] = min(low[node], index[edge])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    component = stack[stack.index(node) :]
                    del stack[-len(component) :]
                    on_stack.difference_update(component)
                    if len(component) > 1:
                        found.append(tuple(sorted(component)))
    return sorted(found)


def overlaps(distributions: Iterable[Distribution]) -> list[tuple[str, str, str]]:
    """Pairs that own the same path, or of which one puts files into the other's regular package.

    Namespace packages (PEP 420: no `__init__.py`) are nobody's: several may fill one, and merge physically under one
    prefix. A distribution and its own parts are no pair. Returns (name, name, what they share), sorted.
    """
    found = sorted(distributions, key=lambda d: d.name)
    owner: dict[str, str] = {}
    package: dict[str, str] = {}
    pairs: dict[tuple[str, str], str] = {}
    for distribution in found:
        for file in distribution.files:
            first = owner.setdefault(file.path, distribution.name)
            if first != distribution.name and not file.path.endswith(".pyc"):
                pairs.setdefault((first, distribution.name), file.path)
            if file.path.endswith("/__init__.py"):
                package.setdefault(file.path[: -len("/__init__.py")], distribution.name)
    for distribution in found:
        for folder in {file.path.rpartition("/")[0] for file in distribution.files}:
            place = folder
            while place:
                holder = package.get(place)
                if holder is not None and whole(holder) != whole(distribution.name):
                    a, b = sorted((holder, str(distribution.name)))
                    pairs.setdefault((a, b), f"the package {place.replace('/', '.')}")
                place = place.rpartition("/")[0]
    return sorted((a, b, what) for (a, b), what in pairs.items())


def reach(starts: Iterable[str], requires: Mapping[str, Iterable[str]]) -> frozenset[str]:
    """Everything that the starts lead to, themselves included."""
    reached: set[str] = set()
    todo = [name for name in starts if name in requires]
    while todo:
        name = todo.pop()
        if name not in reached:
            reached.add(name)
            todo += [edge for edge in requires[name] if edge not in reached and edge in requires]
    return frozenset(reached)


def requirement_path(starts: Iterable[str], goal: str, requires: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """A shortest chain from one of the starts to the goal, both included; empty where there is none."""
    came: dict[str, str | None] = dict.fromkeys(sorted(s for s in starts if s in requires))
    todo = list(came)
    for name in todo:  # the list grows while it is walked: breadth first
        if name == goal:
            break
        for edge in sorted(requires[name]):
            if edge in requires and edge not in came:
                came[edge] = name
                todo.append(edge)
    if goal not in came:
        return ()
    chain = [goal]
    while (before := came[chain[-1]]) is not None:
        chain.append(before)
    return tuple(reversed(chain))
