"""One shape for every error: problem details (RFC 9457), with a code that clients can rely on."""

import http
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.core import logging

MEDIA_TYPE = "application/problem+json"

_CODES = {400: "bad_request", 413: "body_too_large", 422: "invalid_request"}


class FieldProblem(BaseModel):
    """What is wrong with one part of a request."""

    field: str = Field(description="Its dotted place.")
    message: str


class Problem(BaseModel):
    """Problem details (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:ai-image-analyzer:problem:image_damaged",
                    "title": "Image damaged",
                    "status": 422,
                    "detail": "The picture is damaged or incomplete.",
                    "code": "image_damaged",
                    "request_id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
                }
            ]
        }
    )

    type: str = Field(json_schema_extra={"format": "uri"})
    title: str
    status: int
    detail: str = Field(description="What happened and how to mend it.")
    code: str = Field(description="Stable; branch on this.")
    request_id: str
    errors: list[FieldProblem] = Field([], description="The faulty parts of the request.")


@dataclass(slots=True, kw_only=True)  # not frozen: Python sets __traceback__ on a raised exception
class ProblemError(Exception):
    """A failure with the answer it gets."""

    status: int
    code: str  # stable; title and type come from it
    detail: str  # what happened and how to mend it, for a person
    headers: Mapping[str, str] = field(default_factory=dict)  # such as Retry-After
    errors: Sequence[FieldProblem] = ()  # the faulty parts of the request, without the values given

    def __str__(self) -> str:
        return f"{self.status} {self.code}: {self.detail}"


def body(problem: ProblemError) -> dict[str, object]:
    """A problem as JSON (`Problem`), with the id of the request that is being answered."""
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
