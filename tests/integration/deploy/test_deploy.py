"""deploy and publish against the embedded AWS: what is called, what then serves, and how refusals end."""

import dataclasses
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from urllib.request import urlopen

import pytest

from optimizer.deploy import BotoAws
from optimizer.errors import AwsError
from tests.integration.deploy.conftest import REGIONS, ask, built, zipped

ROOT = Path(__file__).parents[3]
READING = ("Get", "List", "Head")


def changing(calls):
    return {name: n for name, n in calls.items() if not name.startswith(READING)}


def actions(document):
    return [change["action"] for change in document["deployments"][0]["changes"]]


def test_from_nothing_to_a_url_that_answers_and_a_second_run_that_changes_nothing(command, client, region, tmp_path):
    manifest = built(tmp_path / "a", region=region)
    first = command.document("deploy", tmp_path / "a", "--yes")
    (deployment,) = first["deployments"]
    assert set(first) == {"schema", "executed", "sent_bytes", "calls", "deployments"}
    assert set(deployment) == {"function", "region", "version", "alias", "url", "outcome", "layers", "changes"}
    assert (deployment["version"], deployment["alias"], deployment["outcome"]) == ("1", "live", "done")
    assert first["sent_bytes"] == sum(artifact.zipped_bytes for artifact in manifest.artifacts)
    assert first["calls"] == dict(command.calls), "what is told is what the service saw"
    assert [layer["fingerprint"] for layer in deployment["layers"]] == [a.fingerprint for a in manifest.artifacts[:2]]
    with urlopen(deployment["url"] + "pictures", timeout=10) as answer:  # noqa: S310  the embedded AWS's own
        assert json.load(answer) == {"path": "/pictures", "version": "1", "core": "1", "web": "1"}
    live = client().get_function_configuration(FunctionName="app", Qualifier="live")
    assert live["Description"] == "lo1 " + " ".join(
        a.fingerprint[:32] for a in (manifest.artifacts[2], *manifest.artifacts[:2])
    )
    assert [layer["Arn"] for layer in live["Layers"]] == [layer["arn"] for layer in deployment["layers"]]

    second = command.document("deploy", tmp_path / "a", "--yes")
    assert (second["sent_bytes"], second["executed"]) == (0, True)
    assert changing(command.calls) == {}
    assert 0 < sum(command.calls.values()) <= 3
    assert set(actions(second)) == {"keep-layer", "keep-code", "keep-alias", "keep-url"}
    assert second["deployments"][0]["url"] == deployment["url"]


def test_the_dry_run_prints_what_is_executed_and_only_reads(command, region, tmp_path):
    built(tmp_path / "a", region=region)
    dry = command.document("deploy", tmp_path / "a", "--dry-run")
    assert changing(command.calls) == {}
    assert (dry["executed"], dry["deployments"][0]["version"]) == (False, None)
    done = command.document("deploy", tmp_path / "a", "--yes")
    assert done["deployments"][0]["changes"] == dry["deployments"][0]["changes"]
    text = command("deploy", "--artifacts", str(tmp_path / "a"), "--dry-run").stdout
    assert "Nothing to do" in text


def test_the_text_is_a_plan_with_symbols_bytes_and_reasons(command, region, tmp_path):
    built(tmp_path / "a", region=region)
    text = command("deploy", "--artifacts", str(tmp_path / "a"), "--dry-run").stdout
    assert "+  publish-layer" in text
    assert "is new" in text
    assert "?  check" in text
    assert "to send" in text


def test_a_layer_change_publishes_that_layer_alone_and_freezes_a_new_version(command, client, region, tmp_path):
    built(tmp_path / "a", region=region)
    command.document("deploy", tmp_path / "a", "--yes")
    manifest = built(tmp_path / "b", region=region, web="2")
    done = command.document("deploy", tmp_path / "b", "--yes")
    assert done["sent_bytes"] == manifest.artifacts[1].zipped_bytes
    assert command.calls["PublishLayerVersion"] == 1
    assert command.calls["UpdateFunctionCode"] == 0
    assert [layer["version"] for layer in done["deployments"][0]["layers"]] == [1, 2]
    assert ask(client())[1]["web"] == "2"
    assert ask(client(), qualifier="1")[1]["web"] == "1", "the version before is as it was"


