"""deploy --adopt against the embedded AWS: callers of `$LATEST` come to call the alias, and none loses its right."""

import json
import threading

import pytest

from optimizer.local import embedded_aws
from tests.integration.deploy.conftest import Command, ask, built
from tests.integration.deploy.killer import Killer, killed

ACCOUNT = "123456789012"
CORS = {"AllowOrigins": ["https://example.com"], "MaxAge": 60}


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


@pytest.fixture
def theirs(command, client, region, tmp_path):
    """A function as others made it, without alias and versions: a queue, a bucket, a rule and an alias call it."""
    built(tmp_path / "a", region=region, url="none")
    command.document("deploy", tmp_path / "a", "--yes")
    lam = client()
    lam.delete_alias(FunctionName="app", Name="live")
    arn = lam.get_function(FunctionName="app")["Configuration"]["FunctionArn"]
    lam.create_event_source_mapping(FunctionName="app", EventSourceArn=f"arn:aws:sqs:{region}:{ACCOUNT}:orders")
    bucket = f"pictures-{region}"
    s3 = client("s3")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
    client("events").put_rule(Name="nightly", ScheduleExpression="rate(1 day)")
    rule = f"arn:aws:events:{region}:{ACCOUNT}:rule/nightly"
    for sid, principal, source in (
        ("from-bucket", "s3.amazonaws.com", f"arn:aws:s3:::{bucket}"),
        ("from-rule", "events.amazonaws.com", rule),
    ):
        lam.add_permission(
            FunctionName="app",
            StatementId=sid,
            Action="lambda:InvokeFunction",
            Principal=principal,
            SourceArn=source,
            **({"SourceAccount": ACCOUNT} if sid == "from-bucket" else {}),
        )
    client("events").put_targets(Rule="nightly", Targets=[{"Id": "1", "Arn": arn}])
    lam.create_alias(FunctionName="app", Name="edge", FunctionVersion="$LATEST", Description="the edge's")
    return arn


def rows(document):
    return {(row["action"], row["subject"]): row["reason"] for row in document["deployments"][0]["changes"]}


def policy(lam, **qualifier):
    try:
        answer = lam.get_policy(FunctionName="app", **qualifier)
    except lam.exceptions.ResourceNotFoundException:
        return {}
    return {one["Sid"]: one for one in json.loads(answer["Policy"])["Statement"]}


def test_what_can_be_moved_is_moved_and_what_its_owner_has_to_point_elsewhere_is_said(
    command, client, region, tmp_path, *, theirs
):
    lam = client()
    built(tmp_path / "b", region=region, version="2", url="none")
    arguments = ("--yes", "--adopt")
    refused = command.document("deploy", tmp_path / "b", *arguments, status=1)
    (reason,) = [why for (action, _), why in rows(refused).items() if action == "refuse"]
    assert f"the permission 'from-rule': arn:aws:events:{region}:{ACCOUNT}:rule/nightly calls {theirs}" in reason
    assert "orders" not in reason, "only those are named that can't be moved"
    assert "from-bucket" not in reason
    assert not [name for name in command.calls if not name.startswith(("Get", "List"))]

    done = rows(command.document("deploy", tmp_path / "b", *arguments, "--accept-latest"))
    assert {key for key in done if key[0] not in {"keep-layer", "put-policy"}} >= {
        ("freeze-latest", "live"),
        ("move-source", "orders"),
        ("copy-permission", "from-rule"),
        ("copy-permission", "from-bucket"),
        ("drop-permission", "from-bucket"),
        ("point-alias", "edge"),
        ("keep-caller", "the permission 'from-rule'"),
    }
    (mapping,) = lam.list_event_source_mappings(FunctionName="app:live")["EventSourceMappings"]
    assert mapping["FunctionArn"] == f"{theirs}:live"
    assert set(policy(lam)) == {"from-rule"}, "the rule still calls by it"
    granted = policy(lam, Qualifier="live")
    assert set(granted) == {"from-rule", "from-bucket"}
    assert granted["from-bucket"]["Condition"] == {
        "ArnLike": {"AWS:SourceArn": f"arn:aws:s3:::pictures-{region}"},
        "StringEquals": {"AWS:SourceAccount": ACCOUNT},
    }
    edge = lam.get_alias(FunctionName="app", Name="edge")
    live = lam.get_alias(FunctionName="app", Name="live")
    assert (edge["FunctionVersion"], edge["Description"]) == (live["FunctionVersion"], "the edge's")
    assert ask(lam)[1]["version"] == "2"

    client("events").put_targets(Rule="nightly", Targets=[{"Id": "1", "Arn": f"{theirs}:live"}])
    last = rows(command.document("deploy", tmp_path / "b", *arguments))
    assert ("drop-permission", "from-rule") in last
    assert policy(lam) == {}
    command.document("deploy", tmp_path / "b", *arguments)
    assert not [name for name in command.calls if not name.startswith(("Get", "List"))]


