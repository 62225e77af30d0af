"""A deployer's policy: IAM's grammar, and no more than the configuration leads to."""

import json

import pytest

from optimizer.config import load
from optimizer.deploy.permission.permissions import PARTS
from optimizer.deploy.permission.policies import MANAGED_CHARACTERS, characters, deployer_statements, documents
from optimizer.deploy.permission.scope import Scope
from optimizer.errors import UsageError
from tests.iam import allows, faults

ACCOUNT = "123456789012"
USUAL = frozenset({"deploy", "publish", "rollback"})
ALL = frozenset(PARTS)
FUNCTION = """
[[function]]
name = "{name}"
source = "src"
requirements = "r.txt"
handler = "h.handler"
runtime = "python3.11"
regions = {regions}
{more}
"""
LAYERS = """
[[layer]]
name = "core"
roots = ["boto3"]
[[layer]]
name = "rest"
"""


@pytest.fixture
def config(tmp_path):
    def write(*functions, more=""):
        made = functions or ({},)
        text = "".join(
            FUNCTION.format(**{"name": "app", "regions": '["eu-central-1"]', "more": "", **function})
            for function in made
        )
        (tmp_path / "layers.toml").write_text(text + LAYERS + more)
        return load(tmp_path / "layers.toml")

    return write


def policy(config, parts=USUAL, **options):
    scope = Scope.of(config, **{"account": ACCOUNT, **options})
    made = documents(deployer_statements(scope, frozenset(parts)))
    for document in made:
        assert faults(document) == []
        assert characters(document) <= MANAGED_CHARACTERS
    return made


def actions(made):
    return {action for document in made for one in document["Statement"] for action in one["Action"]}


def of_lambda(resource, region="eu-central-1", account=ACCOUNT):
    return f"arn:aws:lambda:{region}:{account}:{resource}"


def test_the_usual_policy_is_one_document_of_iams_grammar(config):
    (made,) = policy(config())
    assert made["Version"] == "2012-10-17"
    assert {one["Effect"] for one in made["Statement"]} == {"Allow"}


def test_everything_with_every_option_is_of_iams_grammar(config):
    share = f'[share]\naccounts = ["{ACCOUNT}"]'
    made = policy(config(more=share), ALL, bucket="zips", lease=("locks", "app"), ssm="/layers")
    assert {need.partition(":")[0] for need in actions(made)} == {
        "lambda", "iam", "s3", "ssm", "cloudwatch", "events", "sns",
    }  # fmt: skip


def test_only_the_function_and_its_qualifiers_are_its_own(config):
    made = policy(config())
    for resource in ("function:app", "function:app:live", "function:app:7"):
        assert allows(made, "lambda:GetFunction", of_lambda(resource))
    for resource in ("function:apps", "function:other", "function:other:app"):
        assert not allows(made, "lambda:GetFunction", of_lambda(resource))
    assert not allows(made, "lambda:GetFunction", of_lambda("function:app", region="eu-west-1"))
    assert not allows(made, "lambda:GetFunction", of_lambda("function:app", account="210987654321"))


def test_layers_are_published_by_name_and_read_by_version(config):
    made = policy(
        config(
            {
                "more": 'external_layers = [{arn = "arn:aws:lambda:eu-central-1:9%s:layer:apm:3", unzipped_bytes = 1}]'
                % ("0" * 11)
            }
        )
    )
    assert allows(made, "lambda:PublishLayerVersion", of_lambda("layer:core"))
    assert not allows(made, "lambda:PublishLayerVersion", of_lambda("layer:other"))
    assert allows(made, "lambda:GetLayerVersion", of_lambda("layer:rest:12"))
    assert allows(made, "lambda:GetLayerVersion", "arn:aws:lambda:eu-central-1:900000000000:layer:apm:3")
    assert not allows(made, "lambda:GetLayerVersion", "arn:aws:lambda:eu-central-1:900000000000:layer:apm:4")
    assert "lambda:DeleteLayerVersion" not in actions(made)
    assert allows(policy(config(), layers=["old"]), "lambda:GetLayerVersion", of_lambda("layer:old:1"))


