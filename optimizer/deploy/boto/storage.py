"""The port to AWS over boto3: zips in S3 for the time of a call, sent in parts side by side."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from optimizer.deploy.boto.account import AccountAws
from optimizer.deploy.rejections import CallRejectedError
from optimizer.deploy.values import Upload

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_GONE = frozenset({"NoSuchUpload", "NoSuchKey"})
_LOOK_SECONDS = 0.05


class StorageAws(AccountAws):
    """S3, reached from one region."""

    @property
    def _s3(self) -> Any:
        return self.clients.client("s3", self.region)

    def store(self, bucket: str, key: str, path: Path, *, stopping: Callable[[], bool]) -> None:
        """See Aws.store; S3 checks each part against a checksum sent with it."""
        from s3transfer.exceptions import CancelledError
        from s3transfer.manager import TransferManager

        with self._about(f"s3://{bucket}/{key}"), TransferManager(self._s3) as manager:
            sending = manager.upload(str(path), bucket, key, extra_args={"ChecksumAlgorithm": "SHA256"})
            while not sending.done():
                if stopping():
                    sending.cancel()  # which also takes back the parts that were sent
                time.sleep(_LOOK_SECONDS)
            try:
                sending.result()
            except CancelledError as error:
                raise KeyboardInterrupt from error

    def unstore(self, bucket: str, key: str, *, upload: str | None = None) -> None:
        """See Aws.unstore."""
        try:
            with self._about(f"s3://{bucket}/{key}"):
                if upload is None:
                    self._s3.delete_object(Bucket=bucket, Key=key)
                else:
                    self._s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload)
        except CallRejectedError as error:
            if error.aws_code not in _GONE:
                raise

    def stored(self, bucket: str, prefix: str) -> tuple[Upload, ...]:
        """See Aws.stored."""
        with self._about(f"s3://{bucket}/{prefix}"):
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            return tuple(
                Upload(key=one["Key"], age_seconds=_age(one["LastModified"]))
                for page in pages
                for one in page.get("Contents", ())
            )

    def unfinished(self, bucket: str, prefix: str) -> tuple[Upload, ...]:
        """See Aws.unfinished."""
        with self._about(f"s3://{bucket}/{prefix}"):
            pages = self._s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix)
            return tuple(
                Upload(key=one["Key"], age_seconds=_age(one["Initiated"]), identifier=one["UploadId"])
                for page in pages
                for one in page.get("Uploads", ())
            )


def _age(since: datetime) -> float:
    return (datetime.now(UTC) - since).total_seconds()
