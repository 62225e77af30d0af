"""prune: what can go and every reason to keep; a last look before each delete; an error says what was done."""

import dataclasses
from datetime import UTC, datetime

import pytest

from optimizer.deploy import plan_rollback
from optimizer.deploy.actions import UseVersion
from optimizer.deploy.port import Direct, Settings
from optimizer.deploy.pruning.prune import Judged, Rules, calls_since
from optimizer.deploy.pruning.pruner import Pruner
from optimizer.deploy.settle import settled
from optimizer.deploy.values import LayerVersion
from optimizer.errors import AwsError
from tests.unit.deploy.fakes import REGION, WRITES, FakeAws, fingerprint, layer_arn, make_manifest, rejected
from tests.unit.deploy.support import carried_out, deploy, deployer, served


def builds(aws, folder, count):
    """So many deploys, each with its own layer `web` and its own code."""
    for number in range(1, count + 1):
        layers = {"aws-core": "aws", "web": f"web {number}"}
        deploy(aws, make_manifest(folder / f"build{number}", layers=layers, code=f"code {number}"))


@pytest.fixture
def aws(tmp_path):
    """Four deploys, of which no published version but the last one's is left."""
    made = FakeAws()
    builds(made, tmp_path, 4)
    for number in ("1", "2", "3"):
        del made.functions["app"].versions[number]
    return made


def pruner(aws, *, keep=1, functions=(), locked=None, arns=(), layers=("aws-core", "web")):
    return Pruner(
        layers=layers,
        functions=functions,
        rules=Rules(keep=keep, locked=locked or {}, arns=frozenset(arns)),
        connect=lambda _: aws,
        progress=lambda _: None,
        note=lambda _: None,
    )


def planned(aws, **options):
    (one,) = pruner(aws, **options).plan([REGION])
    if one.error is not None:
        raise one.error
    return one


def going(one):
    return [judged.name for judged in one.going]


def reasons(one):
    return {judged.name: judged.reason for judged in one.versions}


def executed(aws, **options):
    run = pruner(aws, **options)
    (one,) = run.execute(run.plan([REGION]))
    return one


def test_versions_that_nothing_refers_to_can_go_with_their_bytes_and_nothing_is_changed(aws):
    aws.calls.clear()
    one = planned(aws)
    assert going(one) == ["web:3", "web:2", "web:1"]
    assert one.bytes == 3 * len("web 1")
    assert not set(aws.calls) & WRITES


def test_what_latest_or_a_published_version_of_any_function_has_attached_is_kept(aws, tmp_path):
    deploy(aws, make_manifest(tmp_path / "o", layers={"web": "web 1"}, name="other"))
    aws.functions["other"].latest = dataclasses.replace(
        aws.functions["other"].latest,
        layers=(dataclasses.replace(aws.functions["other"].latest.layers[0], arn=layer_arn("web", 2)),),
    )
    one = planned(aws)
    assert going(one) == ["web:3"]
    details = {judged.name: judged.detail for judged in one.versions}
    assert details["web:1"] == "used by other:1"
    assert details["web:2"] == "used by other:$LATEST"


def test_the_newest_are_kept_used_or_not(aws):
    aws.publish_layer("web", fingerprint("web 5"), Direct(data=b"web 5"))
    assert going(planned(aws, keep=3)) == ["web:2", "web:1"]
    assert reasons(planned(aws, keep=3))["web:5"] == "newest"
    assert going(planned(aws, keep=5)) == []


def test_a_version_without_our_fingerprint_is_kept_and_counts_not_among_the_newest(aws):
    arn = aws.publish_layer("web", "", Direct(data=b"theirs")).arn
    for versions in aws.layers.values():
        versions[:] = [
            (dataclasses.replace(v, fingerprint="not a fingerprint") if v.arn == arn else v, data)
            for v, data in versions
        ]
    one = planned(aws, keep=2)
    assert reasons(one)["web:5"] == "not-ours"
    assert going(one) == ["web:2", "web:1"]


def test_a_shared_version_is_kept_and_says_with_whom(aws):
    aws.share_layer("web", 2, "team-b", principal="999999999999", organization=None)
    one = planned(aws)
    assert going(one) == ["web:3", "web:1"]
    (kept,) = [judged for judged in one.versions if judged.reason == "shared"]
    assert (kept.name, kept.detail) == ("web:2", "shared: team-b for 999999999999")


