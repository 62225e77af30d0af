"""What is printed is done, callers see whole versions only, and a run that was cut off is made good by the next."""

import contextlib
import dataclasses
import itertools

import pytest

from optimizer import limits
from optimizer.deploy.rejections import AnswerLostError
from optimizer.deploy.values import Alias, Invocation
from optimizer.deploy.wanted import STATEMENTS
from optimizer.errors import AwsError, DeployRefusedError
from tests.unit.deploy.fakes import (
    WRITES,
    FakeAws,
    fault_at,
    fingerprint,
    make_manifest,
    rejected,
    sha,
)
from tests.unit.deploy.support import deploy, deployer, plan, served

FIRST: dict = {}
SCENARIOS = {
    "first deploy": (None, FIRST),
    "code": (FIRST, {"code": "code 2"}),
    "layer": (FIRST, {"layers": {"aws-core": "aws 1", "web": "web 2"}}),
    "both and settings": (
        FIRST,
        {"layers": {"aws-core": "aws 2", "web": "web 2"}, "code": "code 2", "memory_mb": 1024, "url": "public"},
    ),
}


def prepared(before, folder):
    aws = FakeAws()
    if before is not None:
        deploy(aws, make_manifest(folder, **before))
    aws.calls.clear()
    return aws


def writes(aws):
    return [verb for verb in aws.calls if verb in WRITES]


def expected(manifest):
    return sha((manifest.folder / "function.zip").read_bytes()), tuple(
        a.fingerprint for a in manifest.artifacts if a.kind == "layer"
    )


def end_state(aws):
    function = aws.functions["app"]
    return served(aws), function.urls, function.policies.get("live", {}), aws.roles, function.latest.memory_mb


def weighing(aws, sizes, folder):
    """Makes manifests in the folder; whatever has such a text has that many unzipped bytes."""
    aws.unzipped = {text.encode(): size for text, size in sizes.items()}

    def built(name, layers, code):
        manifest = make_manifest(folder / name, layers=layers, code=code)
        texts = {**layers, "app": code}
        weighed = (dataclasses.replace(a, unzipped_bytes=sizes[texts[a.name]]) for a in manifest.artifacts)
        return dataclasses.replace(manifest, artifacts=tuple(weighed))

    return built


def watched(aws, whole):
    """Fail as soon as the alias serves something that is neither the old nor the new whole."""

    def watch(aws):
        if "app" in aws.functions and "live" in aws.functions["app"].aliases:
            assert served(aws) in whole

    aws.watch = watch


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_deploy_reaches_what_was_planned_and_the_next_finds_nothing_to_do(name, tmp_path):
    before, after = SCENARIOS[name]
    aws = prepared(before, tmp_path / "before")
    manifest = make_manifest(tmp_path / "after", **after)
    planned = plan(aws, manifest)
    done = deploy(aws, manifest)
    assert done.outcome == "done"
    assert served(aws) == expected(manifest)
    assert done.result.version == aws.functions["app"].aliases["live"].version
    assert [layer.fingerprint for layer in done.result.layers] == list(expected(manifest)[1])
    assert all(layer.arn and layer.version for layer in done.result.layers)
    assert planned == done.changes, "what the dry run prints is what is executed"
    aws.calls.clear()
    assert not plan(aws, manifest).changes
    assert len(aws.calls) <= 3


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_cut_off_at_any_call_the_next_run_ends_in_the_same_state(name, when, tmp_path):
    before, after = SCENARIOS[name]
    manifest = make_manifest(tmp_path / "after", **after)
    undisturbed = prepared(before, tmp_path / "before")
    deploy(undisturbed, manifest)
    whole = {expected(manifest)} | ({served(prepared(before, tmp_path / "b"))} if before is not None else set())
    points = len(writes(undisturbed))
    assert points >= 3
    for number in range(points):
        aws = prepared(before, tmp_path / "before")
        watched(aws, whole)
        aws.fault = fault_at(number, when)
        with pytest.raises(AwsError):
            deploy(aws, manifest)
        assert deploy(aws, manifest).outcome == "done"
        assert end_state(aws) == end_state(undisturbed), f"{name}: cut off {when} call {number}"
        count = sum(len(versions) for versions in aws.layers.values())
        assert count <= sum(len(versions) for versions in undisturbed.layers.values()) + 1


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_call_repeated_after_its_answer_was_lost_is_recognised_in_the_same_run(name, tmp_path):
    """Botocore repeats a call whose answer was lost; the service then answers that it is done already."""
    before, after = SCENARIOS[name]
    manifest = make_manifest(tmp_path / "after", **after)
    undisturbed = prepared(before, tmp_path / "before")
    deploy(undisturbed, manifest)
    repeated = {
        "create_role": "EntityAlreadyExists",
        "create_function": "ResourceConflictException",
        "update_code": "PreconditionFailedException",
        "update_configuration": "ResourceConflictException",
        "publish_version": "PreconditionFailedException",
        "create_alias": "ResourceConflictException",
        "move_alias": "PreconditionFailedException",
        "create_url": "ResourceConflictException",
        "grant_url": "ResourceConflictException",
    }
    for number, verb in enumerate(writes(undisturbed)):
        if verb in repeated:
            aws = prepared(before, tmp_path / "before")
            aws.fault = fault_at(number, "after", rejected(repeated[verb]))
            assert deploy(aws, manifest).outcome == "done"
            assert end_state(aws) == end_state(undisturbed)


