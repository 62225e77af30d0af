"""A lease's place in S3, by its conditional writes and deletes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from optimizer.deploy.execution.lease import Found
from optimizer.deploy.rejections import CallRejectedError
from optimizer.errors import AwsError, UsageError

if TYPE_CHECKING:
    from optimizer.deploy.boto.client import Clients

_SOMETHING_ELSE = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"})
"""What S3 answers where the condition of a write or delete is not met: 412, 409 while another acts, 404."""
_GONE = frozenset({"NoSuchKey"})


@dataclass(frozen=True, slots=True, kw_only=True)
class S3LeaseStore:
    """One object; `region` is where the bucket is looked for first (S3 redirects to where it is)."""

    clients: Clients
    region: str
    bucket: str
    key: str

    @property
    def place(self) -> str:
        """See LeaseStore.place."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def _s3(self) -> Any:
        return self.clients.client("s3", self.region)

    def read(self) -> Found | None:
        """See LeaseStore.read; the age is between two times of S3's clock, LastModified and the answer's Date."""
        try:
            with self.clients.translated(self.place, self.region):
                answer = self._s3.get_object(Bucket=self.bucket, Key=self.key)
                data = answer["Body"].read()
        except CallRejectedError as error:
            if error.aws_code in _GONE:
                return None
            raise self._told(error) from error
        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        now = parsedate_to_datetime(date) if date else datetime.now(UTC)
        return Found(etag=answer["ETag"], data=data, age_seconds=(now - answer["LastModified"]).total_seconds())

    def write(self, data: bytes, *, replaces: str | None) -> str | None:
        """See LeaseStore.write."""
        condition = {"IfNoneMatch": "*"} if replaces is None else {"IfMatch": replaces}
        try:
            with self.clients.translated(self.place, self.region):
                answer = self._s3.put_object(
                    Bucket=self.bucket, Key=self.key, Body=data, ContentType="application/json", **condition
                )
        except CallRejectedError as error:
            if error.aws_code in _SOMETHING_ELSE:
                return None
            raise self._told(error) from error
        return str(answer["ETag"])

    def remove(self, etag: str) -> None:
        """See LeaseStore.remove."""
        try:
            with self.clients.translated(self.place, self.region):
                self._s3.delete_object(Bucket=self.bucket, Key=self.key, IfMatch=etag)
        except CallRejectedError as error:
            if error.aws_code not in _SOMETHING_ELSE:
                raise

    def _told(self, error: CallRejectedError) -> AwsError:
        if error.aws_code == "NoSuchBucket":
            return AwsError(error.message, mend="Name with --lease a bucket that exists, as s3://BUCKET/KEY.")
        return error


def parse_place(text: str) -> tuple[str, str]:
    """Bucket and key of s3://BUCKET/KEY.

    Raises:
        UsageError: it is no such address.
    """
    bucket, _, key = text.removeprefix("s3://").partition("/")
    if not text.startswith("s3://") or not bucket or not key:
        raise UsageError(f"{text!r} is no place for a lease", mend="Write it as s3://BUCKET/KEY.")
    return bucket, key
