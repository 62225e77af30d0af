"""The messages that the troubleshooting page is sorted by are messages that can be seen."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEADINGS = re.findall(r"(?m)^### (.+)$", (ROOT / "docs/troubleshooting.md").read_text())
PYTHONS = {"ModuleNotFoundError"}


@cache
def texts():
    """All literal text of the library, that of f-strings with a mark for what is filled in."""
    found = []
    for path in sorted((ROOT / "optimizer").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
            elif isinstance(node, ast.JoinedStr):
                found.append("".join(str(v.value) if isinstance(v, ast.Constant) else "…" for v in node.values))
    return "\n".join(found)


@pytest.mark.parametrize("heading", HEADINGS)
def test_a_message_that_is_explained_is_one_of_ours(heading):
    quoted = [text for text in re.findall(r"`([^`]+)`", heading) if text not in PYTHONS]
    assert quoted
    for text in quoted:
        for part in filter(None, (part.strip() for part in text.split("…"))):
            assert part in texts(), part
