"""A process that is killed in the middle of a deploy: callers see whole versions, and the next run makes it good."""

import pytest

from optimizer.local import embedded_aws
from tests.integration.deploy.configured import configure
from tests.integration.deploy.conftest import Command, ask, built
from tests.integration.deploy.killer import Killer, killed, killed_in

READING = ("Get", "List", "Head")


@pytest.fixture(scope="module")
def killer():
    return Killer()


@pytest.fixture(scope="module")
def aws(killer):
    with embedded_aws(ahead=killer.ahead, follow=killer.follow) as running:
        yield running


@pytest.fixture
def command(aws, tmp_path, monkeypatch, capsys):
    return Command(aws, tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize(
    ("point", "canary"),
    [
        ({"before": "UpdateAlias"}, ()),
        ({"after": "UpdateAlias"}, ()),
        ({"before": "GetMetricData"}, ()),
        ({"after": "GetMetricData"}, ("--canary", "10%", "--for", "2s")),
    ],
    ids=str,
)
def test_a_canary_killed_anywhere_is_ended_by_the_next_run(
    killer, aws, command, client, *, region, tmp_path, point, canary
):
    built(tmp_path / "a", region=region)
    command.document("deploy", tmp_path / "a", "--yes")
    built(tmp_path / "b", region=region, version="2")
    killed(killer, aws, tmp_path / "b", "--canary", "10%,50%", "--for", "2s", **point)
    there = client().get_alias(FunctionName="app", Name="live")
    assert there["FunctionVersion"] == "1"
    done = command.document("deploy", tmp_path / "b", "--yes", *canary)
    assert (done["deployments"][0]["outcome"], done["deployments"][0]["version"]) == ("done", "2")
    assert command.calls["PublishLayerVersion"] == command.calls["UpdateFunctionCode"] == 0
    there = client().get_alias(FunctionName="app", Name="live")
    assert (there["FunctionVersion"], there.get("RoutingConfig")) == ("2", None)
    again = command.document("deploy", tmp_path / "b", "--yes")
    assert not [operation for operation in again["calls"] if not operation.startswith(READING)]


@pytest.mark.parametrize("point", [{"before": "UpdateAlias"}, {"after": "UpdateAlias"}, {"after": "Invoke"}], ids=str)
def test_a_rollback_killed_anywhere_ends_well_when_it_is_run_again(
    killer, aws, command, client, *, region, tmp_path, point
):
    built(tmp_path / "a", region=region)
    command.document("deploy", tmp_path / "a", "--yes")
    manifest = built(tmp_path / "b", region=region, version="2", web="2")
    command.document("deploy", tmp_path / "b", "--yes")
    configure(tmp_path, manifest)
    settings = tmp_path / "config/layers.toml"
    settings.write_text(settings.read_text().replace("url =", 'check_path = "/health"\nurl ='))
    killed_in(killer, aws, "rollback", "--config", str(settings), **point)
    body = ask(client())[1]
    assert (body["version"], body["web"]) in {("1", "1"), ("2", "2")}
    command("rollback", "--yes")
    body = ask(client())[1]
    assert (body["version"], body["web"]) == ("1", "1")


def test_a_version_that_gives_no_answer_at_all_gets_no_traffic(killer, command, client, region, tmp_path):
    built(tmp_path / "a", region=region)
    command.document("deploy", tmp_path / "a", "--yes")
    built(tmp_path / "b", region=region, version="2")
    killer.silent = "Invoke"
    try:
        done = command("deploy", "--artifacts", str(tmp_path / "b"), "--yes", status=1)
    finally:
        killer.silent = None
    assert "there was no answer, 5 times" in done.stderr
    assert "still serves version 1" in done.stderr
    assert client().get_alias(FunctionName="app", Name="live")["FunctionVersion"] == "1"


def test_a_rollback_that_is_cut_off_names_the_version_with_which_it_goes_on(killer, command, client, region, tmp_path):
    built(tmp_path / "a", region=region)
    command.document("deploy", tmp_path / "a", "--yes")
    manifest = built(tmp_path / "b", region=region, version="2")
    command.document("deploy", tmp_path / "b", "--yes")
    configure(tmp_path, manifest)
    killer.silent = "UpdateAlias"
    try:
        done = command("rollback", "--yes", status=3, AWS_MAX_ATTEMPTS="1")
    finally:
        killer.silent = None
    again = f"python -m optimizer rollback --function app --region {region} --to 1"
    assert f"This goes on: {again}" in done.stderr
    for _ in range(2):
        command(*again.split()[3:], "--yes")
        assert client().get_alias(FunctionName="app", Name="live")["FunctionVersion"] == "1"