def test_a_version_whose_policy_cannot_be_read_is_kept(aws):
    aws.shared[layer_arn("web", 2)] = None
    assert reasons(planned(aws))["web:2"] == "unreadable"


def test_what_the_committed_lock_says_is_kept_since_a_deploy_may_be_about_to_attach_it(aws):
    one = planned(aws, locked={"web": fingerprint("web 2")})
    assert reasons(one)["web:2"] == "locked"
    assert going(one) == ["web:3", "web:1"]


def test_what_the_configuration_names_as_an_external_layer_is_kept(aws):
    assert reasons(planned(aws, arns=[layer_arn("web", 1)]))["web:1"] == "configured"


def test_layers_that_nobody_asked_for_are_not_looked_at(aws):
    assert {judged.subject for judged in planned(aws, layers=("web",)).versions} == {"web"}


@pytest.mark.parametrize(
    "verb", ["every_version", "layer_versions", "code_storage", "shared_with", "layer_facts", "aliases"]
)
def test_where_one_call_fails_the_region_is_refused_whole(aws, verb):
    def fault(_, called, moment):
        if (called, moment) == (verb, "before"):
            raise rejected("AccessDeniedException", f"not authorized to perform {verb}")

    aws.fault = fault
    run = pruner(aws, functions=("app",))
    (one,) = run.plan([REGION])
    assert (one.versions, one.going) == ((), ())
    assert verb in one.error.message
    aws.calls.clear()
    assert run.execute([one]) == (one,)
    assert not set(aws.calls) & WRITES


def test_a_region_that_is_refused_does_not_stop_the_others(aws):
    class Dark:
        region = "xx-nowhere-1"

        def code_storage(self):
            raise AwsError("can't be reached", mend="Look at the network.")

    run = dataclasses.replace(pruner(aws), connect=lambda region: aws if region == REGION else Dark())
    dark, light = run.execute(run.plan(["xx-nowhere-1", REGION]))
    assert dark.error is not None
    assert set(light.outcomes.values()) == {"deleted"}


def test_they_are_deleted_with_the_bytes_freed_and_a_second_time_nothing_is_left(aws):
    before = aws.code_storage().used_bytes
    one = executed(aws)
    assert aws.deleted == {layer_arn("web", number) for number in (1, 2, 3)}
    assert one.freed_bytes == 15 == before - aws.code_storage().used_bytes
    assert (one.storage.used_bytes, one.after.used_bytes) == (before, before - 15)
    assert going(planned(aws)) == []


def test_what_somebody_attached_after_the_plan_is_kept(aws):
    run = pruner(aws)
    plan = run.plan([REGION])
    found = aws.functions["app"]
    layers = tuple(
        dataclasses.replace(layer, arn=layer_arn("web", 2)) if ":web:" in layer.arn else layer
        for layer in found.latest.layers
    )
    found.latest = dataclasses.replace(found.latest, layers=layers)
    (one,) = run.execute(plan)
    assert layer_arn("web", 2) not in aws.deleted
    assert one.outcomes[layer_arn("web", 2)] == "kept"
    assert one.kept[layer_arn("web", 2)] == "used by app:$LATEST"
    assert one.freed_bytes == 10


def test_every_function_is_looked_at_again_just_before_each_delete(aws):
    run = pruner(aws)
    plan = run.plan([REGION])
    aws.calls.clear()
    run.execute(plan)
    deletes = [number for number, call in enumerate(aws.calls) if call == "delete_layer_version"]
    assert len(deletes) == 3
    assert [aws.calls[number - 1] for number in deletes] == ["every_latest"] * 3
    assert "every_version" not in aws.calls, "a region may have many pages of them"


def test_what_was_attached_published_and_detached_again_after_the_plan_is_kept(aws):
    run = pruner(aws)
    plan = run.plan([REGION])
    before = aws.functions["app"].latest
    aws.update_configuration("app", Settings(layers=(layer_arn("web", 2),)), revision=before.revision)
    there = settled(aws, "app", aws.clock)
    aws.publish_version("app", "by hand", code_sha256=there.code_sha256, revision=there.revision)
    aws.update_configuration("app", Settings(layers=before.layer_arns), revision=there.revision)
    settled(aws, "app", aws.clock)
    (one,) = run.execute(plan)
    assert one.kept == {layer_arn("web", 2): "used by app:5"}
    assert aws.deleted == {layer_arn("web", 1), layer_arn("web", 3)}


