"""Callers of `$LATEST` are moved to the alias before it changes; what can't be moved is told and needs consent."""

import dataclasses

import pytest

from optimizer.deploy.planning.callers import FOLLOWS
from optimizer.deploy.planning.statements import Permission
from optimizer.deploy.rejections import CallRejectedError
from optimizer.deploy.values import Alias, Url
from optimizer.errors import DeployRefusedError
from tests.unit.deploy.fakes import ACCOUNT, REGION, WRITES, FakeAws, document, fault_at, make_manifest
from tests.unit.deploy.support import actions, deploy, deployer, plan

ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:app"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:orders"
BUCKET = "arn:aws:s3:::pictures"
FROM_BUCKET = Permission(
    principal="s3.amazonaws.com", action="lambda:InvokeFunction", source_arn=BUCKET, source_account=ACCOUNT
)
FROM_ACCOUNT = Permission(principal="210987654321", action="lambda:InvokeFunction")


@pytest.fixture
def live(tmp_path):
    """The first state deployed; its calls forgotten."""
    aws = FakeAws()
    deploy(aws, make_manifest(tmp_path / "first"))
    aws.calls.clear()
    return aws


def foreign(aws):
    """A function that others made: nothing but `$LATEST`."""
    function = aws.functions["app"]
    function.aliases.clear()
    function.versions.clear()
    function.urls.clear()
    return function


def second(tmp_path, **changes):
    return make_manifest(tmp_path / "second", **{"code": "code 2", **changes})


def test_an_event_source_calls_the_alias_before_latest_changes(live, tmp_path):
    live.functions["app"].sources["u-1"] = (QUEUE, None)
    told = actions(plan(live, second(tmp_path), adopt=True))
    assert told.index("move-source orders") < told.index("update-code app")
    deploy(live, second(tmp_path), adopt=True)
    assert live.functions["app"].sources == {"u-1": (QUEUE, "live")}
    assert not plan(live, second(tmp_path), adopt=True).changes


def test_an_event_source_that_is_being_changed_is_waited_for(live, tmp_path):
    live.functions["app"].sources["u-1"] = (QUEUE, None)
    live.busy = 3
    deploy(live, second(tmp_path), adopt=True)
    assert live.functions["app"].sources == {"u-1": (QUEUE, "live")}


def test_an_event_source_that_calls_the_alias_too_stays_and_its_mapping_is_named(live, tmp_path):
    live.functions["app"].sources |= {"u-1": (QUEUE, None), "u-2": (QUEUE, "live")}
    with pytest.raises(DeployRefusedError, match="delete one of the two mappings, this one is u-1"):
        plan(live, second(tmp_path), adopt=True)


def test_without_an_alias_what_is_called_now_is_frozen_first_and_served_until_the_new_version_is_checked(
    live, tmp_path
):
    function = foreign(live)
    function.sources["u-1"] = (QUEUE, None)
    seen = []

    def watch(aws):
        there = aws.functions["app"]
        seen.append("$LATEST" if there.sources["u-1"][1] is None else there.aliases["live"].version)
        if seen[-1] == "$LATEST":
            assert there.latest.layer_arns == before.layer_arns
            assert there.latest.code_sha256 == before.code_sha256, "it does not change under its callers"

    before = function.latest
    live.watch = watch
    told = actions(plan(live, second(tmp_path), adopt=True))
    assert [one for one in told if not one.startswith("keep-")] == [
        "freeze-latest live",
        "move-source orders",
        "update-code app",
        "publish-version app",
        "check app",
        "move-alias live",
        "create-url app:live",
        "mark-alias live",
    ]
    deploy(live, second(tmp_path), adopt=True)
    assert list(dict.fromkeys(seen)) == ["$LATEST", "1", "2"]


def test_a_check_that_fails_leaves_the_moved_callers_on_what_they_called_before(live, tmp_path):
    from optimizer.deploy.values import Invocation

    function = foreign(live)
    function.sources["u-1"] = (QUEUE, None)
    live.answers[b"code 2"] = Invocation(payload=b'{"statusCode": 500}', error=None, log="")
    done = deploy(live, second(tmp_path), adopt=True)
    assert done.outcome == "failed"
    assert "still serves version 1" in done.error.message
    assert (function.sources["u-1"][1], function.aliases["live"].version) == ("live", "1")


