"""Whatever AWS refuses, the command says what, on what, and what to do; run again it ends as if nothing had been."""

import dataclasses
import itertools
import json
import re

import pytest
from botocore.exceptions import EndpointConnectionError

from optimizer.build import Share
from optimizer.deploy.permission.permissions import action_of, operations_of
from optimizer.local import embedded_aws
from optimizer.local.service import Settings
from tests.integration.deploy.conftest import Command, built

DENIED = "User: arn:aws:sts::123456789012:assumed-role/ci/run is not authorized"
EXPIRED = "The security token included in the request is expired"

FIRST = """GetAlias GetFunction GetRole ListLayerVersions PublishLayerVersion CreateRole AttachRolePolicy
    ListAttachedRolePolicies GetRolePolicy PutRolePolicy CreateFunction PublishVersion GetFunctionUrlConfig GetPolicy
    ListEventSourceMappings ListAliases Invoke CreateAlias AddPermission CreateFunctionUrlConfig UpdateAlias"""
LATER = """ListProvisionedConcurrencyConfigs GetLayerVersionPolicy AddLayerVersionPermission DeleteRolePolicy
    RemoveLayerVersionPermission UpdateFunctionCode UpdateFunctionConfiguration UntagResource TagResource
    RemovePermission UpdateFunctionUrlConfig DeleteFunctionUrlConfig"""
ADOPT = "UpdateEventSourceMapping GetObject PutObject DeleteObject"
BUCKET = "PutObject DeleteObject ListObjectsV2 ListMultipartUploads"
PASSED_OVER = (
    "could not be removed and expires by itself",
    "something may be left of s3://",
    "what killed runs left in s3://",
)
"""What is said where something beside the deploy itself is denied, which is done all the same."""
TOLERATED = {
    "GetBucketNotificationConfiguration": "what can't be asked is left where it is, and told",
    "ListTargetsByRule": "as above",
    "ListSubscriptionsByTopic": "as above",
    "GetLayerVersionByArn": "a layer that can't be read is taken for somebody else's, and kept",
}


def deploy(command, folder, *arguments, status=0, **env):
    return command("deploy", "--artifacts", str(folder), "--yes", *arguments, status=status, **env)


@pytest.fixture(scope="module")
def aws():
    """Another embedded AWS than other tests': its updates settle at once."""
    with embedded_aws(Settings(update_seconds=0.02)) as running:
        yield running


@dataclasses.dataclass
class Denials:
    """Denies each run the first operation that was not denied to an earlier one, until there is none."""

    command: Command
    faults: object
    struck: list = dataclasses.field(default_factory=list)
    told: dict = dataclasses.field(default_factory=dict)
    next: object = None

    def run(self, folder, *arguments):
        while True:
            before = len(self.struck)

            def plan(service, operation, _url, before=before):
                if len(self.struck) > before or operation in self.struck or operation in TOLERATED:
                    return None
                self.struck.append(operation)
                return "AccessDenied" if service in {"iam", "s3"} else "AccessDeniedException", DENIED, 403

            self.faults.plan = plan
            done = deploy(self.command, folder, *arguments, status=None)
            if len(self.struck) == before:
                assert done.status == 0, done.stderr
                return
            if done.status == 0 and any(words in done.stderr for words in PASSED_OVER):
                assert f"{self.struck[-1]} of s3://" in done.stderr
                self.next(len(self.struck))
                continue
            assert done.status == 3, f"{self.struck[-1]}: {done.stderr}"
            self.told[self.struck[-1]] = done.stderr.split("error: ")[1].strip().splitlines()

    def check(self, region, subjects):
        """Each says what was called, on which of `subjects`, where, and what to allow."""
        for operation, (message, mend) in self.told.items():
            pattern = rf"{operation} of (.*) in {region} was refused: AccessDenied(Exception)?: {re.escape(DENIED)}"
            match = re.fullmatch(pattern, message)
            assert match, message
            assert any(subject in match[1] for subject in subjects), message
            assert mend.startswith(f"Allow {action_of(operation)} on "), mend
            assert " to the identity that deploys; `python -m optimizer policy deployer` prints" in mend, mend
            assert match[1] in mend or "it can't be limited" in mend


def test_each_call_of_a_first_deploy_can_be_denied(command, region, tmp_path, faults):
    built(tmp_path / "a", function="denied", region=region, tags={"a": "b"})
    denials = Denials(command, faults)
    denials.run(tmp_path / "a")
    assert set(denials.struck) == set(FIRST.split())
    denials.check(region, ("denied", "aws-core", "web"))


