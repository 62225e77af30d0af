"""consumers and roll over hundreds of functions on the embedded AWS, whose control plane throttles as Lambda's does.

Run: .venv/bin/python benchmarks/fleet.py
So many functions use version 1 of a layer; version 2 breaks one in the third wave of ten. consumers has to name every
one, roll has to stop there, leave or take back what was moved as asked, and go on with a mended version. Each row is a
process of the command line; the seconds hold its start. The environments that answer the checks run on this machine,
which takes some of the time: Lambda has machines of its own for them.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import time
import zipfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import boto3
from botocore.config import Config

from optimizer.local import embedded_aws
from optimizer.local.service import AccessLog, Settings

REGION = "eu-central-1"
SOURCE = """
import json, web
def handler(event, context):
    return {{"statusCode": 500 if {name!r} in web.BREAKS else 200, "body": json.dumps(web.NAME)}}
"""
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def zipped(path: str, text: str) -> bytes:
    """A zip of one file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(path), text)
    return out.getvalue()


class Region:
    """Functions on one layer, made as anybody's tool makes them."""

    def __init__(self, endpoint_url: str, count: int) -> None:
        self.endpoint_url = endpoint_url
        self.names = [f"service-{number:03}" for number in range(count)]
        retries = Config(retries={"mode": "adaptive", "total_max_attempts": 50})
        self.client: Any = boto3.client("lambda", config=retries, **self.access)
        role = boto3.client("iam", **self.access).create_role(
            RoleName="fleet", AssumeRolePolicyDocument=json.dumps(TRUST)
        )["Role"]["Arn"]
        layer = self.publish("1")
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda name: self._make(name, role, layer), self.names))

    @property
    def access(self) -> dict[str, str]:
        """How boto3 reaches it."""
        return {
            "endpoint_url": self.endpoint_url,
            "region_name": REGION,
            "aws_access_key_id": "x",
            "aws_secret_access_key": "x",
        }

    def _make(self, name: str, role: str, layer: str) -> None:
        self.client.create_function(
            FunctionName=name,
            Runtime="python3.11",
            Handler="h.handler",
            Role=role,
            Code={"ZipFile": zipped("h.py", SOURCE.format(name=name))},
            Layers=[layer],
            Publish=True,
        )
        self.client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")

    def publish(self, name: str, breaks: tuple[str, ...] = ()) -> str:
        """A version of the layer that breaks those functions."""
        text = f"NAME = {name!r}\nBREAKS = {breaks!r}\n"
        answer = self.client.publish_layer_version(LayerName="web", Content={"ZipFile": zipped("python/web.py", text)})
        return str(answer["LayerVersionArn"])

    def run(self, command: str, *arguments: str) -> dict[str, Any]:
        """The command's document, with its seconds and status."""
        began = time.perf_counter()
        done = subprocess.run(
            [
                *(sys.executable, "-m", "optimizer", command, "web", "--region", REGION, "--format", "json"),
                *("--endpoint-url", self.endpoint_url, *arguments),
            ],
            cwd=Path(__file__).parents[1],
            env={"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"},
            stdout=subprocess.PIPE,
            check=False,
        )
        document: dict[str, Any] = json.loads(done.stdout)
        return {**document, "seconds": time.perf_counter() - began, "status": done.returncode}

    def served(self) -> Counter[int]:
        """How many aliases serve which version of the layer, by consumers."""
        (place,) = self.run("consumers")["regions"]
        return Counter(row["layer_version"] for row in place["consumers"] if row["aliases"])


def main() -> None:
    """Make the functions, run the commands, and print a row for each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--functions", type=int, default=200)
    count: int = parser.parse_args().functions
    with embedded_aws(Settings(throttle=True)) as aws:
        region = Region(aws.endpoint_url, count)
        aws.log.lines.clear()  # of what made the functions
        found = region.run("consumers")
        (place,) = found["regions"]
        named = {row["function"] for row in place["consumers"]}
        assert named == set(region.names), "consumers is not complete"
        print(f"{'':28} {'status':>6} {'seconds':>8} {'calls':>6} {'throttled':>9}  functions")
        row("consumers", found, refusals(aws.log), f"{len(named)} found in {len(place['consumers'])} versions")
        third = region.names[2 * count // 10]
        region.publish("2", (third,))
        steps = (
            ("roll, fault, back", ("--on-failure", "back")),
            ("roll, fault, stay", ("--on-failure", "stay")),
            ("roll again, mended layer", ()),
            ("roll again, nothing to do", ()),
        )
        for title, options in steps:
            if title == "roll again, mended layer":
                region.publish("3")
            aws.log.lines.clear()
            done = region.run("roll", "--wave", "10%", "--check-path", "/health", "--yes", *options)
            (place,) = done["regions"]
            throttled = refusals(aws.log)
            outcomes = Counter(one["outcome"] for one in place["functions"])
            told = ", ".join(f"{number} {outcome}" for outcome, number in sorted(outcomes.items()))
            served = ", ".join(f"{n} on {version}" for version, n in sorted(region.served().items()))
            row(title, done, throttled, f"{told}; served: {served}")


def refusals(log: AccessLog) -> int:
    """How many calls were refused as too many since this was last asked."""
    found = sum(line.status == 429 for line in log.lines)
    log.lines.clear()
    return found


def row(title: str, done: dict[str, Any], throttled: int, told: str) -> None:
    """One line of the table."""
    sent = sum(done["calls"].values())
    print(f"{title:28} {done['status']:6} {done['seconds']:8.1f} {sent:6} {throttled:9}  {told}", flush=True)


if __name__ == "__main__":
    main()