def test_where_the_alias_serves_something_else_they_are_moved_after_it_and_that_needs_consent(live, tmp_path):
    function = live.functions["app"]
    function.latest = dataclasses.replace(function.latest, handler="by.hand")
    function.sources["u-1"] = (QUEUE, None)
    with pytest.raises(DeployRefusedError, match="serves something else than"):
        plan(live, second(tmp_path), adopt=True)
    told = actions(plan(live, second(tmp_path), adopt=True, accept_latest=True))
    assert told.index("move-source orders") > told.index("move-alias live")
    deploy(live, second(tmp_path), adopt=True, accept_latest=True)
    assert function.sources == {"u-1": (QUEUE, "live")}


def test_a_permission_is_copied_and_kept_while_its_source_calls_the_function_unqualified(live, tmp_path):
    function = live.functions["app"]
    function.policies[None] = {"from-bucket": document(FROM_BUCKET)}
    live.targets[BUCKET] = {ARN}
    with pytest.raises(DeployRefusedError) as refused:
        plan(live, second(tmp_path), adopt=True)
    assert f"the permission 'from-bucket': {BUCKET} calls {ARN}: point it at {ARN}:live" in refused.value.message
    assert "--accept-latest" in refused.value.mend
    changes = plan(live, second(tmp_path), adopt=True, accept_latest=True)
    assert changes.callers == ("the permission 'from-bucket'",)
    deploy(live, second(tmp_path), adopt=True, accept_latest=True)
    assert function.policies["live"] == {"from-bucket": document(FROM_BUCKET)}
    assert set(function.policies[None]) == {"from-bucket"}, "the bucket still needs it"
    live.targets[BUCKET] = {f"{ARN}:live"}  # its owner did what was said
    told = actions(plan(live, make_manifest(tmp_path / "third", code="code 3"), adopt=True))
    assert "drop-permission from-bucket" in told
    assert "copy-permission from-bucket" not in told
    deploy(live, make_manifest(tmp_path / "third", code="code 3"), adopt=True)
    assert (function.policies[None], set(function.policies["live"])) == ({}, {"from-bucket"})


def test_what_a_caller_does_that_cannot_be_asked_is_not_guessed(live, tmp_path):
    function = live.functions["app"]
    function.policies[None] = {"partner": document(FROM_ACCOUNT)}
    with pytest.raises(DeployRefusedError, match=r"remove-permission --region .* --statement-id partner"):
        plan(live, second(tmp_path), adopt=True)
    deploy(live, second(tmp_path), adopt=True, accept_latest=True)
    assert function.policies[None] == function.policies["live"] == {"partner": document(FROM_ACCOUNT)}


