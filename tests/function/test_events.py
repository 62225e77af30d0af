"""Events and queues: each picture is analysed and kept; what must be tried again is told to who sent it.

The events are those of the developer guides of Lambda, S3, SNS and SQS, with this test's bucket and key in them.
"""

import io
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import lambda_function
from app.core.clients import Clients
from app.core.settings import Settings
from app.services import event_formats, events

FUNCTION = Path(lambda_function.__file__).parent
KEY = "café/red picture+1.png"
STORE = {"store_bucket": "store", "event_analysis": "colors"}


@dataclass(slots=True)
class S3:
    """Objects by bucket and key; some keys fail by what they begin with."""

    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)
    read: list[str] = field(default_factory=list)

    def get_object(self, **place: str) -> dict[str, Any]:
        bucket, key = place["Bucket"], place["Key"]
        self.read.append(key)
        kind = key.partition("-")[0]
        if kind in {"denied", "slow", "broken"}:
            raise error({"denied": "AccessDenied", "slow": "SlowDown", "broken": "InternalError"}[kind])
        if kind == "damaged":
            return {"Body": io.BytesIO(b"<script>")}
        if kind == "good":
            return {"Body": io.BytesIO(RED)}
        if (bucket, key) not in self.objects:
            raise error("NoSuchKey")
        return {"Body": io.BytesIO(self.objects[bucket, key])}

    def put_object(self, **given: Any) -> None:
        self.objects[given["Bucket"], given["Key"]] = given["Body"]

    @property
    def kept(self) -> list[str]:
        return [key for bucket, key in self.objects if bucket == "store" and "analyses/" in key]


def error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 400}}, "GetObject")


def _red() -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (6, 4), "red").save(target, "PNG")
    return target.getvalue()


RED = _red()
OUTCOMES = {"good": False, "damaged": False, "missing": False, "denied": True, "slow": True, "broken": True}
"""Whether a picture with such a key is to be tried again."""


def context(milliseconds: int = 30_000) -> SimpleNamespace:
    ends = time.monotonic() * 1000 + milliseconds
    return SimpleNamespace(
        aws_request_id="lambda-id", get_remaining_time_in_millis=lambda: int(ends - time.monotonic() * 1000)
    )


def handle(event: Any, s3: Any = None, left: int = 30_000, **given: Any) -> Any:
    settings = Settings(**{**STORE, **given})
    clients = Clients(settings, {"s3": s3 or S3()})
    return events.handle(event, context(left), clients=clients, settings=settings)


@pytest.fixture
def s3() -> S3:
    return S3({("pictures", KEY): RED})


@pytest.fixture
def batch(tools: SimpleNamespace) -> Callable[..., Any]:
    """Makes an SQS event with these bodies; with groups it is a FIFO queue's. A message's id is its index."""
    return lambda *bodies, groups=None: make_batch(tools, bodies, groups)


def make_batch(tools: SimpleNamespace, bodies: Any, groups: Any = None) -> Any:
    made = []
    for index, body in enumerate(bodies):
        message = tools.event("sqs-fifo" if groups else "sqs")["Records"][0]
        text = body if isinstance(body, str) else json.dumps(body)
        message.update(messageId=str(index), body=text)
        if groups:
            message["attributes"]["MessageGroupId"] = groups[index]
        made.append(message)
    return {"Records": made}


def of(key: str, **given: Any) -> dict[str, Any]:
    return {"bucket": "pictures", "key": key, **given}


def s3_event(tools: SimpleNamespace, *keys: str) -> Any:
    made = []
    for key in keys:
        record = tools.event("s3-put")["Records"][0]
        record["s3"]["object"]["key"] = key
        made.append(record)
    return {"Records": made}


def failed(answer: Any) -> list[int]:
    assert answer.keys() == {"batchItemFailures"}
    return [int(item["itemIdentifier"]) for item in answer["batchItemFailures"]]


def lines(capsys: pytest.CaptureFixture[str], *names: str) -> list[dict[str, Any]]:
    every = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in every if line["event"] in names]


