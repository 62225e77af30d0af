"""Where a picture comes from: the request or S3. No URL is fetched: a caller could reach what only the function can."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from app.core.clients import Clients
from app.core.settings import Settings
from app.schemas.analyze import AnalyzeRequest, ImageInfo
from app.services import picture, storage


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An object in S3."""

    bucket: str
    key: str


Source = bytes | Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture that was looked at and found harmless.

    Attributes:
        data: The file, without its location.
        info: What its header says.
        sha256: Of `data`, in hex: the same picture, wherever it comes from.
        s3_object: Rekognition's `S3Object`, where the object there is `data` and of a format that Rekognition takes.
    """

    data: bytes
    info: ImageInfo
    sha256: str
    s3_object: Mapping[str, str] | None


def of(request: AnalyzeRequest, settings: Settings) -> Source:
    """The source that a request names.

    Args:
        request: Has either `image`, or `bucket` and `key`.
        settings: Limits, and the buckets that callers may name.

    Raises:
        ProblemError: It is no base64 or too large, or the bucket is not allowed.
    """
    if request.image is not None:
        return picture.decode_base64(request.image, settings)
    bucket, key = str(request.bucket), str(request.key)
    storage.check_bucket(bucket, key, settings)
    return Stored(bucket=bucket, key=key)


def load(source: Source, *, clients: Clients, settings: Settings) -> Picture:
    """Get the picture, and look at it before anything is decoded.

    Args:
        source: The file, or where it lies.
        clients: AWS; untouched where the file is there.
        settings: Limits.

    Raises:
        ProblemError: The object can't be read, or the picture is no good.
    """
    s3_object = None
    if isinstance(source, Stored):
        given, version = storage.read(clients.s3, source.bucket, source.key, settings)
        s3_object = {"Bucket": source.bucket, "Name": source.key, **({"Version": version} if version else {})}
    else:
        picture.check_bytes(source, settings)
        given = source
    data, info = picture.clean(given, settings)
    direct = data is given and picture.fits_rekognition(info)
    return Picture(
        data=data, info=info, sha256=hashlib.sha256(data).hexdigest(), s3_object=s3_object if direct else None
    )
