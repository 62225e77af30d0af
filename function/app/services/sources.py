"""Where a picture comes from: the request or S3. No URL is fetched: a caller could reach what only the function can."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.core.aws_errors import translated
from app.core.clients import Clients
from app.core.errors import ProblemError
from app.core.settings import Settings
from app.schemas.analyze import AnalyzeRequest, ImageInfo
from app.services import picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An object in S3."""

    bucket: str
    key: str


Source = bytes | Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture that was looked at and found harmless."""

    data: bytes  # without its location
    info: ImageInfo
    sha256: str  # of `data`, in hex: the same picture, wherever it comes from
    # Rekognition's `S3Object`, where the object there is `data` and of a format that Rekognition takes.
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
    _check_bucket(bucket, key, settings)
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
        given, version = _read(clients.s3, source.bucket, source.key, settings)
        s3_object = {"Bucket": source.bucket, "Name": source.key, **({"Version": version} if version else {})}
    else:
        picture.check_bytes(source, settings)
        given = source
    data, info = picture.clean(given, settings)
    direct = data is given and picture.fits_rekognition(info)
    return Picture(
        data=data, info=info, sha256=hashlib.sha256(data).hexdigest(), s3_object=s3_object if direct else None
    )


def _check_bucket(bucket: str, key: str, settings: Settings) -> None:
    """Refuse a bucket that the operator didn't name; what callers uploaded here they may name, and nothing else there.

    Args:
        bucket: The bucket that a caller names.
        key: And the key.
        settings: Has the buckets.

    Raises:
        ProblemError: 403, where there is a list and the bucket isn't in it.
    """
    uploaded = bucket == settings.store_bucket and key.startswith(
        (f"{settings.store_prefix}pictures/", f"{settings.store_prefix}incoming/")
    )
    if settings.buckets and bucket not in settings.buckets and not uploaded:
        raise ProblemError(
            status=403,
            code="bucket_not_allowed",
            detail="This service doesn't read from that bucket; ANALYZER_BUCKETS has the ones that it does.",
        )


def _read(client: Any, bucket: str, key: str, settings: Settings) -> tuple[bytes, str | None]:
    """An object's bytes, and its version where the bucket keeps versions.

    Args:
        client: S3's client.
        bucket: Its bucket.
        key: Its key.
        settings: Has the limit.

    Raises:
        ProblemError: The object is missing, too large, empty, or can't be read.
    """
    with translated(service="s3", action="s3:GetObject"):
        answer = client.get_object(Bucket=bucket, Key=key)
        with answer["Body"] as body:
            # The header is believed only where it forbids; what comes is counted.
            too_large = answer.get("ContentLength", 0) > settings.max_object_bytes
            data: bytes = b"" if too_large else body.read(settings.max_object_bytes + 1)
    if too_large or len(data) > settings.max_object_bytes:
        raise ProblemError(
            status=413,
            code="image_too_large",
            detail=f"An object may have {settings.max_object_bytes} bytes.",
        )
    if not data:
        raise ProblemError(status=422, code="image_empty", detail="The object is empty.")
    version = answer.get("VersionId")
    return data, version if version != "null" else None
