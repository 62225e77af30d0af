"""One shape for every error: problem details (RFC 9457), with a code that clients can rely on."""

import http
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.core import logging
from app.schemas.problem import FieldProblem

MEDIA_TYPE = "application/problem+json"

_CODES = {400: "bad_request", 413: "body_too_large", 422: "invalid_request"}


@dataclass(slots=True, kw_only=True)  # not frozen: Python sets __traceback__ on a raised exception
class ProblemError(Exception):
    """A failure with the answer it gets.

    Attributes:
        status: HTTP status.
        code: Stable name; title and type come from it.
        detail: What happened and how to mend it, for a person.
        headers: Further headers, such as Retry-After.
        errors: The faulty parts of the request, without the values given.
    """

    status: int
    code: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)
    errors: Sequence[FieldProblem] = ()

    def __str__(self) -> str:
        return f"{self.status} {self.code}: {self.detail}"


def body(problem: ProblemError) -> dict[str, object]:
    """A problem as JSON (`schemas.problem.Problem`), with the id of the request that is being answered."""
    return {
        "type": f"urn:ai-image-analyzer:problem:{problem.code}",
        "title": problem.code.replace("_", " ").capitalize(),
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "request_id": logging.request_id.get(),
        "errors": [error.model_dump() for error in problem.errors],
    }


def render(problem: ProblemError) -> Response:
    """The answer for a problem."""
    return Response(json.dumps(body(problem)), problem.status, dict(problem.headers), MEDIA_TYPE)


def internal_error() -> ProblemError:
    """What a caller learns of a fault of ours: nothing but the id to ask with."""
    return ProblemError(
        status=500,
        code="internal_error",
        detail="Something went wrong here. Quote the request id when you report it.",
    )


def install(app: FastAPI) -> None:
    """Make every error of the framework and of the services a problem."""

    @app.exception_handler(ProblemError)
    async def problem(_: Request, error: ProblemError) -> Response:
        return render(error)

    @app.exception_handler(HTTPException)
    async def framework(request: Request, error: HTTPException) -> Response:
        status = http.HTTPStatus(error.status_code)
        code = _CODES.get(status, status.name.lower())
        detail = {
            404: f"There is nothing at {request.url.path}.",
            405: f"{request.method} isn't possible at {request.url.path}.",
            413: "The request's body is larger than this service takes.",
        }.get(status, str(error.detail))
        headers = dict(error.headers or {})
        if headers.get("Allow") == "GET":
            headers["Allow"] = "GET, HEAD"  # which core.requests makes of every GET
        return render(ProblemError(status=status.value, code=code, detail=detail, headers=headers))

    @app.exception_handler(RequestValidationError)
    async def validation(_: Request, error: RequestValidationError) -> Response:
        faults = error.errors()
        if any(fault["type"] == "json_invalid" for fault in faults):
            return render(ProblemError(status=400, code="invalid_json", detail="The request's body isn't valid JSON."))
        return render(
            ProblemError(
                status=422,
                code="invalid_request",
                detail="The request doesn't fit the schema; see `errors`.",
                errors=[FieldProblem(field=_place(fault["loc"]), message=str(fault["msg"])) for fault in faults],
            )
        )


def _place(location: Sequence[object]) -> str:
    """A dotted place; names come from the caller and may hold what UTF-8 can't."""
    return ".".join(str(part) for part in location).encode("utf-8", "replace").decode()[:200]
