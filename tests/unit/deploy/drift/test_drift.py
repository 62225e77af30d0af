"""Drift: after a deploy there is none; each thing that somebody does to a function by hand is told, with what to do."""

import dataclasses

import pytest

from optimizer.build import Share
from optimizer.deploy.drift.findings import Expected, fingerprints_of
from optimizer.deploy.drift.status import read_function, read_status
from optimizer.deploy.mark import bare_text
from optimizer.deploy.port import Direct
from optimizer.deploy.values import AttachedLayer, Url
from optimizer.errors import AwsError
from tests.unit.deploy.fakes import REGION, WRITES, FakeAws, fingerprint, layer_arn, make_manifest
from tests.unit.deploy.support import deploy


def expected_of(manifest, *, locks=None, unlocked=()):
    """What the configuration that the manifest was built from says, with the locks of its layers, or others."""
    function = manifest.functions[0]
    marks = {a.name: a.fingerprint for a in manifest.artifacts if a.kind == "layer"} | (locks or {})
    return Expected(
        function=dataclasses.replace(function, layers=tuple(marks)),
        ordered=tuple(marks),
        fingerprints=marks,
        unlocked=unlocked,
    )


@pytest.fixture
def aws(tmp_path):
    made = FakeAws()
    deploy(made, make_manifest(tmp_path / "first"))
    return made


@pytest.fixture
def manifest(tmp_path):
    return make_manifest(tmp_path / "same")


def findings(aws, expected):
    (one,) = read_status([expected], regions=None, connect=lambda _: aws)
    if one.error is not None:
        raise one.error
    return one.findings


def checks(aws, expected):
    return [finding.check for finding in findings(aws, expected)]


def change_latest(aws, **changes):
    """What somebody does to `$LATEST` by hand."""
    found = aws.functions["app"]
    if "layers" in changes:
        changes["layers"] = tuple(AttachedLayer(arn=arn, zipped_bytes=1) for arn in changes["layers"])
    found.latest = dataclasses.replace(found.latest, **changes, revision="by-hand")


def publish_by_hand(aws, *, description=""):
    latest = aws.functions["app"].latest
    return aws.publish_version("app", description, code_sha256=latest.code_sha256, revision=latest.revision).version


def foreign(aws, name):
    """A layer version that is not ours, in the same account."""
    return aws.publish_layer(name, "", Direct(data=b"x")).arn


def test_after_a_deploy_nothing_drifted_and_nothing_was_called_that_changes_anything(aws, manifest):
    aws.calls.clear()
    assert findings(aws, expected_of(manifest)) == ()
    assert not set(aws.calls) & WRITES


def test_a_function_that_is_missing_is_the_one_finding(manifest):
    (finding,) = findings(FakeAws(), expected_of(manifest))
    assert (finding.check, finding.subject) == ("function-missing", "app")
    assert REGION in finding.expected


def test_an_alias_that_is_missing_is_told_with_those_there_are(aws, manifest):
    aws.functions["app"].aliases["beta"] = aws.functions["app"].aliases.pop("live")
    aws.functions["app"].aliases["beta"] = dataclasses.replace(aws.functions["app"].aliases["beta"], name="beta")
    (finding,) = findings(aws, expected_of(manifest))
    assert (finding.check, finding.actual) == ("alias-missing", "the aliases beta")


def test_an_alias_at_latest_is_told(aws, manifest):
    alias = aws.functions["app"].aliases["live"]
    aws.functions["app"].aliases["live"] = dataclasses.replace(alias, version="$LATEST")
    assert "alias-latest" in checks(aws, expected_of(manifest))


def test_a_canary_left_behind_is_told_with_its_share(aws, manifest):
    change_latest(aws, memory_mb=1024)
    version = publish_by_hand(aws, description=aws.functions["app"].versions["1"].description)
    alias = aws.functions["app"].aliases["live"]
    aws.functions["app"].aliases["live"] = dataclasses.replace(alias, weights={version: 0.1})
    told = {finding.check: finding for finding in findings(aws, expected_of(manifest))}
    assert set(told) == {"alias-weighted"}
    assert told["alias-weighted"].actual == "10% version 2, the rest version 1"


