"""`status` against the embedded AWS: it reads alone, tells what others did, and is quiet again after a deploy."""

import json

import pytest

from tests.integration.deploy.configured import commit_locks, configure
from tests.integration.deploy.conftest import REGIONS, built, zipped

READING = ("Get", "List")


@pytest.fixture
def deployed(command, region, tmp_path):
    """A function of three builds, the locks of the third, and nothing drifted."""
    for number in ("1", "2", "3"):
        manifest = built(tmp_path / number, region=region, version=number, web=number)
        command.document("deploy", tmp_path / number, "--yes")
    configure(tmp_path, manifest)
    return manifest


def asked(command, *arguments, status):
    """The document, and the findings of its one function by check."""
    done = command("status", "--format", "json", *arguments, status=status)
    document = json.loads(done.stdout)
    return document, {finding["check"]: finding for finding in document["functions"][0]["findings"]}


def change(client, **changes):
    """What somebody changes by hand, settled."""
    if "ZipFile" in changes:
        client.update_function_code(FunctionName="app", **changes)
    else:
        client.update_function_configuration(FunctionName="app", **changes)
    client.get_waiter("function_updated_v2").wait(FunctionName="app", WaiterConfig={"Delay": 0.1})


def test_what_runs_is_told_from_the_alias_to_the_arn_and_nothing_is_changed(command, client, region, deployed):
    document, findings = asked(command, status=0)
    assert (document["schema"], document["drift"], findings) == (1, False, {})
    assert all(name.startswith(READING) for name in command.calls)
    assert document["calls"] == dict(command.calls), "what is told is what the service saw"
    (function,) = document["functions"]
    assert (function["function"], function["region"], function["outcome"]) == ("app", region, "as-expected")
    (alias,) = function["aliases"]
    assert (alias["name"], alias["serves"]["version"], alias["url"]["auth"]) == ("live", "3", "NONE")
    assert alias["serves"]["code_fingerprint"] == deployed.artifacts[2].fingerprint[:32]
    live = client().get_function_configuration(FunctionName="app", Qualifier="live")
    assert [layer["arn"] for layer in alias["serves"]["layers"]] == [layer["Arn"] for layer in live["Layers"]]
    assert [(layer["name"], layer["version"], layer["fingerprint"]) for layer in alias["serves"]["layers"]] == [
        ("aws-core", 1, deployed.artifacts[0].fingerprint[:32]),
        ("web", 3, deployed.artifacts[1].fingerprint[:32]),
    ]


@pytest.mark.usefixtures("deployed")
def test_layers_attached_reordered_and_deleted_by_hand_are_told_until_the_next_deploy(
    command, client, region, tmp_path
):
    lam = client()
    core, web = (layer["Arn"] for layer in lam.get_function_configuration(FunctionName="app")["Layers"])
    agent = lam.publish_layer_version(LayerName="agent", Content={"ZipFile": zipped({"python/agent.py": "x = 1\n"})})
    change(lam, Layers=[web, core, agent["LayerVersionArn"]])
    lam.delete_layer_version(LayerName="web", VersionNumber=3)
    _, findings = asked(command, status=1)
    assert set(findings) == {"layer-attached", "layers-reordered", "layer-gone"}
    assert findings["layer-attached"]["actual"] == "agent:1 is attached too"
    assert findings["layers-reordered"]["actual"] == "web aws-core"
    assert web in findings["layer-gone"]["expected"]

    built(tmp_path / "4", region=region, version="4", web="4")
    command.document("deploy", tmp_path / "4", "--yes")
    _, findings = asked(command, status=1)
    assert set(findings) == {"locks-ahead"}, "the committed locks are those of the third build"
    commit_locks(tmp_path, built(tmp_path / "4", region=region, version="4", web="4"))
    document, findings = asked(command, status=0)
    assert findings == {}
    assert "agent" in [layer["name"] for layer in document["functions"][0]["latest"]["layers"]], "others' layers stay"


@pytest.mark.usefixtures("deployed")
def test_a_layer_taken_off_and_settings_changed_by_hand_are_told(command, client):
    lam = client()
    core = lam.get_function_configuration(FunctionName="app")["Layers"][0]["Arn"]
    change(lam, Layers=[core])
    change(lam, MemorySize=512)
    _, findings = asked(command, status=1)
    assert set(findings) == {"layer-detached", "latest-settings"}
    assert findings["latest-settings"]["actual"] == "memory_mb 512"


@pytest.mark.usefixtures("deployed")
def test_code_that_somebody_sent_and_an_alias_that_somebody_moved_are_told(command, client):
    lam = client()
    change(lam, ZipFile=zipped({"h.py": "def handler(event, context): ...\n"}))
    assert set(asked(command, status=1)[1]) == {"latest-code"}
    lam.update_alias(FunctionName="app", Name="live", FunctionVersion="2")
    _, findings = asked(command, status=1)
    assert findings["alias-behind"]["actual"] == "version 2"
    assert "locks-ahead" in findings


@pytest.mark.usefixtures("deployed")
def test_the_text_is_at_most_80_columns_wide_but_for_arns_and_urls(command, client):
    lam = client()
    change(lam, Layers=[lam.get_function_configuration(FunctionName="app")["Layers"][1]["Arn"]])
    lam.create_alias(FunctionName="app", Name="beta", FunctionVersion="3")
    text = command("status", status=1, COLUMNS="80").stdout
    assert "layers as beta" in text
    assert "! layer-detached  app:$LATEST" in text
    assert "Drift in 1 of 1 function." in text
    assert [line for line in text.splitlines() if len(line) > 80 and "://" not in line and "arn:" not in line] == []


def test_a_function_that_is_missing_in_one_region_does_not_hide_the_other(command, deployed, region, tmp_path):
    elsewhere = next(REGIONS)
    configure(tmp_path, deployed, regions=[elsewhere, region])
    document = json.loads(command("status", "--format", "json", status=1).stdout)
    assert [(one["region"], one["outcome"]) for one in document["functions"]] == [
        (elsewhere, "drift"),
        (region, "as-expected"),
    ]
    assert document["functions"][0]["findings"][0]["check"] == "function-missing"
    command("status", "--region", region, status=0)


@pytest.mark.usefixtures("deployed")
def test_where_nothing_is_reached_every_function_says_so_and_the_status_is_3(command):
    done = command(
        "status",
        "--format",
        "json",
        "--endpoint-url",
        "http://127.0.0.1:9",
        status=3,
        local=False,
        AWS_MAX_ATTEMPTS="1",
    )
    (function,) = json.loads(done.stdout)["functions"]
    assert (function["outcome"], function["error"]["code"]) == ("failed", "aws")
    assert "error: http://127.0.0.1:9 can't be reached" in done.stderr


@pytest.mark.usefixtures("deployed")
def test_names_that_the_configuration_lacks_are_refused_with_those_it_has(command, region):
    done = command("status", "--function", "other", status=2)
    assert "It has app" in done.stderr
    done = command("status", "--region", "nowhere", status=2)
    assert f"It has {region}" in done.stderr
