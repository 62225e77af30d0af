"""Names and texts that come from elsewhere, made harmless for a terminal and for Markdown."""

from __future__ import annotations

import re


def plain(text: str) -> str:
    """Names come from foreign archives: what steers a terminal is not printed."""
    return "".join(c if c.isprintable() else "�" for c in text)


def cell(text: str) -> str:
    """Text that can't break a Markdown table or turn into markup."""
    whole = plain(" ".join(text.split()))
    return re.sub(r"([\\`*_\[\]|~])", r"\\\1", whole.replace("&", "&amp;").replace("<", "&lt;"))
