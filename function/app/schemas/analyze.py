"""What is asked of `POST /api/v1/analyze`, and what it answers."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.core.settings import AnalysisType

Part = Literal["labels", "text", "faces", "moderation", "colors"]
_RED_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"  # a PNG

Confidence = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


class AnalyzeRequest(BaseModel):
    """A picture, and what to find in it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "image": _RED_PIXEL,
                    "analysis_type": "colors",
                },
                {"bucket": "my-pictures", "key": "cat.jpg", "analysis_type": "labels", "min_confidence": 80},
            ]
        },
    )

    image: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="The picture in base64; a `data:` URL will do. JPEG, PNG, GIF, WebP, TIFF or BMP."
    )
    # Bounds and pattern are those of Rekognition's S3Object (botocore's service model).
    bucket: Annotated[str, Field(min_length=3, max_length=255, pattern=r"^[0-9A-Za-z._-]+$")] | None = Field(
        None, description="An S3 bucket in this function's region; with `key`, instead of `image`."
    )
    key: Annotated[str, Field(min_length=1, max_length=1024)] | None = Field(None, description="The object's key.")
    analysis_type: AnalysisType = Field("comprehensive", description="`comprehensive` is everything, side by side.")
    min_confidence: Confidence = Field(70.0, description="Leave out what is less certain, in percent.")
    max_labels: Annotated[int, Field(ge=1, le=1000)] = Field(20, description="Most labels returned.")

    @model_validator(mode="after")
    def one_source(self) -> Self:
        """A picture comes from one place."""
        stored = (self.bucket is not None, self.key is not None)
        if (self.image is not None) == any(stored) or any(stored) != all(stored):
            raise ValueError("give either image, or bucket and key")
        return self


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


class PartError(BaseModel):
    """A part that failed, while others did not."""

    part: Part
    status: int
    code: str
    detail: str


class AnalyzeResponse(BaseModel):
    """What was found; parts that were not asked for, or failed, are null."""

    success: bool
    analysis_type: AnalysisType
    request_id: str
    partial: bool = Field(description="Some part failed; see `errors`.")
    image: ImageInfo | None = Field(description="Null where only Rekognition read the object.")
    labels: list[Label] | None = None
    text: list[TextLine] | None = None
    faces: list[Face] | None = None
    moderation: list[ModerationLabel] | None = None
    colors: list[Color] | None = None
    errors: list[PartError] = []