def test_a_condition_that_add_permission_cannot_say_is_told_and_nothing_weaker_is_granted(live, tmp_path):
    function = live.functions["app"]
    odd = {**document(FROM_ACCOUNT), "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}
    function.policies[None] = {"from-office": odd}
    changes = plan(live, second(tmp_path), adopt=True, accept_latest=True)
    (told,) = [action for action in changes.actions if action.name == "keep-caller"]
    assert "AddPermission can't say what it says" in told.reason
    assert not [action for action in changes.actions if action.name == "copy-permission"]


def test_a_statement_id_that_the_alias_uses_otherwise_is_not_taken(live, tmp_path):
    function = live.functions["app"]
    function.policies |= {None: {"s": document(FROM_BUCKET)}, "live": {"s": document(FROM_ACCOUNT)}}
    deploy(live, second(tmp_path), adopt=True, accept_latest=True)
    assert function.policies["live"] == {"s": document(FROM_ACCOUNT), "s-1": document(FROM_BUCKET)}
    assert "copy-permission s" not in actions(plan(live, second(tmp_path), adopt=True))


def test_the_alias_gets_a_url_like_the_unqualified_one_which_stays(live, tmp_path):
    cors = {"AllowOrigins": ["https://example.com"]}
    function = foreign(live)
    function.urls[None] = Url(address="https://old.example/", auth="AWS_IAM", cors=cors)
    caller = dataclasses.replace(FROM_ACCOUNT, action="lambda:InvokeFunctionUrl")
    function.policies[None] = {"by-url": document(caller)}
    with pytest.raises(DeployRefusedError) as refused:
        plan(live, second(tmp_path), adopt=True)
    assert "the function URL https://old.example/: an address can't be moved" in refused.value.message
    assert "by-url" not in refused.value.message, "it goes with the URL"
    deploy(live, second(tmp_path), adopt=True, accept_latest=True)
    assert function.urls["live"].cors == cors
    assert function.urls[None].address == "https://old.example/"
    assert function.policies["live"] == {"by-url": document(caller)}, "who could call the one may call the other"
    assert set(function.policies[None]) == {"by-url"}


def test_a_url_of_the_alias_without_cors_gets_it_and_one_with_cors_keeps_its_own(live, tmp_path):
    function = live.functions["app"]
    function.urls[None] = Url(address="https://old.example/", auth="AWS_IAM", cors={"AllowOrigins": ["*"]})
    deploy(live, make_manifest(tmp_path), adopt=True)
    assert function.urls["live"].cors == {"AllowOrigins": ["*"]}
    function.urls["live"] = dataclasses.replace(function.urls["live"], cors={"MaxAge": 1})
    assert "update-url app:live" not in actions(plan(live, make_manifest(tmp_path), adopt=True))


def test_permissions_of_a_url_that_is_gone_call_nothing_and_are_removed(live, tmp_path):
    live.functions["app"].policies[None] = {"public": False}
    deploy(live, second(tmp_path), adopt=True)
    assert live.functions["app"].policies[None] == {}


def test_an_alias_on_latest_gets_the_version_that_is_served_and_then_the_new_one(live, tmp_path):
    function = live.functions["app"]
    function.aliases["edge"] = Alias(name="edge", version="$LATEST", revision="e-1", description="for the edge")
    seen = []
    live.watch = lambda aws: seen.append(aws.functions["app"].aliases["edge"].version)
    deploy(live, second(tmp_path), adopt=True)
    assert list(dict.fromkeys(seen)) == ["$LATEST", "1", "2"]
    assert function.aliases["edge"].description == "for the edge"
    assert not plan(live, second(tmp_path), adopt=True).changes


def test_an_alias_that_somebody_moved_meanwhile_stays_as_they_left_it(live, tmp_path):
    function = live.functions["app"]
    function.aliases["edge"] = Alias(name="edge", version="$LATEST", revision="e-1")

    def meddle(aws):
        if aws.calls[-1] == "publish_version":
            function.aliases["edge"] = Alias(name="edge", version="1", revision="theirs", description="pinned")

    live.watch = meddle
    done = deploy(live, second(tmp_path), adopt=True)
    assert "'edge' of app" in done.error.message
    assert function.aliases["edge"].version == "1"


def test_an_alias_live_that_points_at_latest_is_taken_off_it_before_it_changes(live, tmp_path):
    function = foreign(live)
    function.aliases["live"] = Alias(name="live", version="$LATEST", revision="l-1")
    seen = []
    live.watch = lambda aws: seen.append((aws.functions["app"].aliases["live"].version, aws.calls[-1]))
    deploy(live, second(tmp_path), adopt=True)
    assert list(dict.fromkeys(version for version, _ in seen)) == ["$LATEST", "1", "2"]
    assert ("$LATEST", "update_code") not in seen


def test_with_nothing_to_deploy_callers_are_moved_all_the_same(live, tmp_path):
    function = live.functions["app"]
    function.sources["u-1"] = (QUEUE, None)
    manifest = make_manifest(tmp_path)
    assert not plan(live, manifest).changes
    assert [one for one in actions(plan(live, manifest, adopt=True)) if not one.startswith("keep-")] == [
        "move-source orders"
    ]
    deploy(live, manifest, adopt=True)
    assert function.sources == {"u-1": (QUEUE, "live")}


def crowded(tmp_path):
    """Callers of every kind on a function that others made."""
    aws = FakeAws()
    deploy(aws, make_manifest(tmp_path / "first"))
    function = foreign(aws)
    function.urls[None] = Url(address="https://old.example/", auth="AWS_IAM", cors={"MaxAge": 5})
    function.policies |= {None: {"from-bucket": document(FROM_BUCKET), "partner": document(FROM_ACCOUNT)}, "live": {}}
    function.sources["u-1"] = (QUEUE, None)
    function.aliases["edge"] = Alias(name="edge", version="$LATEST", revision="e-1", description="d")
    aws.targets[BUCKET] = {"arn:of:another"}
    aws.calls.clear()
    return aws


def outcome(aws):
    function = aws.functions["app"]
    names = {n: (a.version, a.description if n == "edge" else "") for n, a in function.aliases.items()}
    served = function.versions[function.aliases["live"].version]
    urls = {place: url.cors for place, url in function.urls.items()}
    return names, served.code_sha256, function.policies, function.sources, urls


def test_a_run_cut_off_at_any_call_is_made_good_by_the_next(tmp_path):
    options = {"adopt": True, "accept_latest": True}
    undisturbed = crowded(tmp_path / "u")
    deploy(undisturbed, second(tmp_path), **options)
    writes = len([call for call in undisturbed.calls if call in WRITES])
    assert writes >= 12
    expected = outcome(undisturbed)
    assert [(name, alias[0]) for name, alias in expected[0].items()] == [("edge", "2"), ("live", "2")]
    assert expected[0]["edge"] == ("2", "d")
    for number in range(writes):
        for when in ("before", "after"):
            aws = crowded(tmp_path / "u")
            aws.fault = fault_at(number, when, KeyboardInterrupt())
            with pytest.raises(KeyboardInterrupt):
                deploy(aws, second(tmp_path), **options)
            aws.fault = lambda *_: None
            deploy(aws, second(tmp_path), **options)
            assert outcome(aws) == expected, (number, when)
            assert not aws.functions["app"].aliases["edge"].description.endswith(FOLLOWS)


def test_a_public_url_opens_the_aliases_url_only_where_the_configuration_says_so(live, tmp_path):
    function = live.functions["app"]
    function.urls[None] = Url(address="https://old.example/", auth="NONE")
    function.policies[None] = {"url": False, "invoke": True}
    with pytest.raises(DeployRefusedError, match="which asks for AWS_IAM by the configuration, not for NONE"):
        plan(live, second(tmp_path), adopt=True)
    deploy(live, second(tmp_path), adopt=True, accept_latest=True)
    assert function.policies.get("live", {}) == {}
    assert set(function.policies[None]) == {"url", "invoke"}, "the old URL needs them"


def test_where_the_configuration_gives_the_alias_no_url_it_is_said_how_to_give_one(live, tmp_path):
    live.functions["app"].urls[None] = Url(address="https://old.example/", auth="NONE")
    with pytest.raises(DeployRefusedError, match='set url to "iam" or "public"'):
        plan(live, second(tmp_path, url="none"), adopt=True)


def test_a_source_that_names_latest_itself_calls_it_too(live, tmp_path):
    live.functions["app"].policies[None] = {"from-bucket": document(FROM_BUCKET)}
    live.targets[BUCKET] = {f"{ARN}:$LATEST"}
    with pytest.raises(DeployRefusedError, match="from-bucket"):
        plan(live, second(tmp_path), adopt=True)


@pytest.mark.parametrize("what", [document(FROM_ACCOUNT), False], ids=["a permission to copy", "one for no URL"])
def test_nothing_is_frozen_where_nobody_can_be_moved(live, tmp_path, what):
    foreign(live).policies[None] = {"s": what}
    told = actions(plan(live, second(tmp_path), adopt=True, accept_latest=True))
    assert "freeze-latest live" not in told
    if what:
        assert told.index("copy-permission s") > told.index("create-alias live")
    deploy(live, second(tmp_path), adopt=True, accept_latest=True)


def test_an_alias_that_a_run_before_left_on_its_way_is_taken_to_the_new_version_at_the_end(live, tmp_path):
    function = live.functions["app"]
    function.aliases["edge"] = Alias(name="edge", version="1", revision="e", description=f"for the edge {FOLLOWS}")
    told = actions(plan(live, second(tmp_path), adopt=True))
    assert told.count("point-alias edge") == 1
    assert told.index("point-alias edge") > told.index("move-alias live")
    deploy(live, second(tmp_path), adopt=True)
    assert (function.aliases["edge"].version, function.aliases["edge"].description) == ("2", "for the edge")


def test_another_permission_that_took_the_id_meanwhile_is_not_taken_for_ours(live, tmp_path):
    function = live.functions["app"]
    function.policies[None] = {"s": document(FROM_BUCKET)}
    run = deployer(live, second(tmp_path), adopt=True, accept_latest=True)
    planned = run.plan()
    function.policies["live"] = {"s": document(FROM_ACCOUNT)}
    (done,) = run.execute(planned)
    assert isinstance(done.error, CallRejectedError)
    function.policies["live"] = {"s": document(FROM_BUCKET)}  # as an earlier call whose answer was lost leaves it
    (done,) = run.execute(planned)
    assert done.outcome == "done"


def test_an_alias_live_that_somebody_takes_off_latest_meanwhile_stays_where_they_put_it(live, tmp_path):
    function = live.functions["app"]
    function.aliases["live"] = Alias(name="live", version="$LATEST", revision="a-1")
    function.sources["u-1"] = (QUEUE, None)
    function.latest = dataclasses.replace(function.latest, memory_mb=256)

    def meddle(aws, verb, when):
        if (verb, when) == ("publish_version", "after"):
            aws.fault = lambda *_: None
            function.aliases["live"] = Alias(name="live", version="1", revision="theirs")

    live.fault = meddle
    done = deploy(live, second(tmp_path), adopt=True, accept_latest=True)
    assert "was changed by somebody else" in done.error.message
    assert (function.aliases["live"].version, function.aliases["live"].revision) == ("1", "theirs")
