"""What events and messages say: which pictures there are to analyse. Nothing is read and nothing called here."""

import json
import logging as levels
from typing import Any
from urllib.parse import unquote_plus

from pydantic import ValidationError

from app.core import logging
from app.core.settings import Settings
from app.schemas.analyze import AnalyzeRequest

UNDERSTOOD = (
    "an HTTP request of API Gateway, a function URL or a load balancer (these have a requestContext); "
    "S3's event notifications; EventBridge's events of S3; SNS notifications and SQS batches that bring one of "
    'these; or {"bucket": ..., "key": ..., "analysis_type": ..., "min_confidence": ..., "max_labels": ...}, '
    "of which only the first two must be there"
)
_CREATED = "Object Created"


class NotUnderstoodError(ValueError):
    """An event or a message in no format that is known here."""


def read(text: str, settings: Settings) -> list[AnalyzeRequest]:
    """The pictures that a message names; as `pictures` for JSON as text.

    Raises:
        NotUnderstoodError: It is no JSON, or none that is known here.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise NotUnderstoodError(f"The message is no JSON. Send {UNDERSTOOD}.") from None
    return pictures(document, settings)


def pictures(document: Any, settings: Settings) -> list[AnalyzeRequest]:  # noqa: PLR0911  # a table, one a format
    """The pictures that an event, one of its records, or a message names.

    Keys are URL-encoded in S3's notifications (Amazon S3 user guide, "Event message structure") and are as they are
    in EventBridge's events (same guide, "EventBridge event message structure"). An event names a version; the
    newest is analysed, for which there is an event too. SNS puts what it brings into an envelope, for Lambda within a
    record and for SQS as the body, unless the subscription has raw delivery (SNS developer guide).

    Args:
        document: The event, parsed.
        settings: What is found in a picture where a message doesn't say, and where this service itself writes.

    Returns:
        What to analyse, in the event's order. What tells of something else than a new object, of S3's test of a
        notification or of an object that this service wrote is left out, with a line in the log.

    Raises:
        NotUnderstoodError: It has none of these formats; the message lists them.
    """
    match document:
        case {"Records": [_, *_] as records}:
            return [found for record in records for found in pictures(record, settings)]
        case {
            "eventSource": "aws:s3",
            "eventName": str(name),
            "s3": {"bucket": {"name": str(bucket)}, "object": {"key": str(key)}},
        }:
            created = name.startswith("ObjectCreated:")
            return _object(bucket, unquote_plus(key), name, settings, created=created)
        case {
            "source": "aws.s3",
            "detail-type": str(name),
            "detail": {"bucket": {"name": str(bucket)}, "object": {"key": str(key)}},
        }:
            return _object(bucket, key, name, settings, created=name == _CREATED)
        case {"EventSource": "aws:sns", "Sns": {"Message": str(text)}} | {
            "Type": "Notification",
            "Message": str(text),
        }:
            return read(text, settings)
        case {"bucket": _, "key": _}:
            return _asked(document, settings)
        case {"Event": "s3:TestEvent" as name}:  # sent to a queue or topic when the notification is set up
            return _ignored(name, bucket=document.get("Bucket"))
        case {"source": "aws.s3", "detail-type": str(name)} if name != _CREATED:  # of a bucket, or a trail's call
            return _ignored(name)
    raise NotUnderstoodError(f"The event has no format that is known here. Send {UNDERSTOOD}.")


def _object(bucket: str, key: str, name: str, settings: Settings, *, created: bool) -> list[AnalyzeRequest]:
    if not created:
        return _ignored(name, bucket=bucket, key=key)
    return _asked({"bucket": bucket, "key": key}, settings)


def _asked(fields: dict[str, Any], settings: Settings) -> list[AnalyzeRequest]:
    try:
        request = AnalyzeRequest.model_validate({"analysis_type": settings.event_analysis, **fields})
    except ValidationError as error:
        # Without the values: pydantic's own text has them.
        faults = "; ".join(f"{'.'.join(map(str, f['loc'])) or 'message'}: {f['msg']}" for f in error.errors())
        raise NotUnderstoodError(f"The message doesn't fit the schema: {faults}.") from None
    if not request.keep:
        raise NotUnderstoodError("A message can't say keep=false: nobody waits for an answer.")
    if request.bucket == settings.store_bucket and str(request.key).startswith(f"{settings.store_prefix}analyses/"):
        # Else each result would be taken for a picture.
        return _ignored("own", bucket=request.bucket, key=request.key)
    return [request]


def _ignored(reason: str, **place: str | None) -> list[AnalyzeRequest]:
    logging.log(levels.INFO, "event_ignored", reason=reason, **place)
    return []
