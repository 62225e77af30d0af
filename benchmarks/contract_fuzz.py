"""The API against its own OpenAPI document: schemathesis with all its checks and phases, over HTTP.

Run: .venv/bin/python benchmarks/contract_fuzz.py [--examples 100] [--seed 1]
The function is served by uvicorn, with the project's embedded AWS behind it and a bucket that things are kept in: open
to everybody, with keys, and for callers that AWS has authenticated, of whom it is told as function URLs tell it. Valid
requests carry real pictures; invalid ones are what schemathesis makes of the document. A 5xx, a status, a header, a
type or a shape that the document doesn't have, a valid request that is refused or an invalid one that isn't counts as a
failure. Exit status 1 where there is one; the seed makes the same cases again.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import URLError

sys.path.insert(0, str(Path(__file__).parents[1]))

import boto3
import schemathesis
from hypothesis import strategies as st
from PIL import Image
from schemathesis.engine import events, from_schema

from optimizer.local import embedded_aws

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

ROOT = Path(__file__).parents[1]
DOCUMENT = "/api/v1/openapi.json"
KEY = "a key of the fuzzer's"
SIGNATURE = "AWS4-HMAC-SHA256 Credential=x/20261127/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0"
BUCKET = "kept-things"
PHASES = ("examples", "coverage", "fuzzing", "stateful")
GOOD = ["2xx"]

# A valid request must succeed. What a schema can't say of it stands here, with the status that says it instead.
EXCEPTIONS: dict[str, tuple[list[str], str]] = {
    "analyze": (["404", "413", "415", "422"], "the text may be no picture, and there may be no such object"),
    "upload": (["413", "415", "422"], "the text or file may be no picture"),
    "upload_presigned": (["413"], "how large a picture may be is a setting"),
    "get_analysis": (["404"], "nothing may be kept under an id"),
}


@dataclass(slots=True)
class Outcome:
    """What became of a run: cases by phase, answers by operation and status, and failures as text."""

    cases: Counter[str] = field(default_factory=Counter)
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    seconds: float = 0.0


def configuration(*, seed: int, examples: int, auth: tuple[str, str] | None = None) -> schemathesis.Config:
    """All checks and phases.

    Args:
        seed: Of everything that is drawn.
        examples: Most cases of an operation in the phases that draw them.
        auth: The document's scheme and what is sent for it, if the API asks for something.
    """
    document: dict[str, Any] = {
        "seed": seed,
        "generation": {"mode": "all", "max-examples": examples, "database": "none", "no-shrink": True},
        "phases": {"stateful": {"max-steps": 6}},
        "checks": {
            "enabled": True,
            "not_a_server_error": {"expected-statuses": ["2xx", "3xx", "4xx"]},
            "positive_data_acceptance": {"expected-statuses": GOOD},
        },
        "operations": [
            {
                "include-operation-id": name,
                "checks": {"positive_data_acceptance": {"expected-statuses": [*GOOD, *statuses]}},
            }
            for name, (statuses, _) in EXCEPTIONS.items()
        ],
    }
    if auth is not None:
        scheme, value = auth
        document["auth"] = {"openapi": {scheme: {"api_key": value}}}
        # For `Authorization` it takes nothing but 401. AWS answers 403, which `ignored_auth` looks for.
        document["checks"]["missing_required_header"] = {"enabled": value != SIGNATURE}
    return schemathesis.Config.from_dict(document)


def behind_iam(app: ASGIApp) -> ASGIApp:
    """The application, told who signed as function URLs tell it: in the event, for every signature."""

    async def authenticated(scope: Scope, receive: Receive, send: Send) -> None:
        if dict(scope["headers"]).get(b"authorization", b"") == SIGNATURE.encode():
            iam = {"userArn": "arn:aws:iam::123456789012:user/fuzzer"}
            scope["aws.event"] = {"version": "2.0", "requestContext": {"authorizer": {"iam": iam}}}
        await app(scope, receive, send)

    return authenticated


def served_behind_iam() -> ASGIApp:
    """For uvicorn, which has `function` in its path."""
    from app.main import app

    return behind_iam(app)


def pictures() -> list[bytes]:
    """Small ones in each format that the API takes."""
    made = []
    for kind in ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP"):
        target = io.BytesIO()
        Image.linear_gradient("L").resize((16, 12)).save(target, kind)
        made.append(target.getvalue())
    return made


def fuzz(schema: schemathesis.BaseSchema) -> Outcome:
    """Run every phase.

    Args:
        schema: With its configuration.
    """
    files = pictures()
    schemathesis.openapi.format("byte", st.sampled_from([base64.b64encode(data).decode() for data in files]))
    schemathesis.openapi.format("binary", st.sampled_from(files))
    outcome = Outcome()
    began = time.monotonic()
    for event in from_schema(schema).execute():
        match event:
            case events.ScenarioFinished():
                _count(outcome, event)
            case events.NonFatalError() | events.FatalError():
                outcome.failures.append(str(getattr(event, "value", None) or getattr(event, "exception", event)))
            case events.EngineFinished():
                outcome.failures += [str(failure) for failure in event.failures]
            case _:
                pass
    outcome.seconds = time.monotonic() - began
    return outcome


def _count(outcome: Outcome, event: events.ScenarioFinished) -> None:
    recorder = event.recorder
    for identifier, node in recorder.cases.items():
        interaction = recorder.interactions.get(identifier)
        if interaction is None or interaction.response is None:
            continue
        outcome.cases[event.phase.value] += 1
        outcome.answers[node.value.operation.label, interaction.response.status_code] += 1
        for check in recorder.checks.get(identifier, ()):
            if check.failure_info is not None and not (
                check.name == "negative_data_rejection" and _is_just_a_file(interaction.request.body or b"")
            ):
                failure = check.failure_info
                outcome.failures.append(
                    f"{node.value.operation.label}: {check.name}: {failure.failure.title}\n{failure.failure.message}\n"
                    f"{failure.code_sample[:1000]}\n"
                    f"{interaction.response.status_code} {interaction.response.content[:500]!r}"
                )


def _is_just_a_file(body: bytes) -> bool:
    """Whether a form has nothing but its picture, which is valid: empty lists, which are not, leave no trace in it."""
    return re.findall(rb'form-data; name="([^"]*)"', body) == [b"image"]


@contextmanager
def served(endpoint_url: str, app: Sequence[str], **settings: str) -> Iterator[str]:
    """The function behind uvicorn, in a process of its own; its log is shown if it doesn't start.

    Args:
        endpoint_url: Of the embedded AWS.
        app: What uvicorn serves.
        settings: The function's, as environment variables.
    """
    with tempfile.TemporaryFile("w+") as log:
        environment = {
            "PATH": os.defpath,
            "PYTHONPATH": f"{ROOT / 'function'}{os.pathsep}{ROOT}",
            "AWS_ENDPOINT_URL": endpoint_url,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "ANALYZER_STORE_BUCKET": BUCKET,
            **settings,
        }
        with socket.socket() as probe:  # a port that is free just now
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        address = f"http://127.0.0.1:{port}"
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "uvicorn", *app, "--port", str(port)),
                *("--log-level", "warning", "--no-access-log", "--lifespan", "off"),
            ],
            env=environment,
            stdout=log,
            stderr=log,
        )
        try:
            _wait(f"{address}/health", server)
            yield address
        except TimeoutError:
            log.seek(0)
            sys.exit(f"the function didn't start:\n{log.read()}")
        finally:
            server.terminate()
            server.wait(10)


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + 20
    while time.monotonic() < ends and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310  # an address of our own
                return
        except URLError:
            time.sleep(0.05)
    raise TimeoutError(url)


def main() -> None:
    """Fuzz it for everybody, with keys and with IAM, and print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=100, help="most cases of an operation in a phase (default 100)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--answers", action="store_true", help="count answers by operation and status")
    options = parser.parse_args()
    print(f"seed {options.seed}")
    print(
        f"{'auth':8} " + " ".join(f"{phase:>9}" for phase in PHASES) + f" {'cases':>7} {'failures':>9} {'seconds':>8}"
    )
    cases, failures = 0, []
    keys = {"ANALYZER_API_KEYS": hashlib.sha256(KEY.encode()).hexdigest()}
    plain, iam = ("app.main:app",), ("--factory", "benchmarks.contract_fuzz:served_behind_iam")
    with embedded_aws() as aws:
        access = {"region_name": "us-east-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}
        boto3.client("s3", endpoint_url=aws.endpoint_url, **access).create_bucket(Bucket=BUCKET)
        for auth, app, settings, sent in (
            ("none", plain, {}, None),
            ("api-key", plain, keys, ("apiKey", KEY)),
            ("iam", iam, {}, ("sigv4", SIGNATURE)),
        ):
            with served(aws.endpoint_url, app, ANALYZER_AUTH=auth, **settings) as address:
                config = configuration(seed=options.seed, examples=options.examples, auth=sent)
                outcome = fuzz(schemathesis.openapi.from_url(address + DOCUMENT, config=config))
            count = sum(outcome.cases.values())
            by_phase = " ".join(f"{outcome.cases[phase]:9}" for phase in PHASES)
            print(f"{auth:8} {by_phase} {count:9} {len(outcome.failures):9} {outcome.seconds:9.1f}", flush=True)
            if options.answers:
                for (operation, status), number in sorted(outcome.answers.items()):
                    print(f"  {operation:40} {status} {number:6}")
            cases += count
            failures += outcome.failures
    print(f"{cases} cases, {len(failures)} failures")
    for failure in failures:
        print(f"\n{failure}", file=sys.stderr)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
