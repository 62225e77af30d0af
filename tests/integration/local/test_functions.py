"""Functions really run: from layers merged in their order, frozen in versions, reported as Lambda reports them."""

import base64
import json
import threading

import pytest
from botocore.exceptions import ClientError

from tests.integration.local.conftest import REGION, ask, zipped

WHO = "import who\ndef handler(event, context):\n    return who.NAME\n"


def test_a_later_layers_file_wins_and_reordering_shows_in_what_wins(account):
    first, second = account.layer({"who.py": "NAME = 1"}), account.layer({"who.py": "NAME = 2"})
    name = account.function(WHO, layers=[first, second])
    assert account.invoke(name) == (None, 2)
    account.aws_lambda.update_function_configuration(FunctionName=name, Layers=[second, first])
    account.settle(name)
    assert account.invoke(name) == (None, 1)


def test_a_version_serves_what_it_froze_while_latest_is_broken(account):
    name = account.function(WHO, layers=[account.layer({"who.py": "NAME = 1"})])
    version = account.aws_lambda.publish_version(FunctionName=name)["Version"]
    account.aws_lambda.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
    account.aws_lambda.update_function_configuration(FunctionName=name, Layers=[])
    account.settle(name)
    error, answer = account.invoke(name)
    assert (error, answer["errorType"]) == ("Unhandled", "Runtime.ImportModuleError")
    assert answer["errorMessage"] == "Unable to import module 'h': No module named 'who'"
    assert account.invoke(name, Qualifier="live") == (None, 1)


def test_an_answer_names_the_version_and_carries_the_log_on_request(account):
    name = account.function(
        "def handler(event, context):\n    print('seen', event)\n    return context.function_version\n"
    )
    made = account.aws_lambda.invoke(FunctionName=name, Payload=b'{"a": 1}', LogType="Tail")
    log = base64.b64decode(made["LogResult"]).decode()
    assert made["ExecutedVersion"] == "$LATEST"
    assert json.loads(made["Payload"].read()) == "$LATEST"
    assert log.splitlines()[1] == "seen {'a': 1}"
    for mark in ("START RequestId:", "END RequestId:", "REPORT RequestId:", "Init Duration:"):
        assert mark in log


def test_a_function_reaches_the_embedded_aws_and_sees_nothing_of_this_process(account, monkeypatch):
    monkeypatch.setenv("OF_THE_HOST", "1")
    name = account.function(
        "import os\ndef handler(event, context):\n    return dict(os.environ)\n",
        Environment={"Variables": {"MINE": "2"}},
    )
    _, seen = account.invoke(name)
    assert seen["AWS_ENDPOINT_URL"] == account.endpoint_url
    assert (seen["AWS_REGION"], seen["MINE"]) == (REGION, "2")
    assert "OF_THE_HOST" not in seen


def test_an_event_invocation_returns_at_once_and_runs(account, tmp_path):
    name = account.function("def handler(event, context):\n    open(event['path'], 'w').write('ran')\n")
    made = account.aws_lambda.invoke(
        FunctionName=name, InvocationType="Event", Payload=json.dumps({"path": str(tmp_path / "ran")})
    )
    assert made["StatusCode"] == 202
    for _ in range(200):
        if (tmp_path / "ran").exists() and (tmp_path / "ran").read_text():  # it is there before it is written
            break
        threading.Event().wait(0.02)
    assert (tmp_path / "ran").read_text() == "ran"


def test_a_dry_run_runs_nothing(account):
    name = account.function("raise SystemExit(1)")
    made = account.aws_lambda.invoke(FunctionName=name, InvocationType="DryRun")
    assert (made["StatusCode"], made["Payload"].read()) == (204, b"")


def test_an_event_that_is_no_json_never_reaches_the_function(account):
    name = account.function("def handler(event, context):\n    return 1\n")
    with pytest.raises(account.aws_lambda.exceptions.InvalidRequestContentException):
        account.aws_lambda.invoke(FunctionName=name, Payload=b"{")