def test_a_function_that_was_made_after_the_plan_keeps_its_layers(aws, tmp_path):
    run = pruner(aws)
    plan = run.plan([REGION])
    deploy(aws, make_manifest(tmp_path / "o", layers={"web": "web 1"}, name="other"))
    (one,) = run.execute(plan)
    assert one.kept == {layer_arn("web", 1): "used by other:$LATEST, other:1"}


def test_what_was_shared_or_deleted_by_others_after_the_plan_is_told(aws):
    run = pruner(aws)
    plan = run.plan([REGION])
    aws.shared[layer_arn("web", 1)] = ("x for *",)
    aws.deleted.add(layer_arn("web", 2))
    (one,) = run.execute(plan)
    assert [one.outcomes[layer_arn("web", number)] for number in (1, 2, 3)] == ["kept", "gone", "deleted"]


def test_what_was_attached_in_the_moment_of_its_deletion_is_told(aws):
    def fault(there, verb, moment):
        if (verb, moment) == ("delete_layer_version", "before") and layer_arn("web", 3) not in there.deleted:
            found = there.functions["app"]
            layers = tuple(dataclasses.replace(layer, arn=layer_arn("web", 3)) for layer in found.latest.layers[:1])
            found.latest = dataclasses.replace(found.latest, layers=layers)

    run = pruner(aws)
    plan = run.plan([REGION])
    aws.fault = fault
    (one,) = run.execute(plan)
    assert one.late == {layer_arn("web", 3): ("app:$LATEST",)}


def test_an_error_half_way_keeps_what_was_done_and_a_second_run_goes_on(aws):
    run = pruner(aws)
    plan = run.plan([REGION])
    aws.fault = lambda there, verb, moment: (
        (_ for _ in ()).throw(rejected("ExpiredTokenException"))
        if verb == "delete_layer_version" and there.deleted and moment == "before"
        else None
    )
    (one,) = run.execute(plan)
    assert one.error is not None
    assert run.done == [f"layer web:3 in {REGION}"]
    aws.fault = lambda *_: None
    assert set(executed(aws).outcomes.values()) == {"deleted"}
    assert aws.deleted == {layer_arn("web", number) for number in (1, 2, 3)}


def test_a_deploy_that_loses_its_layer_to_prune_is_refused_and_publishes_it_when_run_again(aws, tmp_path):
    older = make_manifest(tmp_path / "older", layers={"aws-core": "aws", "web": "web 2"}, code="code 2")
    run = deployer(aws, older)
    plan = run.plan()
    executed(aws)
    serving = served(aws)
    with pytest.raises(AwsError, match="does not exist"):
        carried_out(run, plan)
    assert served(aws) == serving, "the alias serves what it served"
    deploy(aws, older)
    assert served(aws)[1] == (fingerprint("aws"), fingerprint("web 2"))


# old versions of functions


@pytest.fixture
def five(tmp_path):
    """Five deploys with all of their published versions, and an alias that does not tell what it served before."""
    made = FakeAws()
    builds(made, tmp_path, 5)
    aliases = made.functions["app"].aliases
    aliases["live"] = dataclasses.replace(aliases["live"], description="")
    return made


def test_published_versions_keep_their_layers_until_they_go_themselves(five):
    assert going(planned(five)) == []
    one = planned(five, functions=("app",))
    assert going(one) == ["app:3", "app:2", "app:1", "web:3", "web:2", "web:1"]
    assert one.bytes == sum(judged.zipped_bytes for judged in one.going)
    done = executed(five, functions=("app",))
    assert set(done.outcomes.values()) == {"deleted"}
    assert list(five.functions["app"].versions) == ["4", "5"]


def test_the_newest_versions_of_a_function_and_their_layers_are_kept(five):
    assert going(planned(five, functions=("app",), keep=3)) == ["app:2", "app:1", "web:2", "web:1"]


def test_a_version_that_an_alias_refers_to_or_sends_a_share_to_is_kept(five):
    aliases = five.functions["app"].aliases
    aliases["beta"] = dataclasses.replace(aliases["live"], name="beta", version="1")
    aliases["live"] = dataclasses.replace(aliases["live"], weights={"2": 0.1})
    one = planned(five, functions=("app",))
    assert going(one) == ["app:3", "web:3"]
    assert {judged.detail for judged in one.versions if judged.name in {"app:1", "app:2"}} == {
        "used by the alias beta",
        "used by the alias live",
    }


def test_the_version_that_a_rollback_goes_back_to_is_kept(tmp_path):
    aws = FakeAws()
    builds(aws, tmp_path, 4)
    one = planned(aws, functions=("app",))
    assert going(one) == ["app:2", "app:1", "web:2", "web:1"]
    assert reasons(one)["app:3"] == "rollback"


