"""The port over boto3: a layer whose answer was lost is looked for, and every request is counted."""

import subprocess
import sys

import pytest
from botocore import exceptions as botocore

from optimizer.deploy import BotoAws, Clients, Connection
from optimizer.deploy.port import Direct
from optimizer.deploy.rejections import AnswerLostError, CallRejectedError
from tests.unit.deploy.fakes import VirtualClock, layer_arn

FINGERPRINT = "a" * 64


class Service:
    """Publishes and lists; `troubles` are raised by the next publish_layer_version, before or after it acts."""

    def __init__(self, *troubles):
        self.troubles = list(troubles)
        self.versions = []

    def publish_layer_version(self, **given):
        when, error = self.troubles.pop(0) if self.troubles else ("never", None)
        if when == "before":
            raise error
        number = len(self.versions) + 1
        version = {"Version": number, "LayerVersionArn": layer_arn("web", number), "Description": given["Description"]}
        self.versions.insert(0, version)
        if when == "after":
            raise error
        return version

    def get_paginator(self, _):
        return self

    def paginate(self, **_):
        return [{"LayerVersions": self.versions[i : i + 2]} for i in range(0, len(self.versions), 2)]


class OneClient(Clients):
    service: Service

    def client(self, *_, **__):
        return self.service


def published(*troubles):
    clients = OneClient(connection=Connection())
    clients.service = Service(*troubles)
    aws = BotoAws(region="eu-central-1", clients=clients, clock=VirtualClock())
    content = Direct(data=b"zip")
    return clients.service, lambda: aws.publish_layer(
        "web", FINGERPRINT, content, runtime="python3.11", architecture="x86_64", commit="a" * 40
    )


def refused(code, status):
    return botocore.ClientError(
        {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}}, "PublishLayerVersion"
    )


LOST = botocore.ReadTimeoutError(endpoint_url="https://x")


@pytest.mark.parametrize("error", [LOST, refused("ServiceException", 500)])
def test_a_layer_that_was_published_though_the_answer_was_lost_is_not_published_twice(error):
    service, publish = published(("after", error))
    assert publish().version == 1
    assert len(service.versions) == 1


@pytest.mark.parametrize("error", [LOST, refused("TooManyRequestsException", 429)])
def test_a_layer_that_was_not_published_is_tried_again(error):
    service, publish = published(("before", error), ("before", error))
    assert publish().version == 1
    assert len(service.versions) == 1


def test_it_gives_up_in_the_end():
    with pytest.raises(AnswerLostError):
        published(*[("before", LOST)] * 999)[1]()


def test_a_refusal_is_not_repeated():
    _, publish = published(("before", refused("CodeStorageExceededException", 400)))
    with pytest.raises(CallRejectedError, match="CodeStorageExceeded"):
        publish()


def test_the_version_with_the_fingerprint_is_found_on_any_page():
    service, publish = published()
    publish()
    for _ in range(5):
        service.publish_layer_version(Description="of others")
    clients = OneClient(connection=Connection())
    clients.service = service
    aws = BotoAws(region="eu-central-1", clients=clients, clock=VirtualClock())
    found = aws.find_layer("web", FINGERPRINT, runtime="python3.11", architecture="x86_64")
    assert found is not None
    assert found.version == 1
    assert aws.find_layer("web", "b" * 64, runtime="python3.11", architecture="x86_64") is None


def test_boto3_is_not_imported_before_it_is_used():
    code = "import sys, optimizer.deploy, optimizer.report.change_set; assert 'boto3' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


ANSWER = {
    "FunctionArn": "arn:aws:lambda:eu-central-1:123456789012:function:app",
    "Version": "$LATEST",
    "CodeSha256": "x",
    "CodeSize": 1,
    "MemorySize": 128,
    "Timeout": 3,
    "Role": "arn:aws:iam::123456789012:role/r",
}


@pytest.mark.parametrize(
    ("environment", "read"),
    [
        ({}, {}),
        ({"Environment": {"Variables": {"A": "1"}}}, {"A": "1"}),
        ({"Environment": {"Error": {"ErrorCode": "AccessDeniedException", "Message": "kms:Decrypt"}}}, None),
    ],
)
def test_variables_that_cant_be_read_are_told_apart_from_none(environment, read):
    clients = OneClient(connection=Connection())
    clients.service = type("Service", (), {"get_function": lambda *_, **__: {"Configuration": ANSWER | environment}})()
    there = BotoAws(region="eu-central-1", clients=clients, clock=VirtualClock()).configuration("app")
    assert there is not None
    assert there.environment == read


def test_a_call_of_a_version_is_made_once_however_it_ends():
    """It may take as long as the function's timeout, so whoever asks decides whether to ask again."""
    asked = []

    class Recording(Clients):
        def client(self, service, _region, *, once=False):
            asked.append((service, once))
            return self

        def invoke(self, **_):
            raise botocore.ReadTimeoutError(endpoint_url="http://x")

    aws = BotoAws(region="eu-central-1", clients=Recording(connection=Connection()), clock=VirtualClock())
    with pytest.raises(AnswerLostError, match="did not answer the call about app:2"):
        aws.invoke("app", "2", b"{}")
    assert asked == [("lambda", True)]
