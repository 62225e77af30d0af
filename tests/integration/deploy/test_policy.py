"""Each command does its work with no more than the policy that is generated for it allows, resource by resource."""

import itertools
import json

import pytest

from optimizer.local import embedded_aws
from optimizer.local.service import Settings
from tests.iam import allows, faults
from tests.integration.deploy.configured import configure
from tests.integration.deploy.conftest import ask, built, zipped
from tests.integration.deploy.requests import ACCOUNT

NUMBERS = itertools.count()
QUICK = Settings(update_seconds=0.02)


@pytest.fixture(scope="module")
def aws():
    """Another embedded AWS than other tests': its updates settle at once."""
    with embedded_aws(QUICK) as running:
        yield running


@pytest.fixture
def name():
    """A function's name that no other test uses: roles are common to all regions."""
    return f"least-{next(NUMBERS)}"


def policy(command, *arguments):
    """The policy that `policy deployer` makes with these options."""
    given = ("deployer", "--account", ACCOUNT, "--format", "json", *arguments)
    document = json.loads(command("policy", *given, local=False).stdout)
    assert faults(document) == []
    return document


def project(folder, region, name, *, version="1", share="", **changes):
    """A build, and the configuration that it is of."""
    manifest = built(folder / f"b{version}", function=name, region=region, version=version, web=version, **changes)
    configure(folder, manifest)
    settings = folder / "config/layers.toml"
    settings.write_text(settings.read_text().replace("url =", 'check_path = "/health"\nurl =') + share)
    return str(folder / f"b{version}")


class Deployer:
    """Runs commands, of which every request has to be allowed; `used` are the actions that were."""

    def __init__(self, command, document):
        self.command, self.document = command, document
        self.used = set()

    def __call__(self, *arguments, status=0):
        done = self.command(*arguments, status=status)
        assert self.command.requests, "nothing was asked for"
        for request in self.command.requests:
            for action, resource, context in request.permissions():
                assert allows([self.document], action, resource, context), (action, resource, context)
                self.used.add(action)
        return done


def test_deploys_of_all_kinds_and_the_way_back_need_what_the_usual_policy_has(
    command, client, region, name, *, tmp_path
):
    first = project(tmp_path, region, name)
    run = Deployer(command, policy(command))
    run("deploy", "--artifacts", first, "--yes")
    run("deploy", "--artifacts", first, "--yes")
    second = project(tmp_path, region, name, version="2")
    run("publish", "--artifacts", second)
    run("deploy", "--artifacts", second, "--yes")
    third = project(tmp_path, region, name, version="3", memory_mb=512)
    run("deploy", "--artifacts", third, "--yes", "--dry-run")
    run("deploy", "--artifacts", third, "--yes")
    run("rollback", "--yes")
    assert ask(client(), name)[1]["version"] == "2"
    # what only a function with another URL, with tags that are not wanted, or with weights on its alias asks for; and
    # what GetFunction does not ask for but answers more with
    assert {action for one in run.document["Statement"] for action in one["Action"]} - run.used == {
        "lambda:ListProvisionedConcurrencyConfigs",
        "lambda:ListTags",
        "lambda:UntagResource",
        "lambda:UpdateFunctionUrlConfig",
    }


def test_a_url_that_is_configured_otherwise_is_changed_with_the_new_policy(command, region, name, tmp_path):
    run = Deployer(command, None)
    for version, url in (("1", "public"), ("2", "iam"), ("3", "none"), ("4", "iam")):
        folder = project(tmp_path, region, name, version=version, url=url)
        run.document = policy(command)
        run("deploy", "--artifacts", folder, "--yes")
    assert {"lambda:RemovePermission", "lambda:DeleteFunctionUrlConfig", "lambda:UpdateFunctionUrlConfig"} <= run.used


def test_a_canary_needs_its_metrics_too(command, client, region, name, *, tmp_path):
    first = project(tmp_path, region, name)
    run = Deployer(command, policy(command, "--for", "deploy", "--canary"))
    run("deploy", "--artifacts", first, "--yes")
    second = project(tmp_path, region, name, version="2")
    run("deploy", "--artifacts", second, "--yes", "--canary", "50%", "--for", "1s")
    assert "cloudwatch:GetMetricData" in run.used
    assert ask(client(), name)[1]["version"] == "2"


