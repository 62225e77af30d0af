"""Uploads: a zip sent in the call, or fetched from the embedded S3, checked before anything remembers it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optimizer import limits
from optimizer.local.conditions import (
    BAD_ZIP,
    CODE_STORAGE_FULL,
    INVALID,
    OBJECT_MISSING,
    UNZIPPED_TOO_LARGE,
    ZIPPED_TOO_LARGE,
)
from optimizer.runtime import BadArchiveError, UnsafeArchiveError, inspect_zip

if TYPE_CHECKING:
    from optimizer.local.service import Lambda
    from optimizer.local.state import Blob, Region


def receive(lam: Lambda, region: Region, given: dict[str, Any], *, attached_bytes: int = 0) -> Blob:
    """The upload that `Content` or `Code` describes.

    Args:
        lam: keeps it, and knows the embedded S3.
        region: whose code storage it takes.
        given: ZipFile, or S3Bucket and S3Key.
        attached_bytes: unzipped bytes of the layers that are attached at this moment.

    Raises:
        ServiceError: it is no zip, or too large.
    """
    data = _data(lam, given)
    with lam.state.lock:
        full = region.stored_bytes + len(data) > lam.settings.code_storage_bytes
    if full:
        raise CODE_STORAGE_FULL.error()
    try:
        facts = inspect_zip(data)
    except (BadArchiveError, UnsafeArchiveError):
        raise BAD_ZIP.error() from None
    blob = lam.state.blob(data, facts.unzipped_bytes)
    check_room(blob, attached_bytes)
    lam.state.keep(blob, data)
    try:
        lam.environments.unpack(blob.path)  # now, as Lambda does: what is damaged inside shows here and not at a call
    except (BadArchiveError, UnsafeArchiveError):
        raise BAD_ZIP.error() from None
    return blob


def check_room(blob: Blob, attached_bytes: int) -> None:
    """Check an upload's unzipped bytes against what is left beside the attached layers.

    Raises:
        ServiceError: it has more.
    """
    left = limits.UNZIPPED_BYTES - attached_bytes
    if blob.unzipped_bytes > left:
        raise UNZIPPED_TOO_LARGE.error(left=left)


def _data(lam: Lambda, given: dict[str, Any]) -> bytes:
    if "ImageUri" in given:
        raise INVALID.error(message="Container images are not served by the embedded AWS; give a zip.")
    if "ZipFile" in given:
        data = bytes(given["ZipFile"])
        if len(data) > limits.DIRECT_ZIP_BYTES:
            raise ZIPPED_TOO_LARGE.error()
        return data
    if "S3Bucket" not in given or "S3Key" not in given:
        raise INVALID.error(message="Please provide a source for function code.")
    found = lam.services.object(given["S3Bucket"], given["S3Key"], given.get("S3ObjectVersion"))
    if found is None:
        raise OBJECT_MISSING.error()
    return found