def test_what_a_rollback_that_names_no_version_goes_back_to_is_kept(tmp_path):
    """Whatever the alias's description tells, or doesn't: what `rollback` plans then is there."""
    aws = FakeAws()
    manifest = make_manifest(tmp_path)
    builds(aws, tmp_path, 5)
    aliases, versions = aws.functions["app"].aliases, aws.functions["app"].versions
    told = aliases["live"].description.rpartition(" was ")[0]
    versions["4"] = dataclasses.replace(versions["4"], description="by hand")
    for description, kept in (("our API", "3"), (f"{told} was 2", "2")):
        aliases["live"] = dataclasses.replace(aliases["live"], description=description)
        assert reasons(planned(aws, functions=("app",)))[f"app:{kept}"] == "rollback"
        (plan,) = plan_rollback(deployer(aws, manifest), to=None)
        assert [action.version for action in plan.changes.actions if isinstance(action, UseVersion)] == [kept]


def test_versions_with_provisioned_concurrency_or_callers_or_of_others_are_kept(five):
    found = five.functions["app"]
    found.provisioned["1"] = 5
    found.policies["2"] = {"partner": False}
    found.versions["3"] = dataclasses.replace(found.versions["3"], description="by hand")
    one = planned(five, functions=("app",))
    assert going(one) == []
    assert {judged.name: judged.detail for judged in one.versions if judged.kind == "function"} == {
        "app:5": "used by the alias live",
        "app:4": "a rollback of the alias live goes back to it",
        "app:3": "no deploy made it",
        "app:2": "called by the permission 'partner'",
        "app:1": "it has provisioned concurrency 5",
    }


def test_a_version_that_was_called_by_its_number_or_of_which_nobody_knows_is_kept(five):
    five.called = {("app", "1"): 7, ("app", "2"): None}
    one = planned(five, functions=("app",))
    assert going(one) == ["app:3", "web:3"]
    assert {judged.name: judged.detail for judged in one.versions if judged.name in {"app:1", "app:2"}} == {
        "app:1": "called by its number 7 times in the last 14 days",
        "app:2": "whether it is called by its number can't be read",
    }


@pytest.mark.parametrize(
    ("made", "since"),
    [
        ("2026-11-24T07:33:36.844+0000", "2026-11-24T09:00:00+00:00"),
        ("2026-11-25T11:33:36.844+0000", "2026-11-25T12:00:00+00:00"),
        ("2026-01-01T07:33:36.844+0000", "2026-11-11T12:00:00+00:00"),
        ("", "2026-11-11T12:00:00+00:00"),
    ],
)
def test_the_check_of_a_deploy_is_no_call_that_keeps_a_version(made, since):
    version = Judged(kind="function", subject="app", version=1, arn="", since=made, fingerprint=None)
    assert calls_since(version, datetime(2026, 11, 25, 12, tzinfo=UTC)).isoformat() == since


def test_functions_that_the_configuration_lacks_are_left_alone(five):
    assert going(planned(five, functions=("other",))) == []


def test_an_alias_that_is_pointed_at_a_version_after_the_plan_keeps_it_and_its_layers(five):
    run = pruner(five, functions=("app",))
    plan = run.plan([REGION])
    aliases = five.functions["app"].aliases
    aliases["beta"] = dataclasses.replace(aliases["live"], name="beta", version="1")
    (one,) = run.execute(plan)
    assert one.kept == {
        five.functions["app"].versions["1"].arn: "used by the alias beta",
        layer_arn("web", 1): "used by app:1",
    }
    assert layer_arn("web", 1) not in five.deleted
    assert list(five.functions["app"].versions) == ["1", "4", "5"]


def test_lambda_refuses_a_version_that_an_alias_points_at_and_that_is_no_error(five):
    def fault(there, verb, moment):
        if (verb, moment) == ("delete_version", "before"):
            aliases = there.functions["app"].aliases
            aliases["beta"] = dataclasses.replace(aliases["live"], name="beta", version="3")

    run = pruner(five, functions=("app",))
    plan = run.plan([REGION])
    five.fault = fault
    (one,) = run.execute(plan)
    assert one.error is None
    assert "3" in five.functions["app"].versions
    assert layer_arn("web", 3) not in five.deleted
    assert isinstance(five.layers["web"][0][0], LayerVersion)
