"""`--explain` prints a script of the AWS CLI's commands, which leads to the end state that the deploy leads to."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from optimizer.build import Share
from tests.integration.deploy.configured import configure
from tests.integration.deploy.conftest import REGIONS, ask, built

READING = ("Get", "List", "Head")
AWS = shutil.which("aws")
STAND_IN = Path(__file__).with_name("aws_stand_in.py")


@pytest.fixture
def run(request, tmp_path):
    """Run a script with a stand-in for `aws` on PATH, or with the real one where there is one."""
    tool = getattr(request, "param", "stand-in")
    tools = tmp_path / "tools"
    tools.mkdir()
    if tool == "stand-in":
        (tools / "aws").write_text(f'#!/bin/sh\nexec "{sys.executable}" "{STAND_IN}" "$@"\n')
        (tools / "aws").chmod(0o755)
    elif AWS is None:
        pytest.skip("there is no AWS CLI on PATH")
    (tools / "sleep").write_text("#!/bin/sh\n")
    (tools / "sleep").chmod(0o755)

    def run(script, status=0):
        kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        done = subprocess.run(
            ["bash"],
            input=script,
            text=True,
            capture_output=True,
            cwd=tmp_path,
            check=False,
            env={
                **kept,
                "PATH": f"{tools}:{os.environ['PATH']}",
                "AWS_ACCESS_KEY_ID": "x",
                "AWS_SECRET_ACCESS_KEY": "x",
            },
        )
        assert done.returncode == status, done.stderr + done.stdout
        return done

    run.tool = tool
    return run


def state(client, function="app"):
    """What there is of a function, without what differs from one to the next: revisions, dates, names of the region."""
    lam = client()
    region = lam.meta.region_name
    latest = lam.get_function_configuration(FunctionName=function)
    alias = lam.get_alias(FunctionName=function, Name="live")
    live = lam.get_function_configuration(FunctionName=function, Qualifier="live")
    url = lam.get_function_url_config(FunctionName=function, Qualifier="live")
    policy = lam.get_policy(FunctionName=function, Qualifier="live")["Policy"]
    versions = {
        layer["LayerName"]: [
            (one["Version"], one["Description"])
            for one in lam.list_layer_versions(LayerName=layer["LayerName"])["LayerVersions"]
        ]
        for layer in lam.list_layers()["Layers"]
    }
    told = {
        "latest": [latest.get(key) for key in ("CodeSha256", "Handler", "MemorySize", "Timeout", "Environment")],
        "live": [live.get(key) for key in ("CodeSha256", "Version", "Description", "Layers", "Architectures")],
        "alias": [alias.get(key) for key in ("FunctionVersion", "RoutingConfig", "Description")],
        "url": [url["AuthType"], sorted(one["Sid"] for one in json.loads(policy)["Statement"])],
        "layers": versions,
    }
    address = url["FunctionUrl"].rstrip("/")
    return json.loads(json.dumps(told).replace(region, "REGION").replace(address, "URL"))


BUILDS = {
    "stand-in": (
        {"environment": {"TOKEN": "s3cret"}},
        {"version": "2", "web": "2", "environment": {"TOKEN": "0ther", "MODE": "x"}},
    ),
    "aws": ({"environment": {"TOKEN": "s3cret"}},),  # its start takes most of a second for each command
}


@pytest.mark.parametrize("run", ["stand-in", "aws"], indirect=True)
def test_the_script_of_a_first_deploy_and_of_a_change_ends_as_the_deploys_do(command, client, region, tmp_path, run):
    other = next(REGIONS)
    builds = BUILDS[run.tool]
    for number, build in enumerate(builds):
        folder = tmp_path / str(number)
        built(folder, region=region, **build)
        explained = command("deploy", "--artifacts", str(folder), "--explain").stdout
        assert not [name for name in command.calls if not name.startswith(READING)], "nothing was changed"
        assert build["environment"]["TOKEN"] not in explained
        run(explained, status=1)  # before anything was called: there is no file with the variables
        (tmp_path / "app.environment.json").write_text(json.dumps({"Variables": build["environment"]}))
        run(explained)
        (tmp_path / "app.environment.json").unlink()
    by_hand = state(client)
    again = command.document("deploy", folder, "--yes")
    assert {row["action"] for row in again["deployments"][0]["changes"]} == {
        "keep-layer",
        "keep-code",
        "keep-alias",
        "keep-url",
    }, "a deploy afterwards finds everything as it would have left it"
    for number, build in enumerate(builds):
        folder = tmp_path / f"by-deploy-{number}"
        built(folder, region=other, **build)
        command.document("deploy", folder, "--yes")
    assert by_hand == state(lambda: client(region_name=other))


def test_a_check_that_is_not_passed_stops_the_script_before_the_alias(command, client, region, tmp_path, run):
    built(tmp_path / "a", region=region)
    command.document("deploy", tmp_path / "a", "--yes")
    built(tmp_path / "b", region=region, version="2", status=500)
    run(command("deploy", "--artifacts", str(tmp_path / "b"), "--explain").stdout, status=1)
    assert ask(client())[1]["version"] == "1"


def test_the_script_of_a_canary_reads_how_calls_ended_and_moves_the_alias_or_takes_the_traffic_back(
    command, client, region, tmp_path, run
):
    built(tmp_path / "a", region=region)
    command.document("deploy", tmp_path / "a", "--yes")
    built(tmp_path / "b", region=region, version="2")
    arguments = ("--artifacts", str(tmp_path / "b"), "--canary", "50%", "--for", "1s", "--explain")
    failing = command("deploy", *arguments).stdout.replace('<<< "$RATES"', "<<< '10 5 0 0'")
    run(failing, status=1)
    alias = client().get_alias(FunctionName="app", Name="live")
    assert (alias["FunctionVersion"], alias.get("RoutingConfig")) == ("1", None)
    run(command("deploy", *arguments).stdout)
    alias = client().get_alias(FunctionName="app", Name="live")
    assert (alias["FunctionVersion"], alias.get("RoutingConfig")) == ("2", None)


def test_the_script_of_a_rollback_and_the_commands_in_the_document(command, client, region, tmp_path, run):
    for version in "12":
        manifest = built(tmp_path / version, region=region, version=version)
        command.document("deploy", tmp_path / version, "--yes")
    configure(tmp_path, manifest)
    document = json.loads(command("rollback", "--explain", "--format", "json").stdout)
    script = command("rollback", "--explain").stdout
    changes = document["deployments"][0]["changes"]
    assert document["executed"] is False
    assert [len(row["commands"]) for row in changes if row["action"].startswith("keep-")] == [0, 0, 0]
    (move,) = [row for row in changes if row["action"] == "move-alias"]
    assert move["commands"][0].startswith(
        "aws lambda update-alias --function-name app --name live --function-version 1 "
    )
    run(script)
    assert ask(client())[1]["version"] == "1"


def test_what_is_refused_is_a_comment_of_the_script_and_the_status_tells_it(command, region, tmp_path):
    built(tmp_path / "a", region=region)
    done = command("deploy", "--artifacts", str(tmp_path / "a"), "--code-only", "--explain", status=1)
    assert "# refused: Code alone can't be deployed to app" in done.stdout
    assert "\naws " not in done.stdout


def test_the_script_of_publish_ends_as_publish_does(command, client, region, tmp_path, run):
    """Also for one layer that changed, with those that may attach it and the parameters."""
    other = next(REGIONS)
    share = Share(accounts=("999999999999",), organization=None)
    for version in "12":
        folder = tmp_path / version
        manifest = dataclasses.replace(built(folder, region=region, web=version), share=share)
        (folder / "manifest.json").write_text(manifest.to_json())
        arguments = ("publish", "--artifacts", str(folder), "--ssm", "/layers", "--region")
        explained = command(*arguments, region, "--explain").stdout
        assert not [name for name in command.calls if not name.startswith(READING)], "nothing was changed"
        document = json.loads(command(*arguments, region, "--explain", "--format", "json").stdout)
        assert document["regions"] == [{"region": region, "outcome": "planned"}]
        kept = [row["subject"] for row in document["changes"] if not row["commands"]]
        assert kept == ([] if version == "1" else ["aws-core"])
        run(explained)
        command(*arguments, other)
    again = json.loads(command(*arguments, region, "--format", "json").stdout)
    assert ({row["action"] for row in again["changes"]}, again["parameters"]) == ({"keep-layer"}, [])

    def there(place):
        """Every version with who may attach it, and the parameters."""
        lam, ssm = client(region_name=place), client("ssm", region_name=place)
        versions = {
            (name, one["Version"]): (
                one["Description"],
                [statement["Principal"] for statement in _policy(lam, name, one["Version"])],
            )
            for name in ("aws-core", "web")
            for one in lam.list_layer_versions(LayerName=name)["LayerVersions"]
        }
        values = {
            name: ssm.get_parameter(Name=name)["Parameter"]["Value"] for name in ("/layers/aws-core", "/layers/web")
        }
        return json.loads(json.dumps([list(versions.items()), values]).replace(place, "REGION"))

    assert there(region) == there(other)


def _policy(lam, layer, version):
    policy = lam.get_layer_version_policy(LayerName=layer, VersionNumber=version)["Policy"]
    return json.loads(policy)["Statement"]
