"""Pictures that lie in S3."""

from typing import Any

from app.core.aws_errors import translate
from app.core.errors import ProblemError
from app.core.settings import Settings


def check_bucket(bucket: str, settings: Settings) -> None:
    """Refuse a bucket that the operator didn't name.

    Raises:
        ProblemError: 403, where there is a list and the bucket isn't in it.
    """
    if settings.buckets and bucket not in settings.buckets:
        raise ProblemError(
            status=403,
            code="bucket_not_allowed",
            detail="This service doesn't read from that bucket; ANALYZER_BUCKETS has the ones that it does.",
        )


def read(client: Any, bucket: str, key: str, settings: Settings) -> bytes:
    """An object's bytes.

    Args:
        client: S3's client.
        bucket: Its bucket.
        key: Its key.
        settings: Has the limit.

    Raises:
        ProblemError: The object is missing, too large, empty, or can't be read.
    """
    try:
        answer = client.get_object(Bucket=bucket, Key=key)
        with answer["Body"] as body:
            # The header is believed only where it forbids; what comes is counted.
            too_large = answer.get("ContentLength", 0) > settings.max_object_bytes
            data: bytes = b"" if too_large else body.read(settings.max_object_bytes + 1)
    except Exception as error:
        raise translate(error, service="s3", action="s3:GetObject") from error
    if too_large or len(data) > settings.max_object_bytes:
        raise ProblemError(
            status=413,
            code="image_too_large",
            detail=f"An object may have {settings.max_object_bytes} bytes.",
        )
    if not data:
        raise ProblemError(status=422, code="image_empty", detail="The object is empty.")
    return data
