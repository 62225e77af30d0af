"""consumers and roll against the embedded AWS: complete, in waves, stopped by a fault, and resumed."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest

from optimizer.local import embedded_aws
from optimizer.local.service import Settings
from tests.integration.deploy.conftest import Command, ask, built, zipped

SOURCE = """
import json, web
def handler(event, context):
    healthy = NAME not in web.BREAKS
    return {"statusCode": 200 if healthy else 500, "body": json.dumps({"web": web.NAME, "path": event["rawPath"]})}
"""
COUNT = 8
NAMES = [f"f{number:02}" for number in range(COUNT)]


QUICK = Settings(update_seconds=0.02)


@pytest.fixture(scope="module")
def aws():
    """Another embedded AWS than other tests': its updates settle at once."""
    with embedded_aws(QUICK) as running:
        yield running


@pytest.fixture
def fleet(client):
    return made(client)


def made(client):
    """Functions on version 1 of `web`, of which version 2 breaks f04, in the third wave of two functions each."""
    api = client()
    layers = [publish(api, name, breaks) for name, breaks in (("1", ()), ("2", ("f04",)))]
    role = make_role(client("iam"))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: make_function(api, name, role, layers[0]), NAMES))
    return api


def publish(api, name, breaks=()):
    text = f"NAME = {name!r}\nBREAKS = {list(breaks)!r}\n"
    answer = retried(api.publish_layer_version, LayerName="web", Content={"ZipFile": zipped({"python/web.py": text})})
    return answer["LayerVersionArn"]


def make_role(iam):
    try:
        return iam.get_role(RoleName="fleet")["Role"]["Arn"]
    except iam.exceptions.NoSuchEntityException:
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
            ],
        }
        return iam.create_role(RoleName="fleet", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]


def make_function(api, name, role, layer):
    retried(
        api.create_function,
        FunctionName=name,
        Runtime="python3.11",
        Handler="h.handler",
        Role=role,
        Code={"ZipFile": zipped({"h.py": f"NAME = {name!r}\n{SOURCE}"})},
        Layers=[layer],
        Publish=True,
    )
    retried(api.create_alias, FunctionName=name, Name="live", FunctionVersion="1")


def retried(call, **given):
    """The fixture's own calls are throttled as everybody's."""
    while True:
        try:
            return call(**given)
        except call.__self__.exceptions.TooManyRequestsException:
            continue


def document(command, *arguments, status=0):
    pace = ("--calls-per-second", "1000")  # where nothing throttles, nothing has to wait
    return json.loads(command(*arguments, *pace, "--format", "json", status=status).stdout)


def roll(command, region, *arguments, status=0):
    arguments = ("--region", region, "--wave", "25%", "--check-path", "/health", "--yes", *arguments)
    (place,) = document(command, "roll", "web", *arguments, status=status)["regions"]
    return place, {row["function"]: row["outcome"] for row in place["functions"]}


def served(api):
    """What each function answers behind its alias."""
    return {name: ask(api, name)[1]["web"] for name in NAMES}


@pytest.mark.usefixtures("fleet")
def test_consumers_are_complete(command, region):
    (place,) = document(command, "consumers", "web", "--region", region)["regions"]
    assert (place["newest"], place["functions_read"]) == (2, COUNT)
    assert [(row["function"], row["version"]) for row in place["consumers"]] == [
        (name, version) for name in NAMES for version in ("$LATEST", "1")
    ]
    row = place["consumers"][1]
    assert (row["aliases"], row["layer_version"], row["position"], row["layers"], row["deleted"]) == (
        [{"name": "live", "share": 1.0}],
        1,
        1,
        1,
        False,
    )
    assert {name for name in command.calls if not name.startswith(("Get", "List"))} == set()
    text = command("consumers", "web", "--region", region).stdout
    assert (
        f"{COUNT} of {COUNT} functions use it, in {2 * COUNT} versions of theirs; served are: {COUNT} on version 1"
        in text
    )


def test_a_fault_in_the_third_wave_stops_there_and_a_mended_layer_goes_on(command, fleet, region):
    place, outcomes = roll(command, region, status=1)
    assert [len(wave) for wave in place["waves"]] == [2, 2, 2, 2]
    assert {outcomes[name] for name in NAMES[:4]} == {"moved"}
    assert outcomes["f04"] == "failed"
    assert {outcomes[name] for name in NAMES[6:]} == {"not-begun"}
    now = served(fleet)
    assert {now[name] for name in NAMES[:4]} == {"2"}
    assert {now[name] for name in ("f04", *NAMES[6:])} == {"1"}

    publish(fleet, "3")
    place, outcomes = roll(command, region)
    assert set(outcomes.values()) == {"moved"}
    assert set(served(fleet).values()) == {"3"}
    place, outcomes = roll(command, region)
    assert (place["waves"], set(outcomes.values())) == ([], {"current"})


def test_a_fault_in_the_third_wave_takes_all_back_where_that_is_asked(command, fleet, region):
    _, outcomes = roll(command, region, "--on-failure", "back", status=1)
    assert {outcomes[name] for name in NAMES[:4]} == {"back"}
    assert set(served(fleet).values()) == {"1"}
    (place,) = document(command, "consumers", "web", "--region", region)["regions"]
    assert {row["layer_version"] for row in place["consumers"] if row["version"] == "$LATEST"} == {1}


