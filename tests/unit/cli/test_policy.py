"""`policy deployer` and `policy function` as a person or a script runs them."""

import json

import pytest

from optimizer.cli.app import application
from optimizer.errors import LimitError, UsageError
from optimizer.models import Target
from optimizer.plan import lock_text
from tests.iam import faults
from tests.support import CONFIG, lay_out, make_project

HANDLER = """
import os
import boto3
pictures = boto3.client("rekognition")
def handler(event, context):
    return boto3.client("cloudwatch"), boto3.client("sts")
"""
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["cloudwatch:PutMetricData", "dynamodb:GetItem", "kms:Decrypt"],
            "Resource": ["*"],
        },
        {"Effect": "Deny", "Action": ["rekognition:*"], "Resource": ["*"]},
    ],
}


@pytest.fixture
def policy(tmp_path, monkeypatch, capsys):
    """Runs the command on a project whose policy allows a service that is used, and one that is not."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    make_project(tmp_path, config=CONFIG.replace("regions =", 'policy = "policy.json"\nregions ='))
    (tmp_path / "src/handler.py").write_text(HANDLER)
    (tmp_path / "policy.json").write_text(json.dumps(POLICY))
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        assert application(("policy", "plan"))(["policy", *arguments], standalone_mode=False) == 0
        return capsys.readouterr()

    return run


def test_json_is_the_document_itself_and_text_says_what_each_action_is_for(policy):
    done = policy("deployer", "--account", "123456789012", "--format", "json")
    assert faults(json.loads(done.out)) == []
    assert "the deployer decides what the function may do" in done.err
    text = policy("deployer", "--for", "publish", "--ssm", "/layers/app").out
    assert "lambda:PublishLayerVersion  publish\n" in text
    assert "arn:aws:ssm:eu-central-1:*:parameter/layers/app/aws-core" in text
    assert "CreateFunction" not in text


def test_a_file_gets_the_document(policy, tmp_path):
    done = policy("deployer", "--all", "--output", "deployer.json")
    document = json.loads((tmp_path / "deployer.json").read_text())
    assert faults(document) == []
    assert "any function of the regions" in done.err
    actions = {action for one in document["Statement"] for action in one["Action"]}
    assert {"lambda:DeleteLayerVersion", "cloudwatch:GetMetricData", "lambda:UpdateEventSourceMapping"} <= actions


def test_several_documents_are_several_files_and_nothing_that_stdout_could_hold(policy, tmp_path):
    names = [f"a-function-with-quite-a-long-name-{number:03}" for number in range(120)]
    head, *layers = CONFIG.partition("[[layer]]")
    (tmp_path / "config/layers.toml").write_text(
        "".join(head.replace('"app"', f'"{name}"') for name in names) + "".join(layers)
    )
    with pytest.raises(LimitError, match="policies"):
        policy("deployer", "--format", "json")
    policy("deployer", "--output", "deployer.json")
    for name in ("deployer.json", "deployer-2.json"):
        assert faults(json.loads((tmp_path / name).read_text())) == []


def test_locked_layers_that_were_split_off_are_among_the_layers(policy, tmp_path):
    assert "layer:utilities-2:*" not in policy("deployer").out
    (tmp_path / "layers/utilities-2").mkdir(parents=True)
    target = Target(runtime="python3.11", architecture="x86_64")
    lock = lock_text("utilities-2", target, "0" * 64, ())
    (tmp_path / "layers/utilities-2/layer.lock").write_text(f"{lock}tool==1.0 sha256:0\n")
    assert "layer:utilities-2:*" in policy("deployer").out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("deployer", "--account", "12"), "no account's number"),
        (("deployer", "--function", "nobody"), "no function nobody"),
        (("deployer", "--lease", "bucket/key"), "no place for a lease"),
        (("deployer", "--region", "cn-north-1", "--region", "eu-west-1"), "of one partition"),
        (("function", "--path", "site", "--function", "nobody"), "no function nobody"),
    ],
)
def test_what_can_not_be_is_told(policy, arguments, told):
    with pytest.raises(UsageError, match=told):
        policy(*arguments)


def test_a_functions_policy_is_compared_with_the_clients_that_its_code_makes(policy):
    done = policy("function", "--path", "site", "--format", "json")
    assert json.loads(done.out) == POLICY
    assert (
        "warning: app: handler.py makes a client for rekognition, and the policy allows no rekognition action"
        in done.err
    )
    assert "allows actions of dynamodb, which no Python code uses" in done.err
    assert "cloudwatch" not in done.err, "it is used and allowed"
    assert "sts" not in done.err, "whom it is asked as needs no permission"
    assert "kms" not in done.err, "Lambda itself uses it"
    assert "service-role/AWSLambdaBasicExecutionRole" in done.err
    text = policy("function", "--path", "site").out
    assert "rekognition  no action is allowed  handler.py" in text
    assert "attached  arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole" in text


def test_clients_that_can_not_be_followed_are_told_and_so_are_those_of_distributions(policy, tmp_path):
    (tmp_path / "src/handler.py").write_text('import boto3, os\nqueue = boto3.client(os.environ["KIND"])\n')
    lay_out(tmp_path / "site", "tool", files={"tool/__init__.py": 'import boto3\nboto3.client("sqs")\n'})
    done = policy("function", "--path", "site")
    assert "of which service these clients are can't be told: handler.py:2" in done.err
    assert "tool/__init__.py makes a client for sqs" in done.err
    assert "which no Python code uses, unless by those clients" in done.err


def test_a_policy_that_no_role_takes_is_refused(policy, tmp_path):
    many = [{"Effect": "Allow", "Action": [f"dynamodb:Action{n}"], "Resource": ["*"]} for n in range(200)]
    (tmp_path / "policy.json").write_text(json.dumps({"Version": "2012-10-17", "Statement": many}))
    with pytest.raises(LimitError, match="a role takes 10240 inline"):
        policy("function", "--path", "site")


def test_without_a_policy_there_is_no_document(policy, tmp_path):
    make_project(tmp_path)
    assert "none is configured" in policy("function", "--path", "site").out
    with pytest.raises(UsageError, match="No policy is configured for app"):
        policy("function", "--path", "site", "--format", "json")
