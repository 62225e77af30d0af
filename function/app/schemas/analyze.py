"""What is asked of `POST /api/v1/analyze`, and what it answers."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator
from typing_extensions import TypeAliasType

from app.core import settings
from app.core.errors import Problem

# A name of its own in the document: clients that are generated from it have one type, not one for each use.
AnalysisType = TypeAliasType("AnalysisType", settings.AnalysisType)
Part = Literal["labels", "text", "faces", "moderation", "colors"]
AnalysisId = Annotated[
    str,
    Field(
        pattern=r"^[0-9a-f]{64}-(labels|text|faces|moderation|colors|comprehensive)-[0-9a-f]{12}$",
        description="The picture's SHA-256, what was asked, and a digest of how.",
    ),
]
RED_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"  # a PNG
IN_BASE64 = "The picture in base64; a `data:` URL will do. JPEG, PNG, GIF, WebP, TIFF or BMP."

# `byte` is base64 in OpenAPI's registry of formats.
Base64 = Annotated[str, Field(min_length=1, json_schema_extra={"format": "byte"})]
# What `one_source` says, for tools that read it; others see the plain model that `oneOf` would hide from them.
_ONE_SOURCE: dict[str, Any] = {
    "if": {"properties": {"image": {"type": "string"}}, "required": ["image"]},
    "then": {"properties": {"bucket": {"type": "null"}, "key": {"type": "null"}}},
    "else": {
        "properties": {"bucket": {"type": "string"}, "key": {"type": "string"}},
        "required": ["bucket", "key"],
    },
}


def _whole(value: object) -> object:
    """What JSON Schema counts as an integer: 5.0 as well as 5."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _switch(value: object, info: ValidationInfo) -> object:
    """Of texts in a form what JSON Schema counts as a boolean, in any case; not "1", "off" or "y"."""
    if isinstance(value, str) and info.mode == "python":
        return {"true": True, "false": False}.get(value.lower(), "neither")
    return value


WHOLE = BeforeValidator(_whole)  # behind the bounds, which the document would lose else
Confidence = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


def with_file(schema: dict[str, Any]) -> None:
    """Add to the schema of a form the file that comes with it; it is no field of the model."""
    schema["properties"] = {"image": {"type": "string", "format": "binary"}, **schema.get("properties", {})}
    schema["required"] = ["image", *schema.get("required", [])]


class Options(BaseModel):
    """What to find."""

    model_config = ConfigDict(extra="forbid")

    analysis_type: AnalysisType = Field("comprehensive", description="`comprehensive` is everything, side by side.")
    min_confidence: Confidence = Field(70.0, description="Leave out what is less certain, in percent.")
    max_labels: Annotated[int, Field(ge=1, le=1000), WHOLE] = Field(20, description="Most labels returned.")
    keep: Annotated[bool, BeforeValidator(_switch)] = Field(
        default=True,
        description="Keep the result where this service keeps any, and answer from it when the same is asked again.",
    )


class AnalyzeRequest(Options):
    """A picture, and what to find in it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "image": RED_PIXEL,
                    "analysis_type": "colors",
                },
                {"bucket": "my-pictures", "key": "cat.jpg", "analysis_type": "labels", "min_confidence": 80},
            ],
            **_ONE_SOURCE,
        },
    )

    image: Base64 | None = Field(None, description=IN_BASE64)
    # Bounds and pattern are those of Rekognition's S3Object (botocore's service model).
    bucket: Annotated[str, Field(min_length=3, max_length=255, pattern=r"^[0-9A-Za-z._-]+$")] | None = Field(
        None, description="An S3 bucket in this function's region; with `key`, instead of `image`."
    )
    key: Annotated[str, Field(min_length=1, max_length=1024)] | None = Field(None, description="The object's key.")

    @model_validator(mode="after")
    def one_source(self) -> Self:
        """A picture comes from one place."""
        stored = (self.bucket is not None, self.key is not None)
        if (self.image is not None) == any(stored) or any(stored) != all(stored):
            raise ValueError("give either image, or bucket and key")
        return self


class AnalyzeForm(Options):
    """A picture as a file, and what to find in it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=with_file)