@pytest.mark.usefixtures("fleet")
def test_the_dry_run_prints_the_waves_and_only_reads(command, region):
    text = command("roll", "web", "--region", region, "--dry-run", "--wave", "3").stdout
    assert f"web in {region}: to version 2, {COUNT} functions in 3 waves" in text
    assert "not asked anything: no path is known" in text
    assert {name for name in command.calls if not name.startswith(("Get", "List"))} == set()
    refused = command("roll", "web", "--region", region, status=2)
    assert "no terminal to ask at" in refused.stderr


def test_functions_whose_latest_is_called_are_left_alone(command, fleet, region):
    queue = f"arn:aws:sqs:{region}:123456789012:jobs"
    fleet.create_event_source_mapping(FunctionName="f00", EventSourceArn=queue)
    fleet.create_event_source_mapping(FunctionName="f01:live", EventSourceArn=queue)
    fleet.create_function_url_config(FunctionName="f02", AuthType="AWS_IAM")
    fleet.add_permission(
        FunctionName="f03", StatementId="bucket", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com"
    )
    (place,) = document(command, "roll", "web", "--region", region, "--dry-run")["regions"]
    outcomes = {row["function"]: row["outcome"] for row in place["functions"]}
    assert {name for name, outcome in outcomes.items() if outcome == "skipped"} == {"f00", "f02", "f03"}
    assert f"the event source {queue}" in place["functions"][0]["reason"]
    (place,) = document(command, "roll", "web", "--region", region, "--dry-run", "--accept-latest")["regions"]
    assert {row["outcome"] for row in place["functions"]} == {"planned"}


def test_a_deploy_takes_a_version_that_was_rolled_for_its_own(command, client, region, tmp_path):
    built(tmp_path / "a", region=region)
    command.document("deploy", tmp_path / "a", "--yes")
    built(tmp_path / "b", region=region, web="2")
    command.document("publish", tmp_path / "b")
    (place,) = document(command, "roll", "web", "--region", region, "--check-path", "/x", "--yes")["regions"]
    assert [(row["function"], row["outcome"], row["checked"]) for row in place["functions"]] == [
        ("app", "moved", "GET /x")
    ]
    assert ask(client())[1]["web"] == "2"
    command.document("deploy", tmp_path / "b", "--yes")
    writes = {name for name in command.calls if not name.startswith(("Get", "List"))}
    assert writes <= {"UpdateAlias"}, "but for its mark there is nothing left to do"
    assert ask(client())[1]["web"] == "2"


def test_a_layer_that_nobody_knows_is_wrong_input(command, region):
    done = command("consumers", "nothing", "--region", region, "--format", "json", status=2)
    assert json.loads(done.stdout)["error"]["message"].startswith(f"There is no layer nothing in {region}")
    assert "none of 0 functions uses one" in done.stderr


def test_a_deleted_version_is_shown_where_it_is_attached(command, fleet, region):
    retried(fleet.delete_layer_version, LayerName="web", VersionNumber=1)
    text = command("consumers", "web", "--region", region).stdout
    assert text.count("1 deleted") == 2 * COUNT


def test_a_control_plane_that_throttles_is_called_no_faster_than_it_bears(region, tmp_path, monkeypatch, capsys):
    with embedded_aws(Settings(update_seconds=0.02, throttle=True)) as throttling:
        api = made(lambda service="lambda": make_client(throttling, region, service))
        command = Command(throttling, tmp_path, monkeypatch, capsys)
        done = command("roll", "web", "--region", region, "--yes", "--accept-latest")
        assert f"{COUNT} moved" in done.stdout
        assert {api.get_alias(FunctionName=name, Name="live")["FunctionVersion"] for name in NAMES} == {"2"}


def test_ctrl_c_finishes_the_function_it_is_on_and_says_what_was_done(aws, fleet, region, tmp_path):
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "optimizer", "roll", "web", "--to", "2", "--region", region, "--wave", "1"),
            *(
                "--check-path",
                "/health",
                "--yes",
                "--format",
                "json",
                "--accept-latest",
                "--endpoint-url",
                aws.endpoint_url,
            ),
        ],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"},
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("wave 2"):
                process.send_signal(signal.SIGINT)
                break
        stdout, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    told = json.loads(stdout)
    assert told["interrupted"] is True
    outcomes = {row["function"]: row["outcome"] for row in told["regions"][0]["functions"]}
    moved = {name for name, outcome in outcomes.items() if outcome == "moved"}
    assert moved
    assert set(outcomes.values()) == {"moved", "not-begun"}
    assert {name for name, web in served(fleet).items() if web == "2"} == moved


@pytest.fixture
def command(aws, tmp_path, monkeypatch, capsys):
    return Command(aws, tmp_path, monkeypatch, capsys)


@pytest.fixture
def client(aws, region):
    return lambda service="lambda": make_client(aws, region, service)


def make_client(aws, region, service):
    return boto3.client(
        service,
        endpoint_url=aws.endpoint_url,
        region_name=region,
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )
