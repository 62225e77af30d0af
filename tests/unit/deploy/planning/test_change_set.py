"""What a deploy decides, for each state that it may find."""

import dataclasses

import pytest

from optimizer import limits
from optimizer.deploy.actions import AttachLayers, Grant, KeepLayer, UpdateSettings
from optimizer.deploy.values import Role, Url
from optimizer.errors import ArtifactError, DeployRefusedError
from tests.unit.deploy.fakes import REGION, WRITES, FakeAws, fingerprint, layer_arn, make_manifest
from tests.unit.deploy.support import actions, deploy, deployer, plan, served

ROLE = "app-role"
RELEASE = ["publish-version app", "check app", "move-alias live"]
KEPT = ["keep-layer aws-core", "keep-layer web"]


@pytest.fixture
def aws():
    return FakeAws()


@pytest.fixture
def live(aws, tmp_path):
    """AWS with the manifest's first state deployed, its calls forgotten."""
    deploy(aws, make_manifest(tmp_path / "first"))
    aws.calls.clear()
    return aws


def test_the_first_deploy_makes_everything_and_waits_for_nothing(aws, tmp_path):
    changes = plan(aws, make_manifest(tmp_path))
    assert actions(changes) == [
        "publish-layer aws-core",
        "publish-layer web",
        f"create-role {ROLE}",
        f"attach-policy {ROLE}",
        f"put-policy {ROLE}",
        "create-function app",
        "publish-version app",
        "check app",
        "create-alias live",
        "create-url app:live",
        "mark-alias live",
    ]
    assert changes.bytes == len("aws 1") + len("web 1") + len("code 1")
    assert changes.version is None


def test_nothing_changed_is_told_by_three_reading_calls(live, tmp_path):
    changes = plan(live, make_manifest(tmp_path))
    assert actions(changes) == [*KEPT, "keep-code app", "keep-alias live", "keep-url app:live"]
    assert not changes.changes
    assert changes.bytes == 0
    assert live.calls == ["alias", "url", "role_policy"]
    assert [layer.fingerprint for layer in changes.layers] == [fingerprint("aws 1"), fingerprint("web 1")]
    assert (changes.version, changes.url) == ("1", "https://app.example/")


def test_code_alone_is_told_by_two_reading_calls_and_takes_four_more(live, tmp_path):
    done = deploy(live, make_manifest(tmp_path, code="code 2"))
    assert live.calls == [
        "alias",
        "configuration",
        "update_code",
        "publish_version",
        "invoke",
        "move_alias",
    ]
    assert (done.result.version, done.result.url) == ("2", "https://app.example/")
    assert [layer.arn for layer in done.result.layers] == [layer_arn("aws-core", 1), layer_arn("web", 1)]
    live.calls.clear()
    assert not plan(live, make_manifest(tmp_path, code="code 2")).changes
    assert len(live.calls) == 3


