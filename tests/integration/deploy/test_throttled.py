"""With one call a second, and every fifth that fails at random, every deploy ends well."""

import dataclasses
import random

import pytest

from optimizer import limits
from optimizer.deploy import Deployer, Journal, Options
from tests.integration.deploy.conftest import built
from tests.integration.deploy.virtual import Bad, run, virtual_aws

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


def deployed(place, manifest, seed, *, prefix="app", bucket=None, **manner):
    name = f"{prefix}{seed}"
    function = dataclasses.replace(manifest.functions[0], name=name, regions=("eu-central-1",))
    mine = dataclasses.replace(manifest, functions=(function,))
    return run(
        place,
        lambda connect, clock: Deployer(
            manifest=mine,
            options=Options(bucket=bucket),
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


@pytest.fixture
def bucket(place, monkeypatch):
    """A bucket that every zip goes through."""
    monkeypatch.setattr(limits, "DIRECT_ZIP_BYTES", 1)
    place.clients.bad = Bad(place.clock, random.Random(0))
    s3 = place.clients.client("s3", "eu-central-1")
    where = {"LocationConstraint": "eu-central-1"}
    if "zips" not in [one["Name"] for one in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket="zips", CreateBucketConfiguration=where)
    return s3


@pytest.mark.parametrize("seed", range(1, 11))
def test_so_do_zips_that_go_through_s3_and_nothing_is_left_there(place, builds, bucket, seed):
    manifest = dataclasses.replace(
        builds[0],
        artifacts=tuple(
            dataclasses.replace(artifact, fingerprint=f"{seed:02}{artifact.fingerprint[2:]}")
            for artifact in builds[0].artifacts
        ),
    )
    ((done,), _, troubles, calls) = deployed(
        place, manifest, seed, prefix="large", bucket="zips", per_second=1, failing=0.2
    )
    assert done.error is None
    assert calls["PutObject"] >= 3
    assert troubles
    place.clients.bad = Bad(place.clock, random.Random(0))
    assert "Contents" not in bucket.list_objects_v2(Bucket="zips")
