"""What people change by hand, before a deploy or in the middle of one, is neither lost nor taken for what is wanted."""

import dataclasses
import itertools

import pytest

from tests.unit.deploy.fakes import FakeAws, make_manifest
from tests.unit.deploy.support import deploy, plan


@pytest.fixture
def aws(tmp_path):
    """The first build is live; its calls are forgotten."""
    there = FakeAws()
    deploy(there, make_manifest(tmp_path / "first", environment={"A": "1"}))
    there.calls.clear()
    return there


def by_hand(aws, **changes):
    """Change `$LATEST` as the console does; it has settled."""
    function = aws.functions["app"]
    settled = {"update_status": "Successful", "revision": aws._id()}
    function.latest = dataclasses.replace(function.latest, **changes, **settled)


def meddling(when, **changes):
    """A fault that changes `$LATEST` by hand once, where `when` says so."""
    once = itertools.count()

    def fault(aws, verb, moment):
        if (verb, moment) == when and next(once) == 0:
            by_hand(aws, **changes)

    return fault


@pytest.mark.parametrize("changes", [{"memory_mb": 9999}, {"environment": {"A": "other"}}, {"handler": "x.y"}])
def test_code_alone_beside_settings_of_others_does_not_tell_the_next_deploy_that_all_is_as_configured(
    aws, tmp_path, changes
):
    by_hand(aws, **changes)
    second = make_manifest(tmp_path / "second", code="code 2", environment={"A": "1"})
    assert deploy(aws, second, code_only=True).outcome == "done"
    assert "update-settings" in [action.name for action in plan(aws, second).actions]
    deploy(aws, second)
    function = aws.functions["app"]
    version = function.versions[function.aliases["live"].version]
    assert (version.memory_mb, version.environment, version.handler) == (512, {"A": "1"}, "handler.handler")


def test_a_variable_that_is_added_while_the_code_is_sent_is_not_lost(aws, tmp_path):
    aws.fault = meddling(("update_code", "after"), environment={"A": "1", "THEIRS": "x"})
    second = make_manifest(tmp_path / "second", code="code 2", environment={"A": "2"})
    done = deploy(aws, second)
    assert done.outcome == "failed"
    assert "changed by somebody else" in done.error.message
    assert "environment" in done.error.message
    assert aws.functions["app"].latest.environment == {"A": "1", "THEIRS": "x"}
    assert deploy(aws, second).outcome == "done"
    assert aws.functions["app"].latest.environment == {"A": "2", "THEIRS": "x"}


def test_settings_that_are_changed_while_the_code_is_sent_do_not_go_live_with_it(aws, tmp_path):
    def fault(there, called, moment):
        if "update_code" in there.calls and (called, moment) == ("publish_version", "before"):
            there.fault = lambda *_: None
            by_hand(there, memory_mb=9999)

    aws.fault = fault
    done = deploy(aws, make_manifest(tmp_path / "second", code="code 2", environment={"A": "1"}))
    assert done.outcome == "failed"
    assert "memory" in done.error.message
    assert aws.functions["app"].aliases["live"].version == "1"


@pytest.mark.parametrize("code", ["code 1", "code 2"])
def test_a_role_of_ours_that_was_deleted_is_made_again(aws, tmp_path, code):
    before = dict(aws.roles)
    aws.roles.clear()
    again = make_manifest(tmp_path / "again", code=code, environment={"A": "1"})
    deploy(aws, again)
    deploy(aws, again)  # by the mark only the code differed: what is around it is looked at when nothing does
    assert aws.roles == before


def test_a_url_that_was_deleted_is_made_again_by_the_second_deploy_at_the_latest(aws, tmp_path):
    aws.functions["app"].urls.clear()
    second = make_manifest(tmp_path / "second", code="code 2", environment={"A": "1"})
    deploy(aws, second)
    deploy(aws, second)
    assert "live" in aws.functions["app"].urls


def test_a_function_that_was_deleted_and_made_again_by_others_is_read_anew(aws, tmp_path):
    function = aws.functions["app"]
    function.aliases["live"] = dataclasses.replace(function.aliases["live"], description="")
    function.versions["1"] = dataclasses.replace(function.versions["1"], description="", code_sha256="theirs")
    by_hand(aws, code_sha256="theirs", layers=())
    first = make_manifest(tmp_path / "first", environment={"A": "1"})
    names = [action.name for action in plan(aws, first).actions]
    assert "update-code" in names
    assert "attach-layers" in names
