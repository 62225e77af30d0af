"""The OpenAPI document: FastAPI's own, with problem details where FastAPI would show its error shape."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.core import auth, bodies
from app.core.errors import MEDIA_TYPE
from app.core.settings import Settings

_VERBS = frozenset({"get", "post", "put", "patch", "delete"})
_REQUEST_ID = {
    "description": "The request's id; quote it when you report a fault.",
    "required": True,
    "schema": {"type": "string"},
}
_GIVEN_ID = {
    "name": "x-request-id",
    "in": "header",
    "description": "Becomes the request's id outside of Lambda, where it is 8 to 128 of `A-Za-z0-9._=:-`.",
    "required": False,
    "schema": {"type": "string"},
}
_CHALLENGE = {"description": "What is asked for.", "required": True, "schema": {"type": "string"}}
_TAGS = [
    {"name": "service", "description": "What this is, and whether it is well."},
    {"name": "analysis", "description": "Labels, text, faces, unsafe content and colours of pictures."},
    {"name": "storage", "description": "Pictures and results that are kept in S3."},
]


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that answers with problems.

    Args:
        statuses: Which; 500 is added.
    """
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content} for status in sorted({*statuses, 500})
    }


class Api(FastAPI):
    """A FastAPI application whose document knows the shape of its errors and who may call."""

    def openapi(self) -> dict[str, Any]:
        """The document, made with the first request for it."""
        if self.openapi_schema is None:
            document = get_openapi(
                title=self.title,
                version=self.version,
                description=self.description,
                routes=self.routes,
                tags=_TAGS,
            )
            settings: Settings = self.state.settings
            components = document.setdefault("components", {})
            known = components.setdefault("schemas", {})
            for name, schema in bodies.schemas().items():
                known.setdefault(name, schema)
            if settings.auth != "none":
                name, scheme = auth.SCHEMES[settings.auth]
                components["securitySchemes"] = {name: scheme}
            for path, item in document["paths"].items():
                for verb in _VERBS & item.keys():
                    _complete(item[verb], path, settings)
            self.openapi_schema = document
        return self.openapi_schema


def _complete(operation: dict[str, Any], path: str, settings: Settings) -> None:
    """Add to an operation what middleware answers in its place, and what every answer has."""
    responses: dict[str, Any] = operation["responses"]
    operation["parameters"] = [*operation.get("parameters", []), _GIVEN_ID]
    statuses = [500]
    if settings.auth != "none" and path not in auth.OPEN:
        operation["security"] = [{auth.SCHEMES[settings.auth][0]: []}]
        statuses.append(401 if settings.auth == "api-key" else 403)
    for status, response in problems(*statuses).items():
        responses.setdefault(str(status), response)
    for status, response in responses.items():
        challenge = {"www-authenticate": _CHALLENGE} if status == "401" else {}
        # Not in place: routes share what `problems` made.
        headers = {**response.get("headers", {}), "x-request-id": _REQUEST_ID, **challenge}
        responses[status] = {**response, "headers": headers}
    operation["responses"] = dict(sorted(responses.items()))
