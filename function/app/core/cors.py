"""Cross-origin requests of browsers; imported only where origins are configured."""

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from app.core.errors import ProblemError, render

_SENT = (
    "content-type",
    "x-api-key",
    "x-request-id",
    "if-none-match",
    "authorization",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-user-agent",
)
_READ = ("x-request-id", "etag", "location", "retry-after", "link", "allow", "www-authenticate")
_SECONDS = 7200  # the longest that Chromium keeps a preflight's answer (Fetch standard: browsers may cap it)


class Cors(CORSMiddleware):
    """Starlette's, for this service: no cookies, and a refused preflight is a problem as every error is."""

    def __init__(self, app: ASGIApp, *, origins: Collection[str]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=("GET", "HEAD", "POST"),
            allow_headers=_SENT,
            expose_headers=_READ,
            max_age=_SECONDS,
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """The answer to a preflight."""
        answer = super().preflight_response(request_headers)
        # A body of text, which the reader of a preflight never shows, would only be sent.
        headers = {name: value for name, value in answer.headers.items() if not name.startswith("content-")}
        if answer.status_code == 200:  # noqa: PLR2004  # HTTP's own number
            return Response(status_code=204, headers=headers)
        detail = f"{bytes(answer.body).decode()}: this service's settings allow it to no such page."
        return render(ProblemError(status=400, code="cors_refused", detail=detail, headers=headers))
