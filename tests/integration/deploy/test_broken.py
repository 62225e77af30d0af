"""A broken build never gets traffic: the alias is as it was, callers notice nothing, and a mended build goes live."""

import dataclasses
import hashlib
import json

import pytest

from optimizer.deploy import BotoAws
from optimizer.errors import AwsError
from tests.integration.deploy.accounts import Account, Callers, deployed, deployer_of
from tests.integration.deploy.conftest import built, zipped

SLOW = "import time\ndef handler(event, context):\n    time.sleep(60)\n"


@pytest.fixture
def account(aws, region):
    return Account(aws.endpoint_url, region=region, function="app")


@pytest.fixture
def live(account):
    """All of the alias: version, weights, description, revision."""

    def read():
        there = account.lam.get_alias(FunctionName="app", Name="live")
        return {key: value for key, value in there.items() if key != "ResponseMetadata"}

    return read


def lacking(manifest, layer):
    """Make the layer's zip one without its module, as a wrong rule of selection would."""
    data = zipped({"python/other.py": "NAME = 'other'\n"})
    (manifest.folder / f"{layer}.zip").write_bytes(data)
    artifacts = tuple(
        dataclasses.replace(one, sha256=hashlib.sha256(data).hexdigest(), zipped_bytes=len(data), fingerprint="e" * 64)
        if one.name == layer
        else one
        for one in manifest.artifacts
    )
    (manifest.folder / "manifest.json").write_text(dataclasses.replace(manifest, artifacts=artifacts).to_json())


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ({"status": 500}, "it answered 500"),
        ({"source": "import nothing_like_this\n"}, "No module named 'nothing_like_this'"),
        ({"source": "def handler(:\n"}, "invalid syntax"),
        ({"source": "import os\nos._exit(3)\n"}, "exit status 3"),
        ({"source": "def handler(event, context):\n    return None\n"}, "it answered no statusCode"),
        ({"handler": "h.missing"}, "missing"),
        ({"source": SLOW, "timeout_seconds": 1}, "timed out"),
        ({"web": "2", "lacks": "web"}, "No module named 'web'"),
        ({"layers": ("aws-core",)}, "No module named 'web'"),
    ],
    ids=["health 500", "import error", "syntax", "exit", "no answer", "handler", "timeout", "no module", "no layer"],
)
def test_a_broken_build_never_gets_traffic(command, account, live, region, tmp_path, *, broken, told):
    built(tmp_path / "a", region=region)
    command.document("deploy", tmp_path / "a", "--yes")
    before = live()
    lacks = broken.get("lacks")
    build = {key: value for key, value in broken.items() if key != "lacks"}
    manifest = built(tmp_path / "b", region=region, version="2", **build)
    if lacks is not None:
        lacking(manifest, lacks)
    callers = Callers(account, exists=True)
    with callers.calling():
        done = command("deploy", "--artifacts", str(tmp_path / "b"), "--yes", "--format", "json", status=1)
    (deployment,) = json.loads(done.stdout)["deployments"]
    assert (deployment["outcome"], deployment["version"]) == ("failed", "1")
    assert told.lower() in done.stderr.lower()
    assert "still serves version 1" in done.stderr
    assert live() == before
    assert (callers.errors, callers.seen) == ([], {("1", "1", "1")})
    built(tmp_path / "c", region=region, version="3", web="3")
    command.document("deploy", tmp_path / "c", "--yes")
    assert live()["FunctionVersion"] != "1"


class Deleting(BotoAws):
    """Somebody deletes each layer version as soon as it is published."""

    def publish_layer(self, name, fingerprint, content, **target):
        made = super().publish_layer(name, fingerprint, content, **target)
        with self._lambda(name) as client:
            client.delete_layer_version(LayerName=name, VersionNumber=made.version)
        return made


def test_a_layer_that_is_deleted_before_it_is_attached_stops_the_deploy_and_the_next_publishes_it_again(
    account, live, region, tmp_path
):
    deployed(account.endpoint_url, built(tmp_path / "a", region=region))
    before = live()
    manifest = built(tmp_path / "b", region=region, version="2", web="2")
    deployer, _ = deployer_of(account.endpoint_url, manifest, kind=Deleting)
    callers = Callers(account, exists=True)
    with callers.calling():
        (done,) = deployer.execute(deployer.plan())
    assert isinstance(done.error, AwsError)
    assert "layer:web:2 does not exist" in done.error.message
    assert "run the same command again: it is published anew" in done.error.mend
    assert done.outcome == "failed"
    assert live() == before
    assert (callers.errors, callers.seen) == ([], {("1", "1", "1")})
    ((again,), _) = deployed(account.endpoint_url, manifest)
    assert (again.error, again.result.version) == (None, "2")
    assert live()["FunctionVersion"] == "2"
