"""Zips that go through S3: deploys of the same build share a place there, and what killed runs left is removed."""

import dataclasses

import pytest

from optimizer import limits
from optimizer.deploy.execution.uploads import key_of
from optimizer.deploy.values import Upload
from tests.unit.deploy.fakes import FakeAws, make_manifest, rejected
from tests.unit.deploy.support import actions, carried_out, deploy, deployer, plan

DAY = 86_400


@pytest.fixture
def aws():
    return FakeAws()


def large(folder, *, which=(0,), **texts):
    """A build some of whose zips are too large for a call."""
    manifest = make_manifest(folder, **texts)
    artifacts = [
        dataclasses.replace(one, zipped_bytes=limits.DIRECT_ZIP_BYTES + 1) if i in which else one
        for i, one in enumerate(manifest.artifacts)
    ]
    return dataclasses.replace(manifest, artifacts=tuple(artifacts))


def emptied(times, also=lambda _aws: None):
    """Another deploy of the same build empties the place, right after it was filled."""
    left = [times]

    def fault(aws, verb, when):
        if (verb, when) == ("store", "after") and left[0]:
            left[0] -= 1
            aws.bucket.clear()
            also(aws)

    return fault


def test_a_zip_that_another_deploy_of_the_same_build_removed_is_sent_again(aws, tmp_path):
    aws.fault = emptied(1)
    assert deploy(aws, large(tmp_path), bucket="b").outcome == "done"
    assert aws.calls.count("store") == 2
    assert len(aws.layers["aws-core"]) == 1
    assert aws.bucket == {}


def test_the_functions_zip_too(aws, tmp_path):
    aws.fault = emptied(1)
    assert deploy(aws, large(tmp_path, which=(2,)), bucket="b").outcome == "done"
    assert aws.calls.count("store") == 2


def test_where_the_other_one_has_published_it_nothing_is_sent_again(aws, tmp_path):
    manifest = large(tmp_path)
    layer = manifest.artifacts[0]

    def published(aws):
        aws.bucket["b", "theirs"] = manifest.zip_path(layer).read_bytes()
        content = type("Stored", (), {"bucket": "b", "key": "theirs"})()
        aws.publish_layer(layer.name, layer.fingerprint, content, runtime="python3.11", architecture="x86_64")
        aws.bucket.clear()

    aws.fault = emptied(1, published)
    assert deploy(aws, manifest, bucket="b").outcome == "done"
    assert aws.calls.count("store") == 1
    assert len(aws.layers["aws-core"]) == 1


def test_it_is_not_sent_again_for_ever(aws, tmp_path):
    aws.fault = emptied(100)
    with pytest.raises(Exception, match="NoSuchKey"):
        deploy(aws, large(tmp_path), bucket="b")
    assert aws.calls.count("store") == 4


def test_an_upload_that_another_deploy_took_for_a_killed_ones_begins_again(aws, tmp_path):
    left = [1]

    def fault(_aws, verb, when):
        if (verb, when) == ("store", "before") and left[0]:
            left[0] -= 1
            raise rejected("NoSuchUpload")

    aws.fault = fault
    assert deploy(aws, large(tmp_path), bucket="b").outcome == "done"
    assert aws.calls.count("store") == 2


def test_whatever_stops_it_nothing_is_left(aws, tmp_path):
    manifest = large(tmp_path)
    aws.parts = [Upload(key=key_of(manifest.artifacts[0]), age_seconds=0, identifier="u")]

    def fault(_aws, verb, when):
        if (verb, when) == ("publish_layer", "before"):
            raise KeyboardInterrupt

    aws.fault = fault
    with pytest.raises(KeyboardInterrupt):
        deploy(aws, manifest, bucket="b")
    assert (aws.bucket, aws.parts) == ({}, [])


def test_what_a_killed_run_left_is_removed_by_the_next_and_said_before(aws, tmp_path):
    before = large(tmp_path / "a", which=(0, 1))
    deploy(aws, before, bucket="b")
    manifest = large(tmp_path / "b", which=(0, 1), code="app 2")
    mine, other = key_of(manifest.artifacts[0]), "layer-optimizer/other.zip"
    for key in (mine, other, "layer-optimizer/old.zip", "theirs.zip"):
        aws.bucket["b", key] = b""
    aws.ages = {"layer-optimizer/old.zip": DAY + 1, other: DAY - 1, "theirs.zip": 9 * DAY}
    aws.parts = [
        Upload(key=key, age_seconds=age, identifier=key)
        for key, age in ((key_of(manifest.artifacts[1]), 1), ("layer-optimizer/x.zip", DAY + 1), (other, 1))
    ]
    drops = [one for one in actions(plan(aws, manifest, bucket="b")) if one.startswith("drop-upload")]
    assert drops == [
        *(f"drop-upload s3://b/{key}" for key in sorted((mine, "layer-optimizer/old.zip"))),
        f"drop-upload s3://b/{key_of(manifest.artifacts[1])}",
        "drop-upload s3://b/layer-optimizer/x.zip",
    ]
    assert deploy(aws, manifest, bucket="b").outcome == "done"
    assert sorted(aws.bucket) == [("b", other), ("b", "theirs.zip")]
    assert [one.key for one in aws.parts] == [other]


@pytest.mark.parametrize("change", ["nothing to do", "nothing large", "no bucket"])
def test_nothing_is_looked_for_where_nothing_can_be(aws, tmp_path, change):
    build = large(tmp_path / "a", which=() if change != "nothing to do" else (0,))
    deploy(aws, build, bucket="b")
    aws.calls.clear()
    if change == "nothing to do":
        deploy(aws, build, bucket="b")
    else:
        deploy(aws, large(tmp_path / "b", which=(), code="app 2"), bucket=None if change == "no bucket" else "b")
    assert not {"stored", "unfinished"} & set(aws.calls)


def test_whoever_may_not_list_the_bucket_deploys_none_the_less(aws, tmp_path):
    def fault(_aws, verb, when):
        if (verb, when) == ("stored", "before"):
            raise rejected("AccessDenied")

    aws.fault = fault
    assert deploy(aws, large(tmp_path), bucket="b").outcome == "done"


@pytest.mark.parametrize("bucket", [None, "b"])
@pytest.mark.parametrize("name", ["web.zip", "function.zip"])
@pytest.mark.parametrize("change", ["rewritten", "gone"])
def test_a_zip_that_is_built_again_after_the_plan_was_made_is_not_sent(aws, tmp_path, bucket, name, change):
    """It would be published under the fingerprint of what was planned, and be found by it ever after."""
    deploy(aws, make_manifest(tmp_path / "first"))
    texts = {"layers": {"aws-core": "aws 1", "web": "web 2"}, "code": "code 2"}
    second = large(tmp_path / "second", which=(1, 2) if bucket else (), **texts)
    run = deployer(aws, second, bucket=bucket)
    planned = run.plan()
    if change == "gone":
        (second.folder / name).unlink()
    else:
        (second.folder / name).write_bytes(b"something else")
    done = carried_out(run, planned)
    assert done.outcome == "failed"
    assert name in done.error.message
    assert "since the plan was made" in done.error.message
    assert b"something else" not in [data for versions in aws.layers.values() for _, data in versions]
    assert aws.functions["app"].aliases["live"].version == "1"
