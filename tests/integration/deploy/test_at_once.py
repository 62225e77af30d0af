"""Deploys at once on one function: each wins or is refused, and what is live is one build, whole."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from optimizer.errors import DeployRefusedError
from tests.integration.deploy.accounts import Account, Callers, deployer_of
from tests.integration.deploy.conftest import ask, built


@pytest.fixture
def account(aws, region):
    return Account(aws.endpoint_url, region=region, function="app")


def at_once(account, manifests, *, together):
    """Deploys of the manifests, each with clients of its own, that begin to plan or, `together`, to execute at once."""
    gate = threading.Barrier(len(manifests))

    def run(manifest):
        deployer, _ = deployer_of(account.endpoint_url, manifest)
        if together == "planned":
            gate.wait()
        planned = deployer.plan()
        if together == "executed":
            gate.wait()
        (done,) = planned if planned[0].error else deployer.execute(planned)
        return done

    with ThreadPoolExecutor(len(manifests)) as pool:
        return list(pool.map(run, manifests))


def check(account, manifests, done):
    """That each has won or was refused in so many words, and the last winner's build is live, as it said."""
    winners = {
        int(one.result.version): manifest for one, manifest in zip(done, manifests, strict=True) if not one.error
    }
    assert winners
    for one in done:
        if one.error is not None:
            assert isinstance(one.error, DeployRefusedError), one.error.message
            assert "somebody else" in one.error.message
            assert one.error.mend
    for version, manifest in winners.items():
        assert account.fingerprints(str(version)) == [artifact.fingerprint[:32] for artifact in manifest.artifacts]
    live = account.lam.get_alias(FunctionName="app", Name="live")
    assert int(live["FunctionVersion"]) == max(winners), "whoever said last that it was done is live"
    assert "RoutingConfig" not in live


@pytest.mark.parametrize("together", ["planned", "executed"])
def test_of_ten_different_builds_one_is_live_and_callers_see_none_mixed(account, region, tmp_path, together):
    at_once(account, [built(tmp_path / "0", region=region, version="0", core="0", web="0")], together=together)
    manifests = [
        built(tmp_path / str(n), region=region, version=str(n), core=str(n), web=str(n), memory_mb=256 + n)
        for n in range(1, 11)
    ]
    callers = Callers(account, exists=True)
    with callers.calling():
        done = at_once(account, manifests, together=together)
    check(account, manifests, done)
    assert callers.errors == []
    assert callers.seen <= {(str(n),) * 3 for n in range(11)}
    number, body = ask(account.lam)[1]["version"], ask(account.lam)[1]
    assert (body["core"], body["web"]) == (number, number)
    settings = account.lam.get_function(FunctionName="app", Qualifier="live")["Configuration"]
    assert settings["MemorySize"] == 256 + int(number)


def test_of_several_first_deploys_one_makes_the_function(account, region, tmp_path):
    manifests = [built(tmp_path / str(n), region=region, version=str(n), core=str(n), web=str(n)) for n in range(1, 5)]
    callers = Callers(account, exists=False)
    with callers.calling():
        done = at_once(account, manifests, together="executed")
    check(account, manifests, done)
    assert callers.errors == []
    assert callers.seen <= {(str(n),) * 3 for n in range(1, 5)}


@pytest.mark.parametrize("first", [True, False])
def test_of_two_with_the_same_build_none_undoes_the_other(account, region, tmp_path, first):
    if not first:
        at_once(account, [built(tmp_path / "0", region=region)], together="planned")
    manifest = built(tmp_path / "1", region=region, version="1", web="1", core="9")
    done = at_once(account, [manifest, manifest], together="executed")
    check(account, [manifest, manifest], done)
    assert account.layer_versions() <= 4 + (0 if first else 2)