class BatchRequest(BaseModel):
    """Several pictures, each with what to find in it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "images": [
                        {"image": RED_PIXEL, "analysis_type": "colors"},
                        {"bucket": "my-pictures", "key": "cat.jpg", "analysis_type": "labels"},
                    ]
                }
            ]
        },
    )

    images: Annotated[list[AnalyzeRequest], Field(min_length=1, max_length=10)] = Field(
        description="The request as a whole may have 6 MB, since Lambda takes no more."
    )


class Box(BaseModel):
    """A place in the picture, as shares of its width and height."""

    left: float
    top: float
    width: float
    height: float


class Label(BaseModel):
    """Something that is seen."""

    name: str
    confidence: float
    categories: list[str]
    parents: list[str]
    boxes: list[Box]


class TextLine(BaseModel):
    """A line that is read."""

    text: str
    confidence: float
    box: Box | None


class AgeRange(BaseModel):
    """An estimate of how old somebody looks."""

    low: int
    high: int


class Face(BaseModel):
    """A face; nobody is identified."""

    confidence: float
    box: Box | None
    age_range: AgeRange | None
    smile: bool | None
    emotions: list[str] = Field(description="Likeliest first.")


class ModerationLabel(BaseModel):
    """Something that not everybody should see."""

    name: str
    parent: str | None
    confidence: float


class Color(BaseModel):
    """A dominant colour."""

    name: str = Field(description="The nearest CSS colour name.")
    hex: str = Field(pattern="^#[0-9a-f]{6}$")
    rgb: tuple[int, int, int]
    share: float = Field(ge=0, le=1, description="Share of the pixels that can be seen.")


class ImageInfo(BaseModel):
    """The picture itself, upright as its EXIF orientation says."""

    format: str
    media_type: str
    width: int
    height: int
    mode: str
    bytes: int
    animated: bool
    orientation: int = Field(description="EXIF orientation that was applied, 1 to 8.")
    gps_removed: bool = Field(
        description="The picture told where it was taken, or had metadata that can't be read; "
        "that was taken out before it was kept or sent on.",
    )


class PartError(BaseModel):
    """A part that failed, while others did not."""

    part: Literal[Part, "storage"] = Field(description="`storage`: the result could not be kept.")
    status: int
    code: str
    detail: str


class AnalyzeResponse(BaseModel):
    """What was found; parts that were not asked for, or failed, are null."""

    success: bool
    analysis_type: AnalysisType
    request_id: str = Field(description="Of the request that is answered; in a kept result, of the one that made it.")
    id: AnalysisId | None = Field(description="Where the result is kept: `GET /api/v1/analyses/{id}`; null where not.")
    cached: bool = Field(description="The same had been asked before, and this was the answer.")
    analyzed_at: datetime
    partial: bool = Field(description="Some part failed; see `errors`.")
    image: ImageInfo
    labels: list[Label] | None = None
    text: list[TextLine] | None = None
    faces: list[Face] | None = None
    moderation: list[ModerationLabel] | None = None
    colors: list[Color] | None = None
    errors: list[PartError] = []


class BatchResult(BaseModel):
    """What became of one picture: either an analysis or an error."""

    index: int = Field(description="Its place in the request.")
    status: int = Field(description="The HTTP status that it would have got alone.")
    analysis: AnalyzeResponse | None
    error: Problem | None


class BatchResponse(BaseModel):
    """Each picture's own result, in the request's order."""

    success: bool = Field(description="Every picture was analysed.")
    request_id: str
    succeeded: int
    failed: int
    results: list[BatchResult]


class KeptAnalysis(BaseModel):
    """A result that is kept."""

    id: AnalysisId
    sha256: str = Field(description="Of the picture, without its location.")
    analysis_type: AnalysisType
    analyzed_at: datetime


class AnalysesQuery(BaseModel):
    """Which of the kept results."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=100)] = Field(20, description="Most results on a page.")
    cursor: AnalysisId | None = Field(None, description="`next_cursor` of the page before.")
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = Field(None, description="Only of this picture.")


class AnalysisList(BaseModel):
    """A page of kept results, by id."""

    success: bool
    analyses: list[KeptAnalysis]
    next_cursor: AnalysisId | None = Field(description="Pass it as `cursor` for the next page; null on the last.")
