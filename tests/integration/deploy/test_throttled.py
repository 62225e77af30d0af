"""With one call a second, and every fifth that fails at random, every deploy ends well."""

import dataclasses

import pytest

from optimizer.deploy import Deployer, Journal, Options
from tests.integration.deploy.conftest import built
from tests.integration.deploy.virtual import run, virtual_aws

SEEDS = range(1, 51)
READING = ("Get", "List", "Head")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with virtual_aws(tmp_path_factory.mktemp("blobs")) as aws:
        yield aws


@pytest.fixture(scope="module")
def builds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("builds")
    return [
        built(folder / "a", region="eu-x-1", url="none"),
        built(folder / "b", region="eu-x-1", version="2", core="2", web="2", url="public", memory_mb=512),
    ]


def deployed(place, manifest, seed, **manner):
    name = f"app{seed}"
    function = dataclasses.replace(manifest.functions[0], name=name, regions=("eu-central-1",))
    mine = dataclasses.replace(manifest, functions=(function,))
    return run(
        place,
        lambda connect, clock: Deployer(
            manifest=mine,
            options=Options(),
            connect=connect,
            clock=clock,
            journal=Journal(),
            progress=lambda _: None,
        ),
        seed=seed,
        **manner,
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_throttled_and_failing_at_random_a_first_deploy_and_a_change_end_well(place, builds, seed):
    for version, manifest in enumerate(builds, start=1):
        ((done,), seconds, troubles, _) = deployed(place, manifest, seed, per_second=1, failing=0.2)
        assert done.error is None
        assert done.result.version == str(version)
        assert seconds > 10
        assert troubles
        ((again,), _, _, calls) = deployed(place, manifest, seed)
        assert again.error is None
        assert not [name for name in calls if not name.startswith(READING)], "it is what an undisturbed one leaves"