def test_an_alias_that_was_moved_back_is_behind_and_its_latest_is_not_told_again(aws, tmp_path):
    newer = make_manifest(tmp_path / "b", code="code 2")
    deploy(aws, newer)
    alias = aws.functions["app"].aliases["live"]
    aws.functions["app"].aliases["live"] = dataclasses.replace(alias, version="1")
    (finding,) = findings(aws, expected_of(newer))
    assert finding.check == "alias-behind"
    assert (finding.expected[:9], finding.actual) == ("version 2", "version 1")
    assert "somebody moved the alias" in finding.mend
    moved = aws.functions["app"].aliases["live"]
    aws.functions["app"].aliases["live"] = dataclasses.replace(moved, description=bare_text("1", "2"))
    (finding,) = findings(aws, expected_of(newer))
    assert "rolled back from version 2" in finding.mend


def test_a_version_that_somebody_else_published_is_told(aws, manifest):
    change_latest(aws, timeout_seconds=31)
    version = publish_by_hand(aws, description="by hand")
    alias = aws.functions["app"].aliases["live"]
    aws.functions["app"].aliases["live"] = dataclasses.replace(alias, version=version)
    told = {finding.check: finding for finding in findings(aws, expected_of(manifest))}
    assert set(told) == {"version-not-ours", "settings"}
    assert told["version-not-ours"].actual == "the description 'by hand'"
    assert told["settings"].expected.endswith("timeout_seconds 30")
    assert told["settings"].actual == "timeout_seconds 31"


def test_a_version_of_others_that_a_deploy_found_to_be_what_is_wanted_is_no_drift(aws, tmp_path):
    change_latest(aws, timeout_seconds=31)
    version = publish_by_hand(aws)
    alias = aws.functions["app"].aliases["live"]
    aws.functions["app"].aliases["live"] = dataclasses.replace(alias, version=version)
    manifest = make_manifest(tmp_path / "b", timeout_seconds=31, url="none")
    assert checks(aws, expected_of(manifest)) == ["version-not-ours", "url"]
    deploy(aws, manifest)
    assert aws.functions["app"].aliases["live"].version == version
    assert checks(aws, expected_of(manifest)) == []


def test_a_layer_that_somebody_attached_is_told_and_that_the_next_deploy_keeps_it(aws, manifest):
    agent = foreign(aws, "agent")
    change_latest(aws, layers=(layer_arn("aws-core", 1), agent, layer_arn("web", 1)))
    (finding,) = findings(aws, expected_of(manifest))
    assert (finding.check, finding.subject) == ("layer-attached", "app:$LATEST")
    assert finding.actual == "agent:1 is attached too"
    assert "external_layers" in finding.mend


def test_layers_in_another_order_are_told_as_both_orders(aws, manifest):
    change_latest(aws, layers=(layer_arn("web", 1), layer_arn("aws-core", 1)))
    (finding,) = findings(aws, expected_of(manifest))
    assert (finding.check, finding.expected, finding.actual) == ("layers-reordered", "aws-core web", "web aws-core")


def test_a_layer_that_was_taken_off_is_told(aws, manifest):
    change_latest(aws, layers=(layer_arn("aws-core", 1),))
    (finding,) = findings(aws, expected_of(manifest))
    assert (finding.check, finding.actual) == ("layer-detached", "it is not attached; there are aws-core:1")
    assert finding.expected.startswith("web:1")


def test_a_layer_in_another_version_is_told_and_a_deploy_that_stopped_half_way_as_one(aws, tmp_path):
    newer = make_manifest(tmp_path / "b", layers={"aws-core": "aws 1", "web": "web 2"})
    aws.publish_layer("web", fingerprint("web 2"), Direct(data=b"web 2"))
    change_latest(aws, layers=(layer_arn("aws-core", 1), layer_arn("web", 2)))
    told = {finding.check: finding for finding in findings(aws, expected_of(newer))}
    assert set(told) == {"layer-replaced", "locks-ahead"}
    assert "run it again" in told["layer-replaced"].mend
    older = {finding.check: finding for finding in findings(aws, expected_of(make_manifest(tmp_path / "a")))}
    assert set(older) == {"layer-replaced"}
    assert "run it again" not in older["layer-replaced"].mend


def test_code_that_the_alias_does_not_serve_is_told(aws, manifest):
    change_latest(aws, code_sha256="other")
    assert checks(aws, expected_of(manifest)) == ["latest-code"]


def test_settings_are_told_by_name_and_values_of_variables_never(aws, manifest):
    change_latest(aws, memory_mb=1024, environment={"TOKEN": "secret"})
    (finding,) = findings(aws, expected_of(manifest))
    assert finding.check == "latest-settings"
    assert finding.actual == "memory_mb 1024, variable TOKEN"
    assert "secret" not in repr(finding)


