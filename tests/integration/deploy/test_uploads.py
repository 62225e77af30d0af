"""Zips that go through the embedded S3: stopped in the middle, and sent by two deploys of the same build at once."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from optimizer.deploy import BotoAws, Clients, Connection, RealClock
from tests.integration.deploy.accounts import deployed
from tests.integration.deploy.conftest import ask, built

MEGABYTE = 1_000_000


@pytest.fixture
def bucket(client, region):
    name = f"zips-{region}"
    client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
    return name


@pytest.fixture
def left(client, bucket):
    """What is in the bucket, whole or half sent."""

    def keys():
        s3 = client("s3")
        return [
            *(one["Key"] for one in s3.list_objects_v2(Bucket=bucket).get("Contents", ())),
            *(one["Key"] for one in s3.list_multipart_uploads(Bucket=bucket).get("Uploads", ())),
        ]

    return keys


@pytest.mark.parametrize("how", ["told", "interrupted"])
def test_a_file_whose_sending_is_stopped_leaves_no_parts(aws, *, region, bucket, left, tmp_path, how):
    (tmp_path / "large.zip").write_bytes(os.urandom(40 * MEGABYTE))
    clients = Clients(connection=Connection(endpoint_url=aws.endpoint_url, local=True))
    here = BotoAws(region=region, clients=clients, clock=RealClock())
    before = aws.log.counts["s3", "UploadPart"]

    def stopping():
        begun = aws.log.counts["s3", "UploadPart"] > before
        if begun and how == "interrupted":
            raise KeyboardInterrupt
        return begun

    with pytest.raises(KeyboardInterrupt):
        here.store(bucket, "k", tmp_path / "large.zip", stopping=stopping)
    assert clients.calls["UploadPart"] > 0
    assert left() == []
    assert here.stored(bucket, "") == here.unfinished(bucket, "") == ()


def test_what_is_left_is_listed_with_its_age_and_removed(aws, client, region, bucket, left):
    s3 = client("s3")
    s3.put_object(Bucket=bucket, Key="layer-optimizer/whole", Body=b"x")
    s3.create_multipart_upload(Bucket=bucket, Key="layer-optimizer/half")
    clients = Clients(connection=Connection(endpoint_url=aws.endpoint_url, local=True))
    here = BotoAws(region=region, clients=clients, clock=RealClock())
    (whole,), (half,) = here.stored(bucket, "layer-optimizer/"), here.unfinished(bucket, "layer-optimizer/")
    assert (whole.key, whole.identifier, half.key) == ("layer-optimizer/whole", None, "layer-optimizer/half")
    assert whole.age_seconds < 3600
    for _ in range(2):  # the second time is after a lost answer
        here.unstore(bucket, whole.key)
        here.unstore(bucket, half.key, upload=half.identifier)
    assert left() == []


def test_two_deploys_of_the_same_large_build_at_once_both_get_their_layer(
    aws, client, *, region, bucket, left, tmp_path
):
    manifest = built(tmp_path / "a", region=region, more={"web": {"rest.bin": os.urandom(53 * MEGABYTE)}})
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: deployed(aws.endpoint_url, manifest, bucket=bucket), range(2)))
    errors = [one.error for ones, _ in done for one in ones]
    assert None in errors, "one has won"
    assert ask(client())[1]["web"] == "1"
    assert left() == []
    ((again,), _) = deployed(aws.endpoint_url, manifest, bucket=bucket)
    assert again.error is None
