"""What is kept in S3: pictures by their content, and results by picture and question, so that none is found twice."""

import hashlib
import logging as levels
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from app.core import logging
from app.core.aws_errors import translated
from app.core.clients import Clients
from app.core.errors import ProblemError
from app.core.settings import Settings
from app.schemas.analyze import AnalysisList, AnalyzeResponse, KeptAnalysis, Options
from app.services.sources import Picture

# Raised when the same picture gets other results, so that kept ones of before are not taken for them.
_EDITION = 1
_SUFFIX = ".json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A presigned request: where, with what in its form, and until when."""

    url: str
    fields: Mapping[str, str]
    key: str
    expires_at: datetime


class Store:
    """The bucket that this service keeps things in."""

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._clients = clients
        self._settings = settings
        self.bucket = settings.store_bucket
        self._analyses = f"{settings.store_prefix}analyses/{_EDITION}/"

    def find(self, identifier: str) -> AnalyzeResponse | None:
        """A kept result; None where there is none.

        Raises:
            ProblemError: S3 can't be asked.
        """
        body = self._get(self._key(identifier))
        if body is None:
            return None
        try:
            return AnalyzeResponse.model_validate_json(body).model_copy(update={"cached": True})
        except ValueError:  # somebody else wrote it: it is found again, and written over
            logging.log(levels.ERROR, "kept_result_unreadable", analysis=identifier)
            return None

    def keep(self, response: AnalyzeResponse) -> None:
        """Keep a result under its id.

        Raises:
            ProblemError: S3 doesn't take it.
        """
        self._put(self._key(str(response.id)), response.model_dump_json().encode(), "application/json")

    def page(self, *, limit: int, cursor: str | None, sha256: str | None) -> AnalysisList:
        """Kept results in the order of their ids.

        Args:
            limit: Most of them.
            cursor: The id after which to begin.
            sha256: Only those of this picture.

        Raises:
            ProblemError: S3 can't be asked.
        """
        place = {"StartAfter": self._key(cursor)} if cursor else {}
        with _asking("s3:ListBucket"):
            answer = self._clients.s3.list_objects_v2(
                Bucket=self.bucket, Prefix=self._analyses + (sha256 or ""), MaxKeys=limit, **place
            )
        found = [kept for entry in answer.get("Contents", []) if (kept := self._kept(entry)) is not None]
        more = bool(answer.get("IsTruncated")) and bool(found)
        return AnalysisList(success=True, analyses=found, next_cursor=found[-1].id if more else None)

    def upload(self, picture: Picture) -> Link:
        """Keep a picture by its content, and link to it.

        Raises:
            ProblemError: S3 doesn't take it.
        """
        key = f"{self._settings.store_prefix}pictures/{picture.sha256}.{picture.info.format.lower()}"
        self._put(key, picture.data, picture.info.media_type)
        with _asking("s3:GetObject"):
            url = self._clients.s3.generate_presigned_url(
                "get_object", Params={"Bucket": self.bucket, "Key": key}, ExpiresIn=self._settings.link_seconds
            )
        return Link(url=url, fields={}, key=key, expires_at=self._expiry())

    def invite(self, media_type: str, size: int) -> Link:
        """A form with which a caller sends S3 one picture of just that type and size.

        Raises:
            ProblemError: It can't be signed.
        """
        key = f"{self._settings.store_prefix}incoming/{uuid4().hex}.{media_type.partition('/')[2]}"
        with _asking("s3:PutObject"):
            client = self._clients.s3
            try:
                form = client.generate_presigned_post(
                    self.bucket,
                    key,
                    Fields={"Content-Type": media_type},
                    Conditions=[{"Content-Type": media_type}, ["content-length-range", size, size]],
                    ExpiresIn=self._settings.link_seconds,
                )
            except AttributeError as error:  # what botocore has here where other calls have NoCredentialsError
                from botocore.exceptions import NoCredentialsError

                raise NoCredentialsError from error
        return Link(url=form["url"], fields=form["fields"], key=key, expires_at=self._expiry())

    def _expiry(self) -> datetime:
        return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=self._settings.link_seconds)

    def _key(self, identifier: str) -> str:
        return f"{self._analyses}{identifier}{_SUFFIX}"

    def _get(self, key: str) -> bytes | None:
        try:
            with _asking("s3:GetObject"):
                answer = self._clients.s3.get_object(Bucket=self.bucket, Key=key)
                with answer["Body"] as body:
                    data: bytes = body.read()
        except ProblemError as problem:
            if problem.code == "object_not_found":
                return None
            raise
        return data

    def _put(self, key: str, data: bytes, media_type: str) -> None:
        with _asking("s3:PutObject"):
            self._clients.s3.put_object(Bucket=self.bucket, Key=key, Body=data, ContentType=media_type)

    def _kept(self, entry: Mapping[str, Any]) -> KeptAnalysis | None:
        identifier = str(entry["Key"]).removeprefix(self._analyses).removesuffix(_SUFFIX)
        sha256, _, rest = identifier.partition("-")
        try:
            return KeptAnalysis.model_validate(
                {
                    "id": identifier,
                    "sha256": sha256,
                    "analysis_type": rest.partition("-")[0],
                    "analyzed_at": entry["LastModified"],
                }
            )
        except ValueError:  # not one of ours
            return None


def identify(picture: Picture, options: Options) -> str:
    """The id of what is found in a picture: the same for the same picture and question, wherever they come from.

    What makes no difference for the type that is asked for is no part of the question.
    """
    counted = options.analysis_type in {"labels", "comprehensive"}
    asked = f"{options.min_confidence!r} {options.max_labels if counted else ''}"
    if options.analysis_type == "colors":
        asked = ""
    return f"{picture.sha256}-{options.analysis_type}-{hashlib.sha256(asked.encode()).hexdigest()[:12]}"


@contextmanager
def _asking(action: str) -> Iterator[None]:
    try:
        with translated(service="s3", action=action):
            yield
    except ProblemError as problem:
        if problem.code != "bucket_not_found":
            raise
        # No fault of the caller, who didn't name it.
        raise ProblemError(
            status=502,
            code="store_missing",
            detail="The bucket that ANALYZER_STORE_BUCKET names does not exist.",
        ) from problem
