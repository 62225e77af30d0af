"""Traffic shifts to a new version and back again, while real callers call."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import boto3
import pytest

from tests.integration.deploy.configured import configure
from tests.integration.deploy.conftest import REGIONS, ask, built

ROOT = Path(__file__).parents[3]
READING = ("Get", "List", "Head")
FAILS_BUT_FOR_HEALTH = """
import json, core, web
def handler(event, context):
    if event["rawPath"] == "/health":
        return {"statusCode": 200, "body": "{}"}
    raise RuntimeError("only real calls fail")
"""
ANSWERS_500_BUT_FOR_HEALTH = FAILS_BUT_FOR_HEALTH.replace(
    'raise RuntimeError("only real calls fail")', 'return {"statusCode": 500, "body": "{}"}'
)


def changing(calls):
    return {name: n for name, n in calls.items() if not name.startswith(READING)}


def alias(client):
    there = client.get_alias(FunctionName="app", Name="live")
    return there["FunctionVersion"], there.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})


@contextmanager
def calling(url):
    """Call the URL all along; the statuses of the answers as they come."""
    over, seen = threading.Event(), []

    def call():
        while not over.wait(0.02):
            try:
                with urlopen(url + "x", timeout=30) as answer:  # noqa: S310  the embedded AWS's own
                    seen.append(answer.status)
            except HTTPError as error:
                seen.append(error.code)

    caller = threading.Thread(target=call)
    caller.start()
    try:
        yield seen
    finally:
        over.set()
        caller.join()


def checked(folder, manifest):
    """The project's configuration, with a path that is asked for before traffic moves."""
    configure(folder, manifest)
    settings = folder / "config/layers.toml"
    settings.write_text(settings.read_text().replace("url =", 'check_path = "/health"\nurl ='))