def test_code_alone_sends_one_zip_and_leaves_the_layers(command, client, region, tmp_path):
    built(tmp_path / "a", region=region)
    command.document("deploy", tmp_path / "a", "--yes")
    manifest = built(tmp_path / "b", region=region, version="2")
    for name in ("aws-core.zip", "web.zip"):
        (tmp_path / "b" / name).unlink()
    done = command.document("deploy", tmp_path / "b", "--yes", "--code-only")
    assert done["sent_bytes"] == manifest.artifacts[2].zipped_bytes
    assert changing(command.calls) == {"UpdateFunctionCode": 1, "PublishVersion": 1, "Invoke": 1, "UpdateAlias": 1}
    assert ask(client())[1]["version"] == "2"


def test_code_alone_without_a_function_is_refused(command, region, tmp_path):
    built(tmp_path / "a", region=region)
    document = command.document("deploy", tmp_path / "a", "--yes", "--code-only", status=1)
    assert document["deployments"][0]["outcome"] == "refused"
    assert changing(command.calls) == {}


def test_layers_of_others_and_external_ones_stay_where_they_are(command, client, region, tmp_path):
    built(tmp_path / "a", region=region)
    command.document("deploy", tmp_path / "a", "--yes")
    lam = client()
    made = [
        lam.publish_layer_version(LayerName=name, Content={"ZipFile": zipped({f"python/{name}.py": "x = 1\n"})})
        for name in ("agent", "tracer")
    ]
    agent, tracer = (layer["LayerVersionArn"] for layer in made)
    ours = [layer["Arn"] for layer in lam.get_function_configuration(FunctionName="app")["Layers"]]
    lam.update_function_configuration(FunctionName="app", Layers=[agent, *ours])
    built(tmp_path / "b", region=region, web="2", external=(tracer,))
    command.document("deploy", tmp_path / "b", "--yes")
    live = lam.get_function_configuration(FunctionName="app", Qualifier="live")
    names = [layer["Arn"].split(":")[6] for layer in live["Layers"]]
    assert names == ["agent", "aws-core", "web", "tracer"]


def test_callers_of_latest_are_named_and_need_consent(command, client, region, tmp_path):
    built(tmp_path / "a", region=region)
    command.document("deploy", tmp_path / "a", "--yes")
    lam = client()
    url = lam.create_function_url_config(FunctionName="app", AuthType="AWS_IAM")["FunctionUrl"]
    queue = f"arn:aws:sqs:{region}:123456789012:orders"
    lam.create_event_source_mapping(FunctionName="app", EventSourceArn=queue)
    lam.create_event_source_mapping(FunctionName="app:live", EventSourceArn=f"{queue}-live")
    lam.create_alias(FunctionName="app", Name="edge", FunctionVersion="$LATEST")
    lam.add_permission(
        FunctionName="app",
        StatementId="from-a-bucket",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
    )
    built(tmp_path / "b", region=region, version="2", core="2")
    refused = command("deploy", "--artifacts", str(tmp_path / "b"), "--yes", status=1)
    for caller in (url, f"{queue}\n", "the alias 'edge'", "the permission 'from-a-bucket'"):
        assert caller in refused.stderr
    assert f"{queue}-live" not in refused.stderr
    assert changing(command.calls) == {}
    command.document("deploy", tmp_path / "b", "--yes", "--accept-latest")
    assert ask(lam)[1]["version"] == "2"


def test_each_region_gets_its_own_deployment_and_one_role_serves_all(command, region, tmp_path):
    other = next(REGIONS)
    built(tmp_path / "a", region=region, regions=(region, other))
    done = command.document("deploy", tmp_path / "a", "--yes")
    assert [one["region"] for one in done["deployments"]] == [region, other]
    assert [one["outcome"] for one in done["deployments"]] == ["done", "done"]
    assert {layer["arn"].split(":")[3] for layer in done["deployments"][1]["layers"]} == {other}
    again = command.document("deploy", tmp_path / "a", "--yes")
    assert changing(command.calls) == {}
    assert again["sent_bytes"] == 0