class TestWithoutAMarkThatIsTrue:
    """Then everything is read, and decided as well."""

    def expect(self, live, tmp_path, **changed):
        changes = plan(live, make_manifest(tmp_path, code="code 2", **changed))
        assert len(live.calls) > 4
        return [action for action in actions(changes) if not action.startswith("keep-")]

    @pytest.mark.parametrize(
        "change",
        [
            {"description": ""},
            {"weights": {"2": 0.1}},
        ],
        ids=str,
    )
    def test_an_alias_that_says_nothing_that_is_true(self, live, tmp_path, change):
        aliases = live.functions["app"].aliases
        aliases["live"] = dataclasses.replace(aliases["live"], **change)
        back = ["return-traffic live"] if "weights" in change else []
        assert self.expect(live, tmp_path) == [*back, "update-code app", *RELEASE]

    def test_words_that_a_person_wrote_stay(self, live, tmp_path):
        aliases = live.functions["app"].aliases
        aliases["live"] = dataclasses.replace(aliases["live"], description="what customers call")
        assert self.expect(live, tmp_path) == ["update-code app", *RELEASE]
        deploy(live, make_manifest(tmp_path, code="code 2"))
        assert (aliases["live"].version, aliases["live"].description) == ("2", "what customers call")
        assert not plan(live, make_manifest(tmp_path, code="code 2")).changes

    def test_an_alias_that_was_moved_by_hand(self, live, tmp_path):
        deploy(live, make_manifest(tmp_path, code="code 3"))
        aliases = live.functions["app"].aliases
        aliases["live"] = dataclasses.replace(aliases["live"], version="1")
        live.calls.clear()
        assert self.expect(live, tmp_path) == ["update-code app", *RELEASE]

    def test_layers_that_somebody_changed_on_latest_are_put_right(self, live, tmp_path):
        function = live.functions["app"]
        function.latest = dataclasses.replace(function.latest, layers=function.latest.layers[::-1])
        assert self.expect(live, tmp_path) == ["update-code app", "attach-layers app", *RELEASE]

    def test_settings_that_somebody_changed_on_latest_are_put_right(self, live, tmp_path):
        function = live.functions["app"]
        function.latest = dataclasses.replace(function.latest, memory_mb=128)
        assert self.expect(live, tmp_path) == ["update-code app", "update-settings app", *RELEASE]

    def test_a_variable_that_is_configured_now(self, live, tmp_path):
        assert self.expect(live, tmp_path, environment={"A": "1"}) == [
            "update-code app",
            "update-settings app",
            *RELEASE,
        ]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"code": "code 2"}, [*KEPT, "update-code app", *RELEASE]),
        (
            {"layers": {"aws-core": "aws 1", "web": "web 2"}},
            ["keep-layer aws-core", "publish-layer web", "keep-code app", "attach-layers app", *RELEASE],
        ),
        (
            {"layers": {"aws-core": "aws 2", "web": "web 1"}, "code": "code 2"},
            [
                "publish-layer aws-core",
                "keep-layer web",
                "update-code app",
                "attach-layers app",
                *RELEASE,
            ],
        ),
        (
            {"layers": {"web": "web 1", "aws-core": "aws 1"}},
            ["keep-layer web", "keep-layer aws-core", "keep-code app", "attach-layers app", *RELEASE],
        ),
        ({"layers": {"aws-core": "aws 1"}}, ["keep-layer aws-core", "keep-code app", "attach-layers app", *RELEASE]),
        ({"memory_mb": 1024}, [*KEPT, "keep-code app", "update-settings app", *RELEASE]),
        ({"handler": "other.handler"}, [*KEPT, "keep-code app", "update-settings app", *RELEASE]),
        ({"environment": {"A": "1"}}, [*KEPT, "keep-code app", "update-settings app", *RELEASE]),
        ({"check_path": None, "code": "2"}, [*KEPT, "update-code app", "publish-version app", "move-alias live"]),
        ({"architecture": "arm64"}, [*KEPT, "update-code app", *RELEASE]),
        ({"external_arn": layer_arn("apm", 1)}, [*KEPT, "keep-code app", "attach-layers app", *RELEASE]),
    ],
)
def test_only_what_differs_is_done(live, tmp_path, changed, expected):
    changed = dict(changed)
    external = [(arn, 10) for arn in (changed.pop("external_arn", None),) if arn]
    changes = plan(live, make_manifest(tmp_path, external=external, **changed))
    assert actions(changes) == [*expected, "keep-url app:live"]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("iam", "public", ["grant app:live", "grant app:live", "update-url app:live"]),
        ("public", "iam", ["update-url app:live", "revoke app:live", "revoke app:live"]),
        ("public", "none", ["delete-url app:live", "revoke app:live", "revoke app:live"]),
        ("none", "public", ["grant app:live", "grant app:live", "create-url app:live"]),
    ],
)
def test_a_url_has_its_permissions_while_it_is_public_and_no_version_is_published(
    aws, tmp_path, before, after, expected
):
    deploy(aws, make_manifest(tmp_path, url=before))
    changes = plan(aws, make_manifest(tmp_path, url=after))
    assert [action for action in actions(changes) if not action.startswith("keep-")] == [*expected, "mark-alias live"]
    deploy(aws, make_manifest(tmp_path, url=after))
    assert not plan(aws, make_manifest(tmp_path, url=after)).changes


def test_a_public_url_needs_two_permissions_one_of_them_through_the_url_alone(aws, tmp_path):
    changes = plan(aws, make_manifest(tmp_path, url="public"))
    assert {a.via_url_only for a in changes.actions if isinstance(a, Grant)} == {True, False}