def started(*arguments):
    """The command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "optimizer", *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"},
    )


def sharing(run):
    """The lines that tell that an alias shares its traffic."""
    return (line for line in run.stderr if "live sends 10%" in line)


@pytest.fixture
def live(command, region, tmp_path):
    """A first version behind a public URL; the URL."""
    built(tmp_path / "a", region=region)
    return command.document("deploy", tmp_path / "a", "--yes")["deployments"][0]["url"]


@pytest.mark.parametrize("source", [FAILS_BUT_FOR_HEALTH, ANSWERS_500_BUT_FOR_HEALTH], ids=["raises", "answers 500"])
def test_of_a_bad_version_callers_see_a_share_until_the_alias_is_back(
    command, client, live, region, tmp_path, *, source
):
    built(tmp_path / "b", region=region, version="2", source=source)
    with calling(live) as seen:
        arguments = ("--artifacts", str(tmp_path / "b"), "--yes", "--canary", "20%", "--for", "10s", "--format", "json")
        done = command("deploy", *arguments, status=1)
        during = Counter(seen)
        seen.clear()
    (deployment,) = json.loads(done.stdout)["deployments"]
    assert (deployment["outcome"], deployment["version"]) == ("failed", "1")
    assert "did not do well with 20% of the traffic" in deployment["changes"][-1]["reason"]
    assert [change["action"] for change in deployment["changes"]][-5:-2] == ["shift-traffic", "watch", "move-alias"]
    assert "version 1 with all of its traffic, as before" in done.stderr
    assert command.calls["GetMetricData"] >= 1
    bad = during[500] + during[502]
    assert 0 < bad < during[200]
    assert alias(client()) == ("1", {})
    assert ask(client())[1]["version"] == "1"


def test_a_good_version_gets_more_and_more_and_callers_see_no_error(command, client, live, region, tmp_path):
    built(tmp_path / "b", region=region, version="2", web="2")
    with calling(live) as seen:
        done = command.document("deploy", tmp_path / "b", "--yes", "--canary", "10%,50%", "--for", "3s")
    assert set(seen) == {200}
    assert (done["deployments"][0]["outcome"], done["deployments"][0]["version"]) == ("done", "2")
    assert done["calls"]["UpdateAlias"] == 3
    assert alias(client()) == ("2", {})
    again = command.document("deploy", tmp_path / "b", "--yes", "--canary", "10%,50%", "--for", "3s")
    assert changing(again["calls"]) == {}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda n: n.name)
def test_a_canary_that_is_stopped_goes_back_and_one_that_is_killed_is_made_good_by_the_next(
    aws, command, client, live, *, region, tmp_path, number
):
    built(tmp_path / "b", region=region, version="2")
    where = ["--artifacts", str(tmp_path / "b"), "--yes", "--canary", "10%", "--endpoint-url", aws.endpoint_url]
    with started("deploy", *where) as run:
        next(sharing(run))
        assert alias(client()) == ("1", {"2": 0.1})
        run.send_signal(number)
        rest = run.stderr.read()
    if number == signal.SIGKILL:
        assert alias(client()) == ("1", {"2": 0.1})
        folder = command.folder
        configure(folder, built(tmp_path / "a", region=region))
        command("rollback", "--yes")
        assert changing(command.calls) == {"UpdateAlias": 1}
    else:
        assert run.returncode == 130
        assert "The alias 'live' serves version 1 with all of its traffic, as before." in rest
    assert alias(client()) == ("1", {})
    with calling(live) as seen:
        done = command.document("deploy", tmp_path / "b", "--yes", "--canary", "10%", "--for", "2s")
    assert done["deployments"][0]["version"] == "2"
    assert command.calls["PublishLayerVersion"] == command.calls["UpdateFunctionCode"] == 0
    assert set(seen) == {200}
    assert alias(client()) == ("2", {})


def test_interrupted_in_several_regions_each_alias_goes_back(aws, command, region, tmp_path):
    regions = (region, next(REGIONS))
    built(tmp_path / "a", region=region, regions=regions)
    command.document("deploy", tmp_path / "a", "--yes")
    built(tmp_path / "b", region=region, regions=regions, version="2")
    where = ["--artifacts", str(tmp_path / "b"), "--yes", "--canary", "10%", "--endpoint-url", aws.endpoint_url]
    with started("deploy", *where) as run:
        seen = [line for _, line in zip(regions, sharing(run), strict=False)]
        run.send_signal(signal.SIGINT)
        rest = run.stderr.read()
    assert {line.split(":")[0] for line in seen} == set(regions)
    assert run.returncode == 130
    for place in regions:
        assert f"{place}: The alias 'live' serves version 1 with all of its traffic, as before." in rest
        lam = boto3.client(
            "lambda",
            endpoint_url=aws.endpoint_url,
            region_name=place,
            aws_access_key_id="x",
            aws_secret_access_key="x",
        )
        assert alias(lam) == ("1", {})


def test_a_rollback_brings_code_and_layers_back_together_even_deleted_ones(command, client, live, region, tmp_path):
    manifest = built(tmp_path / "b", region=region, version="2", core="2", web="2")
    command.document("deploy", tmp_path / "b", "--yes")
    checked(command.folder, manifest)
    client().delete_layer_version(LayerName="web", VersionNumber=1)
    with calling(live) as seen:
        dry = command("rollback", "--dry-run").stdout
        assert changing(command.calls) == {}
        document = json.loads(command("rollback", "--yes", "--format", "json").stdout)
        assert changing(command.calls) == {"Invoke": 1, "UpdateAlias": 1}
    assert set(seen) == {200}
    assert "it was deleted, and goes on working there" in dry
    assert "from version 2 back to 1" in dry
    (one,) = document["deployments"]
    assert set(document) == {"schema", "executed", "sent_bytes", "calls", "deployments"}
    assert set(one) == {"function", "region", "version", "alias", "url", "outcome", "layers", "changes"}
    assert (one["version"], one["outcome"], one["url"]) == ("1", "done", live)
    assert [layer["version"] for layer in one["layers"]] == [1, 1]
    answer = ask(client())[1]
    assert (answer["version"], answer["core"], answer["web"]) == ("1", "1", "1")
    latest = client().get_function_configuration(FunctionName="app")
    assert [layer["Arn"][-1] for layer in latest["Layers"]] == ["2", "2"], "$LATEST is as it was"
    assert "Nothing to do: that version is live." in command("rollback", "--to", "1", "--yes").stdout
    text = command("rollback", "--to", "2", "--yes").stdout
    assert "rolled back: app" in text
    assert ask(client())[1]["version"] == "2"


def test_a_version_that_is_broken_now_gets_nobody_back(command, client, live, region, tmp_path):
    """It was published by hand, and never answered."""
    manifest = built(tmp_path / "b", region=region, status=500, version="2")
    command("deploy", "--artifacts", str(tmp_path / "b"), "--yes", status=1)
    checked(command.folder, manifest)
    done = command("rollback", "--to", "2", "--yes", status=1)
    assert "it answered 500" in done.stderr
    assert "still serves version 1; nobody was sent to it" in done.stderr
    assert ask(client())[1]["version"] == "1"
    with urlopen(live, timeout=10) as answer:  # noqa: S310  the embedded AWS's own
        assert answer.status == 200


def test_provisioned_concurrency_refuses_a_canary_before_any_change_and_a_deploy_leaves_it(
    command, client, live, region, tmp_path
):
    lam = client()
    lam.put_provisioned_concurrency_config(FunctionName="app", Qualifier="live", ProvisionedConcurrentExecutions=1)
    built(tmp_path / "b", region=region, version="2")
    refused = command("deploy", "--artifacts", str(tmp_path / "b"), "--yes", "--canary", "10%", status=1)
    assert "has provisioned concurrency" in refused.stderr
    assert "without --canary" in refused.stderr
    assert changing(command.calls) == {}
    done = command.document("deploy", tmp_path / "b", "--yes")
    assert done["deployments"][0]["outcome"] == "done"
    again = command.document("deploy", tmp_path / "b", "--yes")
    assert changing(again["calls"]) == {}, "the weight that Lambda gives while it allocates is none of ours"
    kept = lam.get_provisioned_concurrency_config(FunctionName="app", Qualifier="live")
    assert kept["RequestedProvisionedConcurrentExecutions"] == 1
    statuses = [ask(lam)[0] for _ in range(5)]
    assert statuses == [None] * 5
    assert live


def test_a_snap_start_version_is_checked_when_its_snapshot_is_made(command, client, live, region, tmp_path):
    lam = client()
    lam.update_function_configuration(FunctionName="app", SnapStart={"ApplyOn": "PublishedVersions"})
    lam.get_waiter("function_updated_v2").wait(FunctionName="app", WaiterConfig={"Delay": 1})
    for memory_mb, version in ((512, "2"), (1024, "3")):
        built(tmp_path / version, region=region, version=version, memory_mb=memory_mb)
        command.document("deploy", tmp_path / version, "--yes")
        read = lam.get_function_configuration(FunctionName="app", Qualifier="live")
        assert (read["Version"], read["State"], read["MemorySize"]) == (version, "Active", memory_mb)
        assert read["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"}
        assert ask(lam)[1]["version"] == version
    assert live


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("import sys\nsys.exit(3)\n", "Runtime.ExitError"),
        ("raise ValueError('while it starts')\n", "while it starts"),
    ],
    ids=["exits", "raises"],
)
def test_a_build_that_cant_start_never_gets_its_share(command, client, live, region, tmp_path, *, source, told):
    built(tmp_path / "b", region=region, version="2", source=source, timeout_seconds=1)
    with calling(live) as seen:
        done = command("deploy", "--artifacts", str(tmp_path / "b"), "--yes", "--canary", "10%", status=1)
    assert told.lower() in done.stderr.lower()
    assert "still serves version 1" in done.stderr
    assert command.calls["UpdateAlias"] == 0
    assert set(seen) == {200}
    assert alias(client()) == ("1", {})


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("deploy", "--for", "5m"), "there is none"),
        (("deploy", "--canary", "ten"), "'ten' is no percentage"),
        (("deploy", "--canary", "100%"), "under 100%"),
        (("deploy", "--canary", "0%"), "over 0%"),
        (("deploy", "--canary", "50%,10%"), "each larger than the one before"),
        (("deploy", "--canary", "10%", "--for", "soon"), "'soon' is no time"),
        (("deploy", "--canary", "10%", "--for", "0m"), "'0m' is no time"),
        (("deploy", "--canary", "10%", "--max-error-rate", "120%"), "over 100%"),
        (("rollback",), "There is no configuration"),
        (("rollback", "--to", "$LATEST"), "versions are numbers"),
    ],
)
def test_options_that_cant_be_end_with_2_and_the_way_out(command, arguments, told):
    done = command(*arguments, "--yes", status=2)
    assert told in done.stderr


def test_rollback_asks_at_a_terminal_alone_and_knows_its_functions(command, live, region, tmp_path):
    empty = next(REGIONS)
    configure(command.folder, built(tmp_path / "b", region=region), regions=[region, empty])
    assert "Give --yes" in command("rollback", status=2).stderr
    assert "There is no function nobody" in command("rollback", "--function", "nobody", "--yes", status=2).stderr
    assert "--region" in command("rollback", "--to", "1", "--yes", status=2).stderr
    assert "no such function" in command("rollback", "--region", empty, "--yes", status=1).stderr
    assert "no published version before 1" in command("rollback", "--region", region, "--yes", status=1).stderr
    assert live