def test_a_region_that_fails_does_not_stop_the_others(command, client, region, tmp_path, monkeypatch):
    other = next(REGIONS)
    built(tmp_path / "a", region=region, regions=(other, region))
    create = BotoAws.create_function

    def refused(self, *arguments, **named):
        if self.region == other:
            raise AwsError("CreateFunction was refused", mend="ask for more")
        return create(self, *arguments, **named)

    monkeypatch.setattr(BotoAws, "create_function", refused)
    done = command.document("deploy", tmp_path / "a", "--yes", status=3)
    assert [one["outcome"] for one in done["deployments"]] == ["failed", "done"]
    assert done["error"] == {"code": "aws", "message": "CreateFunction was refused", "mend": "ask for more"}
    assert ask(client())[1]["version"] == "1"
    monkeypatch.undo()
    again = command.document("deploy", tmp_path / "a", "--yes")
    assert [one["outcome"] for one in again["deployments"]] == ["done", "done"]
    assert command.calls["PublishLayerVersion"] == 0


def test_a_large_layer_goes_through_s3_and_is_removed_there(command, client, region, tmp_path):
    manifest = built(tmp_path / "a", region=region)
    place = tmp_path / "a" / "web.zip"
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr("python/web.py", "NAME = 'large'\n")
        archive.writestr("python/large.bin", os.urandom(53_000_000))
    large = dataclasses.replace(
        manifest.artifacts[1],
        sha256=hashlib.sha256(place.read_bytes()).hexdigest(),
        zipped_bytes=place.stat().st_size,
        unzipped_bytes=53_000_015,
        fingerprint="f" * 64,
    )
    manifest = dataclasses.replace(manifest, artifacts=(manifest.artifacts[0], large, manifest.artifacts[2]))
    (tmp_path / "a" / "manifest.json").write_text(manifest.to_json())
    refused = command("deploy", "--artifacts", str(tmp_path / "a"), "--yes", status=1)
    assert "--bucket" in refused.stderr
    s3 = client("s3")
    s3.create_bucket(Bucket="zips", CreateBucketConfiguration={"LocationConstraint": region})
    command.document("deploy", tmp_path / "a", "--yes", "--bucket", "zips")
    assert ask(client())[1]["web"] == "large"
    assert "Contents" not in s3.list_objects_v2(Bucket="zips")


def test_publish_prints_arns_and_writes_parameters_that_differ(command, client, region, tmp_path):
    built(tmp_path / "a", region=region)
    first = command.document("publish", tmp_path / "a", "--ssm", "/layers/images/")
    assert [(layer["name"], layer["version"], layer["published"]) for layer in first["layers"]] == [
        ("aws-core", 1, True),
        ("web", 1, True),
    ]
    value = client("ssm").get_parameter(Name="/layers/images/web")["Parameter"]["Value"]
    assert value == first["layers"][1]["arn"]
    assert "CreateFunction" not in command.calls
    again = command.document("publish", tmp_path / "a", "--ssm", "/layers/images")
    assert changing(command.calls) == {}
    assert [layer["arn"] for layer in again["layers"]] == [layer["arn"] for layer in first["layers"]]
    assert again["parameters"] == []
    text = command("publish", "--artifacts", str(tmp_path / "a")).stdout
    assert first["layers"][0]["arn"] in text


def test_publish_leaves_layers_out_that_hold_nothing(command, region, tmp_path):
    manifest = built(tmp_path / "a", region=region)
    empty = dataclasses.replace(manifest.artifacts[1], files=0)
    manifest = dataclasses.replace(manifest, artifacts=(manifest.artifacts[0], empty, manifest.artifacts[2]))
    (tmp_path / "a" / "manifest.json").write_text(manifest.to_json())
    done = command.document("publish", tmp_path / "a")
    assert [layer["name"] for layer in done["layers"]] == ["aws-core"]


def test_publish_takes_regions_of_its_own(command, region, tmp_path):
    other = next(REGIONS)
    built(tmp_path / "a", region=region)
    done = command.document("publish", tmp_path / "a", "--region", region, "--region", other)
    assert {layer["region"] for layer in done["layers"]} == {region, other}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "Give --yes"),
        (("--yes", "--local", "--endpoint-url", "http://127.0.0.1:1"), "exclude each other"),
        (("--yes", "--endpoint-url", "127.0.0.1:1"), "is no URL"),
        (("--yes", "--endpoint-url", "http://127.0.0.1:1", "--artifacts", "nowhere"), "There is no manifest.json"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_how_to_mend_it(command, arguments, told):
    done = command("deploy", *arguments, local=False, status=2)
    assert told in done.stderr
    document = json.loads(command("deploy", *arguments, "--format", "json", local=False, status=2).stdout)
    assert set(document["error"]) == {"code", "message", "mend"}


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("answer", "status"), [("n\n", 1), ("", 130), ("y\n", 0)])
def test_at_a_terminal_it_shows_the_change_set_and_asks(command, region, tmp_path, monkeypatch, *, answer, status):
    built(tmp_path / "a", region=region)
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    done = command("deploy", "--artifacts", str(tmp_path / "a"), "--format", "json", status=status)
    assert "publish-layer" in done.stderr
    assert "Deploy this?" in done.stderr
    assert bool(changing(command.calls)) is (status == 0)
    if status != 130:
        assert json.loads(done.stdout)["executed"] is (status == 0)


