"""The alias goes back to an earlier version, code and layers together, as soon as that one has been checked."""

import dataclasses

import pytest

from optimizer.deploy import Canary, plan_rollback
from optimizer.deploy.values import Calls, Invocation
from optimizer.errors import AwsError, DeployRefusedError
from tests.unit.deploy.fakes import WRITES, FakeAws, fault_at, fingerprint, layer_arn, make_manifest, sha
from tests.unit.deploy.support import actions, carried_out, deploy, deployer, served

SECOND = {"code": "code 2", "layers": {"aws-core": "aws 1", "web": "web 2"}}
BAD = Invocation(payload=b'{"statusCode": 500}', error=None, log="")


@pytest.fixture
def aws(tmp_path):
    """AWS with two states deployed one after the other."""
    made = FakeAws()
    deploy(made, make_manifest(tmp_path / "1"))
    deploy(made, make_manifest(tmp_path / "2", **SECOND))
    made.calls.clear()
    return made


def planned(aws, folder, to=None, **function):
    manifest = make_manifest(folder / "rollback", **function)
    return plan_rollback(deployer(aws, manifest), to=to)


def changes(aws, folder, to=None, **function):
    (one,) = planned(aws, folder, to, **function)
    if one.error is not None:
        raise one.error
    return one.changes


def rollback(aws, folder, to=None, **function):
    return carried_out(deployer(aws, make_manifest(folder / "rollback")), planned(aws, folder, to, **function))


def test_code_and_layers_go_back_together_after_a_check(aws, tmp_path):
    plan = changes(aws, tmp_path)
    assert not WRITES & set(aws.calls)
    assert actions(plan) == [
        "keep-layer aws-core",
        "keep-layer web",
        "use-version app",
        "check app",
        "move-alias live",
        "keep-code app",
    ]
    assert plan.actions[-1].reason == "$LATEST stays as it is, until the next deploy"
    aws.calls.clear()
    done = rollback(aws, tmp_path)
    assert (done.outcome, done.result.version) == ("done", "1")
    assert served(aws) == (sha(b"code 1"), (fingerprint("aws 1"), fingerprint("web 1")))
    assert [layer.arn for layer in done.result.layers] == [layer_arn("aws-core", 1), layer_arn("web", 1)]
    assert [layer.fingerprint for layer in done.result.layers] == [fingerprint(t)[:32] for t in ("aws 1", "web 1")]
    assert [verb for verb in aws.calls if verb in WRITES | {"invoke"}] == ["invoke", "move_alias"]
    assert aws.functions["app"].latest.code_sha256 == sha(b"code 2"), "$LATEST stays"


def test_the_next_deploy_brings_what_is_built_again(aws, tmp_path):
    rollback(aws, tmp_path)
    assert deploy(aws, make_manifest(tmp_path / "2", **SECOND)).result.version == "2"
    assert len(aws.functions["app"].versions) == 2
    assert rollback(aws, tmp_path).result.version == "1"


def test_it_goes_back_to_what_was_served_and_never_to_what_did_not_pass(aws, tmp_path):
    """Versions 3 and 4 are newer than 2; one did not pass its check and one its canary, and nobody wants them back."""
    aws.answers[b"broken"] = BAD
    assert deploy(aws, make_manifest(tmp_path / "3", code="broken")).outcome == "failed"
    aws.calls_by_version = lambda *_: Calls(invocations=50, errors=25)
    canary = Canary(shares=(0.1,), seconds=60, max_error_rate=0.01)
    assert deploy(aws, make_manifest(tmp_path / "4", code="code 4"), canary=canary).outcome == "failed"
    assert deploy(aws, make_manifest(tmp_path / "5", code="code 5")).result.version == "5"
    assert rollback(aws, tmp_path).result.version == "2"
    assert rollback(aws, tmp_path, to="5").result.version == "5"
    assert rollback(aws, tmp_path).result.version == "2", "as it served before 5"


@pytest.mark.parametrize("description", ["", "by hand"])
def test_where_nothing_tells_what_was_served_it_is_the_newest_older_one_of_ours(aws, tmp_path, description):
    function = aws.functions["app"]
    deploy(aws, make_manifest(tmp_path / "3", code="code 3"))
    function.versions["2"] = dataclasses.replace(function.versions["2"], description="somebody's own")
    function.aliases["live"] = dataclasses.replace(function.aliases["live"], description=description)
    assert "whether it has ever served is not known" in next(
        action.reason for action in changes(aws, tmp_path).actions if action.name == "use-version"
    )
    assert rollback(aws, tmp_path).result.version == "1"


def test_going_back_again_stays_there_as_after_a_run_that_was_cut_off_and_is_told(aws, tmp_path):
    deploy(aws, make_manifest(tmp_path / "3", code="code 3"))
    assert [rollback(aws, tmp_path).result.version for _ in range(2)] == ["2", "2"]
    plan = changes(aws, tmp_path)
    assert not plan.changes
    assert plan.actions[-1].reason == "serves 2, rolled back from 3; --to names an earlier one"
    assert rollback(aws, tmp_path, to="1").result.version == "1"
    assert rollback(aws, tmp_path).result.version == "1"


