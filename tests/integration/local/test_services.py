"""Beside Lambda: the other services, what CloudWatch knows of functions, and the log of every call."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from tests.integration.local.conftest import ask, zipped


def calls(account):
    """The access log's counts."""
    return json.loads(ask(f"{account.endpoint_url}/_embedded/calls")[2])


def test_a_layer_comes_from_the_embedded_s3(account):
    s3 = account.client("s3")
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    content = zipped({"python/a.py": "A = 1"})
    s3.put_object(Bucket="bucket", Key="a/layer.zip", Body=content, Metadata={"under_score": "kept"})
    assert s3.head_object(Bucket="bucket", Key="a/layer.zip")["Metadata"] == {"under_score": "kept"}
    made = account.aws_lambda.publish_layer_version(
        LayerName="from-s3", Content={"S3Bucket": "bucket", "S3Key": "a/layer.zip"}
    )
    assert made["Content"]["CodeSize"] == len(content)


def test_a_role_has_to_exist_and_to_trust_lambda(account):
    iam = account.client("iam")
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}}]}
    arn = iam.create_role(RoleName="other", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    for role in (arn, "arn:aws:iam::123456789012:role/nobody"):
        with pytest.raises(account.aws_lambda.exceptions.InvalidParameterValueException, match="cannot be assumed"):
            account.aws_lambda.create_function(
                FunctionName="x", Runtime="python3.11", Handler="h.h", Role=role, Code={"ZipFile": zipped({"h.py": ""})}
            )


def test_identity_metrics_labels_and_parameters_are_served(account):
    assert account.client("sts").get_caller_identity()["Account"] == "123456789012"
    assert account.client("rekognition").detect_labels(Image={"Bytes": b"x"})["Labels"]
    account.client("ssm").put_parameter(Name="/a", Value="1", Type="String")
    assert account.client("ssm").get_parameter(Name="/a")["Parameter"]["Value"] == "1"


def test_a_service_that_is_not_served_says_so(account):
    with pytest.raises(ClientError) as caught:
        account.client("dynamodb").list_tables()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert "dynamodb is not served by the embedded AWS" in caught.value.response["Error"]["Message"]


def test_cloudwatch_counts_invocations_and_errors_of_a_version_behind_an_alias(account):
    name = account.function("def handler(event, context):\n    return 1 / event['by']\n")
    version = account.aws_lambda.publish_version(FunctionName=name)["Version"]
    account.aws_lambda.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
    for by in (1, 0, 2):
        account.invoke(name, {"by": by}, Qualifier="live")
    dimensions = {"FunctionName": name, "Resource": f"{name}:live", "ExecutedVersion": version}
    now = datetime.now(UTC)
    sums = {}
    for metric in ("Invocations", "Errors"):
        read = account.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=metric,
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
            StartTime=now - timedelta(minutes=10),
            EndTime=now + timedelta(minutes=1),
            Period=3600,
            Statistics=["Sum"],
        )
        sums[metric] = sum(point["Sum"] for point in read["Datapoints"])
    assert sums == {"Invocations": 3, "Errors": 1}


def test_cloudwatch_counts_requests_of_a_url_by_their_status_and_version(account):
    """A status of 500 is an answer like any other to Invoke, so only the URL's metrics tell of it."""
    name = account.function("def handler(event, context):\n    return {'statusCode': int(event['rawPath'][1:])}\n")
    version = account.aws_lambda.publish_version(FunctionName=name)["Version"]
    account.aws_lambda.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
    url = account.aws_lambda.create_function_url_config(FunctionName=name, Qualifier="live", AuthType="NONE")
    for sid, action in (("a", "lambda:InvokeFunctionUrl"), ("b", "lambda:InvokeFunction")):
        account.aws_lambda.add_permission(
            FunctionName=name, Qualifier="live", StatementId=sid, Action=action, Principal="*"
        )
    assert [ask(f"{url['FunctionUrl']}{status}")[0] for status in (200, 500, 404)] == [200, 500, 404]
    dimensions = {"FunctionName": name, "Resource": f"{name}:live", "ExecutedVersion": version}
    now = datetime.now(UTC)
    read = account.client("cloudwatch").get_metric_data(
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=1),
        MetricDataQueries=[
            {
                "Id": metric.lower(),
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/Lambda",
                        "MetricName": metric,
                        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
                    },
                    "Period": 60,
                    "Stat": "Sum",
                },
            }
            for metric in ("UrlRequestCount", "Url4xxCount", "Url5xxCount", "Errors")
        ],
    )
    sums = {row["Id"]: sum(row["Values"]) for row in read["MetricDataResults"]}
    assert sums == {"urlrequestcount": 3, "url4xxcount": 1, "url5xxcount": 1, "errors": 0}


def test_what_a_function_prints_is_in_cloudwatch_logs(account):
    name = account.function("def handler(event, context):\n    print('a line of', event['who'])\n")
    account.invoke(name, {"who": "mine"})
    events = account.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    assert "a line of mine" in [event["message"] for event in events]


def test_every_call_is_counted_by_service_and_operation(account):
    account.aws_lambda.list_layers()
    before = calls(account)["counts"]
    account.aws_lambda.list_layers()
    account.client("iam").list_roles()
    with pytest.raises(ClientError):
        account.aws_lambda.get_function(FunctionName="nobody")
    after = calls(account)
    grown = {name: n - before.get(name, 0) for name, n in after["counts"].items() if n != before.get(name, 0)}
    assert grown == {"lambda:ListLayers": 1, "iam:ListRoles": 1, "lambda:GetFunction": 1}
    assert after["calls"][-1]["operation"] == "GetFunction"
    assert after["calls"][-1]["status"] == 404


def test_an_unsigned_call_of_lambda_is_refused(account):
    status, headers, _ = ask(f"{account.endpoint_url}/2015-03-31/functions")
    assert (status, headers["x-amzn-ErrorType"]) == (403, "MissingAuthenticationTokenException")


def test_a_fault_of_the_stand_in_is_told_and_not_hidden(account, monkeypatch, caplog):
    from optimizer.local.service import OPERATIONS

    monkeypatch.setitem(OPERATIONS, "ListLayers", lambda *_: {"NoMember": 1})
    with pytest.raises(ClientError, match="The embedded AWS failed: ValueError: ListLayers answers"):
        account.aws_lambda.list_layers()
    assert "ListLayers failed inside the embedded AWS" in caplog.text