def test_status_and_prune_have_policies_of_their_own(command, region, name, tmp_path):
    for version in "1234":
        folder = project(tmp_path, region, name, version=version)
        command("deploy", "--artifacts", folder, "--yes")
    reader = Deployer(command, policy(command, "--for", "status"))
    reader("status", status=0)
    pruner = Deployer(command, policy(command, "--for", "prune", "--versions"))
    assert "deleted" in pruner("prune", "--keep", "1", "--versions", "--yes").stderr
    assert {"lambda:DeleteFunction", "lambda:DeleteLayerVersion"} <= pruner.used


def test_consumers_and_roll_reach_functions_that_are_not_configured(command, client, region, name, *, tmp_path):
    first = project(tmp_path, region, name)
    command("deploy", "--artifacts", first, "--yes")
    api = client()
    role = api.get_function(FunctionName=name)["Configuration"]["Role"]
    old = api.list_layer_versions(LayerName="web")["LayerVersions"][0]["LayerVersionArn"]
    core = api.list_layer_versions(LayerName="aws-core")["LayerVersions"][0]["LayerVersionArn"]
    api.create_function(
        FunctionName="theirs",
        Runtime="python3.11",
        Handler="h.handler",
        Role=role,
        Code={"ZipFile": zipped({"h.py": "def handler(e, c):\n    return {'statusCode': 200, 'body': ''}\n"})},
        Layers=[core, old],
    )
    api.get_waiter("function_active_v2").wait(FunctionName="theirs", WaiterConfig={"Delay": 1})
    version = api.publish_version(FunctionName="theirs")["Version"]
    api.create_alias(FunctionName="theirs", Name="live", FunctionVersion=version)
    command("publish", "--artifacts", project(tmp_path, region, name, version="2"))
    reader = Deployer(command, policy(command, "--for", "consumers"))
    assert "theirs" in reader("consumers", "web", "--region", region).stdout
    roller = Deployer(command, policy(command, "--for", "roll"))
    roller("roll", "web", "--region", region, "--yes", "--check-path", "/health", "--accept-latest")
    roller("roll", "web", "--region", region, "--yes", "--check-path", "/health", "--to", "1")
    assert {"lambda:UpdateFunctionConfiguration", "lambda:InvokeFunction", "lambda:GetPolicy"} <= roller.used


def test_a_bucket_a_lease_parameters_and_shares_need_what_their_options_name(
    command, client, region, name, *, tmp_path, monkeypatch
):
    for bucket in (f"zips-{region}", f"locks-{region}"):
        client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
    lease, prefix = f"s3://locks-{region}/team/app.json", f"/layers/{region}"
    share = '[share]\naccounts = ["210987654321"]\n'
    first = project(tmp_path, region, name, share=share)
    document = policy(command, "--bucket", f"zips-{region}", "--lease", lease, "--ssm", prefix)
    monkeypatch.setattr("optimizer.limits.DIRECT_ZIP_BYTES", 1)
    run = Deployer(command, document)
    run("deploy", "--artifacts", first, "--yes", "--lease", lease, "--bucket", f"zips-{region}")
    second = project(tmp_path, region, name, version="2", share=share)
    run("publish", "--artifacts", second, "--ssm", prefix, "--bucket", f"zips-{region}")
    run("deploy", "--artifacts", second, "--yes", "--lease", lease, "--bucket", f"zips-{region}")
    assert {"s3:ListBucket", "s3:GetObject", "s3:DeleteObject", "ssm:PutParameter", "s3:PutObject"} <= run.used


def test_callers_of_latest_are_moved_with_what_adopting_needs(command, client, region, name, *, tmp_path):
    folder = project(tmp_path, region, name, url="none")
    command("deploy", "--artifacts", folder, "--yes")
    api = client()
    api.delete_alias(FunctionName=name, Name="live")
    api.create_event_source_mapping(FunctionName=name, EventSourceArn=f"arn:aws:sqs:{region}:{ACCOUNT}:orders")
    client("events").put_rule(Name="nightly", ScheduleExpression="rate(1 day)")
    topic = client("sns").create_topic(Name="news")["TopicArn"]
    rule = f"arn:aws:events:{region}:{ACCOUNT}:rule/nightly"
    for sid, principal, source in (("rule", "events.amazonaws.com", rule), ("topic", "sns.amazonaws.com", topic)):
        api.add_permission(
            FunctionName=name,
            StatementId=sid,
            Action="lambda:InvokeFunction",
            Principal=principal,
            SourceArn=source,
        )
    run = Deployer(command, policy(command, "--for", "deploy", "--adopt"))
    run("deploy", "--artifacts", folder, "--yes", "--adopt")
    assert {"lambda:UpdateEventSourceMapping", "events:ListTargetsByRule", "sns:ListSubscriptionsByTopic"} <= run.used