def test_a_deleted_layer_version_is_told_with_everything_that_has_it(aws, manifest):
    aws.deleted.add(layer_arn("web", 1))
    (finding,) = findings(aws, expected_of(manifest))
    assert (finding.check, finding.subject) == ("layer-gone", "app:$LATEST and live")
    assert layer_arn("web", 1) in finding.expected


def test_what_a_deleted_layer_held_is_known_by_the_versions_that_have_it(aws, manifest):
    aws.deleted.add(layer_arn("web", 1))
    change_latest(aws, layers=(layer_arn("web", 1), layer_arn("aws-core", 1)))
    expected = expected_of(manifest)
    seen = read_function(aws, expected, {})
    assert fingerprints_of(seen.latest, seen, expected.names)[layer_arn("web", 1)] == fingerprint("web 1")[:32]


def test_a_layer_of_another_account_that_cannot_be_read_is_no_finding(tmp_path):
    theirs = layer_arn("tracer", 3, account="999999999999")
    aws = FakeAws()
    manifest = make_manifest(tmp_path / "a")
    deploy(aws, manifest)
    found = aws.functions["app"]
    attached = (*found.latest.layers, AttachedLayer(arn=theirs, zipped_bytes=1))
    found.latest = dataclasses.replace(found.latest, layers=attached)
    found.versions["1"] = dataclasses.replace(found.versions["1"], layers=attached)
    assert findings(aws, expected_of(manifest)) == ()


def test_an_external_layer_of_the_configuration_that_is_not_served_is_told(aws, tmp_path):
    agent = foreign(aws, "agent")
    (finding,) = findings(aws, expected_of(make_manifest(tmp_path / "b", external=[(agent, 10)])))
    assert (finding.check, finding.actual) == ("external-layer", "it is not attached")


def test_another_order_in_the_configuration_is_told(aws, manifest):
    expected = dataclasses.replace(expected_of(manifest), ordered=("web", "aws-core"))
    (finding,) = findings(aws, expected)
    assert (finding.check, finding.actual) == ("layer-order", "aws-core web")


def test_a_lock_that_is_not_deployed_is_told_with_both_fingerprints(aws, manifest):
    (finding,) = findings(aws, expected_of(manifest, locks={"web": fingerprint("web 2")}))
    assert (finding.check, finding.subject) == ("locks-ahead", "app:1")
    assert finding.expected == f"web {fingerprint('web 2')[:12]}, as layers/web/layer.lock has it"
    assert finding.actual == f"web:1 {fingerprint('web 1')[:12]}"


def test_a_lock_of_a_layer_that_was_never_deployed_is_told(aws, manifest):
    (finding,) = findings(aws, expected_of(manifest, locks={"utilities": fingerprint("u")}))
    assert (finding.check, finding.actual) == ("locks-ahead", "utilities is not attached")


def test_locks_are_compared_where_a_layer_was_deleted_too(aws, manifest):
    aws.deleted.add(layer_arn("web", 1))
    found = findings(aws, expected_of(manifest, locks={"web": fingerprint("web 2")}))
    assert [finding.check for finding in found] == ["layer-gone", "locks-ahead"]
    assert fingerprint("web 1")[:12] in found[1].actual


def test_a_layer_that_the_locks_have_no_more_is_told(aws, manifest):
    expected = expected_of(manifest)
    expected = dataclasses.replace(
        expected,
        function=dataclasses.replace(expected.function, layers=("aws-core",)),
        ordered=("aws-core",),
        fingerprints={"aws-core": expected.fingerprints["aws-core"]},
    )
    (finding,) = findings(aws, expected)
    assert finding.check == "layer-unlocked"
    assert finding.actual.startswith("web:1 ")


def test_a_layer_without_a_lock_is_nothing_that_can_be_said(aws, manifest):
    expected = expected_of(manifest)
    expected = dataclasses.replace(
        expected,
        function=dataclasses.replace(expected.function, layers=("aws-core",)),
        ordered=("aws-core",),
        unlocked=("web",),
    )
    assert findings(aws, expected) == ()


def test_who_may_attach_the_live_layers_is_compared_where_it_is_configured(aws, manifest):
    expected = dataclasses.replace(expected_of(manifest), share=Share(accounts=("999999999999",), organization=None))
    aws.share_layer("web", 1, "layer-optimizer-888888888888", principal="888888888888", organization=None)
    aws.share_layer("web", 1, "theirs", principal="777777777777", organization=None)
    aws.share_layer("aws-core", 1, "layer-optimizer-999999999999", principal="999999999999", organization=None)
    assert [(f.check, f.subject, f.expected) for f in findings(aws, expected)] == [
        ("layer-sharing", "web:1", "999999999999 may attach it"),
        ("layer-sharing", "web:1", "888888888888 may not attach it"),
    ]
    assert findings(aws, expected_of(manifest)) == ()


