"""A code-only and a one-layer deploy of the example, ours and as a script with the AWS CLI does it, on one endpoint.

Run: .venv/bin/python benchmarks/deploy_speed.py [--rounds 7] [--profile]
Every tool has a function of its own in the embedded AWS, which counts the bytes that it receives, and deploys the same
zips: the function's with another line in it, or that of one layer too. The script knows what changed, as nobody tells
it: it sends no layer for a change of code, and waits by the waiters of the CLI. Ours finds out by itself, guards each
step, checks the new version by calling it, and moves the alias; its times hold that call, with a cold start. Tools
alternate; what is compared are medians of whole processes.

`sam deploy` needs CloudFormation, which the embedded AWS does not serve; it is run once, to show how it ends.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import boto3
from botocore.config import Config
from peers import ROOT, TEMPLATE, peer, run

sys.path.insert(0, str(ROOT))

from optimizer.build import Manifest
from optimizer.local import embedded_aws

if TYPE_CHECKING:
    from optimizer.local.server import EmbeddedAws

REGION = "eu-central-1"
KEYS = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
ENVIRONMENT = {
    **{key: value for key, value in os.environ.items() if not key.startswith("AWS_")},
    **KEYS,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
    "SAM_CLI_TELEMETRY": "0",
}
LAYER = "utilities"


class Tool(Protocol):
    """Something that deploys a build to its own function."""

    name: str

    def code(self, build: Path) -> None:
        """Deploy the function's zip alone."""

    def layer(self, build: Path) -> None:
        """Deploy one layer's zip, whose function stays as it is."""


class Ours:
    """`python -m optimizer deploy`, which finds out what changed; or is told that it is the code."""

    def __init__(self, name: str, aws: EmbeddedAws, function: str, *options: str) -> None:
        self.name, self._function, self._options = name, function, options
        self._command = [sys.executable, "-m", "optimizer", "deploy", "--yes", "--endpoint-url", aws.endpoint_url]

    def code(self, build: Path) -> None:
        """See Tool.code."""
        called(*self._command, *self._options, "--artifacts", str(self.named(build)))

    def layer(self, build: Path) -> None:
        """See Tool.layer."""
        called(*self._command, "--artifacts", str(self.named(build)))

    def named(self, build: Path) -> Path:
        """The build with the name of this tool's function."""
        manifest = Manifest.read(build)
        function = dataclasses.replace(manifest.functions[0], name=self._function, regions=(REGION,))
        (build / "manifest.json").write_text(dataclasses.replace(manifest, functions=(function,)).to_json())
        return build


class Script:
    """The AWS CLI, call by call."""

    name = "aws CLI script"

    def __init__(self, aws: EmbeddedAws, function: str, lam: Any) -> None:
        self._function, self._lam = function, lam
        self._aws = [
            str(peer("aws", "awscli") / "aws"),
            "--endpoint-url",
            aws.endpoint_url,
            "--output",
            "text",
            "lambda",
        ]

    def code(self, build: Path) -> None:
        """See Tool.code."""
        self._call("update-function-code", "--zip-file", f"fileb://{build / 'function.zip'}")
        self._go_live()

    def layer(self, build: Path) -> None:
        """See Tool.layer."""
        arn = called(
            *self._aws,
            "publish-layer-version",
            *("--layer-name", f"script-{LAYER}", "--zip-file", f"fileb://{build / f'{LAYER}.zip'}"),
            *("--query", "LayerVersionArn"),
        )
        self._arns = [*self._lam.get_function(FunctionName=self._function)["Configuration"]["Layers"]]
        arns = [layer["Arn"] for layer in self._arns if LAYER not in layer["Arn"]]
        self._call("update-function-configuration", "--layers", *arns, arn)
        self._go_live()

    def _go_live(self) -> None:
        self._call("wait", "function-updated-v2")
        version = self._call("publish-version", "--query", "Version")
        self._call("update-alias", "--name", "live", "--function-version", version)

    def _call(self, *arguments: str) -> str:
        operation = arguments[:2] if arguments[0] == "wait" else arguments[:1]
        rest = arguments[len(operation) :]
        return called(*self._aws, *operation, "--function-name", self._function, *rest)


def called(*command: str) -> str:
    """What a command prints; its own words where it fails."""
    done = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


class Builds:
    """Ever new builds of the example for one tool, each with another line in the function or in a layer."""

    def __init__(self, folder: Path, first: Path) -> None:
        self._folder, self._count = folder, 0
        shutil.copytree(first, folder / "0")

    def next(self, *names: str) -> Path:
        """A build in which those artifacts have changed."""
        before = self._folder / str(self._count)
        self._count += 1
        folder = self._folder / str(self._count)
        folder.mkdir()
        manifest = Manifest.read(before)
        artifacts = []
        for artifact in manifest.artifacts:
            place = folder / artifact.path
            place.write_bytes((before / artifact.path).read_bytes())
            if artifact.name in names or (artifact.kind == "function" and "function" in names):
                text = f"CHANGE = {self._count}\n"
                with zipfile.ZipFile(place, "a") as archive:
                    path = f"{'python/' if artifact.kind == 'layer' else ''}change_{self._count}.py"
                    archive.writestr(zipfile.ZipInfo(path), text)
                data = place.read_bytes()
                digest = hashlib.sha256(data).hexdigest()
                artifact = dataclasses.replace(  # noqa: PLW2901  its own successor
                    artifact,
                    sha256=digest,
                    fingerprint=digest,
                    zipped_bytes=len(data),
                    unzipped_bytes=artifact.unzipped_bytes + len(text),
                    files=artifact.files + 1,
                )
            artifacts.append(artifact)
        changed = dataclasses.replace(manifest, artifacts=tuple(artifacts))
        (folder / "manifest.json").write_text(changed.to_json())
        return folder