def test_permissions_that_somebody_removed_are_granted_again(aws, tmp_path):
    manifest = make_manifest(tmp_path, url="public", role_arn="arn:aws:iam::123456789012:role/theirs")
    deploy(aws, manifest)
    aws.functions["app"].policies["live"].popitem()
    assert "grant app:live" in actions(plan(aws, manifest))


def test_a_policy_that_differs_is_written_before_the_new_version_is_called(live, tmp_path):
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
    changes = plan(live, make_manifest(tmp_path, policy=policy))
    assert [a for a in actions(changes) if not a.startswith("keep-")] == [f"put-policy {ROLE}", "mark-alias live"]
    both = actions(plan(live, make_manifest(tmp_path, policy=policy, code="code 2")))
    assert both.index(f"put-policy {ROLE}") < both.index("check app")


def test_a_role_that_is_not_ours_is_left_alone(live, tmp_path):
    theirs = Role(name=ROLE, arn=live.roles[ROLE].arn, ours=False, policy=None, attached=frozenset())
    live.roles[ROLE] = theirs
    assert not plan(live, make_manifest(tmp_path)).changes


def test_variables_that_others_set_are_kept(live, tmp_path):
    function = live.functions["app"]
    function.latest = dataclasses.replace(function.latest, environment={"THEIRS": "x", "OURS": "old"})
    changes = plan(live, make_manifest(tmp_path, environment={"OURS": "new"}))
    (settings,) = [a for a in changes.actions if isinstance(a, UpdateSettings)]
    assert settings.settings.environment == {"THEIRS": "x", "OURS": "new"}
    assert "new" not in settings.reason, "values of variables may be secret"


def test_a_variable_that_would_make_every_layer_disappear_is_refused(live, tmp_path):
    function = live.functions["app"]
    function.latest = dataclasses.replace(function.latest, environment={"PYTHONPATH": "/x"})
    with pytest.raises(DeployRefusedError, match="PYTHONPATH"):
        plan(live, make_manifest(tmp_path, code="code 2"))


def test_variables_that_cant_be_read_are_not_overwritten(live, tmp_path):
    function = live.functions["app"]
    function.latest = dataclasses.replace(function.latest, environment=None)
    with pytest.raises(DeployRefusedError, match="can't be read") as caught:
        plan(live, make_manifest(tmp_path, code="code 2", environment={"A": "1"}))
    assert "kms:Decrypt" in caught.value.mend
    assert "update-settings app" not in actions(plan(live, make_manifest(tmp_path, code="code 2")))


def test_a_function_made_from_an_image_is_refused(live, tmp_path):
    function = live.functions["app"]
    function.latest = dataclasses.replace(function.latest, image=True)
    with pytest.raises(DeployRefusedError, match="container image"):
        plan(live, make_manifest(tmp_path, code="code 2"))


def test_code_is_sent_again_where_the_update_before_failed(live, tmp_path):
    function = live.functions["app"]
    function.latest = dataclasses.replace(function.latest, update_status="Failed")
    changes = plan(live, make_manifest(tmp_path, memory_mb=1024))
    assert actions(changes)[2:4] == ["update-code app", "update-settings app"]


def test_foreign_layers_stay_in_their_places(live, tmp_path):
    function, apm = live.functions["app"], layer_arn("apm", 4, "999999999999")
    attached = (dataclasses.replace(function.latest.layers[0], arn=apm), *function.latest.layers)
    function.latest = dataclasses.replace(function.latest, layers=attached)
    changes = plan(live, make_manifest(tmp_path, layers={"aws-core": "aws 1", "web": "web 2"}))
    (attach,) = [a for a in changes.actions if isinstance(a, AttachLayers)]
    assert [slot.arn for slot in attach.layers] == [apm, layer_arn("aws-core", 1), None]
    assert attach.reason == "apm:4 aws-core:1 web:1 → apm:4 aws-core:1 web:new"


def test_a_layer_that_we_attached_and_that_is_not_wanted_any_more_is_taken_off(live, tmp_path):
    changes = plan(live, make_manifest(tmp_path, layers={"aws-core": "aws 1", "frameworks": "web 1"}))
    (attach,) = [a for a in changes.actions if isinstance(a, AttachLayers)]
    assert [slot.name for slot in attach.layers] == ["aws-core", "frameworks"]


