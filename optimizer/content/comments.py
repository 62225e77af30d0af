"""[pure] A Python module as it ships without what only people read; every line keeps its number."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from threading import Lock
from typing import TYPE_CHECKING

from optimizer.inventory.docstrings import documented

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_COOKIE = re.compile(r"[ \t\f]*#.*?coding[:=][ \t]*[-\w.]+")
"""A comment on one of the first two lines that tells the encoding (PEP 263)."""
_COOKIE_LINES = 2

_parsing = Lock()
"""Python 3.11 counts a tree's depth, while it makes it, in one place for all threads: two at once make it fail."""

_Cut = tuple[tuple[int, int], tuple[int, int], str]
"""What goes: from (line, column) to (line, column), lines from 1, and what stands there instead."""


def uncommented(data: bytes, docstrings: Collection[int]) -> bytes:
    """The module without its comments and the docstrings that begin on those lines, indented by single blanks.

    A first line for a shell and the encoding stay. The syntax tree has to be the same, line for line, but for the
    docstrings: what can't be parsed, or would differ, ships as it is.
    """
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
        if re.search(r"\r(?!\n)", text):
            return data  # lines end in a way that is counted differently by tokens and by people's tools
        tree = _parsed(data)
        going = [(owner, first) for owner, first in documented(tree) if first.lineno in docstrings]
        cuts = [*_comments(text), *(_docstring(owner, first, text) for owner, first in going)]
        packed = _narrow(_without(text, cuts)).encode(encoding)
        for owner, _ in going:
            owner.body[:1] = [ast.copy_location(ast.Pass(), owner.body[0])] if _is_all(owner) else []
        same = _shape(tree) == _shape(_parsed(packed))
    except (SyntaxError, ValueError, RecursionError, tokenize.TokenError, LookupError):
        return data
    return packed if same else data


def _parsed(source: bytes) -> ast.Module:
    with _parsing:
        return ast.parse(source)


def _comments(text: str) -> Iterator[_Cut]:
    for token in tokenize.generate_tokens(io.StringIO(text, newline="").readline):
        if token.type != tokenize.COMMENT:
            continue
        line = token.start[0]
        if line == 1 and token.string.startswith("#!") and token.start[1] == 0:
            continue
        if line <= _COOKIE_LINES and _COOKIE.match(token.line):
            continue
        yield token.start, token.end, ""


def _docstring(owner: ast.AST, first: ast.Expr, text: str) -> _Cut:
    lines = text.split("\n")

    def place(line: int | None, offset: int | None) -> tuple[int, int]:
        """A syntax tree's columns count bytes of UTF-8."""
        number = line or 1
        return number, len(lines[number - 1].encode()[:offset].decode())

    begin, end = place(first.lineno, first.col_offset), place(first.end_lineno, first.end_col_offset)
    return begin, end, "pass" if _is_all(owner) else ""


def _is_all(owner: ast.AST) -> bool:
    """Whether the docstring is all of a body that needs a statement."""
    return not isinstance(owner, ast.Module) and len(getattr(owner, "body", ())) == 1


def _without(text: str, cuts: list[_Cut]) -> str:
    lines = text.split("\n")
    for (first, begin), (last, end), instead in sorted(cuts, reverse=True):
        ending = "\r" if lines[last - 1].endswith("\r") else ""
        rest = lines[last - 1][end:]
        if first == last:
            lines[first - 1] = (lines[first - 1][:begin] + instead + rest).rstrip() + ending
        else:
            lines[first - 1] = (lines[first - 1][:begin] + instead).rstrip() + ending
            lines[first : last - 1] = [ending] * (last - first - 1)
            lines[last - 1] = rest.rstrip() + ending
    return "\n".join(lines)


def _narrow(text: str) -> str:
    """The text with a blank for each level, and none where a line goes on; lines inside of strings stay."""
    lines = text.split("\n")
    depth, begins = 0, True
    strings: list[int] = []
    depths: dict[int, int] = {}
    untouched: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text, newline="").readline):
        if token.type in {tokenize.INDENT, tokenize.DEDENT}:
            depth += 1 if token.type == tokenize.INDENT else -1
        elif token.type == tokenize.NEWLINE:
            begins = True
        elif token.type not in {tokenize.NL, tokenize.COMMENT, tokenize.ENDMARKER}:
            depths.setdefault(token.start[0], depth if begins else 0)
            begins = False
        kind = tokenize.tok_name[token.type]
        if kind.endswith("STRING_START"):  # Python 3.12 and later take f-strings apart, 3.14 those of templates too
            strings.append(token.start[0])
        elif kind.endswith("STRING_END"):
            untouched.update(range(strings.pop() + 1, token.end[0] + 1))
        elif kind == "STRING":
            untouched.update(range(token.start[0] + 1, token.end[0] + 1))
    for number, level in depths.items():
        if number not in untouched:
            lines[number - 1] = " " * level + lines[number - 1].lstrip(" \t\f")
    return "\n".join(lines)


def _shape(tree: ast.Module) -> tuple[str, list[int]]:
    """What a module does, and on which lines."""
    return ast.dump(tree), [node.lineno for node in ast.walk(tree) if hasattr(node, "lineno")]
