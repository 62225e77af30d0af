"""Our tags of a function are set, changed and taken away; everybody else's stay, whatever fails on the way."""

import dataclasses

import pytest

from optimizer.deploy.mark import rest_of
from optimizer.deploy.rejections import AnswerLostError
from optimizer.errors import DeployRefusedError
from tests.unit.deploy.fakes import WRITES, FakeAws, fault_at, make_manifest
from tests.unit.deploy.support import actions, deploy, plan

ARN = "arn:aws:lambda:eu-central-1:123456789012:function:app"


@pytest.fixture
def aws():
    return FakeAws()


def tagged(tmp_path, tags, **changes):
    return make_manifest(tmp_path, tags=tags, **changes)


def there(aws):
    return aws.functions["app"].latest.tags


def writes(aws):
    return [call for call in aws.calls if call in WRITES]


def test_a_new_function_is_made_with_them_in_the_same_call(aws, tmp_path):
    deploy(aws, tagged(tmp_path, {"team": "images"}))
    assert there(aws) == {"team": "images", "layer-optimizer": "team"}
    assert "tag" not in aws.calls


def test_what_differs_is_set_and_what_is_configured_no_more_is_taken_away_and_others_stay(aws, tmp_path):
    deploy(aws, tagged(tmp_path, {"team": "images", "stage": "test"}))
    aws.tag(ARN, {"owner": "somebody"})
    aws.calls.clear()
    wanted = tagged(tmp_path, {"team": "pictures", "cost": "7"})
    (tag,) = [a for a in plan(aws, wanted).actions if a.name == "tag-function"]
    assert tag.reason == "team=pictures, cost=7, without stage"
    deploy(aws, wanted)
    assert there(aws) == {"team": "pictures", "cost": "7", "layer-optimizer": "cost team", "owner": "somebody"}
    assert writes(aws) == ["untag", "tag", "describe_alias"], "no code is sent and no version made for it"
    aws.calls.clear()
    deploy(aws, wanted)
    assert writes(aws) == []


def test_where_none_are_configured_any_more_all_of_ours_go(aws, tmp_path):
    deploy(aws, tagged(tmp_path, {"team": "images"}))
    aws.tag(ARN, {"owner": "somebody"})
    deploy(aws, tagged(tmp_path, {}))
    assert there(aws) == {"owner": "somebody"}


def test_what_somebody_took_away_already_is_not_taken_away_again(aws, tmp_path):
    deploy(aws, tagged(tmp_path, {"team": "images", "stage": "test"}))
    aws.untag(ARN, ["stage"])
    (tag,) = [a for a in plan(aws, tagged(tmp_path, {"team": "images"})).actions if a.name == "tag-function"]
    assert (tag.tags, tag.drop) == ({"layer-optimizer": "team"}, ())


def test_tags_that_others_made_are_nobodys_business(aws, tmp_path):
    deploy(aws, tagged(tmp_path, {}))
    aws.tag(ARN, {"owner": "somebody"})
    aws.calls.clear()
    deploy(aws, tagged(tmp_path, {}, code="2"))
    assert there(aws) == {"owner": "somebody"}
    assert "tag" not in aws.calls
    assert "untag" not in aws.calls


def test_a_code_deploy_sets_what_others_changed_with_the_call_that_it_makes_anyway(aws, tmp_path):
    deploy(aws, tagged(tmp_path, {"team": "images"}))
    aws.tag(ARN, {"team": "other"})
    changed = tagged(tmp_path, {"team": "images"}, code="2")
    assert "tag-function app" in actions(plan(aws, changed))
    deploy(aws, changed)
    assert there(aws)["team"] == "images"


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_cut_off_anywhere_the_next_run_ends_as_an_undisturbed_one(aws, tmp_path, number, when):
    deploy(aws, tagged(tmp_path, {"team": "images", "stage": "test"}))
    wanted = tagged(tmp_path, {"cost": "7"})
    aws.fault = fault_at(number, when)
    with pytest.raises(AnswerLostError):
        deploy(aws, wanted)
    deploy(aws, wanted)
    assert there(aws) == {"cost": "7", "layer-optimizer": "cost"}


def test_unreadable_tags_are_refused_where_some_are_configured_and_left_alone_where_not(aws, tmp_path):
    deploy(aws, tagged(tmp_path, {}))
    found = aws.functions["app"]
    found.latest = dataclasses.replace(found.latest, tags=None)
    deploy(aws, tagged(tmp_path, {}, code="2"))
    with pytest.raises(DeployRefusedError) as caught:
        plan(aws, tagged(tmp_path, {"team": "images"}))
    assert "lambda:ListTags" in caught.value.mend


def test_code_alone_leaves_them(aws, tmp_path):
    deploy(aws, tagged(tmp_path, {}))
    assert "tag-function app" not in actions(plan(aws, tagged(tmp_path, {"a": "b"}, code="2"), code_only=True))


def test_without_tags_marks_of_before_stay_true(tmp_path):
    function = make_manifest(tmp_path).functions[0]
    assert rest_of(function, ["f"]) == rest_of(dataclasses.replace(function, tags={}), ["f"])
    assert rest_of(function, ["f"]) != rest_of(dataclasses.replace(function, tags={"a": "b"}), ["f"])
