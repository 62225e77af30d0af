"""The command `local` as a process, with the AWS CLI as its client."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.integration.local.conftest import TRUST, zipped

AWS = shutil.which("aws")


class Running:
    """A process of the command in a folder."""

    def __init__(self, folder, *options):
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "optimizer", "local", *options],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(Path.cwd())},
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def endpoint(self):
        """Its address, when it is ready."""
        place = self.folder / ".local/endpoint.json"
        for _ in range(400):
            if place.exists():
                return json.loads(place.read_text("utf-8"))["endpoint_url"]
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.05)
        pytest.fail("it did not start within 20 seconds")

    def stop(self, number):
        """Status and messages after a signal."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out, err


@pytest.fixture
def start(tmp_path):
    """Starts the command; ends what a test leaves running."""
    started = []

    def begin(*options, folder=tmp_path):
        started.append(Running(folder, *options))
        return started[-1]

    yield begin
    for running in started:
        if running.process.poll() is None:
            running.process.terminate()
        running.process.communicate()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_it_says_where_it_is_and_leaves_nothing_when_it_is_stopped(start, tmp_path, number, status):
    running = start("--access-log")
    url = running.endpoint()
    assert json.loads((tmp_path / ".local/endpoint.json").read_text("utf-8"))["pid"] == running.process.pid
    code, out, err = running.stop(number)
    assert (code, out) == (status, "")
    assert f"The embedded AWS listens on {url}" in err
    assert "Traceback" not in err
    assert not (tmp_path / ".local/endpoint.json").exists()


def test_a_second_one_and_a_port_in_use_are_wrong_usage(start, tmp_path):
    url = start().endpoint()
    second = start()
    _, err = second.process.communicate(timeout=20)
    assert second.process.returncode == 2
    assert f"is running already: {url}" in err
    port = url.rpartition(":")[2]
    (tmp_path / "other").mkdir()
    third = start("--port", port, folder=tmp_path / "other")
    _, err = third.process.communicate(timeout=20)
    assert third.process.returncode == 2
    assert f"Port {port} on 127.0.0.1 can't be used" in err


@pytest.mark.skipif(AWS is None, reason="there is no AWS CLI on PATH")
def test_the_aws_cli_works_against_it_and_no_process_is_left(start, tmp_path):
    running = start("--update-seconds", "0.05")
    url = running.endpoint()
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("AWS_")},
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_PAGER": "",
    }

    def aws(*arguments):
        done = subprocess.run(
            [AWS, "--endpoint-url", url, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout or "null")

    for number in (1, 2):
        (tmp_path / f"{number}.zip").write_bytes(zipped({"python/who.py": f"NAME = {number}"}))
    source = "import os, who\ndef handler(event, context):\n    return [who.NAME, os.getpid()]\n"
    (tmp_path / "code.zip").write_bytes(zipped({"h.py": source}))
    role = aws("iam", "create-role", "--role-name", "r", "--assume-role-policy-document", json.dumps(TRUST))
    layers = [
        aws("lambda", "publish-layer-version", "--layer-name", f"l{n}", "--zip-file", f"fileb://{n}.zip")
        for n in (1, 2)
    ]
    arns = [layer["LayerVersionArn"] for layer in layers]
    function = ("--function-name", "f")
    aws(
        *("lambda", "create-function", *function, "--runtime", "python3.11", "--handler", "h.handler"),
        *("--role", role["Role"]["Arn"], "--zip-file", "fileb://code.zip", "--layers", *arns),
    )
    aws("lambda", "wait", "function-active-v2", *function)
    assert aws("lambda", "invoke", *function, "out.json")["StatusCode"] == 200
    assert json.loads((tmp_path / "out.json").read_text())[0] == 2
    query = f"Functions[?Layers[?Arn=='{arns[0]}']].FunctionName"
    assert aws("lambda", "list-functions", "--query", query) == ["f"]
    read = aws("lambda", "get-layer-version", "--layer-name", "l1", "--version-number", "1")
    assert read["Content"]["CodeSize"] == (tmp_path / "1.zip").stat().st_size
    aws("lambda", "update-function-configuration", *function, "--layers", *reversed(arns))
    aws("lambda", "wait", "function-updated-v2", *function)
    aws("lambda", "invoke", *function, "out.json")
    winner, pid = json.loads((tmp_path / "out.json").read_text())
    assert winner == 1
    assert running.stop(signal.SIGTERM)[0] == 0
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
