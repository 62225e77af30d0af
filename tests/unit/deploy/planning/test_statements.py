"""Statements of a policy: what AddPermission can be told again, and what it can't."""

import pytest

from optimizer.deploy.planning.statements import Permission, Statement

BUCKET = "arn:aws:s3:::pictures"


def statement(principal, condition=None, **changed):
    document = {"Sid": "s", "Effect": "Allow", "Principal": principal, "Action": "lambda:InvokeFunction", **changed}
    return Statement(sid="s", document={**document, **({"Condition": condition} if condition else {})})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (statement({"Service": "s3.amazonaws.com"}), {"principal": "s3.amazonaws.com"}),
        (statement({"AWS": "arn:aws:iam::123456789012:root"}), {"principal": "123456789012"}),
        (
            statement({"AWS": "arn:aws:iam::123456789012:role/a"}),
            {"principal": "arn:aws:iam::123456789012:role/a"},
        ),
        (statement({"AWS": "*"}), {"principal": "*"}),
        (
            statement({"Service": "s3.amazonaws.com"}, {"ArnLike": {"aws:SourceArn": BUCKET}}),
            {"principal": "s3.amazonaws.com", "source_arn": BUCKET},
        ),
        (
            statement("*", {"StringEquals": {"AWS:SourceAccount": "1", "aws:PrincipalOrgID": "o-1"}}),
            {"principal": "*", "source_account": "1", "organization": "o-1"},
        ),
        (
            statement("*", {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}),
            {"principal": "*", "url_auth": "NONE"},
        ),
        (
            statement("*", {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}),
            {"principal": "*", "via_url_only": True},
        ),
    ],
)
def test_what_add_permission_made_can_be_told_it_again(given, expected):
    assert given.permission() == Permission(**{"action": "lambda:InvokeFunction", **expected})


@pytest.mark.parametrize(
    "given",
    [
        statement({"Service": "s3.amazonaws.com"}, {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
        statement({"Service": "s3.amazonaws.com"}, {"ArnLike": {"aws:SourceArn": [BUCKET, f"{BUCKET}-2"]}}),
        statement({"Service": "s3.amazonaws.com"}, {"StringEquals": {"aws:SourceArn": BUCKET}}),
        statement("*", {"Bool": {"lambda:InvokedViaFunctionUrl": "false"}}),
        statement({"AWS": "AIDAEXAMPLEOFAUSERTHATISGONE"}),
        statement({"AWS": ["1", "2"]}),
        statement({"Federated": "example.com"}),
        statement("*", Effect="Deny"),
        statement("*", Action=["lambda:InvokeFunction", "lambda:GetFunction"]),
        statement("*", NotResource="x"),
    ],
)
def test_what_add_permission_cannot_say_is_not_said_in_part(given):
    assert given.permission() is None


def test_a_source_is_named_only_where_it_is_one():
    service = {"Service": "events.amazonaws.com"}
    one = statement(service, {"ArnLike": {"AWS:SourceArn": "arn:aws:events:eu-central-1:1:rule/r"}})
    many = statement(service, {"ArnLike": {"AWS:SourceArn": "arn:aws:events:eu-central-1:1:rule/*"}})
    assert (one.source_arn, many.source_arn) == ("arn:aws:events:eu-central-1:1:rule/r", "")
