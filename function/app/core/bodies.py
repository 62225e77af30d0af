"""Request bodies that are JSON or a form: one model for each, whichever way it came."""

from typing import Any, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile
from starlette.requests import Request

from app.core.errors import ProblemError

Model = TypeVar("Model", bound=BaseModel)

JSON = "application/json"
FORM = "multipart/form-data"

_described: list[type[BaseModel]] = []


def kind(request: Request, *takes: str) -> str:
    """Which of the media types that a route takes the body says to have.

    Args:
        request: The request.
        takes: `JSON`, `FORM`.

    Raises:
        ProblemError: 415.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type.startswith("application/") and media_type.endswith("+json"):
        media_type = JSON
    if media_type in takes:
        return media_type
    raise ProblemError(
        status=415,
        code="unsupported_media_type",
        detail=f"Send the request as {' or '.join(takes)}, and say so in the header content-type.",
    )


async def read_json(request: Request, model: type[Model]) -> Model:
    """A JSON body, in the types of the schema: the text "5" is no number.

    Raises:
        ProblemError: 413 for too many bytes.
        RequestValidationError: It is no JSON, or not as the model says.
    """
    body = await request.body()
    try:
        # Without json.loads in between: a picture in base64 is one long string.
        return model.model_validate_json(body, strict=True)
    except ValidationError as error:
        raise _located(error) from None


async def read_form(request: Request, model: type[Model]) -> tuple[Model, bytes]:
    """A form with a picture in the file `image`; its other fields make up the model.

    Raises:
        HTTPException: 400 for what is no form, 413 for too many bytes.
        RequestValidationError: The file is missing, or a field is not as the model says.
    """
    form = await request.form(max_files=1, max_fields=16, max_part_size=4096)
    try:
        file = form.get("image")
        fields = {name: value for name, value in form.multi_items() if name != "image"}
        faults: list[Any] = []
        if not isinstance(file, UploadFile):
            faults.append({"type": "missing", "loc": ("body", "image"), "msg": "a file is required"})
        try:
            made = model.model_validate(fields)
        except ValidationError as error:
            faults += _located(error).errors()
        if faults or not isinstance(file, UploadFile):
            raise RequestValidationError(faults)
        return made, await file.read()
    finally:
        await form.close()


def _located(error: ValidationError) -> RequestValidationError:
    """The same faults, in the place and the type that FastAPI gives those of a body."""
    # Without input and context, which may hold the picture.
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    return RequestValidationError([{**fault, "loc": ("body", *fault["loc"])} for fault in faults])


def described(model: type[BaseModel], *, form: type[BaseModel] | None = None) -> dict[str, Any]:
    """The `openapi_extra` of a route that reads its body itself.

    Args:
        model: What its JSON is.
        form: What its form is, beside the file `image`.
    """
    content: dict[str, Any] = {}
    for media_type, body in ((JSON, model), (FORM, form)):
        if body is not None:
            content[media_type] = {"schema": {"$ref": f"#/components/schemas/{body.__name__}"}}
            _described.append(body)
    return {"requestBody": {"required": True, "content": content}}


def schemas() -> dict[str, Any]:
    """The schemas of all bodies that were described, by name, for the document's components."""
    from pydantic.json_schema import models_json_schema  # with the document

    _, defined = models_json_schema(
        [(model, "validation") for model in dict.fromkeys(_described)], ref_template="#/components/schemas/{model}"
    )
    found: dict[str, Any] = defined["$defs"]
    return found