def received(aws: EmbeddedAws) -> int:
    """Bytes of the requests since this was last asked."""
    found = sum(line.received for line in aws.log.lines)
    aws.log.lines.clear()
    return found


def prepare_script(lam: Any, build: Path, role: str) -> None:
    """The script's function with its layers and its alias, as the script would have left it."""
    manifest = Manifest.read(build)
    arns = [
        lam.publish_layer_version(
            LayerName=f"script-{artifact.name}", Content={"ZipFile": (build / artifact.path).read_bytes()}
        )["LayerVersionArn"]
        for artifact in manifest.artifacts
        if artifact.kind == "layer"
    ]
    function = manifest.functions[0]
    lam.create_function(
        FunctionName="script",
        Runtime=function.runtime,
        Handler=function.handler,
        Role=role,
        Layers=arns,
        Code={"ZipFile": (build / "function.zip").read_bytes()},
        MemorySize=function.memory_mb,
        Timeout=function.timeout_seconds,
    )
    lam.get_waiter("function_active_v2").wait(FunctionName="script", WaiterConfig={"Delay": 1})
    version = lam.publish_version(FunctionName="script")["Version"]
    lam.create_alias(FunctionName="script", Name="live", FunctionVersion=version)


def sam_deploys(aws: EmbeddedAws, folder: Path) -> str:
    """How `sam deploy` ends there, in its last line."""
    (folder / "template.yaml").write_text(TEMPLATE)
    (folder / "function").mkdir()
    (folder / "function/lambda_function.py").write_text("def handler(event, context):\n    return {}\n")
    done = subprocess.run(
        [
            *(str(peer("sam", "aws-sam-cli") / "sam"), "deploy", "--stack-name", "example", "--region", REGION),
            *("--resolve-s3", "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset"),
        ],
        cwd=folder,
        env={**ENVIRONMENT, "AWS_ENDPOINT_URL": aws.endpoint_url},
        capture_output=True,
        text=True,
        check=False,
    )
    return f"exit {done.returncode}: {(done.stdout + done.stderr).strip().splitlines()[-1]}"


def main() -> None:
    """Deploy in turns, and print medians and ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    rounds: int = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="deploy-speed-") as scratch, embedded_aws() as aws:
        folder = Path(scratch)
        run(sys.executable, "-m", "optimizer", "build", "--output", folder / "first")
        where = {"endpoint_url": aws.endpoint_url, "region_name": REGION}
        keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
        lam = boto3.client("lambda", config=Config(read_timeout=120), **where, **keys)
        trust = json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
                ],
            }
        )
        role = boto3.client("iam", **where, **keys).create_role(RoleName="script", AssumeRolePolicyDocument=trust)
        prepare_script(lam, folder / "first", role["Role"]["Arn"])
        ours, told = Ours("ours", aws, "ours"), Ours("ours --code-only", aws, "ours-code", "--code-only")
        tools: tuple[Tool, ...] = (ours, told, Script(aws, "script", lam))
        builds = {tool.name: Builds(folder / tool.name, folder / "first") for tool in tools}
        for tool in (ours, told):
            tool.layer(builds[tool.name].next())
        seconds: dict[tuple[str, str], list[float]] = {}
        sent: dict[tuple[str, str], list[int]] = {}
        for _ in range(rounds):
            for kind in ("code", "layer"):
                for tool in tools:
                    if tool is told and kind == "layer":
                        continue
                    build = builds[tool.name].next("function" if kind == "code" else LAYER)
                    received(aws)
                    began = time.perf_counter()
                    getattr(tool, kind)(build)
                    seconds.setdefault((kind, tool.name), []).append(time.perf_counter() - began)
                    sent.setdefault((kind, tool.name), []).append(received(aws))
        for kind, title in (("code", "code alone"), ("layer", "one layer")):
            print(f"{title:20} {'median s':>9} {'least s':>8} {'bytes sent':>12}")
            base = statistics.median(seconds[kind, "ours"])
            for (of, name), taken in seconds.items():
                if of == kind:
                    median = statistics.median(taken)
                    print(
                        f"{name:20} {median:9.2f} {min(taken):8.2f} {statistics.median(sent[of, name]):12,.0f}"
                        f"  {median / base:.2f} times ours"
                    )
        (folder / "sam").mkdir()
        print(f"sam deploy           {sam_deploys(aws, folder / 'sam')}")


if __name__ == "__main__":
    main()
