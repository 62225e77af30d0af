"""What AWS refuses of a rollback, refuses for long, or says in words of its own comes to the user unharmed."""

import re

import pytest

from optimizer.deploy.boto import retry
from tests.integration.deploy.configured import configure
from tests.integration.deploy.conftest import ask, built
from tests.integration.deploy.faults import faults  # noqa: F401

DENIED = "User: arn:aws:iam::123456789012:user/ci is not authorized to perform this"
READING = ("Get", "List")


def deploy(command, folder, status=0):
    return command("deploy", "--artifacts", str(folder), "--yes", status=status)


def test_each_call_of_a_rollback_can_be_denied(command, client, region, tmp_path, faults):  # noqa: F811
    for version in "12":
        manifest = built(tmp_path / version, region=region, version=version)
        deploy(command, tmp_path / version)
    configure(tmp_path, manifest)
    text = (tmp_path / "config/layers.toml").read_text()
    (tmp_path / "config/layers.toml").write_text(text.replace("policy =", 'check_path = "/health"\npolicy ='))
    struck = []
    for _ in range(20):
        now = []

        def plan(_service, operation, _url, now=now, before=tuple(struck)):
            if now or operation in before or operation == "GetLayerVersionByArn":  # what can't be read is told as such
                return None
            now.append(operation)
            return "AccessDeniedException", DENIED, 403

        faults.plan = plan
        done = command("rollback", "--yes", status=None)
        if not now:
            assert done.status == 0, done.stderr
            break
        struck += now
        assert done.status == 3, done.stderr
        action = {"Invoke": "InvokeFunction"}.get(now[0], now[0])
        assert re.search(rf"{now[0]} of app\S* in {region} was refused: AccessDeniedException: {DENIED}", done.stderr)
        assert re.search(rf"Allow lambda:{action} on app", done.stderr)
        assert ask(client())[1]["version"] == "2", "the alias stays as it is"
    assert {"GetAlias", "ListVersionsByFunction", "GetFunctionUrlConfig", "Invoke", "UpdateAlias"} <= set(struck)
    assert ask(client())[1]["version"] == "1"


@pytest.mark.parametrize(
    ("code", "message", "mend"),
    [
        (
            "InvalidParameterValueException",
            "The provided execution role does not have permissions to call CreateNetworkInterface on EC2",
            "Allow the function's role what the message names",
        ),
        (
            "KMSDisabledException",
            "Lambda was unable to decrypt the environment variables because the KMS key used is disabled.",
            "it has to be enabled",
        ),
        ("EC2AccessDeniedException", "Need additional permissions to configure VPC settings.", ""),
        ("SubnetIPAddressLimitReachedException", "Your subnets have no addresses left.", ""),
    ],
)
def test_what_lambda_says_of_keys_and_networks_is_told_in_its_words(
    command,
    client,
    region,
    tmp_path,
    faults,  # noqa: F811
    *,
    code,
    message,
    mend,
):
    built(tmp_path / "a", region=region)
    deploy(command, tmp_path / "a")
    built(tmp_path / "b", region=region, version="2")
    faults.plan = lambda _service, operation, _url: (code, message, 400) if operation == "UpdateFunctionCode" else None
    done = deploy(command, tmp_path / "b", status=3)
    assert f"UpdateFunctionCode of app in {region} was refused: {code}: {message}" in done.stderr
    assert mend in done.stderr
    assert ask(client())[1]["version"] == "1"


@pytest.fixture
def impatient(monkeypatch):
    """Nothing is waited for that is throttled."""
    monkeypatch.setattr(retry, "THROTTLED_SECONDS", 0.0)


@pytest.mark.usefixtures("impatient")
def test_throttled_for_longer_than_is_waited_it_says_what_was_done_and_the_next_run_goes_on(
    command,
    client,
    region,
    tmp_path,
    faults,  # noqa: F811
):
    built(tmp_path / "a", region=region)
    error = ("TooManyRequestsException", "Rate exceeded", 429)
    faults.plan = lambda _service, operation, _url: error if operation == "CreateFunction" else None
    done = deploy(command, tmp_path / "a", status=3)
    assert f"CreateFunction of app in {region} was refused: TooManyRequestsException: Rate exceeded" in done.stderr
    assert "Too many calls in this account and region at once; wait a little." in done.stderr
    assert "publish-layer aws-core" in done.stderr
    faults.plan = lambda *_: None
    deploy(command, tmp_path / "a")
    assert command.calls["PublishLayerVersion"] == 0
    assert ask(client())[1]["version"] == "1"


def test_a_function_that_was_idle_for_long_is_deployed_all_the_same(command, client, region, tmp_path, faults):  # noqa: F811
    built(tmp_path / "a", region=region)
    deploy(command, tmp_path / "a")
    built(tmp_path / "b", region=region, version="2")
    idle = {"State": "Inactive", "StateReason": "The function is inactive.", "StateReasonCode": "Idle"}
    changed = []

    def wake(answer):
        if "UpdateFunctionCode" not in changed:
            answer["Configuration"].update(idle)

    faults.changed["GetFunction"] = wake
    faults.plan = lambda _service, operation, _url: changed.append(operation)
    deploy(command, tmp_path / "b")
    assert ask(client())[1]["version"] == "2"


def test_a_layer_of_another_partition_is_refused_before_anything_is_changed(command, region, tmp_path):
    arn = f"arn:aws-cn:lambda:{region}:123456789012:layer:agent:1"
    built(tmp_path / "a", region=region, external=(arn,))
    done = deploy(command, tmp_path / "a", status=1)
    assert f"app in {region} can't attach {arn}" in done.stderr
    assert f"whose ARNs begin with arn:aws:lambda:{region}:" in done.stderr
    assert all(name.startswith(READING) for name in command.calls)
