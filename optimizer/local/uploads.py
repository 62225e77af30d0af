"""Uploads: a zip sent in the call, or fetched from the embedded S3, checked before anything remembers it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optimizer import limits
from optimizer.local.conditions import BAD_ZIP, INVALID, UNZIPPED_TOO_LARGE, ZIPPED_TOO_LARGE
from optimizer.runtime import BadArchiveError, UnsafeArchiveError, inspect_zip

if TYPE_CHECKING:
    from optimizer.local.services import Services
    from optimizer.local.state import Blob, State


def receive(given: dict[str, Any], state: State, services: Services, *, attached_bytes: int = 0) -> Blob:
    """The upload that `Content` or `Code` describes.

    Args:
        given: ZipFile, or S3Bucket and S3Key.
        state: keeps it.
        services: the embedded S3.
        attached_bytes: unzipped bytes of the layers that are attached at this moment.

    Raises:
        ServiceError: it is no zip, or too large.
    """
    if "ImageUri" in given:
        raise INVALID.error(message="Container images are not served here; give a zip.")
    if "ZipFile" in given:
        data = given["ZipFile"]
        if len(data) > limits.DIRECT_ZIP_BYTES:
            raise ZIPPED_TOO_LARGE.error()
    elif "S3Bucket" in given and "S3Key" in given:
        found = services.object(given["S3Bucket"], given["S3Key"])
        if found is None:
            raise INVALID.error(
                message="Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: "
                "The specified key does not exist."
            )
        data = found
    else:
        raise INVALID.error(message="Please provide a source for function code.")
    try:
        facts = inspect_zip(data)
    except (BadArchiveError, UnsafeArchiveError):
        raise BAD_ZIP.error() from None
    left = limits.UNZIPPED_BYTES - attached_bytes
    if facts.unzipped_bytes > left:
        raise UNZIPPED_TOO_LARGE.error(left=left)
    return state.keep(data, facts.unzipped_bytes)
