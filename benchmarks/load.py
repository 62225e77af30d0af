"""The function under load: GET /health and a picture's colours at a fixed rate, on an embedded AWS of 2 environments.

Run: .venv/bin/python benchmarks/load.py [--seconds 30] [--health 500] [--colors 50]
The example is built, deployed with its layers to an embedded AWS of its own process, and called through its URL. Each
request has its appointed time, and its latency counts from that, however late it was sent: an open loop, so a queue is
seen. There are as many connections as environments, since Lambda refuses what it has no environment for; what waits for
a connection waits here. A rate is held where every request was answered with 200 and the 99th percentile is at most 250
ms; where the wished one is not, the highest that is gets looked for in shorter runs. `at most` is what the connections
do without a pause. `bare` is a function that returns a constant, through the same path and for a third of the time; the
last table calls handlers without any path, in the interpreter and with the folders of an environment.

Client, embedded AWS and environments share this machine's cores. Memory is resident MB, at the beginning, in the middle
and at the end; the embedded AWS remembers its last 10,000 invocations, and grows until it has them.
"""

from __future__ import annotations

import argparse
import base64
import dataclasses
import io
import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections import Counter
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from socket import create_connection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
from peers import ROOT, run
from PIL import Image

sys.path.insert(0, str(ROOT))

from optimizer.build import Manifest
from optimizer.runtime import Fleet, FunctionImage

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION = "eu-central-1"
ENVIRONMENTS = 2
PICTURE_BYTES = 1_000_000
HELD_SECONDS = 0.25
"""The most that the 99th percentile may be where a rate is held."""
STEPS = (0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4)
"""Of what the connections do without a pause: where the highest rate that is held is looked for."""
KEYS = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
BARE = """
def handler(event, context):
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": '{"status":"healthy"}'}
"""
# Each handler's median microseconds, in turns; what they log goes nowhere.
PROBE = (
    BARE.replace("handler", "bare")
    + """
import json, statistics, sys, time, types
from mangum import Mangum
import lambda_function

async def empty(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": b"{}"})

context = types.SimpleNamespace(aws_request_id="00000000-0000-0000-0000-000000000000", function_name="x")
event = json.loads(sys.argv[1])
handlers = {
    "bare": bare,
    "Mangum, empty application": Mangum(empty, lifespan="off"),
    "FastAPI and Mangum": lambda_function.handler,
}
taken = {name: [] for name in handlers}
for _ in range(20):
    for name, handler in handlers.items():
        for _ in range(100):
            began = time.perf_counter_ns()
            answer = handler(event, context)
            taken[name].append(time.perf_counter_ns() - began)
            assert answer["statusCode"] == 200, answer
medians = {name: statistics.median(times[len(times) // 10:]) / 1000 for name, times in taken.items()}
path = "/api/v1/analyze"
event["requestContext"]["http"].update(method="POST", path=path)
event["headers"]["content-type"] = "application/json"
event.update(rawPath=path, body=sys.stdin.read())
spent = []
for _ in range(25):
    began = time.process_time_ns()
    answer = lambda_function.handler(event, context)
    spent.append(time.process_time_ns() - began)
    assert answer["statusCode"] == 200, answer
print(json.dumps({"health": medians, "colors": statistics.median(spent[5:]) / 1e6}), file=sys.stderr)
"""
)


