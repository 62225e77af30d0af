"""`/api/v1/docs` and `/api/v1/openapi.json`: a page that needs no other host, and the document it shows.

The page has no comments, which would be sent. It fetches the document beside itself, whatever prefix a gateway put
before both; builds a schema's table when that is opened, since schemas may hold each other (`inner` finds those inside
of one at whatever depth); sets what stands between backticks as code; and has an editor for each media type of a body:
an element, and a function that makes what is sent.
"""

import json
import re
from base64 import b64encode
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.core.caching import conditional
from app.core.openapi import Api

router = APIRouter(include_in_schema=False)

_SECONDS = 300  # long enough to browse, short enough for a deploy to show


@lru_cache(maxsize=1)
def _page() -> tuple[bytes, str]:
    """The page, and the policy that lets just its script and style run and talk to this API alone.

    By their hashes: what anybody else gets into the page does not run (Content Security Policy Level 3, 2.3.1).
    """
    text = Path(__file__).with_name("docs.html").read_text("utf-8")
    sources = []
    for tag in ("script", "style"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = b64encode(sha256(content.encode()).digest()).decode()
        sources.append(f"{tag}-src 'sha256-{digest}'")
    policy = (
        f"default-src 'none'; {'; '.join(sources)}; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    )
    return text.encode(), policy


@lru_cache(maxsize=4)
def _document(app: Api, prefix: str) -> bytes:
    """The document with the prefix that a request came through as its server."""
    return json.dumps({**app.openapi(), "servers": [{"url": prefix or "/"}]}, separators=(",", ":")).encode()


@router.get("/docs")
async def docs(request: Request) -> Response:
    """The documentation, to read and to try."""
    page, policy = _page()
    headers = {"content-security-policy": policy, "referrer-policy": "no-referrer"}
    return conditional(
        request, page, max_age=_SECONDS, private=False, media_type="text/html; charset=utf-8", headers=headers
    )


@router.get("/openapi.json")
async def openapi(request: Request) -> Response:
    """The OpenAPI document."""
    return conditional(
        request, _document(request.app, request.scope.get("root_path", "")), max_age=_SECONDS, private=False
    )
