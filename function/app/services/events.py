"""Pictures that events and queues tell of: each is analysed as over HTTP, and the result kept for who asks later.

- Everything here may come twice, and in any order: a picture whose result is kept is not analysed again.
- What may go well the next time (AWS throttles, fails, is slow or denies a permission; too little time left) is tried
  again by who sent it; what can't (no picture, damaged, too large, gone, a bucket that isn't allowed) is logged at
  ERROR as `picture_rejected` with its bucket, key and code, and done with.
- Log lines have bucket and key, since an operator has to find the object, and never what is in it. Their request id is
  Lambda's with the message's behind it.
- Whoever may invoke the function or write to its queue may have pictures analysed: `ANALYZER_AUTH` is about HTTP.
"""

import logging as levels
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from app.core import logging
from app.core.clients import Clients
from app.core.errors import ProblemError, internal_error
from app.core.settings import Settings
from app.schemas.analyze import AnalyzeRequest, PartError
from app.services import analysis, event_formats
from app.services.event_formats import NotUnderstoodError
from app.services.tasks import side_by_side
from app.services.uploads import open_store

# Pictures under way at once, as in batch.py: most of the time is waiting for AWS.
_WORKERS = 4
# What is left to Lambda for taking the answer.
_RESERVE_SECONDS = 1.0
_SHOWN = 10
_TOO_MANY_REQUESTS = 429
_SERVER_FAULT = 500


class EventFailedError(Exception):
    """Some of an event failed and may go well the next time; raised so that Lambda tries the event again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """What succeeds or fails as one."""

    # A message as text, or an event, parsed.
    content: Any
    # The message's; empty where it has none.
    id: str = ""
    # Of records that are done in their order, and not beyond one that failed; empty for none.
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One invocation."""

    context: Any
    clients: Clients
    settings: Settings
    ends: float


def handle(event: Any, context: Any, *, clients: Clients, settings: Settings) -> dict[str, Any]:
    """Analyse the pictures that an event names, four at a time, and keep the results.

    Args:
        event: Any of `event_formats.pictures`, or a batch of SQS.
        context: Lambda's context object. A picture is not begun with less time left than a call of AWS may take, and
            what is not done a second before the timeout counts as failed; so the function's timeout must be longer
            than `connect_seconds` + `read_seconds` + 1.
        clients: AWS.
        settings: Limits, what to find, and where results are kept.

    Returns:
        For a batch of SQS `{"batchItemFailures": [{"itemIdentifier": ...}]}` with the messages to be received again
        (Lambda developer guide, "Handling errors for an SQS event source": the mapping needs the response type
        ReportBatchItemFailures). Messages in no known format are among them, so that they end in the dead-letter
        queue. Of a FIFO queue, messages of one group are done in their order, and those behind one that failed are
        reported without being tried. For other events `{"records": n}`.

    Raises:
        NotUnderstoodError: The event has none of the formats.
        EventFailedError: Records of an event other than SQS's failed. All were tried; Lambda tries the event again, and
            then sends it to the function's failure destination.
        ProblemError: There is no bucket to keep results in.
    """
    match event:
        case {"Records": [{"eventSource": "aws:sqs"}, *_] as messages}:
            records, queued = [_message(message) for message in messages], True
        case {"Records": [_, *_] as parts}:
            records, queued = [_Record(content=part, id=_sns_id(part)) for part in parts], False
        case _:
            records, queued = [_Record(content=event)], False
    began = time.perf_counter()
    token = logging.request_id.set(context.aws_request_id)
    try:
        failures = _all(records, context, clients, settings)
        logging.log(
            levels.INFO,
            "event",
            records=len(records),
            failed=len(failures),
            duration_ms=round((time.perf_counter() - began) * 1000, 2),
        )
    finally:
        logging.request_id.reset(token)
    for error in (error for errors in failures.values() for error in errors if isinstance(error, ProblemError)):
        raise error
    if queued:
        return {"batchItemFailures": [{"itemIdentifier": records[index].id} for index in failures]}
    if failures:
        raise _summary([error for errors in failures.values() for error in errors])
    return {"records": len(records)}


def _summary(errors: Sequence[Exception]) -> Exception:
    """The one exception that stands for all."""
    if len(errors) == 1:
        return errors[0]
    shown = "; ".join(map(str, errors[:_SHOWN]))
    return EventFailedError(f"{len(errors)} failures, of which the first are: {shown}")