@pytest.mark.parametrize("name", SCENARIOS)
def test_updates_that_settle_slowly_are_waited_for(name, tmp_path):
    before, after = SCENARIOS[name]
    aws = prepared(before, tmp_path / "before")
    aws.update_seconds = 40.0
    manifest = make_manifest(tmp_path / "after", **after)
    assert deploy(aws, manifest).outcome == "done"
    assert served(aws) == expected(manifest)
    assert aws.clock.now() >= 40


def test_a_new_role_is_waited_for(tmp_path):
    aws = FakeAws()
    aws.role_ready_at = 12.0
    deploy(aws, make_manifest(tmp_path))
    assert aws.clock.now() >= 12


def test_a_role_that_never_works_ends_the_deploy_with_the_services_words(tmp_path):
    aws = FakeAws()
    aws.role_ready_at = 1e9
    with pytest.raises(AwsError, match="cannot be assumed by Lambda"):
        deploy(aws, make_manifest(tmp_path))
    assert aws.clock.now() < 120


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Invocation(payload=b'{"statusCode": 500, "body": "broken"}', error=None, log=""), "it answered 500"),
        (
            Invocation(
                payload=b'{"errorType": "Runtime.ImportModuleError", "errorMessage": "No module named x"}',
                error="Unhandled",
                log="START\n[ERROR] No module named x\nEND\n",
            ),
            r"Unhandled: Runtime.ImportModuleError: No module named x\n    START\n    \[ERROR\] No module",
        ),
        (Invocation(payload=b"null", error=None, log=""), "it answered no statusCode: null"),
        (Invocation(payload=b'{"statusCode": 302}', error=None, log=""), "it answered 302"),
    ],
)
def test_a_broken_build_never_gets_traffic(tmp_path, answer, told):
    aws = prepared(FIRST, tmp_path / "before")
    good = served(aws)
    aws.answers[b"broken"] = answer
    done = deploy(aws, make_manifest(tmp_path, code="broken"))
    assert done.outcome == "failed"
    with pytest.raises(DeployRefusedError, match=told) as caught:
        raise done.error
    assert "still serves version 1" in caught.value.message
    assert served(aws) == good
    assert "move_alias" not in aws.calls


def test_the_first_version_is_checked_before_there_is_an_alias(tmp_path):
    aws = FakeAws()
    aws.answers[b"code 1"] = Invocation(payload=b"", error="Unhandled", log="")
    done = deploy(aws, make_manifest(tmp_path))
    assert "was not made" in done.error.message
    assert not aws.functions["app"].aliases
    assert not aws.functions["app"].urls


def test_the_check_goes_through_the_functions_router_at_the_configured_path(tmp_path):
    aws = FakeAws()
    deploy(aws, make_manifest(tmp_path, check_path="/api/v1/health"))
    (event,) = aws.events
    assert (event["version"], event["rawPath"]) == ("2.0", "/api/v1/health")
    assert event["requestContext"]["http"]["method"] == "GET"


