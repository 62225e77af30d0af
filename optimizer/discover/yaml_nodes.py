"""YAML text → nodes with their lines and tags, whatever tags there are; nothing is constructed or expanded.

Aliases are references to one node, so that a bomb of aliases stays as small as its text; depth and count are bounded
(PyYAML's composer recurses, and its C composer crashes on deep nesting).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from optimizer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEEP = 100
_MANY = 100_000


class UnreadableError(ValueError):
    """The text is not what it should be; `line` is where, from 1, or 0."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


@dataclass(slots=True, eq=False)
class Node:
    """A scalar (`text`), a sequence (`items`) or a mapping (`pairs`); `line` from 1, `tag` as in `!Sub`, or empty."""

    line: int
    tag: str = ""
    text: str | None = None
    plain: bool = False
    items: list[Node] = field(default_factory=list)
    pairs: dict[str, Node] = field(default_factory=dict)

    def get(self, *keys: str) -> Node | None:
        """The node under those keys, or None."""
        node: Node | None = self
        for key in keys:
            node = node.pairs.get(key) if node is not None else None
        return node

    @property
    def empty(self) -> bool:
        """Whether it is YAML's null."""
        return self.plain and not self.tag and self.text in {"", "~", "null", "Null", "NULL"}

    @property
    def flag(self) -> bool:
        """Whether it is YAML's true."""
        return self.plain and (self.text or "").lower() in {"true", "yes", "on"}


def parse_yaml(text: str, path: str) -> Node:
    """The first document of the text.

    Args:
        text: YAML, or JSON.
        path: told where the library is missing.

    Raises:
        UnreadableError: it can't be parsed, or is deeper or larger than a file that a person wrote.
        UsageError: the extra `init` is not installed.
    """
    try:
        import yaml
    except ImportError:
        raise library_is_missing(path, "PyYAML") from None
    try:
        return _document(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise UnreadableError(error.problem or "it can't be parsed", mark.line + 1 if mark else 0) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        if isinstance(error, UnreadableError):
            raise
        raise UnreadableError(str(error).splitlines()[0] or type(error).__name__) from error


def library_is_missing(path: str, library: str) -> UsageError:
    """The error where a file is there and the library that reads it is not."""
    return UsageError(
        f"{path} is read with {library}, which is not installed",
        mend="Install the extra: python -m pip install 'layer-optimizer[init]'.",
    )


def _document(events: Iterator[Any]) -> Node:
    """The nodes of the first document."""
    top = Node(1)
    stack: list[tuple[Node, list[Node]]] = [(top, [])]  # each with its children, keys and values in turn
    anchors: dict[str, Node] = {}
    for count, event in enumerate(events):
        if count > _MANY or len(stack) > _DEEP:
            raise UnreadableError("it is deeper or larger than a file that a person wrote", event.start_mark.line + 1)
        kind = type(event).__name__
        if kind in {"MappingEndEvent", "SequenceEndEvent"}:
            node, children = stack.pop()
            _close(node, children)
        elif kind == "DocumentEndEvent":
            break
        elif kind == "AliasEvent":
            if event.anchor not in anchors:
                raise UnreadableError(f"the alias *{event.anchor} has no anchor", event.start_mark.line + 1)
            stack[-1][1].append(anchors[event.anchor])
        elif kind in {"MappingStartEvent", "SequenceStartEvent", "ScalarEvent"}:
            node = Node(event.start_mark.line + 1, _short(event.tag))
            if event.anchor:
                anchors[event.anchor] = node
            stack[-1][1].append(node)
            if kind == "ScalarEvent":
                node.text, node.plain = event.value, bool(event.implicit[0])
            else:
                node.tag = node.tag or ("map" if kind == "MappingStartEvent" else "")
                stack.append((node, []))
    _, documents = stack[0]
    return documents[0] if documents else top


def _short(tag: str | None) -> str:
    return tag if tag and tag.startswith("!") and tag != "!" else ""


def _close(node: Node, children: list[Node]) -> None:
    """Give the children to their node: a mapping's in pairs, with those of `<<` beneath its own."""
    if node.tag != "map":
        node.items = children
        return
    node.tag = ""
    merged: list[Node] = []
    for key, value in zip(children[::2], children[1::2], strict=False):
        if key.text == "<<" and key.plain:
            merged += value.items or [value]
        elif key.text is not None:
            node.pairs[key.text] = value
    for other in merged:
        for name, value in other.pairs.items():
            node.pairs.setdefault(name, value)
