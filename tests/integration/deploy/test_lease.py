"""deploy --lease against the embedded S3: one deploy at a time, whatever ends the other one."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from optimizer.deploy import Clients, Connection
from optimizer.deploy.boto.lease_store import S3LeaseStore, parse_place
from tests.integration.deploy.conftest import ask, built

ROOT = Path(__file__).parents[3]
SLOW = "import time, core, web\ntime.sleep(3)\ndef handler(e, c):\n    return {'statusCode': 200, 'body': '{}'}\n"


@pytest.fixture
def place(client, region):
    s3 = client("s3")
    s3.create_bucket(Bucket=f"leases-{region}", CreateBucketConfiguration={"LocationConstraint": region})
    return f"s3://leases-{region}/app.json"


def there(client, place):
    bucket, key = place.removeprefix("s3://").split("/")
    if not client("s3").list_objects_v2(Bucket=bucket)["KeyCount"]:
        return None
    return json.loads(client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())


def put(client, place, document):
    bucket, key = place.removeprefix("s3://").split("/")
    client("s3").put_object(Bucket=bucket, Key=key, Body=json.dumps(document).encode())


def lease(seconds):
    return {"schema": 1, "token": "t", "who": "GitHub run 7 of team/app", "commit": None, "seconds": seconds}


def test_conditional_writes_and_deletes_are_those_of_s3(client, place):
    s3, bucket = client("s3"), place.split("/")[2]
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"1", IfNoneMatch="*")["ETag"]
    for call, arguments in (
        (s3.put_object, {"Body": b"2", "IfNoneMatch": "*"}),
        (s3.put_object, {"Body": b"2", "IfMatch": '"other"'}),
        (s3.delete_object, {"IfMatch": '"other"'}),
    ):
        with pytest.raises(ClientError) as refused:
            call(Bucket=bucket, Key="k", **arguments)
        assert refused.value.response["Error"]["Code"] == "PreconditionFailed"
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    s3.put_object(Bucket=bucket, Key="k", Body=b"3", IfMatch=etag)

    def write(number):
        try:
            s3.put_object(Bucket=bucket, Key="race", Body=str(number).encode(), IfNoneMatch="*")
        except ClientError:
            return None
        return number

    with ThreadPoolExecutor(8) as pool:
        winners = [number for number in pool.map(write, range(16)) if number is not None]
    assert [str(number).encode() for number in winners] == [s3.get_object(Bucket=bucket, Key="race")["Body"].read()]


def test_only_the_object_that_was_read_is_replaced_or_removed(aws, region, place):
    bucket, key = parse_place(place)
    clients = Clients(connection=Connection(endpoint_url=aws.endpoint_url, local=True))
    store = S3LeaseStore(clients=clients, region=region, bucket=bucket, key=key)
    assert store.read() is None
    first = store.write(b"first", replaces=None)
    assert store.write(b"another", replaces=None) is None
    assert store.write(b"second", replaces=first) != first
    assert store.write(b"third", replaces=first) is None
    store.remove(first)
    assert store.read().data == b"second"
    assert 0 <= store.read().age_seconds < 60
    store.remove(store.read().etag)
    assert store.read() is None
    assert store.write(b"third", replaces=first) is None, "what is gone is not replaced"


def test_of_deploys_at_once_one_runs_and_the_others_are_refused(client, aws, region, tmp_path, *, place):
    built(tmp_path / "a", region=region, source=SLOW)
    where = ["--artifacts", str(tmp_path / "a"), "--yes", "--endpoint-url", aws.endpoint_url, "--lease", place]
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}

    def run(_):
        return subprocess.run(
            [sys.executable, "-m", "optimizer", "deploy", *where],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )

    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(run, range(3)))
    assert {one.returncode for one in done} <= {0, 1}
    assert [one for one in done if one.returncode == 0]
    assert all(f"holds the lease {place}" in one.stderr for one in done if one.returncode == 1)
    assert [version["Version"] for version in client().list_versions_by_function(FunctionName="app")["Versions"]] == [
        "$LATEST",
        "1",
    ]
    assert there(client, place) is None


def test_it_is_held_from_planning_on_and_let_go_at_the_end(command, client, region, tmp_path, *, place):
    built(tmp_path / "a", region=region)
    done = command.document("deploy", tmp_path / "a", "--yes", "--lease", place)
    assert done["deployments"][0]["outcome"] == "done"
    assert (done["calls"]["PutObject"], done["calls"]["DeleteObject"]) == (1, 1)
    assert there(client, place) is None
    command.document("deploy", tmp_path / "a", "--dry-run", "--lease", place)
    assert "PutObject" not in command.calls, "a dry run changes nothing, a lease neither"


def test_another_deploy_is_refused_before_its_first_call_and_told_who_holds_it(
    command, client, region, tmp_path, *, place
):
    built(tmp_path / "a", region=region)
    put(client, place, lease(600))
    refused = command("deploy", "--artifacts", str(tmp_path / "a"), "--yes", "--lease", place, status=1)
    assert "GitHub run 7 of team/app has deployed there" in refused.stderr
    assert f"holds the lease {place} until " in refused.stderr
    assert not [name for name in command.calls if name not in {"PutObject", "GetObject"}]
    assert there(client, place)["token"] == "t"


def test_one_that_has_expired_is_taken_over(command, client, region, tmp_path, *, place):
    built(tmp_path / "a", region=region)
    put(client, place, lease(-1))
    done = command("deploy", "--artifacts", str(tmp_path / "a"), "--yes", "--lease", place)
    assert "took over the lease" in done.stderr
    assert ask(client())[1]["version"] == "1"
    assert there(client, place) is None


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_interrupted_it_lets_go_and_killed_it_leaves_it_to_expire(
    command, client, aws, region, tmp_path, *, place, number, status
):
    built(tmp_path / "a", region=region, source=SLOW)
    where = ["--artifacts", str(tmp_path / "a"), "--yes", "--endpoint-url", aws.endpoint_url, "--lease", place]
    with subprocess.Popen(
        [sys.executable, "-m", "optimizer", "deploy", *where],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"},
    ) as run:
        for line in run.stderr:
            if line.startswith("checking version"):
                break
        assert there(client, place)["seconds"] == 120
        run.send_signal(number)
        told = run.stderr.read()
        assert run.wait(timeout=60) == status, told
    if number == signal.SIGINT:
        assert there(client, place) is None
        return
    refused = command("deploy", "--artifacts", str(tmp_path / "a"), "--yes", "--lease", place, status=1)
    assert "@" in refused.stderr
    put(client, place, {**there(client, place), "seconds": -1})  # its time is over
    command.document("deploy", tmp_path / "a", "--yes", "--lease", place)
    assert there(client, place) is None


def test_one_that_is_lost_while_the_deploy_runs_stops_it_before_its_next_call(
    command, client, region, tmp_path, *, place, monkeypatch
):
    from optimizer.deploy.execution.lease import Lease

    built(tmp_path / "a", region=region)
    checks = []

    def check(self):
        checks.append(self)
        if len(checks) == 12:
            put(client, place, lease(600))
            self.renew()
        return original(self)

    original = Lease.check
    monkeypatch.setattr(Lease, "check", check)
    done = command("deploy", "--artifacts", str(tmp_path / "a"), "--yes", "--lease", place, status=1)
    assert "was taken over or removed by somebody else: nothing more is changed" in done.stderr
    assert there(client, place)["token"] == "t"


@pytest.mark.parametrize(
    ("address", "status", "told"),
    [
        ("leases/app", 2, "Write it as s3://BUCKET/KEY"),
        ("s3://not-there/k", 3, "Name with --lease a bucket that exists"),
    ],
)
def test_a_place_that_is_none_is_told(command, region, tmp_path, *, address, status, told):
    built(tmp_path / "a", region=region)
    done = command("deploy", "--artifacts", str(tmp_path / "a"), "--yes", "--lease", address, status=status)
    assert told in done.stderr
