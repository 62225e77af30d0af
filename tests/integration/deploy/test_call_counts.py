"""The calls that a plan tells of are those that an undisturbed deploy makes beside the ones that it reads with."""

import json

import pytest

from optimizer.local import embedded_aws
from optimizer.local.service import Settings
from tests.integration.deploy.configured import configure
from tests.integration.deploy.conftest import Command
from tests.integration.deploy.scenarios import build_in

RUNS = (
    ((), {}),
    ((), {"version": "2"}),
    ((), {"version": "2", "web": "2"}),
    ((), {"version": "3", "web": "3", "memory_mb": 512, "url": "iam", "policy": None, "tags": {"a": "b"}}),
    (("--canary", "50%", "--for", "1s"), {"version": "4", "url": "none", "tags": {"c": "d"}}),
    ((), {"version": "4", "url": "none", "tags": {"c": "d"}}),
    (("--bucket", "counted-zips"), {"version": "4", "url": "none", "random_megabytes": {"web": 53}}),
)


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """The command on an AWS where updates settle at once."""
    with embedded_aws(Settings(update_seconds=0.0)) as running:
        yield Command(running, tmp_path, monkeypatch, capsys)


def planned_and_made(command, *arguments):
    """The calls that the plan tells of, and those that carrying it out made."""
    plan = json.loads(command(*arguments, "--dry-run", "--format", "json").stdout)
    reading = sum(command.calls.values())
    text = command(*arguments, "--dry-run").stdout
    command(*arguments, "--yes")
    (deployment,) = plan["deployments"]
    told = sum(change["calls"] for change in deployment["changes"])
    assert "Nothing to do" in text if not told else f" in {told} call" in text
    assert all(line == line.rstrip() for line in text.splitlines())
    return told, sum(command.calls.values()) - reading


def test_a_plan_tells_how_many_calls_it_takes(command, tmp_path):
    import boto3

    s3 = boto3.client(
        "s3",
        endpoint_url=command.aws.endpoint_url,
        region_name="eu-a-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )
    s3.create_bucket(Bucket="counted-zips", CreateBucketConfiguration={"LocationConstraint": "eu-a-1"})
    for number, (arguments, build) in enumerate(RUNS):
        folder = tmp_path / str(number)
        manifest = build_in(folder, **build)
        told, made = planned_and_made(command, "deploy", "--artifacts", str(folder), *arguments)
        assert told == made, build
    configure(tmp_path, manifest)
    told, made = planned_and_made(command, "rollback", "--to", "1")
    assert told == made
    assert told > 0