def _message(message: Mapping[str, Any]) -> _Record:
    # Standard queues may have groups as well (fair queues), which order nothing.
    fifo = str(message.get("eventSourceARN", "")).endswith(".fifo")
    group = message.get("attributes", {}).get("MessageGroupId", "") if fifo else ""
    return _Record(content=message["body"], id=message["messageId"], group=group)


def _sns_id(record: Any) -> str:
    match record:
        case {"Sns": {"MessageId": str(identifier)}}:
            return identifier
    return ""


def _all(
    records: Sequence[_Record], context: Any, clients: Clients, settings: Settings
) -> dict[int, Sequence[Exception]]:
    """Do all records; why each that failed did, by its index."""
    lanes: dict[tuple[str, int], list[int]] = {}
    for index, record in enumerate(records):
        lanes.setdefault((record.group, -1) if record.group else ("", index), []).append(index)
    # Not done, until it is: what a thread that outlives the invocation adds later is seen by nobody.
    outcomes: list[Sequence[Exception]] = [[EventFailedError("A record was not done in time.")]] * len(records)
    ends = time.monotonic() + _left(context) - _RESERVE_SECONDS
    run = _Run(context=context, clients=clients, settings=settings, ends=ends)

    def work(lane: Sequence[int]) -> None:
        for index in lane:
            outcomes[index] = _one(records[index], run)
            if outcomes[index]:
                break

    tasks = {number: partial(work, lane) for number, lane in enumerate(lanes.values())}
    side_by_side(tasks, name="record", workers=_WORKERS, ends=ends)
    return {index: outcome for index, outcome in enumerate(outcomes) if outcome}


def _one(record: _Record, run: _Run) -> Sequence[Exception]:
    """Do one record, all pictures of it; empty where nothing is to be tried again."""
    token = logging.request_id.set(f"{run.context.aws_request_id}{record.id and '/'}{record.id}")
    try:
        if isinstance(record.content, str):
            asked = event_formats.read(record.content, run.settings)
        else:
            asked = event_formats.pictures(record.content, run.settings)
        if asked:
            open_store(run.clients, run.settings)  # a result must have a place to go to
        return [failure for one in asked if (failure := _picture(one, run)) is not None]
    except NotUnderstoodError as error:
        logging.log(levels.ERROR, "event_not_understood", reason=str(error))
        return [error]
    except ProblemError as error:  # there is no store
        return [error]
    finally:
        logging.request_id.reset(token)


def _picture(asked: AnalyzeRequest, run: _Run) -> EventFailedError | None:
    """Analyse one picture; what failed, where it is to be tried again."""
    settings = run.settings
    place = {"bucket": asked.bucket, "key": asked.key}
    cause: Mapping[str, object] = {}
    faults: Sequence[ProblemError | PartError]
    needed = settings.connect_seconds + settings.read_seconds + _RESERVE_SECONDS
    if (left := _left(run.context)) < needed:
        logging.log(levels.WARNING, "picture_postponed", **place, seconds_left=left, seconds_needed=needed)
        return EventFailedError(f"{asked.bucket}/{asked.key}: not begun with {left} s left of {needed} needed")
    try:
        found = analysis.analyze(
            asked,
            clients=run.clients,
            settings=settings,
            ends=min(run.ends, time.monotonic() + settings.request_seconds),
        )
    except ProblemError as problem:
        faults, cause = [problem], logging.describe(problem.__cause__) if problem.__cause__ else {}
    except Exception as error:  # noqa: BLE001  # it leaves the other pictures whole
        faults, cause = [internal_error()], logging.describe(error)
    else:
        faults = found.errors
        if not faults:
            logging.log(levels.INFO, "picture_analysed", **place, id=found.id, cached=found.cached)
            return None
    codes = {fault.code: fault.status for fault in faults}
    again = any(status >= _SERVER_FAULT or status == _TOO_MANY_REQUESTS for status in codes.values())
    level, event = (levels.WARNING, "picture_failed") if again else (levels.ERROR, "picture_rejected")
    code = ",".join(codes)
    logging.log(level, event, **place, code=code, **cause)
    return EventFailedError(f"{asked.bucket}/{asked.key}: {code}") if again else None


def _left(context: Any) -> float:
    """Seconds until Lambda ends the invocation."""
    return float(context.get_remaining_time_in_millis() / 1000)