@pytest.mark.parametrize("verb", ["update_code", "publish_version", "invoke"])
def test_two_deploys_at_once_end_with_one_winner_and_one_clear_refusal(tmp_path, verb):
    """The second one deploys as a whole while the first is about to make that call."""
    aws = prepared(FIRST, tmp_path / "before")
    theirs = make_manifest(tmp_path / "theirs", code="theirs")
    once = itertools.count()

    def fault(aws, called, when):
        if called == verb and when == "before" and next(once) == 0:
            deploy(aws, theirs)

    aws.fault = fault
    done = deploy(aws, make_manifest(tmp_path / "ours", code="ours"))
    assert done.outcome == "failed"
    assert "somebody else" in done.error.message
    assert served(aws) == expected(theirs)


def test_an_alias_that_was_moved_meanwhile_stays_where_it_is(tmp_path):
    aws = prepared(FIRST, tmp_path / "before")

    def fault(aws, called, when):
        if called == "move_alias" and when == "before":
            aws.functions["app"].aliases["live"] = Alias(name="live", version="1", revision="theirs")

    aws.fault = fault
    done = deploy(aws, make_manifest(tmp_path, code="code 2"))
    assert "it stays as they left it" in done.error.message
    assert aws.functions["app"].aliases["live"].revision == "theirs"


def test_an_alias_that_somebody_else_made_meanwhile_stays_where_it_is(tmp_path):
    aws = FakeAws()
    deploy(aws, make_manifest(tmp_path / "a"))
    aws.functions["app"].aliases.clear()

    def fault(there, verb, when):
        if (verb, when) == ("create_alias", "before"):
            there.fault = lambda *_: None
            there.create_alias("app", "live", "1", description="theirs")

    aws.fault = fault
    done = deploy(aws, make_manifest(tmp_path / "b", code="app 2"))
    assert done.outcome == "failed"
    assert "was made by somebody else" in done.error.message
    assert aws.functions["app"].aliases["live"].description == "theirs"


def test_settings_that_others_change_between_are_no_reason_to_overwrite(tmp_path):
    aws = prepared(FIRST, tmp_path / "before")
    once = itertools.count()

    def fault(aws, called, when):
        if called == "update_code" and when == "before" and next(once) == 0:
            function = aws.functions["app"]
            function.latest = dataclasses.replace(function.latest, revision="theirs", memory_mb=9999)

    aws.fault = fault
    done = deploy(aws, make_manifest(tmp_path, code="code 2"))
    assert done.outcome == "failed"
    assert aws.functions["app"].latest.memory_mb == 9999


def test_from_a_fat_zip_to_layers_no_step_is_refused(tmp_path):
    """200 MB in one zip to code and layers of 200 MB, and back to other large layers."""
    mega = 1_000_000
    aws = FakeAws()
    sizes = {"fat": 200 * mega, "thin": mega, "aws 1": 120 * mega, "web 1": 80 * mega, "web 2": 100 * mega}
    built = weighing(aws, sizes, tmp_path)

    deploy(aws, built("fat", {}, "fat"))
    layered = built("layered", {"aws-core": "aws 1", "web": "web 1"}, "thin")
    assert deploy(aws, layered).outcome == "done"
    assert deploy(aws, built("next", {"aws-core": "aws 1", "web": "web 2"}, "thin")).outcome == "done"
    assert deploy(aws, built("back", {}, "fat")).outcome == "done", "layers go before the fat zip comes"
    assert aws.functions["app"].latest.layers == ()


