"""Pictures that lie in S3."""

from typing import Any

from app.core.aws_errors import translated
from app.core.errors import ProblemError
from app.core.settings import Settings


def check_bucket(bucket: str, key: str, settings: Settings) -> None:
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


def read(client: Any, bucket: str, key: str, settings: Settings) -> tuple[bytes, str | None]:
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
