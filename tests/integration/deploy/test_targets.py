"""Whom a bucket, a rule and a topic call, as far as they can be asked."""

import pytest

from optimizer.deploy import BotoAws, Clients, Connection, RealClock
from tests.integration.deploy.conftest import built

ACCOUNT = "123456789012"


@pytest.fixture
def around(aws, region):
    def ask(*sources):
        clients = Clients(connection=Connection(endpoint_url=aws.endpoint_url, local=True))
        return BotoAws(region=region, clients=clients, clock=RealClock()).surroundings("app", sources).targets

    return ask


def test_buckets_rules_and_topics_tell_whom_they_call_and_others_do_not(command, client, region, tmp_path, *, around):
    built(tmp_path / "a", region=region)
    command.document("deploy", tmp_path / "a", "--yes")
    arn = client().get_function(FunctionName="app")["Configuration"]["FunctionArn"]
    bucket, rule = f"targets-{region}", f"arn:aws:events:{region}:{ACCOUNT}:rule/nightly"
    client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
    client("s3").put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={
            "LambdaFunctionConfigurations": [{"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}]
        },
    )
    client("events").put_rule(Name="nightly", ScheduleExpression="rate(1 day)")
    client("events").put_targets(Rule="nightly", Targets=[{"Id": "1", "Arn": f"{arn}:live"}])
    topic = client("sns").create_topic(Name="news")["TopicArn"]
    client("sns").subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    gateway = f"arn:aws:execute-api:{region}:{ACCOUNT}:abc/*/GET/"
    gone = f"arn:aws:events:{region}:{ACCOUNT}:rule/gone"
    assert around(f"arn:aws:s3:::{bucket}", rule, topic, gateway, gone) == {
        f"arn:aws:s3:::{bucket}": frozenset({arn}),
        rule: frozenset({f"{arn}:live"}),
        topic: frozenset({arn}),
    }
