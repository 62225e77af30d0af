"""Each action as commands of the AWS CLI: what they name exists in the services' own models, and the whole is bash."""

import dataclasses
import shlex
import subprocess
import typing
from pathlib import Path

import pytest
from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.waiter import WaiterModel

from optimizer.deploy import Action, ChangeSet, Deployment
from optimizer.deploy import actions as a
from optimizer.deploy.mark import Draft
from optimizer.deploy.planning.statements import Permission
from optimizer.deploy.port import Settings
from optimizer.deploy.values import LayerVersion, Url
from optimizer.report.cli_equivalents import Equivalents
from optimizer.report.script import explained, script
from optimizer.report.shell import Var, joined, word
from tests.unit.deploy.fakes import make_manifest

GLOBAL = {"region", "endpoint-url", "output", "query", "cli-read-timeout"}
ZIPS = {"publish-layer-version": "Content", "create-function": "Code"}
"""The AWS CLI's own `--zip-file` of these commands is a member of a structure in the API."""
SECRETS = {"TOKEN": "s3cret value", "MODE": "plain value"}
URL = Url(address="https://x/", auth="NONE", cors={"AllowOrigins": ["https://a.example"]}, mode="RESPONSE_STREAM")


@pytest.fixture
def every(tmp_path):
    """A change set with each action of the union, once at least; no deploy has them all."""
    web, code = make_manifest(tmp_path).artifacts[1:]
    base = {"subject": "app", "reason": "it\nis `so`"}
    settings = Settings(handler="h.x", runtime="python3.11", memory_mb=1, timeout_seconds=2, environment=SECRETS)
    slots = (a.Slot(name="web", arn=None), a.Slot(name="x", arn="arn:aws:lambda:eu-central-1:1:layer:x:3"))
    draft = Draft(code="c" * 32, rest="r" * 16, own_role=True)
    layer = {"subject": "web", "reason": "new"}
    permission = Permission(
        principal="events.amazonaws.com",
        action="lambda:InvokeFunction",
        source_arn="arn:aws:events:eu-central-1:1:rule/x",
        source_account="1",
        organization="o-1",
        event_source_token="s3cret token",
        url_auth="NONE",
        via_url_only=True,
    )
    kept = LayerVersion(name="x", version=3, arn="arn", fingerprint="f" * 64)
    runtime = {"runtime": "python3.11", "architecture": "x86_64"}
    actions = (
        a.ReturnTraffic(**base, revision="r1", before="1"),
        a.PublishLayer(**layer, artifact=web, bucket=None, **runtime),
        a.PublishLayer(**layer, artifact=web, bucket="zips", **runtime),
        a.KeepLayer(**layer, found=kept, fingerprint="f"),
        a.ShareLayer(
            **layer, statement="s", principal="*", organization="o-1", fingerprint=web.fingerprint, version=None
        ),
        a.UnshareLayer(**layer, statement="s", version=3),
        a.DropUpload(**base, bucket="zips", key="k", upload=None),
        a.DropUpload(**base, bucket="zips", key="k", upload="u"),
        a.TagFunction(**base, arn="arn:aws:lambda:eu-central-1:1:function:app", tags={"a": "b c"}, drop=("x", "y")),
        a.CreateRole(**base),
        a.AttachPolicy(**base, policy="arn:aws:iam::aws:policy/x"),
        a.PutPolicy(**base, document={"Version": "2012-10-17", "Statement": []}),
        a.DeletePolicy(**base),
        a.CreateFunction(
            **base, artifact=code, bucket="zips", settings=settings, architecture="x86_64", role=None, layers=slots
        ),
        a.FreezeLatest(**base),
        a.UpdateCode(**base, artifact=code, bucket=None, architecture="x86_64"),
        a.UpdateCode(**base, artifact=code, bucket="zips", architecture="x86_64"),
        a.KeepCode(**base),
        a.AttachLayers(**base, layers=slots),
        a.AttachLayers(**base, layers=()),
        a.UpdateSettings(**base, settings=dataclasses.replace(settings, role="arn:aws:iam::1:role/x")),
        a.PublishVersion(**base, description="lo1 x"),
        a.Check(**base, path="/it's?x=1"),
        a.CreateAlias(**base, mark=draft),
        a.ShiftTraffic(**base, revision="", before="1", share=0.1),
        a.Watch(**base, share=0.1, seconds=300.0, max_error_rate=0.01),
        a.MoveAlias(**base, revision="r2", before="1", mark=None),
        a.UseVersion(**base, version="3"),
        a.KeepAlias(**base, version="1"),
        a.Grant(**base, statement="s", via_url_only=False),
        a.Grant(**base, statement="t", via_url_only=True),
        a.Revoke(**base, statement="s"),
        a.CreateUrl(**base, auth="NONE", like=URL),
        a.UpdateUrl(**base, auth="AWS_IAM"),
        a.MarkAlias(**base, mark=draft),
        a.DeleteUrl(**base),
        a.KeepUrl(**base),
        a.MoveSource(**base, identifier="uuid"),
        a.PointAlias(**base, description="x", revision="r3"),
        a.CopyPermission(**base, statement="s", permission=permission),
        a.DropPermission(**base, statement="s"),
        a.KeepCaller(**base),
    )
    own = a.OwnLayer(name="web", fingerprint=web.fingerprint, version=None, arn=None)
    return ChangeSet(
        function="app", region="eu-central-1", actions=actions, layers=(own,), version="1", before="1", revision="r0"
    )