def test_code_of_the_same_fingerprint_is_kept_whatever_compressor_made_the_zip(live, tmp_path):
    manifest = make_manifest(tmp_path, memory_mb=1024, code="code 1, compressed otherwise")
    same = tuple(
        dataclasses.replace(a, fingerprint=fingerprint("code 1")) if a.kind == "function" else a
        for a in manifest.artifacts
    )
    assert "keep-code app" in actions(plan(live, dataclasses.replace(manifest, artifacts=same)))


def test_what_others_published_is_recognised_by_its_bytes(live, tmp_path):
    function = live.functions["app"]
    function.versions["1"] = dataclasses.replace(function.versions["1"], description="by hand")
    assert not plan(live, make_manifest(tmp_path)).changes


def test_an_alias_that_was_moved_back_is_moved_to_what_was_built(live, tmp_path):
    deploy(live, make_manifest(tmp_path, code="code 2"))
    function = live.functions["app"]
    function.aliases["live"] = dataclasses.replace(function.aliases["live"], version="1")
    changes = plan(live, make_manifest(tmp_path, code="code 2"))
    assert [a for a in actions(changes) if not a.startswith("keep-")] == RELEASE
    deploy(live, make_manifest(tmp_path, code="code 2"))
    assert function.aliases["live"].version == "2"


def test_callers_of_latest_are_named_and_refused(live, tmp_path):
    live.functions["app"].urls[None] = Url(address="https://latest.example/", auth="NONE")
    live.functions["app"].policies[None] = {"from-a-queue": False}
    manifest = make_manifest(tmp_path, layers={"aws-core": "aws 2", "web": "web 1"}, code="code 2")
    with pytest.raises(DeployRefusedError, match=r"https://latest.example/\n  the permission 'from-a-queue'") as caught:
        plan(live, manifest)
    assert "--accept-latest" in caught.value.mend
    accepted = plan(live, manifest, accept_latest=True)
    assert "update-code app" in actions(accepted)
    assert len(accepted.callers) == 2, "they are told all the same"
    assert not plan(live, make_manifest(tmp_path)).changes, "nothing changes under them"


def test_a_function_that_failed_is_refused(live, tmp_path):
    function = live.functions["app"]
    function.latest = dataclasses.replace(function.latest, state="Failed", state_reason="no more addresses")
    with pytest.raises(DeployRefusedError, match="state Failed: no more addresses"):
        plan(live, make_manifest(tmp_path, code="code 2"))


def test_an_update_under_way_is_waited_for_before_anything_is_decided(live, tmp_path):
    function = live.functions["app"]
    function.latest = dataclasses.replace(function.latest, update_status="InProgress")
    function.settles_at = live.clock.now() + 20
    deploy(live, make_manifest(tmp_path, code="code 2"))
    assert live.clock.now() > 20


def test_layers_of_two_functions_are_published_once(aws, tmp_path):
    manifest = make_manifest(tmp_path)
    both = (manifest.functions[0], dataclasses.replace(manifest.functions[0], name="second"))
    manifest = dataclasses.replace(manifest, functions=both)
    run = deployer(aws, manifest)
    planned = run.plan()
    assert [isinstance(a, KeepLayer) for a in planned[1].changes.actions[:2]] == [True, True]
    done = run.execute(planned)
    assert [len(versions) for versions in aws.layers.values()] == [1, 1]
    assert served(aws, "app") == served(aws, "second")
    assert done[1].result.layers == done[0].result.layers


def test_layers_of_one_content_and_two_names_are_two_layers(aws, tmp_path):
    manifest = make_manifest(tmp_path, layers={"aws-core": "same", "web": "same"})
    deploy(aws, manifest)
    latest = aws.functions["app"].latest
    assert latest.layer_arns == (layer_arn("aws-core", 1), layer_arn("web", 1))
    assert not plan(aws, manifest).changes


