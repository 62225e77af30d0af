"""How every error looks."""

from pydantic import BaseModel, ConfigDict, Field


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
