"""The OpenAPI document: FastAPI's own, with problem details where FastAPI would show its error shape."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.core import bodies
from app.core.errors import MEDIA_TYPE


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
    """A FastAPI application whose document knows the shape of its errors."""

    def openapi(self) -> dict[str, Any]:
        """The document, made with the first request for it."""
        if self.openapi_schema is None:
            document = get_openapi(
                title=self.title, version=self.version, description=self.description, routes=self.routes
            )
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            schemas.update({name: schema for name, schema in bodies.schemas().items() if name not in schemas})
            self.openapi_schema = document
        return self.openapi_schema