def test_what_can_not_be_limited_stands_apart(config):
    for document in policy(config(), ALL):
        for one in document["Statement"]:
            if one["Resource"] == ["*"]:
                assert set(one["Action"]) <= {
                    "lambda:ListFunctions",
                    "lambda:ListLayerVersions",
                    "lambda:ListEventSourceMappings",
                    "lambda:GetAccountSettings",
                    "cloudwatch:GetMetricData",
                }
            else:
                assert "*" not in one["Resource"]


def test_a_role_is_passed_to_lambda_alone(config):
    role = f"arn:aws:iam::{ACCOUNT}:role/app-role"
    made = policy(config())
    assert allows(made, "iam:PassRole", role, {"iam:PassedToService": "lambda.amazonaws.com"})
    assert not allows(made, "iam:PassRole", role, {"iam:PassedToService": "ec2.amazonaws.com"})
    assert not allows(made, "iam:PassRole", role)


def test_only_the_policy_for_logs_is_attached_to_a_role(config):
    role = f"arn:aws:iam::{ACCOUNT}:role/app-role"
    logs = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    made = policy(config())
    assert allows(made, "iam:AttachRolePolicy", role, {"iam:PolicyARN": logs})
    assert not allows(made, "iam:AttachRolePolicy", role, {"iam:PolicyARN": "arn:aws:iam::aws:policy/Administrator"})
    assert not allows(made, "iam:PutRolePolicy", role)
    assert allows(made, "iam:DeleteRolePolicy", role)
    assert allows(policy(config({"more": 'policy = "p.json"'})), "iam:PutRolePolicy", role)


def test_roles_are_not_touched_where_one_is_configured_and_it_tells_the_account(config):
    role = "arn:aws:iam::210987654321:role/theirs"
    made = policy(config({"more": f'role_arn = "{role}"'}), account=None)
    assert {action for action in actions(made) if action.startswith("iam:")} == {"iam:PassRole"}
    assert allows(made, "iam:PassRole", role, {"iam:PassedToService": "lambda.amazonaws.com"})
    assert not allows(made, "lambda:GetFunction", of_lambda("function:app"))
    assert allows(made, "lambda:GetFunction", of_lambda("function:app", account="210987654321"))


def test_an_account_that_is_not_known_is_any(config):
    made = policy(config(), account=None)
    assert allows(made, "lambda:GetFunction", of_lambda("function:app"))
    assert allows(made, "iam:GetRole", f"arn:aws:iam::{ACCOUNT}:role/app-role")


@pytest.mark.parametrize(
    ("url", "allowed", "auth"),
    [
        ("iam", {"CreateFunctionUrlConfig", "UpdateFunctionUrlConfig", "RemovePermission"}, "AWS_IAM"),
        ("public", {"CreateFunctionUrlConfig", "UpdateFunctionUrlConfig", "AddPermission"}, "NONE"),
        ("none", {"DeleteFunctionUrlConfig", "RemovePermission"}, None),
    ],
)
def test_a_url_can_be_made_only_as_it_is_configured(config, url, allowed, auth):
    made = policy(config({"more": f'url = "{url}"'}))
    about = {
        f"{verb}{what}"
        for verb, what in (
            *((verb, "FunctionUrlConfig") for verb in ("Create", "Update", "Delete")),
            ("Add", "Permission"),
            ("Remove", "Permission"),
        )
    }
    assert {action.removeprefix("lambda:") for action in actions(made)} & about == allowed
    for other in ("AWS_IAM", "NONE"):
        context = {"lambda:FunctionUrlAuthType": other}
        assert allows(made, "lambda:CreateFunctionUrlConfig", of_lambda("function:app:live"), context) is (
            other == auth
        )