def test_each_call_of_a_later_deploy_can_be_denied(command, client, region, tmp_path, faults):
    accounts = ("210987654321",)
    for folder, share, changes in (
        ("a", Share(accounts=accounts, organization=None), {"tags": {"a": "b"}}),
        ("b", Share(accounts=(), organization="o-a1b2c3d4e5"), {"url": "iam", "policy": None, "tags": {"c": "d"}}),
        ("c", None, {"url": "none", "policy": None, "tags": {"c": "d"}}),
    ):
        version = {} if folder == "a" else {"version": "2", "core": "2", "memory_mb": 300}
        manifest = built(tmp_path / folder, function="later", region=region, **version, **changes)
        shared = dataclasses.replace(manifest, share=share)
        (tmp_path / folder / "manifest.json").write_text(shared.to_json())
    deploy(command, tmp_path / "a")
    lam = client()
    lam.update_function_configuration(FunctionName="later", MemorySize=128)
    lam.get_waiter("function_updated_v2").wait(FunctionName="later", WaiterConfig={"Delay": 1})
    second = lam.publish_version(FunctionName="later")["Version"]
    weights = {"AdditionalVersionWeights": {second: 0.1}}  # a canary that somebody left behind
    lam.update_alias(FunctionName="later", Name="live", RoutingConfig=weights)
    denials = Denials(command, faults, struck=FIRST.split())
    denials.run(tmp_path / "b")
    denials.run(tmp_path / "c")
    assert set(LATER.split()) <= set(denials.struck)
    denials.check(region, ("later", "aws-core", "web"))


def test_what_adopting_and_a_lease_call_can_be_denied(command, client, region, tmp_path, faults):
    built(tmp_path / "a", function="adopted", region=region, url="none")
    deploy(command, tmp_path / "a")
    client().create_event_source_mapping(
        FunctionName="adopted", EventSourceArn=f"arn:aws:sqs:{region}:123456789012:orders"
    )
    bucket = f"leases-{region}"
    client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
    built(tmp_path / "b", function="adopted", region=region, url="none", version="2")
    denials = Denials(command, faults, struck=[*FIRST.split(), *LATER.split()])
    denials.next = lambda _: client("s3").delete_object(Bucket=bucket, Key="app.json")
    denials.run(tmp_path / "b", "--adopt", "--lease", f"s3://{bucket}/app.json")
    assert set(ADOPT.split()) <= set(denials.struck)
    denials.check(region, ("adopted", bucket, "event source"))


@pytest.fixture
def small_calls(monkeypatch):
    """Calls take so little that a function's zip is too large, and its layers are not."""
    monkeypatch.setattr("optimizer.limits.DIRECT_ZIP_BYTES", 180)


@pytest.mark.usefixtures("small_calls")
def test_what_goes_through_a_bucket_can_be_denied(command, client, region, tmp_path, faults):
    bucket = f"zips-{region}"
    client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
    built(tmp_path / "0", function="stored", region=region)
    denials = Denials(command, faults, struck=[*FIRST.split(), *LATER.split()])
    versions = itertools.count(2)

    def another_build(_):
        built(tmp_path / "0", function="stored", region=region, version=str(next(versions)))

    denials.next = another_build  # so that there is something to send again
    denials.run(tmp_path / "0", "--bucket", bucket)
    assert set(denials.struck[-4:]) == set(BUCKET.split())
    denials.check(region, (bucket,))
    assert client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] <= 1, "what could not be removed"


def test_no_call_that_a_deploy_makes_is_left_out():
    known = {*FIRST.split(), *LATER.split(), *ADOPT.split(), *BUCKET.split(), *TOLERATED}
    assert operations_of(frozenset({"deploy", "adopt", "lease", "bucket"})) <= known | PARTS