@dataclass(slots=True)
class Run:
    """One run: latencies in seconds from the appointed times, in the order of the answers, and what went wrong."""

    rate: float
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    unsent: int = 0

    @property
    def achieved(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    @property
    def held(self) -> bool:
        """Whether every request had its answer, and in time."""
        return not self.errors and not self.unsent and self.percentile(99) <= HELD_SECONDS

    def percentile(self, percent: int) -> float:
        """Seconds; infinite where nothing was answered."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) * percent // 100, len(ordered) - 1)] if ordered else float("inf")


class Connection:
    """One connection to the function's URL, kept as long as the server keeps it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "", parts.port or 80)
        self._socket: Any = None

    def ask(self, request: bytes) -> int:
        """Send one request whole, and read its answer whole; the status."""
        if self._socket is None:
            self._socket = create_connection(self._address, timeout=30)
        self._socket.sendall(request)
        data = bytearray()
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._receive()
        head = bytes(data[:end]).decode("latin-1").lower()
        length = int(head.partition("content-length:")[2].partition("\r\n")[0])
        while len(data) < end + 4 + length:
            data += self._receive()
        if "connection: close" in head:
            self.close()
        return int(head.split(" ", 2)[1])

    def _receive(self) -> bytes:
        part: bytes = self._socket.recv(1 << 16)
        if not part:
            raise ConnectionResetError
        return part

    def close(self) -> None:
        """Close it; the next request opens it again."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def drive(url: str, request: bytes, *, seconds: float, rate: float | None = None) -> Run:
    """Send a request again and again, at its appointed times or, without a rate, without a pause.

    What has not been sent two seconds after the last appointed time is given up.
    """
    done = Run(rate=rate or 0.0)
    numbers = itertools.count()
    total = round(rate * seconds) if rate else sys.maxsize
    began = time.perf_counter() + 0.05
    ends = began + seconds + (2.0 if rate else 0.0)

    def work() -> None:
        with closing(Connection(url)) as connection:
            while (number := next(numbers)) < total:
                now = time.perf_counter()
                appointed = began + number / rate if rate else now
                if now > ends:
                    done.unsent += rate is not None
                    if rate is None:
                        return
                    continue
                if appointed > now:
                    time.sleep(appointed - now)
                try:
                    status = connection.ask(request)
                except OSError as error:
                    connection.close()
                    done.errors[type(error).__name__] += 1
                    continue
                if status == 200:
                    done.latencies.append(time.perf_counter() - appointed)
                else:
                    done.errors[str(status)] += 1

    threads = [threading.Thread(target=work) for _ in range(ENVIRONMENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done.seconds = time.perf_counter() - began
    return done


class Machine:
    """An embedded AWS in a process of its own, with what is deployed to it."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "optimizer", "local", "--function-concurrency", str(ENVIRONMENTS)]
        with (folder / "local.log").open("wb") as log:
            self.process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        place = folder / ".local/endpoint.json"
        while not place.exists():
            if self.process.poll() is not None:
                sys.exit(f"the embedded AWS did not start:\n{(folder / 'local.log').read_text()}")
            time.sleep(0.05)
        self.endpoint_url: str = json.loads(place.read_text())["endpoint_url"]

    def deploy(self, build: Path) -> str:
        """Deploy a build as anybody does, with a public URL, which is returned."""
        manifest = Manifest.read(build)
        function = dataclasses.replace(manifest.functions[0], url="public", regions=(REGION,))
        (build / "manifest.json").write_text(dataclasses.replace(manifest, functions=(function,)).to_json())
        command = [sys.executable, "-m", "optimizer", "deploy", "--yes", "--endpoint-url", self.endpoint_url]
        done = subprocess.run(
            [*command, "--artifacts", build, "--format", "json"],
            env={**os.environ, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"deploy failed:\n{done.stdout}{done.stderr}")
        url: str = json.loads(done.stdout)["deployments"][0]["url"]
        return url

    def bare(self) -> str:
        """A function of a few lines; its URL."""
        where = {"endpoint_url": self.endpoint_url, "region_name": REGION, **KEYS}
        role = boto3.client("iam", **where).create_role(RoleName="bare", AssumeRolePolicyDocument=json.dumps(TRUST))
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as archive:
            archive.writestr("bare.py", BARE)
        lam = boto3.client("lambda", **where)
        lam.create_function(
            FunctionName="bare",
            Runtime="python3.11",
            Handler="bare.handler",
            Role=role["Role"]["Arn"],
            Code={"ZipFile": data.getvalue()},
            MemorySize=1024,
            Timeout=30,
        )
        lam.get_waiter("function_active_v2").wait(FunctionName="bare", WaiterConfig={"Delay": 1})
        url: str = lam.create_function_url_config(FunctionName="bare", AuthType="NONE")["FunctionUrl"]
        for action in ("InvokeFunctionUrl", "InvokeFunction"):
            lam.add_permission(FunctionName="bare", StatementId=action, Action=f"lambda:{action}", Principal="*")
        return url

    def memory(self) -> dict[str, float]:
        """Resident MB of the embedded AWS and of each environment that runs."""
        found = {"embedded AWS": _resident(self.process.pid)}
        children = Path(f"/proc/{self.process.pid}/task").glob("*/children")  # of each of its threads
        for pid in sorted({int(pid) for file in children for pid in file.read_text().split()}):
            variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            name = next((v.partition(b"=")[2] for v in variables if v.startswith(b"AWS_LAMBDA_FUNCTION_NAME=")), b"")
            if name:
                found[f"{name.decode()} {pid}"] = _resident(pid)
        return found


def _resident(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024 / 1e6


@contextmanager
def machine() -> Iterator[tuple[Machine, Path]]:
    """An embedded AWS for the time of the block, and a folder."""
    with tempfile.TemporaryDirectory(prefix="load-") as folder:
        made = Machine(Path(folder))
        try:
            yield made, Path(folder)
        finally:
            made.process.terminate()
            made.process.wait()


def request(url: str, method: str, path: str, body: bytes = b"") -> bytes:
    """A whole HTTP request."""
    head = f"{method} /{path} HTTP/1.1\r\nhost: {urlsplit(url).netloc}\r\nuser-agent: load\r\naccept: */*\r\n"
    if body:
        head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def picture() -> bytes:
    """A JPEG of about PICTURE_BYTES with 2400 by 1600 pixels: soft gradients under noise."""
    size = (2400, 1600)
    linear, radial = (ramp.resize(size) for ramp in (Image.linear_gradient("L"), Image.radial_gradient("L")))
    colours = Image.merge("RGB", (linear, radial, linear.rotate(180)))
    image = Image.blend(colours, Image.effect_noise(size, 30).convert("RGB"), 0.3)
    data = b""
    for quality in range(90, 60, -1):
        out = io.BytesIO()
        image.save(out, "JPEG", quality=quality)
        data = out.getvalue()
        if len(data) <= PICTURE_BYTES:
            break
    return data


def row(name: str, done: Run) -> None:
    """One line of the table."""
    times = [f"{done.percentile(percent) * 1000:8.1f}" for percent in (50, 99, 100)]
    wished = f"{done.rate:7.1f}" if done.rate else "at most"
    errors = ", ".join(f"{count} {what}" for what, count in done.errors.most_common()) or "0"
    unsent = f", {done.unsent} not sent in time" if done.unsent else ""
    held = "" if not done.rate else "  held" if done.held else "  not held"
    print(f"{name:24} {wished} {done.achieved:8.1f} {' '.join(times)}  {errors}{unsent}{held}", flush=True)


def measure(aws: Machine, name: str, url: str, asked: bytes, *, rate: float, seconds: float) -> None:
    """The wished rate, with memory; the highest that is held where that is not."""
    drive(url, asked, seconds=2)  # the environments start
    row(name, most := drive(url, asked, seconds=5))
    samples = [aws.memory()]
    middle = threading.Timer(seconds / 2, lambda: samples.append(aws.memory()))
    middle.start()
    done = drive(url, asked, seconds=seconds, rate=rate)
    middle.join()
    samples.append(aws.memory())
    row(name, done)
    if not done.held:
        _look_for_less(name, url, asked, most=most.achieved, below=rate, seconds=seconds)
    for process in samples[-1]:
        values = [f"{sample.get(process, 0):.1f}" for sample in samples]
        print(f"  memory of {process:40} {' '.join(f'{value:>7}' for value in values)}")


def _look_for_less(name: str, url: str, asked: bytes, *, most: float, below: float, seconds: float) -> None:
    """The highest rate that is held: the first that is in a short run, or else the next, runs for the whole time."""
    held = 0
    for rate in (wished for step in STEPS if (wished := round(most * step, 1)) < below):
        if held or drive(url, asked, seconds=seconds / 5, rate=rate).held:
            row(name, done := drive(url, asked, seconds=seconds, rate=rate))
            held += 1
            if done.held or held == 2:
                return
    if not held:
        print(f"{name:24} no rate down to {STEPS[-1]} of that is held, even for {seconds / 5:g} s", flush=True)


def in_process(folder: Path, build: Path, body: bytes) -> None:
    """What the handlers alone take."""
    manifest = Manifest.read(build)
    layers = tuple(build / artifact.path for artifact in manifest.artifacts if artifact.kind == "layer")
    function = FunctionImage(
        name="load",
        version="1",
        arn=f"arn:aws:lambda:{REGION}:000000000000:function:load",
        handler="lambda_function.handler",
        runtime="python3.11",
        architecture="x86_64",
        memory_mb=1024,
        timeout_seconds=30,
        environment={},
        code=build / "function.zip",
        layers=layers,
    )
    with Fleet(function, cache=folder / "cache") as fleet:
        folders = fleet.prepare()
    event = {
        "version": "2.0",
        "rawPath": "/health",
        "rawQueryString": "",
        "headers": {"host": "x.lambda-url.eu-central-1.on.aws", "user-agent": "load", "accept": "*/*"},
        "requestContext": {
            "stage": "$default",
            "domainName": "x.lambda-url.eu-central-1.on.aws",
            "http": {
                "method": "GET",
                "path": "/health",
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "load",
            },
        },
        "isBase64Encoded": False,
    }
    done = subprocess.run(
        [folders.interpreter, "-S", "-s", "-B", "-c", PROBE, json.dumps(event)],
        env={"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(map(str, (folders.task, *folders.layer_paths)))},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        input=body.decode(),
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"the handlers alone failed:\n{done.stderr}")
    print("\nhandler alone, GET /health     median us")
    taken = json.loads(done.stderr.splitlines()[-1])
    for name, median in taken["health"].items():
        print(f"{name:32} {median:7.1f}")
    print(f"\nhandler alone, POST analyze, colors: {taken['colors']:.1f} ms of CPU (median)")


def main() -> None:
    """Deploy, drive, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30, help="of each run (default 30)")
    parser.add_argument("--health", type=float, default=500, help="GET /health a second (default 500)")
    parser.add_argument("--colors", type=float, default=50, help="pictures a second (default 50)")
    given = parser.parse_args()
    with machine() as (aws, folder):
        build = folder / "build"
        run(sys.executable, "-m", "optimizer", "build", "--output", build)
        url, bare = aws.deploy(build), aws.bare()
        body = json.dumps({"image": base64.b64encode(picture()).decode(), "analysis_type": "colors"}).encode()
        asked = request(url, "POST", "api/v1/analyze", body)
        print(f"{ENVIRONMENTS} environments and connections, {os.cpu_count()} cores, bodies of {len(body):,} bytes")
        print("                          asked/s  done/s   p50 ms   p99 ms   max ms  errors", flush=True)
        runs = (
            ("bare, GET /health", bare, request(bare, "GET", "health"), given.health, given.seconds / 3),
            ("bare, POST the picture", bare, request(bare, "POST", "", body), given.colors, given.seconds / 3),
            ("GET /health", url, request(url, "GET", "health"), given.health, given.seconds),
            ("POST analyze, colors", url, asked, given.colors, given.seconds),
        )
        for name, address, text, rate, seconds in runs:
            measure(aws, name, address, text, rate=rate, seconds=seconds)
        in_process(folder, build, body)


if __name__ == "__main__":
    main()