def test_the_alias_gets_a_url_with_the_same_cors_and_its_address_is_told(command, client, region, tmp_path):
    built(tmp_path / "a", region=region, url="none")
    command.document("deploy", tmp_path / "a", "--yes")
    lam = client()
    old = lam.create_function_url_config(FunctionName="app", AuthType="AWS_IAM", Cors=CORS)["FunctionUrl"]
    lam.add_permission(
        FunctionName="app",
        StatementId="partner",
        Action="lambda:InvokeFunctionUrl",
        Principal="210987654321",
        FunctionUrlAuthType="AWS_IAM",
    )
    built(tmp_path / "b", region=region, version="2", url="iam")
    refused = command("deploy", "--artifacts", str(tmp_path / "b"), "--yes", "--adopt", status=1)
    assert f"the function URL {old}: an address can't be moved" in refused.stderr
    done = command("deploy", "--artifacts", str(tmp_path / "b"), "--yes", "--adopt", "--accept-latest")
    new = lam.get_function_url_config(FunctionName="app", Qualifier="live")
    assert (new["AuthType"], new["Cors"]) == ("AWS_IAM", CORS)
    assert new["FunctionUrl"] != old
    assert new["FunctionUrl"] in done.stdout
    assert lam.get_function_url_config(FunctionName="app")["FunctionUrl"] == old
    (granted,) = policy(lam, Qualifier="live").values()
    assert granted["Principal"] == {"AWS": "arn:aws:iam::210987654321:root"}
    assert granted["Condition"] == {"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}}


def test_callers_of_latest_see_whole_versions_all_along(command, client, region, tmp_path, *, theirs):
    """Code and layers change together, which takes two updates of `$LATEST`."""
    over, seen = threading.Event(), []
    lam = client()  # made before the command changes this process's environment

    def calling():
        while not over.wait(0.05):
            error, body = ask(lam, qualifier="edge")
            seen.append(error or (body["version"], body["web"]))

    built(tmp_path / "b", region=region, version="2", web="2", url="none")
    client("events").put_targets(Rule="nightly", Targets=[{"Id": "1", "Arn": f"{theirs}:live"}])
    caller = threading.Thread(target=calling)
    caller.start()
    try:
        command.document("deploy", tmp_path / "b", "--yes", "--adopt")
    finally:
        over.set()
        caller.join()
    assert set(seen) <= {("1", "1"), ("2", "2")}
    assert ask(client(), qualifier="edge")[1]["version"] == "2"


@pytest.mark.parametrize(
    "point",
    [
        {"after": "CreateAlias"},
        {"after": "UpdateEventSourceMapping"},
        {"before": "UpdateEventSourceMapping"},
        {"after": "AddPermission"},
        {"before": "RemovePermission"},
        {"after": "UpdateFunctionCode"},
        {"after": "UpdateAlias"},
    ],
    ids=str,
)
def test_killed_in_the_middle_the_next_run_ends_as_an_undisturbed_one(
    killer, aws, command, client, *, region, tmp_path, theirs, point
):
    built(tmp_path / "b", region=region, version="2", url="none")
    killed(killer, aws, tmp_path / "b", "--adopt", "--accept-latest", **point)
    command.document("deploy", tmp_path / "b", "--yes", "--adopt", "--accept-latest")
    lam = client()
    (mapping,) = lam.list_event_source_mappings()["EventSourceMappings"]
    assert mapping["FunctionArn"] == f"{theirs}:live"
    assert set(policy(lam)) == {"from-rule"}
    assert set(policy(lam, Qualifier="live")) == {"from-rule", "from-bucket"}
    edge = lam.get_alias(FunctionName="app", Name="edge")
    live = lam.get_alias(FunctionName="app", Name="live")
    assert (edge["FunctionVersion"], edge["Description"]) == (live["FunctionVersion"], "the edge's")
    assert ask(lam)[1]["version"] == "2"
