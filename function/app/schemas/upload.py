"""What is asked of `POST /api/v1/upload`, and what it answers."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.analyze import IN_BASE64, RED_PIXEL, WHOLE, Base64, ImageInfo, with_file

MediaType = Literal["image/jpeg", "image/png", "image/gif", "image/webp", "image/tiff", "image/bmp"]


class UploadRequest(BaseModel):
    """A picture to keep."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"image": RED_PIXEL}]})

    image: Base64 = Field(description=IN_BASE64)


class UploadForm(BaseModel):
    """A picture to keep, as a file."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=with_file)


class UploadResponse(BaseModel):
    """Where the picture lies; `bucket` and `key` are what `POST /api/v1/analyze` takes."""

    success: bool
    sha256: str = Field(description="Of what is kept: the picture without its location.")
    bucket: str
    key: str
    url: str = Field(description="Anybody who has it can read the picture until `expires_at`.")
    expires_at: datetime
    image: ImageInfo


class PresignedRequest(BaseModel):
    """A picture that goes to S3 by itself, since Lambda takes no request of more than 6 MB."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"media_type": "image/jpeg", "bytes": 9000000}]}
    )

    media_type: MediaType
    bytes: Annotated[int, Field(ge=1), WHOLE] = Field(description="Exactly how many bytes it has.")


class PresignedResponse(BaseModel):
    """A form to send to S3: all `fields`, and then the picture as `file`.

    What is sent this way is kept as it is sent, with its location: nothing but S3 sees it.
    """

    success: bool
    method: Literal["POST"]
    url: str
    fields: dict[str, str]
    bucket: str
    key: str
    expires_at: datetime