PARTS = {"CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "AbortMultipartUpload"}
"""PutObject's, for what is larger than a test's zip; their denial is told in the same way."""


def test_credentials_that_expire_on_the_way_leave_what_is_done_and_the_next_run_goes_on(
    command, region, tmp_path, faults
):
    built(tmp_path / "a", function="expired", region=region)
    seen = []

    def plan(_service, operation, _url):
        seen.append(operation)
        return ("ExpiredTokenException", EXPIRED, 403) if "CreateFunction" in seen else None

    faults.plan = plan
    done = deploy(command, tmp_path / "a", status=3)
    assert "Done before it was cut off:\n  publish-layer" in done.stderr
    assert "  put-policy expired-role\n" in done.stderr
    assert f"CreateFunction of expired in {region} was refused: ExpiredTokenException: {EXPIRED}" in done.stderr
    assert "Sign in again" in done.stderr
    assert "What was done so far stays, and is found." in done.stderr
    faults.plan = lambda *_: None
    document = command.document("deploy", tmp_path / "a", "--yes")
    assert document["deployments"][0]["outcome"] == "done"
    assert [layer["version"] for layer in document["deployments"][0]["layers"]] == [1, 1], "nothing was done twice"
    assert not {"PublishLayerVersion", "CreateRole"} & command.calls.keys()


def test_credentials_that_a_program_gives_expired_are_told_as_such(command, region, tmp_path):
    built(tmp_path / "a", region=region)
    program = tmp_path / "credentials"
    old = {"Version": 1, "AccessKeyId": "a", "SecretAccessKey": "b", "SessionToken": "c"}
    program.write_text(f"#!/bin/sh\necho '{json.dumps({**old, 'Expiration': '2020-01-01T00:00:00Z'})}'\n")
    program.chmod(0o755)
    (tmp_path / "config").write_text(f"[default]\ncredential_process = {program}\n")
    nothing = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_CONFIG_FILE": str(tmp_path / "config")}
    done = deploy(command, tmp_path / "a", status=3, **nothing)
    assert "error: The credentials have expired" in done.stderr
    assert "Sign in again" in done.stderr


def test_a_mistyped_region_is_told_with_the_one_that_is_meant_and_without_long_waits(
    command, tmp_path, faults, monkeypatch
):
    built(tmp_path / "a", region="eu-centrall-1")
    tries = []

    def plan(service, _operation, url):
        tries.append(url)
        raise EndpointConnectionError(endpoint_url=f"https://{service}.eu-centrall-1.amazonaws.com")

    faults.plan = plan
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    done = command("deploy", "--artifacts", str(tmp_path / "a"), "--dry-run", status=3, local=False)
    assert "There seems to be no region 'eu-centrall-1'" in done.stderr
    assert "Mend `regions` in config/layers.toml, or --region: eu-central-1 is one." in done.stderr
    assert len(tries) == 2


def test_full_code_storage_is_told_with_what_makes_room(tmp_path, monkeypatch, capsys, region):
    built(tmp_path / "a", region=region)
    with embedded_aws(Settings(code_storage_bytes=200)) as full:
        done = deploy(Command(full, tmp_path, monkeypatch, capsys), tmp_path / "a", status=3)
    assert "CodeStorageExceededException: Code storage limit exceeded." in done.stderr
    assert "`python -m optimizer prune`" in done.stderr


def test_what_lambda_calls_invalid_is_told_in_its_words(command, region, tmp_path):
    built(tmp_path / "a", region=region, environment={"AWS_REGION": "eu-west-1"})
    done = deploy(command, tmp_path / "a", status=3)
    assert "CreateFunction of app in" in done.stderr
    assert "InvalidParameterValueException: Lambda was unable to configure your environment variables" in done.stderr
    assert "Correct what the message names in config/layers.toml, build again, and run it again." in done.stderr


def test_a_layer_of_another_region_is_refused_before_anything_is_changed(command, region, tmp_path):
    arn = "arn:aws:lambda:us-east-1:580247275435:layer:LambdaInsightsExtension:53"
    built(tmp_path / "a", region=region, external=(arn,))
    done = deploy(command, tmp_path / "a", status=1)
    assert f"app in {region} can't attach {arn}: Lambda takes layers of its own region alone" in done.stderr
    assert "Name under external_layers a layer of that region, or leave the region out." in done.stderr
    assert all(name.startswith(("Get", "List")) for name in command.calls)


@pytest.mark.parametrize(
    ("there", "told", "mend"),
    [
        (
            {"State": "Failed", "StateReason": "no more addresses"},
            "is in the state Failed: no more addresses",
            "delete",
        ),
        ({"PackageType": "Image"}, "is made from a container image", "another name"),
    ],
)
def test_a_function_that_can_take_no_deploy_is_refused_before_anything_is_changed(
    command, region, tmp_path, faults, *, there, told, mend
):
    built(tmp_path / "a", region=region)
    deploy(command, tmp_path / "a")
    built(tmp_path / "b", region=region, core="2")
    faults.changed["GetFunction"] = lambda answer: answer["Configuration"].update(there)
    done = deploy(command, tmp_path / "b", status=1)
    assert f"app in {region} {told}" in done.stderr
    assert mend in done.stderr
    assert all(name.startswith(("Get", "List")) for name in command.calls)


def test_an_update_that_fails_while_it_settles_is_told_and_the_next_run_goes_on(command, region, tmp_path, faults):
    built(tmp_path / "a", region=region)
    deploy(command, tmp_path / "a")
    built(tmp_path / "b", region=region, version="2", core="2")
    seen = []
    faults.plan = lambda _service, operation, _url: seen.append(operation)

    def failed(answer):
        if "UpdateFunctionCode" in seen:
            answer["Configuration"].update(LastUpdateStatus="Failed", LastUpdateStatusReason="the key is disabled")

    faults.changed["GetFunction"] = failed
    done = deploy(command, tmp_path / "b", status=3)
    assert f"The update of app in {region} failed: the key is disabled" in done.stderr
    assert "The alias still serves what it served before." in done.stderr
    faults.changed.clear()
    assert command.document("deploy", tmp_path / "b", "--yes")["deployments"][0]["version"] == "2"
