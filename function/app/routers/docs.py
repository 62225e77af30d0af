"""`/api/v1/docs` and `/api/v1/openapi.json`: a page that needs no other host, and the document it shows."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

router = APIRouter(include_in_schema=False)

# The page's script and style stand in it; it may talk to nobody but this API.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@lru_cache(maxsize=1)
def _page() -> str:
    return Path(__file__).with_name("docs.html").read_text("utf-8")


@router.get("/docs")
async def docs() -> HTMLResponse:
    """The documentation, to read and to try."""
    return HTMLResponse(_page(), headers={"content-security-policy": _POLICY, "cache-control": "max-age=300"})


@router.get("/openapi.json")
async def openapi(request: Request) -> dict[str, Any]:
    """The OpenAPI document, with the prefix that this request came through as its server."""
    prefix = request.scope.get("root_path", "")
    return {**request.app.openapi(), "servers": [{"url": prefix or "/"}]}
