"""Answers that clients may keep: strong ETags, and 304 for who has the content already (RFC 9110, 13.1.2)."""

import hashlib
import re
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

_TAG = re.compile(r'"[^"]*"')

# Of the `responses` of a route that answers with `conditional`.
NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "As the tag in `if-none-match` says"}}


def etag(content: bytes) -> str:
    """The strong tag of a content, quoted: the same for the same bytes, whichever process answers."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def conditional(
    request: Request,
    content: bytes | BaseModel,
    *,
    max_age: int,
    private: bool,
    media_type: str = "application/json",
    headers: dict[str, str] | None = None,
) -> Response:
    """The content with its tag, or 304 where `if-none-match` has the tag.

    A route that returns it gives its model as `response_model`, for the document.

    Args:
        request: What is answered.
        content: The body; a model is made JSON as FastAPI makes it.
        max_age: Seconds for which it is good without asking again; at 0 each use asks.
        private: Only the caller's own cache may keep it; needed for all that a key or a signature opens.
        media_type: Of the body.
        headers: Further headers.
    """
    body = content if isinstance(content, bytes) else content.model_dump_json(by_alias=True).encode()
    tag = etag(body)
    scope = "private" if private else "public"
    control = f"{scope}, max-age={max_age}" if max_age else f"{scope}, no-cache"
    kept = {**(headers or {}), "etag": tag, "cache-control": control}
    if has(request, tag):
        return Response(status_code=304, headers=kept)
    return Response(body, headers=kept, media_type=media_type)


def has(request: Request, tag: str) -> bool:
    """Whether the caller has the content with this tag: `*` or a list, compared weakly as the RFC asks here."""
    asked = ",".join(request.headers.getlist("if-none-match")).strip()
    return asked == "*" or tag in _TAG.findall(asked)