def test_a_function_that_exits_or_takes_too_long_is_reported_and_the_next_call_gets_a_new_environment(account):
    name = account.function(
        "import os, time\n"
        "def handler(event, context):\n"
        "    if event.get('exit'): os._exit(3)\n"
        "    if event.get('sleep'): time.sleep(9)\n"
        "    return 'fine'\n",
        Timeout=1,
    )
    assert account.invoke(name, {"exit": 1})[1]["errorType"] == "Runtime.ExitError"
    assert account.invoke(name) == (None, "fine")
    error, answer = account.invoke(name, {"sleep": 1})
    assert error == "Unhandled"
    assert "Task timed out after 1.00 seconds" in answer["errorMessage"]
    assert account.invoke(name) == (None, "fine")


def test_idle_environments_are_used_again_and_busy_ones_joined_by_new_ones_up_to_the_limit(account):
    name = account.function(
        "import os, time\ndef handler(event, context):\n    time.sleep(event.get('sleep', 0))\n    return os.getpid()\n"
    )
    assert account.invoke(name) == account.invoke(name)
    results = []

    def call():
        try:
            results.append(account.invoke(name, {"sleep": 0.6})[1])
        except ClientError as error:
            results.append(error.response["Error"]["Code"])

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results.count("TooManyRequestsException") == 1
    assert len(set(results)) == 4


def test_reserved_concurrency_of_none_refuses_every_call(account):
    name = account.function("def handler(event, context):\n    return 1\n")
    account.aws_lambda.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    with pytest.raises(account.aws_lambda.exceptions.TooManyRequestsException):
        account.invoke(name)
    account.aws_lambda.delete_function_concurrency(FunctionName=name)
    assert account.invoke(name) == (None, 1)


def test_code_and_layers_are_downloaded_from_where_the_api_says(account):
    code = zipped({"h.py": "def handler(event, context):\n    return 1\n"})
    name = account.function("def handler(event, context):\n    return 1\n")
    location = account.aws_lambda.get_function(FunctionName=name)["Code"]["Location"]
    assert len(ask(location)[2]) == len(code)
    arn = account.layer({"a.py": "A = 1"})
    content = account.aws_lambda.get_layer_version_by_arn(Arn=arn)["Content"]
    assert len(ask(content["Location"])[2]) == content["CodeSize"]


def test_layers_published_side_by_side_get_versions_of_their_own(account):
    content = zipped({"python/a.py": "A = 1"})
    versions = []

    def publish():
        made = account.aws_lambda.publish_layer_version(LayerName="side-by-side", Content={"ZipFile": content})
        versions.append(made["Version"])

    threads = [threading.Thread(target=publish) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(versions) == list(range(1, 9))


def test_a_call_that_is_under_way_when_its_code_is_replaced_gets_its_answer(account):
    source = "import time\ndef handler(event, context):\n    time.sleep(event['sleep'])\n    return 'old'\n"
    name = account.function(source)
    account.invoke(name, {"sleep": 0})
    answers = []
    slow = threading.Thread(target=lambda: answers.append(account.invoke(name, {"sleep": 1})))
    slow.start()
    account.aws_lambda.update_function_code(FunctionName=name, ZipFile=zipped({"h.py": source.replace("old", "new")}))
    account.settle(name)
    assert account.invoke(name, {"sleep": 0}) == (None, "new")
    slow.join()
    assert answers == [(None, "old")]


def test_a_zip_that_is_damaged_inside_is_refused_when_it_is_uploaded(account):
    damaged = zipped({"python/a.py": "A = 1111111111"}).replace(b"1111111111", b"1111111112", 1)
    with pytest.raises(account.aws_lambda.exceptions.InvalidParameterValueException, match="Could not unzip uploaded"):
        account.aws_lambda.publish_layer_version(LayerName="damaged", Content={"ZipFile": damaged})
    assert account.aws_lambda.list_layer_versions(LayerName="damaged")["LayerVersions"] == []


def test_regions_know_nothing_of_each_other(account):
    name = account.function("def handler(event, context):\n    return 1\n")
    elsewhere = account.client("lambda", "us-east-1")
    with pytest.raises(elsewhere.exceptions.ResourceNotFoundException):
        elsewhere.get_function(FunctionName=name)
