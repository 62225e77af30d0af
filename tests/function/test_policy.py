"""The role's policy allows what the code calls, and nothing else."""

import json
import re
from pathlib import Path

import botocore.session

import lambda_function

FUNCTION = Path(lambda_function.__file__).parent
POLICY = json.loads((FUNCTION / "policy.json").read_text())
# HeadBucket has no action of its own (IAM's service authorization reference, Amazon S3).
NOT_OPERATIONS = {"s3:ListBucket": "HeadBucket", "s3:ListAllMyBuckets": "ListBuckets"}
# Reading an object by its version is GetObject in the API; Rekognition reads with its caller's permissions.
BY_PARAMETER = {"s3:GetObjectVersion": '"Version": version'}


def actions() -> set[str]:
    found: set[str] = set()
    for statement in POLICY["Statement"]:
        listed = statement["Action"]
        found |= {listed} if isinstance(listed, str) else set(listed)
    return found


def test_policy_is_valid_iam() -> None:
    assert POLICY["Version"] == "2012-10-17"
    for statement in POLICY["Statement"]:
        assert statement.keys() <= {"Sid", "Effect", "Action", "Resource", "Condition"}
        assert statement["Effect"] == "Allow"
        assert re.fullmatch(r"[A-Za-z0-9]+", statement["Sid"])
    assert all(re.fullmatch(r"[a-z0-9]+:[A-Za-z]+", action) for action in actions()), "no wildcards"
    assert len(json.dumps(POLICY)) < 10_240  # inline policies of a role, together (IAM quotas page)


def test_every_action_is_an_operation_that_the_source_calls() -> None:
    session = botocore.session.get_session()
    source = "".join(path.read_text() for path in FUNCTION.rglob("*.py"))
    for action in sorted(actions()):
        if action in BY_PARAMETER:
            assert BY_PARAMETER[action] in source
            continue
        service, _, name = action.partition(":")
        operation = NOT_OPERATIONS.get(action, name)
        assert operation in session.get_service_model(service).operation_names
        method = re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()
        assert f".{method}" in source, f"{action} is allowed and never used"


def test_every_permission_that_a_message_names_is_in_the_policy() -> None:
    source = "".join(path.read_text() for path in FUNCTION.rglob("*.py"))
    named = set(re.findall(r"\b(?:rekognition|s3):[A-Z][A-Za-z]+\b(?!\*)", source))
    assert named - {"s3:TestEvent"} == actions()  # S3 calls an event so, too