def test_versions_alone_are_invoked_and_deleted_and_only_where_that_is_done(config):
    checked = config({"more": 'check_path = "/health"'})
    assert allows(policy(checked), "lambda:InvokeFunction", of_lambda("function:app:3"))
    assert not allows(policy(checked), "lambda:InvokeFunction", of_lambda("function:app"))
    assert "lambda:InvokeFunction" not in actions(policy(config()))
    pruning = policy(config(), {"prune", "versions"})
    assert allows(pruning, "lambda:DeleteFunction", of_lambda("function:app:3"))
    assert not allows(pruning, "lambda:DeleteFunction", of_lambda("function:app"))
    assert "lambda:DeleteFunction" not in actions(policy(config(), {"prune"}))


def test_an_event_source_is_moved_only_from_and_to_the_function(config):
    mapping = of_lambda("event-source-mapping:1234")
    made = policy(config(), {"deploy", "adopt"})
    update = "lambda:UpdateEventSourceMapping"
    assert allows(made, update, mapping, {"lambda:FunctionArn": of_lambda("function:app:live")})
    assert not allows(made, update, mapping, {"lambda:FunctionArn": of_lambda("function:other")})


def test_places_in_s3_and_parameters_are_those_that_were_named(config):
    made = policy(config(), ALL, bucket="zips", lease=("locks", "team/app.json"), ssm="/layers/app/")
    assert allows(made, "s3:PutObject", "arn:aws:s3:::zips/layer-optimizer/0.zip")
    assert not allows(made, "s3:PutObject", "arn:aws:s3:::zips/other")
    assert allows(made, "s3:PutObject", "arn:aws:s3:::locks/team/app.json")
    assert not allows(made, "s3:PutObject", "arn:aws:s3:::locks/team/other.json")
    assert allows(made, "s3:ListBucket", "arn:aws:s3:::locks")
    assert not allows(made, "s3:ListBucket", "arn:aws:s3:::zips")
    assert allows(made, "ssm:PutParameter", f"arn:aws:ssm:eu-central-1:{ACCOUNT}:parameter/layers/app/core")
    assert not allows(made, "ssm:PutParameter", f"arn:aws:ssm:eu-central-1:{ACCOUNT}:parameter/layers/app/other")
    assert not {action for action in actions(policy(config(), ALL)) if action.startswith("ssm:")}


def test_layers_are_shared_only_where_the_configuration_shares_them(config):
    sharing = {"lambda:AddLayerVersionPermission", "lambda:RemoveLayerVersionPermission"}
    assert not sharing & actions(policy(config()))
    assert sharing <= actions(policy(config(more=f'[share]\naccounts = ["{ACCOUNT}"]')))


def test_status_only_reads(config):
    verbs = {action.partition(":")[2] for action in actions(policy(config(), {"status", "consumers"}))}
    assert all(verb.startswith(("Get", "List")) for verb in verbs)


def test_the_partition_is_the_regions(config):
    made = policy(config({"regions": '["cn-north-1"]'}))
    text = json.dumps(made)
    assert "arn:aws-cn:lambda:cn-north-1" in text
    assert "arn:aws-cn:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole" in text
    assert "arn:aws:" not in text
    with pytest.raises(UsageError, match="aws and aws-cn"):
        policy(config({"regions": '["cn-north-1", "eu-central-1"]'}))


def test_one_function_or_another_region_can_be_asked_for(config):
    both = config({}, {"name": "two"})
    made = policy(both, functions=["two"], regions=["eu-west-1"])
    assert allows(made, "lambda:GetFunction", of_lambda("function:two", region="eu-west-1"))
    assert "function:app" not in json.dumps(made)
    assert "eu-central-1" not in json.dumps(made)
    with pytest.raises(UsageError, match="no function three"):
        policy(both, functions=["three"])


def test_what_is_too_long_for_one_policy_is_several_that_allow_the_same(config):
    names = [f"a-function-with-quite-a-long-name-{number:03}" for number in range(120)]
    made = policy(config(*({"name": name, "more": 'check_path = "/"'} for name in names)))
    assert len(made) > 1
    sids = [one["Sid"] for document in made for one in document["Statement"]]
    assert len(sids) == len(set(sids))
    for name in names:
        assert allows(made, "lambda:UpdateFunctionCode", of_lambda(f"function:{name}"))
        assert allows(made, "lambda:InvokeFunction", of_lambda(f"function:{name}:1"))
