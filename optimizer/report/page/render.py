"""The page's document → one HTML file that needs nothing else: no network, no folder beside it."""

from __future__ import annotations

import base64
import hashlib
import json
from importlib.resources import files
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from optimizer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

SCRIPTS = (
    "arithmetic.js",
    "model.js",
    "dom.js",
    "treemap.js",
    "charts.js",
    "timeline.js",
    "tables.js",
    "handover.js",
    "whatif.js",
    "page.js",
)
"""In the order in which a page runs them: each is one constant, which those after it use."""
STYLES = ("page.css", "whatif.css")
_ESCAPED = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def check_page() -> None:
    """Whether a page can be made.

    Raises:
        UsageError: jinja2 is not installed.
    """
    if find_spec("jinja2") is None:
        raise UsageError(
            "a page needs jinja2, which is not installed", mend="Install layer-optimizer with the extra `report`."
        )


def page(document: Mapping[str, Any]) -> str:
    """The page's HTML. Its policy lets it run its own scripts and styles by their hashes, and fetch nothing.

    Raises:
        UsageError: jinja2 is not installed.
    """
    check_page()
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    scripts, styles = [_text(name) for name in SCRIPTS], [_text(name) for name in STYLES]
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(_text("page.html.j2"))
    return template.render(
        title=", ".join(function["name"] for function in document["functions"]),
        policy=_policy(scripts, styles, served=document["served"] is not None),
        scripts=[Markup(text) for text in scripts],  # noqa: S704  our own files
        styles=[Markup(text) for text in styles],  # noqa: S704
        document=Markup(json_text(document)),  # noqa: S704  escaped there
    )


def json_text(document: Mapping[str, Any]) -> str:
    """JSON that can't end the element which it stands in, nor begin another."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).translate(_ESCAPED)


def _text(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")


def _policy(scripts: list[str], styles: list[str], *, served: bool) -> str:
    """A Content-Security-Policy (level 3) that allows what is in the file alone."""
    parts = ["default-src 'none'", f"script-src {_hashes(scripts)}", f"style-src {_hashes(styles)}", "img-src data:"]
    parts += ["base-uri 'none'", "form-action 'none'"]
    return "; ".join([*parts, "connect-src 'self'"] if served else parts)


def _hashes(texts: list[str]) -> str:
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts]
    return " ".join(f"'sha256-{digest}'" for digest in digests)
