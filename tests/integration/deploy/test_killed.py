"""A process that is killed in the middle of a deploy: callers see whole versions, and the next run makes it good."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from optimizer.local import embedded_aws
from tests.integration.deploy.conftest import Command, ask, built

ROOT = Path(__file__).parents[3]
READING = ("Get", "List", "Head")


class Killer:
    """Kills the process at the next call of an operation: before it takes effect, or after, its answer unread."""

    def __init__(self):
        self.process, self.before, self.after, self.strikes = None, None, None, 0

    def ahead(self, _service, operation):
        self._strike(operation == self.before)

    def follow(self, line):
        self._strike(line.operation == self.after)

    def _strike(self, now):
        if now:
            self.before = self.after = None
            self.strikes += 1
            self.process.kill()
            raise ConnectionAbortedError


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


def killed(killer, aws, folder, *options, **point):
    """A deploy in a process of its own, up to that point."""
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    where = ["--artifacts", str(folder), "--yes", "--endpoint-url", aws.endpoint_url, *options]
    arguments = [sys.executable, "-m", "optimizer", "deploy", *where]
    struck = killer.strikes
    with subprocess.Popen(
        arguments, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    ) as p:
        killer.process = p
        for moment, operation in point.items():
            setattr(killer, moment, operation)
        assert p.wait(timeout=60) == -9
    assert killer.strikes == struck + 1


@pytest.mark.parametrize(
    "point",
    [
        {"after": "PublishLayerVersion"},
        {"after": "UpdateFunctionCode"},
        {"before": "PublishVersion"},
        {"after": "UpdateAlias"},
    ],
    ids=str,
)
def test_callers_are_served_all_along_and_the_next_run_ends_as_an_undisturbed_one(
    killer, aws, command, client, *, region, tmp_path, point
):
    built(tmp_path / "a", region=region, core=region)
    command.document("deploy", tmp_path / "a", "--yes")
    built(tmp_path / "b", region=region, version="2", core=region, web="2")
    whole = [("1", region, "1"), ("2", region, "2")]
    over, seen = threading.Event(), []

    def calling():
        lam = client()
        while not over.wait(0.05):
            error, body = ask(lam)
            seen.append(error or (body["version"], body["core"], body["web"]))

    caller = threading.Thread(target=calling)
    caller.start()
    try:
        killed(killer, aws, tmp_path / "b", **point)
        done = command.document("deploy", tmp_path / "b", "--yes")
    finally:
        over.set()
        caller.join()
    assert seen
    assert set(seen) <= set(whole), "neither an error nor a mixed state"
    assert done["deployments"][0]["version"] == "2"
    assert ask(client())[1]["version"] == "2"
    layers = client().list_layer_versions(LayerName="web")["LayerVersions"]
    assert len(layers) <= 3, "at most one more than needed"
    again = command.document("deploy", tmp_path / "b", "--yes")
    assert not [operation for operation in again["calls"] if not operation.startswith(READING)]