def test_a_url_for_everybody_that_is_not_configured_is_told(aws, manifest):
    aws.functions["app"].urls["live"] = Url(address="https://app.example/", auth="NONE")
    (finding,) = findings(aws, expected_of(manifest))
    assert (finding.check, finding.expected) == ("url", "a URL for AWS_IAM")
    assert finding.actual == "https://app.example/ for NONE"


def test_a_permission_that_was_taken_away_is_told(tmp_path):
    aws, manifest = FakeAws(), make_manifest(tmp_path, url="public")
    deploy(aws, manifest)
    assert findings(aws, expected_of(manifest)) == ()
    del aws.functions["app"].policies["live"]["layer-optimizer-invoke"]
    (finding,) = findings(aws, expected_of(manifest))
    assert (finding.check, finding.actual) == ("permission", "of these layer-optimizer-url")


def test_a_policy_of_our_role_that_somebody_changed_is_told_and_another_role_is_not_ours(aws, manifest):
    aws.roles["app-role"] = dataclasses.replace(aws.roles["app-role"], policy=None, attached=frozenset())
    assert checks(aws, expected_of(manifest)) == ["role-policy", "role-logs"]
    aws.roles["app-role"] = dataclasses.replace(aws.roles["app-role"], ours=False)
    assert checks(aws, expected_of(manifest)) == []


def test_a_role_that_is_gone_is_told(aws, manifest):
    del aws.roles["app-role"]
    (finding,) = findings(aws, expected_of(manifest))
    assert (finding.check, finding.expected) == ("role-missing", "its role app-role")


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"state": "Failed", "state_reason": "no subnet"}, "function-failed"),
        ({"update_status": "Failed", "update_reason": "no subnet"}, "update-failed"),
        ({"image": True}, "function-image"),
    ],
)
def test_a_function_in_a_state_that_nothing_can_be_deployed_to_is_told(aws, manifest, *, changes, check):
    change_latest(aws, **changes)
    assert checks(aws, expected_of(manifest))[0] == check


def test_an_update_that_is_under_way_is_told(aws, manifest):
    change_latest(aws, update_status="InProgress")
    aws.functions["app"].settles_at = aws.clock.now() + 1000
    assert checks(aws, expected_of(manifest)) == ["update-in-progress"]


def test_who_calls_latest_is_shown_and_no_drift(aws, manifest):
    aws.functions["app"].urls[None] = Url(address="https://latest.example/", auth="NONE")
    seen = read_function(aws, expected_of(manifest), {})
    assert seen.callers == ("the function URL https://latest.example/",)
    assert findings(aws, expected_of(manifest)) == ()


def test_a_region_that_cannot_be_reached_does_not_hide_the_others(aws, manifest):
    expected = expected_of(manifest)
    expected = dataclasses.replace(
        expected, function=dataclasses.replace(expected.function, regions=("xx-nowhere-1", REGION))
    )

    class Dark:
        region = "xx-nowhere-1"

        def configuration(self, *_):
            raise AwsError("xx-nowhere-1 can't be reached", mend="Look at the network.")

    first, second = read_status([expected], regions=None, connect=lambda region: aws if region == REGION else Dark())
    assert (first.region, first.seen, str(first.error.message)) == (
        "xx-nowhere-1",
        None,
        "xx-nowhere-1 can't be reached",
    )
    assert (second.region, second.findings, second.error) == (REGION, (), None)
    assert [one.region for one in read_status([expected], regions=[REGION], connect=lambda _: aws)] == [REGION]


def test_tags_that_somebody_changed_or_that_are_configured_no_more_are_told_and_others_are_not(tmp_path):
    aws, manifest = FakeAws(), make_manifest(tmp_path / "tagged", tags={"team": "images", "stage": "test"})
    deploy(aws, manifest)
    arn = aws.functions["app"].latest.arn
    aws.tag(arn, {"owner": "somebody"})
    assert checks(aws, expected_of(manifest)) == []
    aws.tag(arn, {"team": "other"})
    (finding,) = findings(aws, expected_of(make_manifest(tmp_path / "fewer", tags={"team": "images"})))
    assert (finding.check, finding.expected, finding.actual) == (
        "tags",
        "no stage, team=images",
        "stage=test, team=other",
    )