@pytest.mark.parametrize("lost", [False, True])
def test_layers_that_weigh_more_than_was_guessed_make_room_for_the_code(tmp_path, lost):
    """AWS tells zipped bytes alone; where the guess is too low it refuses the code, and would at each run."""
    mega = 1_000_000
    aws = FakeAws()
    aws.ratio = 100
    sizes = {"code 1": mega, "code 2": 150 * mega, "keep": mega, "web 1": 180 * mega, "web 2": 100 * mega}
    built = weighing(aws, sizes, tmp_path)

    deploy(aws, built("first", {"aws-core": "keep", "web": "web 1"}, "code 1"))
    second = built("second", {"aws-core": "keep", "web": "web 2"}, "code 2")
    aws.calls.clear()
    watched(aws, {served(aws), expected(second)})
    if lost:
        aws.fault = lambda _aws, verb, when: cut(aws, verb, when)
        with pytest.raises(AnswerLostError):
            deploy(aws, second)
    done = deploy(aws, second)
    assert done.outcome == "done", done.error
    assert served(aws) == expected(second)
    if not lost:
        steps = [call for call in writes(aws) if call.startswith("update")]
        assert steps == ["update_code", "update_configuration", "update_code", "update_configuration"]


def cut(aws, verb, when):
    """The answer to the update that makes room is lost, and the process ends."""
    if (verb, when) == ("update_configuration", "after"):
        aws.fault = lambda *_: None
        raise AnswerLostError("lost", mend="again")


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("role_arn", [None, "arn:aws:iam::123456789012:role/theirs"])
def test_a_url_that_is_public_no_more_turns_no_signed_caller_away_on_the_way(tmp_path, number, when, role_arn):
    """A URL of AuthType NONE without both permissions answers everybody with 403, whoever signs or not."""
    aws = prepared({"url": "public", "role_arn": role_arn}, tmp_path / "before")
    after = make_manifest(tmp_path / "after", role_arn=role_arn)

    def watch(aws):
        function = aws.functions["app"]
        assert function.urls["live"].auth == "AWS_IAM" or set(function.policies["live"]) == set(STATEMENTS)

    aws.watch = watch
    aws.fault = fault_at(number, when, KeyboardInterrupt())
    with contextlib.suppress(KeyboardInterrupt):
        deploy(aws, after)
    aws.fault = lambda *_: None
    deploy(aws, after)
    assert aws.functions["app"].policies["live"] == {}
    assert aws.functions["app"].urls["live"].auth == "AWS_IAM"
    aws.calls.clear()
    assert not plan(aws, after).changes


def test_where_layers_only_go_their_list_changes_once(tmp_path):
    mega = 1_000_000
    aws = FakeAws()
    sizes = {"code 1": mega, "code 2": 150 * mega, "aws": mega, "web": 180 * mega}
    built = weighing(aws, sizes, tmp_path)

    deploy(aws, built("first", {"aws-core": "aws", "web": "web"}, "code 1"))
    aws.calls.clear()
    assert deploy(aws, built("second", {"aws-core": "aws"}, "code 2")).outcome == "done"
    assert [call for call in writes(aws) if call.startswith("update")] == ["update_configuration", "update_code"]


def test_a_large_zip_goes_through_the_bucket_and_is_removed(tmp_path):
    aws = FakeAws()
    manifest = make_manifest(tmp_path)
    large = dataclasses.replace(manifest.artifacts[0], zipped_bytes=limits.DIRECT_ZIP_BYTES + 1)
    manifest = dataclasses.replace(manifest, artifacts=(large, *manifest.artifacts[1:]))
    assert deploy(aws, manifest, bucket="b").outcome == "done"
    assert aws.bucket == {}
    assert aws.calls.count("store") == aws.calls.count("unstore") == 1
    assert aws.layers["aws-core"][0][0].fingerprint == fingerprint("aws 1")


def test_the_journal_holds_what_was_done_when_it_is_cut_off(tmp_path):
    aws = FakeAws()
    aws.fault = fault_at(5, "before")  # after two layers, the role, and its two policies
    run = deployer(aws, make_manifest(tmp_path))
    (one,) = run.execute(run.plan())
    assert isinstance(one.error, AwsError)
    done = [action.name for action in run.journal.done if action.changes]
    assert sorted(done) == ["attach-policy", "create-role", "publish-layer", "publish-layer", "put-policy"]
    assert run.journal.sent_bytes == len("aws 1") + len("web 1")


def test_planning_changes_nothing(tmp_path):
    aws = prepared(FIRST, tmp_path / "before")
    plan(aws, make_manifest(tmp_path, code="code 2", layers={"aws-core": "aws 2", "web": "web 2"}, url="public"))
    assert writes(aws) == []