@pytest.mark.parametrize("name", ["s3-put", "s3-eventbridge", "sns"])
def test_picture_that_an_event_names_is_analysed_and_kept(
    name: str, tools: SimpleNamespace, s3: S3, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where its key is encoded in one format and not in the other; a second delivery finds the result."""
    assert handle(tools.event(name), s3) == {"records": 1}
    assert handle(tools.event(name), s3) == {"records": 1}
    first, second = lines(capsys, "picture_analysed")
    assert (first["bucket"], first["key"], first["cached"], second["cached"]) == ("pictures", KEY, False, True)
    assert s3.kept == [f"ai-image-analyzer/analyses/1/{first['id']}.json"]
    assert "-colors-" in first["id"]
    message = "/95df01b4-ee98-5cb9-9903-4c221d41eb5e" if name == "sns" else ""
    assert first["request_id"] == f"lambda-id{message}"


@pytest.mark.parametrize("name", ["s3-put", "s3-eventbridge", "sns-envelope"])
def test_queue_brings_what_the_event_would(name: str, tools: SimpleNamespace, s3: S3, batch: Any) -> None:
    assert failed(handle(batch(tools.event(name)), s3)) == []
    assert len(s3.kept) == 1


def test_message_of_our_own_says_what_to_find(s3: S3, batch: Any, aws: SimpleNamespace) -> None:
    """What it doesn't say is as the settings and the API have it."""
    asked = [of(KEY), of(KEY, analysis_type="labels", max_labels=3, min_confidence=12.5)]
    settings = Settings(**STORE)
    clients = Clients(settings, {"s3": s3, "rekognition": aws.client("rekognition")})
    assert failed(events.handle(batch(*asked), context(), clients=clients, settings=settings)) == []
    ((operation, sent),) = aws.calls
    assert (operation, sent["MaxLabels"], sent["MinConfidence"]) == ("DetectLabels", 3, 12.5)
    assert sorted(key.split("-")[-2] for key in s3.kept) == ["colors", "labels"]


@pytest.mark.parametrize(
    "name", ["s3-test", "s3-removed", "test in a queue", "removed in a queue", "bridge-removed", "own"]
)
def test_what_is_no_new_picture_is_ignored_with_a_line_and_nothing_read(
    name: str, tools: SimpleNamespace, s3: S3, batch: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """`own` is a result that this service has just kept: analysing it would not end."""
    own = s3_event(tools, "ai-image-analyzer/analyses/1/x.json")
    own["Records"][0]["s3"]["bucket"]["name"] = "store"
    event = {
        "test in a queue": lambda: batch(tools.event("s3-test")),
        "removed in a queue": lambda: batch(tools.event("s3-removed")),
        "bridge-removed": lambda: {**tools.event("s3-eventbridge"), "detail-type": "Object Deleted"},
        "own": lambda: own,
    }.get(name, lambda: tools.event(name))()
    assert handle(event, s3) in ({"records": 1}, {"batchItemFailures": []})
    assert (s3.read, s3.kept) == ([], [])
    assert len(lines(capsys, "event_ignored")) == 1


def test_uploads_of_the_store_are_no_own_results(tools: SimpleNamespace, s3: S3) -> None:
    """A client sends a picture there, and the notification has it analysed, whatever buckets callers may name."""
    key = "ai-image-analyzer/incoming/1.png"
    s3.objects["store", key] = RED
    event = s3_event(tools, key)
    event["Records"][0]["s3"]["bucket"]["name"] = "store"
    handle(event, s3, buckets=("elsewhere",))
    assert len(s3.kept) == 1


@pytest.mark.parametrize("body", ["", "no JSON", "[" * 100_000, "[]", '"x"', "{}", '{"Type": "Notification"}'])
def test_message_that_is_not_understood_ends_in_the_dead_letter_queue(
    body: str, s3: S3, batch: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is reported, each time that it is received; those beside it are done."""
    assert failed(handle(batch(body, of(KEY)), s3)) == [0]
    assert len(lines(capsys, "event_not_understood")) == 1
    assert len(s3.kept) == 1


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"analysis_type": "secret"}, "analysis_type: "),
        ({"bucket": "x"}, "bucket: "),
        ({"max_labels": 0}, "max_labels: "),
        ({"colour": "secret"}, "colour: "),
        ({"keep": False}, "keep=false"),
    ],
)
def test_message_of_our_own_must_fit_the_schema(
    wrong: dict[str, Any], told: str, s3: S3, batch: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """The log says what is wrong without repeating the value."""
    assert failed(handle(batch(of(KEY, **wrong)), s3)) == [0]
    (line,) = lines(capsys, "event_not_understood")
    assert told in line["reason"]
    assert "secret" not in line["reason"]
    assert (line["level"], line["request_id"], s3.read) == ("ERROR", "lambda-id/0", [])


@pytest.mark.parametrize(
    ("key", "code"), [("damaged-1", "image_format_unsupported"), ("missing-1", "object_not_found")]
)
def test_what_repeating_cant_mend_is_logged_and_done_with(
    key: str, code: str, tools: SimpleNamespace, batch: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert handle(s3_event(tools, key)) == {"records": 1}
    assert failed(handle(batch(of(key)))) == []
    for line in lines(capsys, "picture_rejected"):
        assert (line["level"], line["bucket"], line["key"], line["code"]) == ("ERROR", "pictures", key, code)
        assert "script" not in json.dumps(line)


def test_bucket_that_is_not_allowed_is_not_read(batch: Any, s3: S3, capsys: pytest.CaptureFixture[str]) -> None:
    assert failed(handle(batch(of(KEY)), s3, buckets=("elsewhere",))) == []
    assert [line["code"] for line in lines(capsys, "picture_rejected")] == ["bucket_not_allowed"]
    assert s3.read == []


def test_all_of_an_event_is_tried_before_it_fails_as_one(tools: SimpleNamespace) -> None:
    """Lambda then tries it again; what went well is found, and the failure destination gets what failed and why."""
    s3 = S3()
    with pytest.raises(events.EventFailedError) as caught:
        handle(s3_event(tools, "slow-1", "damaged-1", "denied-1", "broken-1", "good-1"), s3)
    for told in ("3 failures", "pictures/slow-1: s3_throttled", "denied-1: s3_denied", "broken-1: s3_failed"):
        assert told in str(caught.value)
    assert {key for key in s3.read if "analyses" not in key} == {
        "slow-1",
        "damaged-1",
        "denied-1",
        "broken-1",
        "good-1",
    }
    assert len(s3.kept) == 1


def test_part_that_may_go_well_next_time_makes_the_picture_fail(
    batch: Any, aws: SimpleNamespace, tools: SimpleNamespace
) -> None:
    settings = Settings(**{**STORE, "event_analysis": "comprehensive"})

    def ask() -> list[int]:
        clients = Clients(settings, {"s3": S3(), "rekognition": aws.client("rekognition")})
        return failed(events.handle(batch(of("good-1")), context(), clients=clients, settings=settings))

    aws.answers["DetectFaces"] = tools.rekognition_error("ThrottlingException")
    assert ask() == [0]
    aws.answers["DetectFaces"] = tools.rekognition_error("InvalidParameterException")
    assert ask() == []  # too small for Rekognition, now and always
    aws.answers["DetectFaces"] = (200, {"FaceDetails": []})
    assert ask() == []


def test_result_that_cant_be_kept_is_a_failure(batch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error("SlowDown")

    monkeypatch.setattr(S3, "put_object", refuse)
    assert failed(handle(batch(of("good-1")))) == [0]


@pytest.mark.parametrize("queued", [True, False])
def test_without_a_store_the_event_fails_and_says_what_to_set(
    queued: bool,  # noqa: FBT001
    tools: SimpleNamespace,
    batch: Any,
    s3: S3,
) -> None:
    event = batch(of(KEY)) if queued else tools.event("s3-put")
    with pytest.raises(Exception, match="ANALYZER_STORE_BUCKET"):
        handle(event, s3, store_bucket="")
    assert s3.read == []


def test_what_cant_be_begun_in_time_is_not_cut_off_but_told(tools: SimpleNamespace, batch: Any, s3: S3) -> None:
    """2 s to connect, 10 to read and one for the answer."""
    assert failed(handle(batch(of(KEY), of(KEY)), s3, left=12_999)) == [0, 1]
    with pytest.raises(events.EventFailedError, match="not begun"):
        handle(tools.event("s3-put"), s3, left=12_999)
    assert s3.read == []
    assert failed(handle(batch(of(KEY)), s3, left=15_000)) == []
    assert failed(handle(batch(of(KEY)), s3, left=12_999, read_seconds=5.0)) == []


def test_what_is_not_done_in_time_is_told_with_what_waits_behind_it(batch: Any) -> None:
    """The answer comes a second before Lambda's timeout, whatever hangs; the hanging thread begins nothing more."""
    over = threading.Event()

    class Hanging(S3):
        def get_object(self, **place: str) -> dict[str, Any]:
            if place["Key"] == "good-hangs":
                over.wait(10)
            return S3.get_object(self, **place)

    s3 = Hanging()
    event = batch(of("good-hangs"), of("good-1"), of("good-2"), groups=["a", "a", "b"])
    assert failed(handle(event, s3, left=1_600, connect_seconds=0.1, read_seconds=0.1)) == [0, 1]
    over.set()
    for thread in threading.enumerate():
        if thread.name.startswith("record"):
            thread.join(10)
    assert "good-hangs" in s3.read
    assert "good-1" not in s3.read


def test_pictures_are_under_way_four_at_a_time(batch: Any, s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each waits for three others, and would break the barrier without them; a fifth never comes."""
    barrier, lock = threading.Barrier(4, timeout=10), threading.Lock()
    under_way, most = 0, 0
    find = events.analysis.find

    def together(*arguments: Any, **given: Any) -> Any:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        barrier.wait()
        time.sleep(0.05)  # a fifth would come now
        try:
            return find(*arguments, **given)
        finally:
            with lock:
                under_way -= 1

    monkeypatch.setattr(events.analysis, "find", together)
    assert failed(handle(batch(*[of(KEY)] * 8), s3)) == []
    assert most == 4


bodies = st.sampled_from([*OUTCOMES, "unknown"])


@given(kinds=st.lists(bodies, min_size=1, max_size=10))
def test_any_mixture_of_messages_fails_in_just_those_to_be_tried_again(kinds: list[str]) -> None:
    tools = SimpleNamespace(event=_event)
    event = make_batch(tools, ["?" if kind == "unknown" else of(f"{kind}-1") for kind in kinds])
    assert failed(handle(event)) == [i for i, kind in enumerate(kinds) if OUTCOMES.get(kind, True)]


@given(sent=st.lists(st.tuples(bodies, st.sampled_from("abc")), min_size=1, max_size=10))
def test_any_mixture_of_a_fifo_queue_keeps_each_groups_order(sent: list[tuple[str, str]]) -> None:
    """A group stops at its first failure: what is behind it is reported and not read; other groups go on."""
    tools, s3 = SimpleNamespace(event=_event), S3()
    keys = [f"{kind}-{index}" for index, (kind, _) in enumerate(sent)]
    event = make_batch(
        tools, [key if key.startswith("unknown") else of(key) for key in keys], groups=[group for _, group in sent]
    )
    stopped: set[str] = set()
    expected, read = [], {group: [] for _, group in sent}
    for index, (kind, group) in enumerate(sent):
        if group not in stopped and kind != "unknown":
            read[group].append(keys[index])
        if group in stopped or OUTCOMES.get(kind, True):
            stopped.add(group)
            expected.append(index)
    assert failed(handle(event, s3)) == expected
    for group, wanted in read.items():
        mine = {key for key, (_, of_group) in zip(keys, sent, strict=True) if of_group == group}
        assert [key for key in s3.read if key in mine] == wanted


def test_groups_of_a_standard_queue_order_nothing(batch: Any) -> None:
    """Fair queues have groups as well."""
    event = batch(of("slow-1"), of("good-1"), groups=["a", "a"])
    for message in event["Records"]:
        message["eventSourceARN"] = message["eventSourceARN"].removesuffix(".fifo")
    assert failed(handle(event)) == [0]


def test_one_message_with_several_pictures_fails_whole_after_all_were_tried(
    tools: SimpleNamespace, batch: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where one meets a fault of ours, which is logged with its place."""
    s3, source = S3(), events.analysis.sources.of

    def of_all_but_one(asked: Any, settings: Settings) -> Any:
        return 1 / 0 if asked.key == "bug" else source(asked, settings)

    monkeypatch.setattr(events.analysis.sources, "of", of_all_but_one)
    assert failed(handle(batch(s3_event(tools, "bug", "slow-1", "good-1")), s3)) == [0]
    assert len(s3.kept) == 1
    first = lines(capsys, "picture_failed")[0]
    assert (first["code"], first["error_type"]) == ("internal_error", "builtins.ZeroDivisionError")


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        {},
        {"Records": []},
        {"Records": [{"eventSource": "aws:dynamodb"}]},
        {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {}}]},
        {"source": "aws.ec2", "detail-type": "EC2 Instance State-change Notification"},
        {"source": "aws.s3", "detail-type": "Object Created", "detail": {}},
    ],
)
def test_unknown_event_is_an_error_that_says_what_is_known(event: Any) -> None:
    with pytest.raises(event_formats.NotUnderstoodError) as caught:
        lambda_function.handler(event, context())
    for known in ("requestContext", "S3", "SQS", "SNS", "EventBridge", "analysis_type"):
        assert known in str(caught.value)


def test_handler_gives_events_its_own_settings_and_clients(batch: Any, s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(**STORE)
    monkeypatch.setitem(lambda_function.app.state._state, "settings", settings)
    monkeypatch.setitem(lambda_function.app.state._state, "clients", Clients(settings, {"s3": s3}))
    answer = lambda_function.handler(batch(of(KEY), of("slow-1")), context())
    assert json.loads(json.dumps(answer)) == {"batchItemFailures": [{"itemIdentifier": "1"}]}


def test_request_over_http_loads_nothing_of_this(tools: SimpleNamespace) -> None:
    event = {**tools.event("function-url"), "rawPath": "/health", "body": None, "isBase64Encoded": False}
    event["requestContext"]["http"].update(method="GET", path="/health")
    code = (
        "import json, sys, lambda_function\n"
        "assert lambda_function.handler(json.loads(sys.argv[1]), None)['statusCode'] == 200\n"
        "print([n for n in sys.modules if n.startswith('app.services.event')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(event)], cwd=FUNCTION, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def _event(name: str) -> Any:
    return json.loads((Path(__file__).with_name("events") / f"{name}.json").read_text("utf-8"))
