"""`prune` against the embedded AWS: prints what can go, deletes it with --yes, and what runs goes on as it was."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from optimizer.deploy import BotoAws, Clients, Connection, RealClock
from optimizer.deploy.boto.removals import RemovalAws
from tests.integration.deploy.configured import configure
from tests.integration.deploy.conftest import ask, built, zipped

READING = ("Get", "List")


@pytest.fixture
def deployed(command, region, tmp_path):
    """A function of four builds, each with its own code and its own layer `web`."""
    for number in "1234":
        manifest = built(tmp_path / number, region=region, version=number, web=number)
        command.document("deploy", tmp_path / number, "--yes")
    configure(tmp_path, manifest)
    return manifest


def asked(command, *arguments, status=0):
    """The document, and its one region."""
    document = json.loads(command("prune", "--format", "json", *arguments, status=status).stdout)
    return document, document["regions"][0]


def going(region):
    return [f"{one['name']}:{one['version']}" for one in region["versions"] if one["action"] == "delete"]


def stored(client):
    return client.get_account_settings()["AccountUsage"]["TotalCodeSize"]


@pytest.mark.usefixtures("deployed")
def test_from_what_can_go_to_the_bytes_that_are_free_and_what_runs_goes_on(command, client):
    before = stored(client())
    document, region = asked(command, "--keep", "1", "--versions")
    assert (document["schema"], document["executed"], document["keep"]) == (1, False, 1)
    assert all(name.startswith(READING) for name in command.calls)
    assert document["calls"] == dict(command.calls)
    assert going(region) == ["app:2", "app:1", "web:2", "web:1"]
    assert stored(client()) == before

    document, region = asked(command, "--keep", "1", "--versions", "--yes")
    assert document["executed"]
    assert {one["outcome"] for one in region["versions"] if one["action"] == "delete"} == {"deleted"}
    assert region["freed_bytes"] == region["deletable_bytes"] == before - stored(client())
    storage = region["code_storage"]
    assert (storage["used_bytes"], storage["used_bytes_after"]) == (before, before - region["freed_bytes"])
    assert ask(client())[1] == {"path": "/x", "version": "4", "core": "1", "web": "4"}
    left = client().list_layer_versions(LayerName="web")["LayerVersions"]
    assert [layer["Version"] for layer in left] == [4, 3], "a rollback goes back to version 3"
    assert going(asked(command, "--keep", "1", "--versions", "--yes")[1]) == []
    command("status", status=0)
    command("rollback", "--yes")
    assert ask(client())[1]["web"] == "3"
    assert "rolled back from version 4" in command("status", status=1).stdout


@pytest.mark.usefixtures("deployed")
def test_published_versions_keep_their_layers_in_use_unless_they_go_too(command):
    text = command("prune", "--keep", "1", COLUMNS="80").stdout
    assert "layer web keeps in use 1, 2, 3, 4" in text
    assert "Nothing can be deleted." in text
    assert "--versions looks for" in " ".join(text.split())
    text = command("prune", "--keep", "1", "--versions", COLUMNS="80").stdout
    assert "-  function app:2" in text
    assert "Nothing was deleted: that takes --yes." in text
    assert [line for line in text.splitlines() if len(line) > 80] == []


@pytest.mark.usefixtures("deployed")
def test_what_is_shared_provisioned_or_called_by_its_number_is_kept_and_named(command, client):
    lam = client()
    lam.add_layer_version_permission(
        LayerName="web", VersionNumber=1, StatementId="team", Principal="999999999999", Action="lambda:GetLayerVersion"
    )
    lam.put_provisioned_concurrency_config(FunctionName="app", Qualifier="1", ProvisionedConcurrentExecutions=1)
    lam.create_event_source_mapping(
        FunctionName="app:2", EventSourceArn=f"arn:aws:sqs:{lam.meta.region_name}:123456789012:jobs"
    )
    _, region = asked(command, "--keep", "1", "--versions", "--yes")
    assert going(region) == []
    details = {f"{one['name']}:{one['version']}": one["detail"] for one in region["versions"]}
    assert details["app:1"] == "it has provisioned concurrency 1"
    assert details["app:2"].startswith("called by the event source arn:aws:sqs:")
    assert details["web:1"] == "used by app:1"
    lam.delete_provisioned_concurrency_config(FunctionName="app", Qualifier="1")
    _, region = asked(command, "--keep", "1", "--versions")
    details = {f"{one['name']}:{one['version']}": one["detail"] for one in region["versions"]}
    assert going(region) == ["app:1"]
    assert details["web:1"] == "shared: team for arn:aws:iam::999999999999:root"
    assert "layer web:1 is kept: shared" in command("prune", "--keep", "1", "--versions").stdout


@pytest.mark.usefixtures("deployed")
def test_calls_by_number_are_counted_apart_from_those_through_the_alias(aws, client, region):
    clients = Clients(connection=Connection(endpoint_url=aws.endpoint_url, local=True))
    port = BotoAws(region=region, clients=clients, clock=RealClock())
    since = datetime.now(UTC) - timedelta(hours=1)
    before = port.calls_by_number("app", "4", since=since)
    assert before == 1, "the deploy's check"
    for qualifier in ("4", "live", "live"):
        ask(client(), qualifier=qualifier)
    assert port.calls_by_number("app", "4", since=since) == 2


@pytest.mark.usefixtures("deployed")
def test_a_layer_that_is_named_is_looked_at_alone(command, client):
    lam = client()
    for text in "ab":
        content = {"ZipFile": zipped({"python/x.py": text})}
        lam.publish_layer_version(LayerName="other", Content=content, Description=f"lo1 {text * 64}")
    _, region = asked(command, "--layer", "other", "--keep", "1", "--yes")
    assert going(region) == ["other:1"]
    assert {one["name"] for one in region["versions"]} == {"other"}


@pytest.mark.usefixtures("deployed")
def test_after_an_interrupt_it_says_what_was_deleted_and_goes_on_when_run_again(command, monkeypatch):
    delete = RemovalAws.delete_layer_version

    def interrupted(self, layer, version):
        if version == 2:
            raise KeyboardInterrupt
        delete(self, layer, version)

    with monkeypatch.context() as patch:
        patch.setattr(RemovalAws, "delete_layer_version", interrupted)
        told = command("prune", "--keep", "1", "--versions", "--yes", status=130).stderr
    assert "Deleted before it was cut off:" in told
    assert [line.strip().split(" in ")[0] for line in told.splitlines() if line.startswith("  ")] == [
        "function app:2",
        "function app:1",
    ]
    assert going(asked(command, "--keep", "1", "--versions", "--yes")[1]) == ["web:2", "web:1"]


@pytest.mark.usefixtures("deployed")
def test_a_name_that_no_layer_can_have_is_refused(command):
    assert "'a b' is not a layer's name" in command("prune", "--layer", "a b", status=2).stderr


@pytest.mark.usefixtures("deployed")
def test_a_region_that_is_not_reached_is_told_and_the_status_is_3(command):
    done = command("prune", "--yes", "--format", "json", "--endpoint-url", "http://127.0.0.1:9", status=3, local=False)
    (region,) = json.loads(done.stdout)["regions"]
    assert (region["outcome"], region["error"]["code"], region["versions"]) == ("failed", "aws", [])
    assert "error: http://127.0.0.1:9 can't be reached" in done.stderr