def test_after_the_next_deploy_it_goes_back_to_what_was_served_before_that(aws, tmp_path):
    rollback(aws, tmp_path)
    deploy(aws, make_manifest(tmp_path / "3", code="code 3"))
    assert rollback(aws, tmp_path).result.version == "1"


def test_what_was_served_before_is_known_whatever_is_deployed_beside(aws, tmp_path):
    """The mark is written anew where only the URL changes."""
    deploy(aws, make_manifest(tmp_path / "url", url="none", **SECOND))
    function = aws.functions["app"]
    assert function.aliases["live"].version == "2"
    function.versions["1"] = dataclasses.replace(function.versions["1"], description="not ours any more")
    assert rollback(aws, tmp_path).result.version == "1"


def test_any_version_that_is_there_can_be_named(aws, tmp_path):
    deploy(aws, make_manifest(tmp_path / "3", code="code 3"))
    assert rollback(aws, tmp_path, to="1").result.version == "1"
    assert rollback(aws, tmp_path, to="3").result.version == "3", "forward too"


def test_the_version_that_is_live_is_nothing_to_do(aws, tmp_path):
    plan = changes(aws, tmp_path, to="2")
    assert not plan.changes
    assert actions(plan)[-1] == "keep-alias live"
    assert rollback(aws, tmp_path, to="2").outcome == "done"
    assert not WRITES & set(aws.calls)


def test_a_version_that_does_not_pass_its_check_gets_nobody(aws, tmp_path):
    aws.answers[b"code 1"] = BAD
    good = served(aws)
    done = rollback(aws, tmp_path)
    assert done.outcome == "failed"
    assert "it answered 500" in done.error.message
    assert "still serves version 2; nobody was sent to it" in done.error.message
    assert "--to" in done.error.mend
    assert served(aws) == good


def test_a_version_whose_layers_were_deleted_still_runs_and_it_is_said(aws, tmp_path):
    aws.deleted.add(layer_arn("web", 1))
    plan = changes(aws, tmp_path)
    reasons = {action.subject: action.reason for action in plan.actions if action.name == "keep-layer"}
    assert "deleted" in reasons["web"]
    assert "deleted" not in reasons["aws-core"]
    assert rollback(aws, tmp_path).outcome == "done"


def test_a_version_with_layers_of_other_names_keeps_their_fingerprints(aws, tmp_path):
    """The configuration may have renamed its layers since."""
    plan = changes(aws, tmp_path, layers={"core": "x", "frameworks": "y"})
    assert [(layer.name, layer.fingerprint) for layer in plan.layers] == [
        ("aws-core", fingerprint("aws 1")[:32]),
        ("web", fingerprint("web 1")[:32]),
    ]


@pytest.mark.parametrize("canary_to", [None, "1"])
def test_a_share_that_a_killed_canary_left_is_taken_back(aws, tmp_path, canary_to):
    function = aws.functions["app"]
    deploy(aws, make_manifest(tmp_path / "3", code="code 3"))
    there = function.aliases["live"]
    function.aliases["live"] = dataclasses.replace(there, version="2", weights={"3": 0.1})
    plan = changes(aws, tmp_path, to=canary_to)
    assert actions(plan)[0] == "return-traffic live"
    assert "10% goes to version 3" in plan.actions[0].reason
    assert rollback(aws, tmp_path, to=canary_to).result.version == (canary_to or "2")
    alias = function.aliases["live"]
    assert (alias.version, alias.weights) == (canary_to or "2", {})


@pytest.mark.parametrize(
    ("to", "told", "mend"),
    [("9", "app in eu-central-1 has no version 9", "2, 1"), (None, "no published version before 1", "--to")],
)
def test_versions_that_are_not_there_are_named(aws, tmp_path, to, told, mend):
    if to is None:
        rollback(aws, tmp_path)
        aliases = aws.functions["app"].aliases
        aliases["live"] = dataclasses.replace(aliases["live"], description="")  # else it would stay there
    with pytest.raises(DeployRefusedError, match=told) as caught:
        changes(aws, tmp_path, to=to)
    assert mend in caught.value.mend


def test_without_a_function_or_an_alias_there_is_nothing_to_go_back_from(aws, tmp_path):
    with pytest.raises(DeployRefusedError, match="no such function with an alias 'live'"):
        changes(FakeAws(), tmp_path)
    del aws.functions["app"].aliases["live"]
    with pytest.raises(DeployRefusedError, match="no such function with an alias 'live'"):
        changes(aws, tmp_path)


def test_an_alias_that_was_moved_meanwhile_stays_where_it_is(aws, tmp_path):
    def fault(aws, verb, when):
        if verb == "invoke" and when == "after":
            alias = aws.functions["app"].aliases["live"]
            aws.functions["app"].aliases["live"] = dataclasses.replace(alias, revision="theirs")

    aws.fault = fault
    done = rollback(aws, tmp_path)
    assert "it stays as they left it" in done.error.message
    assert aws.functions["app"].aliases["live"].version == "2"


@pytest.mark.parametrize("when", ["before", "after"])
def test_cut_off_at_its_one_write_the_next_run_ends_in_the_same_state(aws, tmp_path, when):
    aws.fault = fault_at(0, when)
    with pytest.raises(AwsError):
        rollback(aws, tmp_path)
    assert rollback(aws, tmp_path, to="1").outcome == "done"
    assert aws.functions["app"].aliases["live"].version == "1"