def equivalents(**options):
    return Equivalents(zip_path=lambda artifact: Path("/zips") / artifact.path, **options)


def call(command):
    """Service, operation and options of a command of the AWS CLI, or None."""
    parts = [part for part in command.parts if part.startswith(("aws ", "--"))]
    if not parts or parts[0].startswith("aws s3 "):
        return None
    words = [shlex.split(part) for part in parts]
    return words[0][1], words[0][2:], {own[0].removeprefix("--"): own[1:] for own in words[1:]}


def test_every_action_is_told(every):
    assert {type(action) for action in every.actions} == set(typing.get_args(Action))
    told = equivalents().of(every)
    assert [action.name for action, own in zip(every.actions, told, strict=True) if not own] == [
        action.name for action in every.actions if action.name.startswith("keep-")
    ]


def test_each_command_and_its_options_exist_and_what_is_required_is_given(every):
    loader = Loader()
    for command in (command for own in equivalents().of(every) for command in own):
        found = call(command)
        if found is None:
            continue
        service, (operation, *more), given = found
        model = ServiceModel(loader.load_service_model(service.removesuffix("api"), "service-2"))
        if operation == "wait":
            waiters = WaiterModel(loader.load_service_model(service, "waiters-2"))
            named = {xform_name(name, "-"): name for name in waiters.waiter_names}
            name = waiters.get_waiter(named[more[0]]).operation
        else:
            name = {xform_name(one, "-"): one for one in model.operation_names}[operation]
        shape = model.operation_model(name).input_shape
        members = {xform_name(member, "-"): member for member in shape.members}
        options = set(given)
        if "zip-file" in options and operation in ZIPS:
            options = options - {"zip-file"} | {xform_name(ZIPS[operation], "-")}
        assert options <= set(members) | GLOBAL, command.line()
        assert set(shape.required_members) <= {members[one] for one in options if one in members}, command.line()
        assert given["region"] == ["eu-central-1"]


def test_the_whole_is_bash_and_holds_no_secret(every):
    deployments = [Deployment(function="app", region="eu-central-1", changes=every)]
    text = script(deployments, explained(deployments, equivalents(endpoint_url="http://127.0.0.1:1")))
    done = subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    for secret in (*SECRETS.values(), "s3cret token"):
        assert secret not in text
    assert all(
        "--endpoint-url http://127.0.0.1:1" in part
        for part in text.replace(" \\\n", " ").splitlines()
        if "aws " in part and "--region" in part
    )
    head = text[: text.index("# app in eu-central-1")]
    assert 'test -r app.environment.json # {"Variables": {"MODE": "...", "TOKEN": "..."}}' in head
    assert "EVENT_SOURCE_TOKEN:?" in head


def test_a_watched_version_is_named_in_every_metric_that_is_asked_for(every):
    (read,) = [c for own in equivalents().of(every) for c in own if "get-metric-data" in c.line()]
    assert read.line().count("ExecutedVersion") == read.line().count('\\"Value\\": \\"${VERSION}\\"') == 4


def test_wrapped_lines_are_the_same_command(every):
    for command in (command for own in equivalents().of(every) for command in own):
        assert " ".join(command.wrapped().replace("\\\n", " ").split()) == " ".join(command.line().split())


def test_layers_of_several_regions_and_of_like_names_have_variables_of_their_own():
    run = equivalents()
    names = [
        run.layer(region, layer, "f").name
        for region in ("eu-central-1", "us-east-1")
        for layer in ("web-x", "web_x", "web-x")
    ]
    assert names[0] == names[2] == "LAYER_WEB_X"
    assert names[3] == names[5]
    assert len(set(names)) == 4


@pytest.mark.parametrize("text", ["plain", "it's", "a b", 'say "x" $HOME `id` \\ \\n', "", "*", "a\nb"])
def test_values_come_back_from_the_shell_as_they_are(text):
    for value in (text, joined(text, Var(name="MORE"))):
        line = f"MORE=more; printf '%s' {word(value)}"
        said = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True).stdout
        assert said == (text if value == text else f"{text}more")