class TestCodeOnly:
    def manifest(self, folder, code, **changes):
        """As it is built for this: without layers' zips."""
        manifest = make_manifest(folder, code=code, **changes)
        return dataclasses.replace(manifest, artifacts=tuple(a for a in manifest.artifacts if a.kind == "function"))

    def test_only_the_code_is_sent(self, live, tmp_path):
        changes = plan(live, self.manifest(tmp_path, "code 2"), code_only=True)
        assert actions(changes) == [*KEPT, "update-code app", *RELEASE]
        assert changes.bytes == len("code 2")
        deploy(live, self.manifest(tmp_path, "code 2"), code_only=True)
        live.calls.clear()
        assert not plan(live, make_manifest(tmp_path, code="code 2")).changes, "a whole deploy finds nothing to do"
        assert live.calls == ["alias", "configuration", "url", "role_policy", "statements", "configuration"], (
            "code alone without layers has no mark, and a version's answer no tags"
        )

    @pytest.mark.parametrize("code", ["code 1", "code 2"])
    def test_it_is_refused_where_other_layers_are_planned_than_are_attached(self, live, tmp_path, code):
        """A new client in the code may need what only the next layer has; so layers are compared, built or not."""
        changed = make_manifest(tmp_path, code=code, layers={"aws-core": "aws 1", "web": "web 2"})
        with pytest.raises(DeployRefusedError, match="attached: web has fingerprint") as caught:
            plan(live, changed, code_only=True)
        assert "without --code-only" in caught.value.mend
        unbuilt = deployer(live, self.manifest(tmp_path, code), code_only=True)
        unbuilt.planned_layers = {"aws-core": fingerprint("aws 1"), "web": fingerprint("web 2")}
        (planned,) = unbuilt.plan()
        assert planned.outcome == "refused"
        assert not WRITES & set(live.calls)

    def test_layers_that_are_attached_as_planned_are_told_with_their_whole_fingerprint(self, live, tmp_path):
        changes = plan(live, make_manifest(tmp_path, code="code 2"), code_only=True)
        assert [layer.fingerprint for layer in changes.layers] == [fingerprint("aws 1"), fingerprint("web 1")]

    def test_without_a_change_nothing_is_sent(self, live, tmp_path):
        assert not plan(live, self.manifest(tmp_path, "code 1"), code_only=True).changes

    def test_settings_and_urls_are_not_looked_at(self, live, tmp_path):
        assert not plan(live, self.manifest(tmp_path, "code 1", memory_mb=2048, url="public"), code_only=True).changes

    @pytest.mark.parametrize("layers", [{"web": "", "aws-core": ""}, {"aws-core": "", "web": "", "new": ""}])
    def test_layers_that_are_not_attached_in_order_are_refused(self, live, tmp_path, layers):
        with pytest.raises(DeployRefusedError, match="attached in this order") as caught:
            plan(live, self.manifest(tmp_path, "code 2", layers=layers), code_only=True)
        assert "without --code-only" in caught.value.mend

    def test_a_function_that_does_not_exist_is_refused(self, aws, tmp_path):
        with pytest.raises(DeployRefusedError, match="no function yet"):
            plan(aws, self.manifest(tmp_path, "code 1"), code_only=True)


def test_a_zip_over_50_mb_needs_a_bucket(aws, tmp_path):
    manifest = make_manifest(tmp_path)
    large = dataclasses.replace(manifest.artifacts[0], zipped_bytes=limits.DIRECT_ZIP_BYTES)
    manifest = dataclasses.replace(manifest, artifacts=(large, *manifest.artifacts[1:]))
    with pytest.raises(DeployRefusedError, match=r"aws-core\.zip has 52428800 bytes") as caught:
        plan(aws, manifest)
    assert "--bucket" in caught.value.mend
    assert plan(aws, manifest, bucket="b").actions[0].bucket == "b"


def test_damaged_and_missing_zips_are_told_together_before_anything_is_called(aws, tmp_path):
    manifest = make_manifest(tmp_path)
    (tmp_path / "web.zip").write_text("damaged")
    (tmp_path / "aws-core.zip").unlink()
    with pytest.raises(ArtifactError, match=r"aws-core\.zip: No such file(.|\n)*web\.zip: its SHA-256 is"):
        plan(aws, manifest)
    assert not aws.functions


def test_the_managed_policy_is_of_the_regions_partition(tmp_path):
    aws = FakeAws()
    aws.region = "cn-north-1"
    changes = plan(aws, make_manifest(tmp_path, regions=("cn-north-1",)))
    (policy,) = [a.policy for a in changes.actions if a.name == "attach-policy"]
    assert policy == "arn:aws-cn:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    assert aws.region != REGION
