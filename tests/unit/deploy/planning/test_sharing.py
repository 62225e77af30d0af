"""Layers are shared again at each publish, whatever cut an earlier run off; nobody else's permissions are touched."""

import dataclasses

import pytest

from optimizer.build import Share
from optimizer.deploy import Journal, Publisher
from tests.unit.deploy.fakes import REGION, WRITES, FakeAws, fault_at, make_manifest
from tests.unit.deploy.support import actions, deploy, deployer, plan

ANN, BOB, ORG = "111111111111", "222222222222", "o-a1b2c3d4e5"
ANNS, BOBS, ORGS = (f"layer-optimizer-{one}" for one in (ANN, BOB, ORG))


def manifest(folder, *accounts, organization=None, **changes):
    share = Share(accounts=accounts, organization=organization)
    return dataclasses.replace(make_manifest(folder, **changes), share=share)


@pytest.fixture
def aws():
    return FakeAws()


def test_what_is_published_is_shared_before_anything_else_is_done(aws, tmp_path):
    told = actions(plan(aws, manifest(tmp_path, ANN, BOB, organization=ORG)))
    assert told[:8] == [
        "publish-layer aws-core",
        "publish-layer web",
        *["share-layer aws-core"] * 3,
        *["share-layer web"] * 3,
    ]
    deploy(aws, manifest(tmp_path, ANN, organization=ORG))
    assert aws.shares["web", 1] == {ANNS: (ANN, None), ORGS: ("*", ORG)}


def test_the_next_version_is_shared_again_and_the_old_one_is_left_as_it_is(aws, tmp_path):
    deploy(aws, manifest(tmp_path / "a", ANN))
    deploy(aws, manifest(tmp_path / "b", ANN, BOB, layers={"aws-core": "aws 1", "web": "web 2"}))
    assert set(aws.shares["web", 1]) == {ANNS}
    assert set(aws.shares["web", 2]) == {ANNS, BOBS}
    assert set(aws.shares["aws-core", 1]) == {ANNS, BOBS}, "a kept version gets what it lacks"


def test_who_is_not_configured_any_more_loses_it_on_the_version_in_use_and_others_keep_theirs(aws, tmp_path):
    deploy(aws, manifest(tmp_path, ANN, BOB))
    aws.shares["web", 1]["by-hand"] = ("333333333333", None)
    changes = plan(aws, manifest(tmp_path, ANN))
    assert [one for one in actions(changes) if not one.startswith("keep-")] == [
        "unshare-layer aws-core",
        "unshare-layer web",
    ]
    deploy(aws, manifest(tmp_path, ANN))
    assert set(aws.shares["web", 1]) == {ANNS, "by-hand"}
    deploy(aws, manifest(tmp_path))
    assert set(aws.shares["web", 1]) == {"by-hand"}


def test_without_sharing_no_policy_is_read_and_with_it_one_for_each_layer(aws, tmp_path):
    deploy(aws, make_manifest(tmp_path))
    aws.calls.clear()
    assert not plan(aws, make_manifest(tmp_path)).changes
    assert len(aws.calls) == 3
    deploy(aws, manifest(tmp_path, ANN))
    aws.calls.clear()
    assert not plan(aws, manifest(tmp_path, ANN)).changes
    assert aws.calls.count("layer_grants") == 2
    assert len(aws.calls) == 5


def test_code_alone_leaves_permissions_as_they_are(aws, tmp_path):
    deploy(aws, make_manifest(tmp_path))
    deploy(aws, manifest(tmp_path, ANN, code="code 2"), code_only=True)
    assert aws.shares == {}


def test_functions_that_share_a_layer_ask_and_grant_once(aws, tmp_path):
    one = manifest(tmp_path, ANN)
    other = dataclasses.replace(one.functions[0], name="other")
    both = dataclasses.replace(one, functions=(one.functions[0], other))
    for count in (0, 2):
        run = deployer(aws, both)
        aws.calls.clear()
        run.execute(run.plan())
        assert aws.calls.count("layer_grants") == count
    assert {key: set(there) for key, there in aws.shares.items()} == {("aws-core", 1): {ANNS}, ("web", 1): {ANNS}}


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_cut_off_between_publishing_and_granting_is_made_good_by_the_next(tmp_path, when):
    undisturbed = FakeAws()
    deploy(undisturbed, manifest(tmp_path, ANN, organization=ORG))
    for number in range(len([call for call in undisturbed.calls if call in WRITES])):
        aws = FakeAws()
        aws.fault = fault_at(number, when, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            deploy(aws, manifest(tmp_path, ANN, organization=ORG))
        deploy(aws, manifest(tmp_path, ANN, organization=ORG))
        newest = {(name, versions[-1][0].version) for name, versions in aws.layers.items()}
        assert {key: aws.shares.get(key) for key in newest} == dict.fromkeys(newest, undisturbed.shares["web", 1])


def test_publish_alone_shares_too_and_makes_good_what_a_run_before_left(aws, tmp_path):
    def published(share):
        publisher = Publisher(
            manifest=share,
            connect=lambda _: aws,
            bucket=None,
            ssm=None,
            journal=Journal(),
            progress=lambda _: None,
        )
        (one,) = publisher.publish([REGION])
        return one.layers

    aws.fault = fault_at(2, "before", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        published(manifest(tmp_path, ANN))
    assert aws.shares == {}
    made = published(manifest(tmp_path, ANN))
    assert [[action.name for action in one.shares] for one in made] == [["share-layer"], ["share-layer"]]
    assert {key: set(there) for key, there in aws.shares.items()} == {("aws-core", 1): {ANNS}, ("web", 1): {ANNS}}
    assert not [one.shares for one in published(manifest(tmp_path, ANN)) if one.shares]


def test_a_grant_whose_answer_was_lost_is_there_when_it_is_repeated(aws, tmp_path):
    deploy(aws, make_manifest(tmp_path))
    run = deployer(aws, manifest(tmp_path, ANN))
    planned = run.plan()
    aws.shares["web", 1] = {ANNS: (ANN, None)}
    (done,) = run.execute(planned)
    assert done.outcome == "done"


@pytest.mark.parametrize("code", ["code 1", "code 2"])
def test_a_version_that_was_deleted_where_it_is_attached_is_shared_no_more_and_stops_no_deploy(aws, tmp_path, code):
    """It goes on working there, and nobody can attach it any more."""
    deploy(aws, manifest(tmp_path / "a", ANN))
    aws.delete_layer_version("web", 1)
    done = deploy(aws, manifest(tmp_path / "b", ANN, code=code))
    assert done.outcome == "done", done.error
    assert ANNS in aws.shares["aws-core", 1]
