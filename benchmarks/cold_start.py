"""How long a cold start of the example takes: our layers, with and without bytecode, against what `sam build` makes.

Run: .venv/bin/python benchmarks/cold_start.py [--runs 20]
A start is a new process under awslambdaric in the project's stand-in for Lambda, from its start to the first answer of
GET /api/v1/health, for which the function makes its AWS clients; AWS is a server on this machine that refuses
everything. The three take turns. `sam` is installed once into an environment of its own in the user's cache.
Layers without bytecode are the same files as sources: `[slim] sources` and `[build] bytecode` are off.
"""

from __future__ import annotations

import argparse
import http.server
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from peers import ROOT, prepare_sam, run, sam_build

sys.path.insert(0, str(ROOT))

from optimizer.runtime import Fleet, FunctionImage

HTTP = {"method": "GET", "path": "/api/v1/health", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "x"}
EVENT = {
    "version": "2.0",
    "rawPath": HTTP["path"],
    "rawQueryString": "",
    "headers": {"host": "x.lambda-url.eu-central-1.on.aws"},
    "requestContext": {"stage": "$default", "domainName": "x.lambda-url.eu-central-1.on.aws", "http": HTTP},
    "isBase64Encoded": False,
}
# In a process of its own: imports, among them those of the first request, are told on stderr by -X importtime.
REQUEST = "import json, sys, lambda_function; lambda_function.handler(json.loads(sys.argv[1]), None)"


class Refusal(http.server.BaseHTTPRequestHandler):
    """AWS that answers everything with 403, at once."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def do_GET(self) -> None:
        """Read the request and refuse it."""
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self.send_response(403)
        self.send_header("content-length", "0")
        self.end_headers()

    do_POST = do_HEAD = do_GET  # noqa: N815  the names that http.server calls


def sam_package(folder: Path) -> Path:
    """What `sam build` makes of the function's folder, as the zip that `sam deploy` would send."""
    return Path(shutil.make_archive(str(folder / "sam"), "zip", sam_build(prepare_sam(folder), folder)))


def image(name: str, endpoint: str, code: Path, *layers: Path) -> FunctionImage:
    """The function, with credentials and endpoint of the AWS on this machine."""
    return FunctionImage(
        name=name,
        version="1",
        arn=f"arn:aws:lambda:eu-central-1:000000000000:function:{name}",
        handler="lambda_function.handler",
        runtime="python3.11",
        architecture="x86_64",
        memory_mb=1024,
        timeout_seconds=30,
        environment={
            "AWS_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_ENDPOINT_URL": endpoint,
        },
        code=code,
        layers=layers,
    )


def seconds(function: FunctionImage, cache: Path) -> float:
    """One cold start."""
    with Fleet(function, cache=cache) as fleet:
        fleet.prepare()
        began = time.perf_counter()
        invocation = fleet.invoke(json.dumps(EVENT).encode(), request_id="1", invoked_arn=function.arn)
        took = time.perf_counter() - began
    services = json.loads(json.loads(invocation.payload).get("body", "{}")).get("services", {})
    if {state["status"] for state in services.values()} != {"denied"}:
        sys.exit(f"{function.name} gave another answer than was to be timed:\n{invocation.payload!r}\n{invocation.log}")
    return took


def imports(function: FunctionImage, cache: Path) -> Counter[str]:
    """Milliseconds that each top-level package takes to import, without what it imports of others."""
    with Fleet(function, cache=cache) as fleet:
        folders = fleet.prepare()
    path = os.pathsep.join(map(str, (folders.task, *folders.layer_paths)))
    done = subprocess.run(
        [folders.interpreter, "-S", "-s", "-B", "-X", "importtime", "-c", REQUEST, json.dumps(EVENT)],
        env={"PATH": os.defpath, "PYTHONPATH": path, **function.environment},
        capture_output=True,
        text=True,
        check=True,
    )
    found: Counter[str] = Counter()
    for line in done.stderr.splitlines():
        own, _, module = line.removeprefix("import time:").rpartition("|")
        if own.partition("|")[0].strip().isdecimal():
            package = module.strip().partition(".")[0]
            found["standard library" if package in sys.stdlib_module_names else package] += int(own.split("|")[0])
    return found


def layered(name: str, endpoint: str, folder: Path, config: Path) -> FunctionImage:
    """The function with the layers that the optimizer builds."""
    output = folder / name
    run(sys.executable, "-m", "optimizer", "build", "--config", config, "--output", output, cwd=ROOT)
    manifest = json.loads((output / "manifest.json").read_text())
    artifacts = [output / artifact["path"] for artifact in manifest["artifacts"]]
    code = next(a for a in artifacts if a.name == "function.zip")
    return image(name, endpoint, code, *(a for a in artifacts if a != code))


def without_bytecode(folder: Path) -> Path:
    """The project's configuration with sources in the place of bytecode."""
    text = (ROOT / "config/layers.toml").read_text()
    changed = re.sub(r"^sources = true", "sources = false", text, flags=re.MULTILINE)
    changed = re.sub(r"^bytecode = true", "bytecode = false", changed, flags=re.MULTILINE)
    config = folder / "config/layers.toml"
    config.parent.mkdir()
    config.write_text(changed)
    return config


def main() -> None:
    """Build all, let them take turns, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20, help="starts of each (default 20)")
    runs = parser.parse_args().runs
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusal)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        functions = {
            "sam build": image("sam", endpoint, sam_package(folder)),
            "layers, no bytecode": layered("sources", endpoint, folder, without_bytecode(folder)),
            "layers": layered("ours", endpoint, folder, ROOT / "config/layers.toml"),
        }
        cache = folder / "cache"
        # the first round warms the disk
        rounds = [{label: seconds(f, cache) for label, f in functions.items()} for _ in range(runs + 1)][1:]
        tables = {label: [imports(functions[label], cache) for _ in range(5)] for label in ("sam build", "layers")}
    for label in functions:
        column = [one[label] for one in rounds]
        print(f"{label:<19}  median {statistics.median(column):.3f} s  least {min(column):.3f} s")
    for label in ("layers, no bytecode", "sam build"):
        times = statistics.median(one[label] / one["layers"] for one in rounds)
        wanted = " (3 is wanted)" if label == "sam build" else ""
        print(f"{times:.2f} times as fast as {label}, median of {runs} rounds{wanted}")
    print("\nimports, ms       sam build   layers")
    peer, own = ({key: statistics.median(c[key] for c in t) / 1000 for key in t[0]} for t in tables.values())
    for key in sorted(own, key=lambda key: (-own[key], key))[:12]:
        print(f"{key:<17} {peer.get(key, 0):>9.0f} {own[key]:>8.0f}")
    print(f"{'all':<17} {sum(peer.values()):>9.0f} {sum(own.values()):>8.0f}")


if __name__ == "__main__":
    main()