def test_the_embedded_aws_of_the_command_alone_serves_a_first_deploy(command, region, tmp_path):
    built(tmp_path / "a", region=region)
    arguments = ("--artifacts", str(tmp_path / "a"), "--local", "--yes", "--format", "json")
    (one,) = json.loads(command("deploy", *arguments, local=False, AWS_ACCESS_KEY_ID="").stdout)["deployments"]
    (two,) = json.loads(command("deploy", *arguments, local=False, AWS_ACCESS_KEY_ID="").stdout)["deployments"]
    assert (one["version"], two["version"]) == ("1", "1"), "its state ends with the command"


def test_an_endpoint_that_is_not_there_ends_with_3(command, region, tmp_path):
    built(tmp_path / "a", region=region)
    arguments = ("--artifacts", str(tmp_path / "a"), "--dry-run", "--endpoint-url", "http://127.0.0.1:1")
    done = command("deploy", *arguments, "--format", "json", local=False, status=3, AWS_MAX_ATTEMPTS="1")
    assert json.loads(done.stdout)["error"]["code"] == "aws"
    assert "can't be reached" in done.stderr


def test_without_credentials_it_says_how_to_give_some(command, region, tmp_path):
    built(tmp_path / "a", region=region)
    done = command(
        "deploy", "--artifacts", str(tmp_path / "a"), "--dry-run", status=3, AWS_ACCESS_KEY_ID="", HOME=str(tmp_path)
    )
    assert "There are no credentials" in done.stderr
    assert "--local" in done.stderr


@pytest.mark.parametrize("places", [1, 2])
def test_interrupted_it_tells_what_was_done_and_goes_on_when_run_again(
    command, client, aws, region, tmp_path, *, places
):
    slow = "import time, core, web\ntime.sleep(4)\ndef handler(e, c):\n    return {'statusCode': 200, 'body': '{}'}\n"
    regions = (region, *(next(REGIONS) for _ in range(places - 1)))
    built(tmp_path / "a", region=region, regions=regions, source=slow)
    arguments = ["deploy", "--artifacts", str(tmp_path / "a"), "--yes", "--endpoint-url", aws.endpoint_url]
    run = subprocess.Popen(
        [sys.executable, "-m", "optimizer", *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"},
    )
    lines = []
    for line in run.stderr:
        lines.append(line)
        if "checking version" in line:
            break
    time.sleep(0.3)
    run.send_signal(signal.SIGINT)
    _, rest = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "publish-layer aws-core" in rest
    assert "Running the same command again goes on." in rest
    document = command.document("deploy", tmp_path / "a", "--yes")
    assert document["deployments"][0]["outcome"] == "done"
    assert command.calls["PublishLayerVersion"] == 0
    assert command.calls["CreateFunction"] == 0
    assert ask(client())[0] is None


def test_tags_are_made_with_the_function_then_changed_and_taken_away_without_a_new_version(
    command, client, region, tmp_path
):
    built(tmp_path / "a", region=region, tags={"team": "images", "Cost Center": "7"})
    command.document("deploy", tmp_path / "a", "--yes")
    assert "TagResource" not in command.calls
    built(tmp_path / "b", region=region, tags={"team": "pictures"})
    second = command.document("deploy", tmp_path / "b", "--yes")
    assert changing(command.calls) == {"UntagResource": 1, "TagResource": 1, "UpdateAlias": 1}
    assert "tag-function" in actions(second)
    assert client().get_function(FunctionName="app")["Tags"] == {"team": "pictures", "layer-optimizer": "team"}
    command.document("deploy", tmp_path / "b", "--yes")
    assert changing(command.calls) == {}
