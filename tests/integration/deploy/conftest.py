"""Projects as build leaves them, an embedded AWS that counts calls, and the command as a person or CI runs it."""

import dataclasses
import hashlib
import io
import itertools
import json
import os
import sys
import zipfile
from collections import Counter

import boto3
import pytest

from optimizer.build import Artifact, External, Function, Manifest
from optimizer.cli.app import main
from optimizer.deploy.boto import retry
from optimizer.deploy.permission.permissions import operations_of
from optimizer.local import embedded_aws
from optimizer.models import Target
from tests.integration.deploy.faults import faults  # noqa: F401  a fixture
from tests.integration.deploy.requests import recorded

HANDLER = """
import json
import core, web
VERSION = {version!r}
def handler(event, context):
    body = {{"path": event["rawPath"], "version": VERSION, "core": core.NAME, "web": web.NAME}}
    return {{"statusCode": {status}, "body": json.dumps(body)}}
"""


def zipped(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(path), text, compress_type=zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _digest(data):
    return hashlib.sha256(data).hexdigest()


def built(
    folder, *, function="app", region, version="1", core="1", web="1", status=200, source=None, more=None, **changes
):
    """A built function with the layers `aws-core` and `web`, whose handler imports from both.

    `more` are further files by artifact.
    """
    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        "aws-core": {"python/core.py": f"NAME = {core!r}\n"},
        "web": {"python/web.py": f"NAME = {web!r}\n"},
        function: {"h.py": source or HANDLER.format(version=version, status=status)},
    }
    artifacts = []
    for name, own in contents.items():
        files = {**own, **(more or {}).get(name, {})}
        kind = "function" if name == function else "layer"
        data = zipped(files)
        path = "function.zip" if kind == "function" else f"{name}.zip"
        (folder / path).write_bytes(data)
        artifacts.append(
            Artifact(
                name=name,
                kind=kind,
                path=path,
                sha256=hashlib.sha256(data).hexdigest(),
                zipped_bytes=len(data),
                unzipped_bytes=sum(len(text) for text in files.values()),
                fingerprint=hashlib.sha256(json.dumps(files, sort_keys=True, default=_digest).encode()).hexdigest(),
                files=len(files),
            )
        )
    external = changes.pop("external", ())
    manifest = Manifest(
        target=Target(runtime="python3.11", architecture="x86_64"),
        artifacts=tuple(artifacts),
        functions=(
            Function(
                **{
                    "name": function,
                    "artifact": function,
                    "layers": ("aws-core", "web"),
                    "external_layers": tuple(External(arn=arn, unzipped_bytes=10) for arn in external),
                    "handler": "h.handler",
                    "runtime": "python3.11",
                    "architecture": "x86_64",
                    "regions": (region,),
                    "memory_mb": 256,
                    "timeout_seconds": 10,
                    "environment": {},
                    "role_arn": None,
                    "policy": {
                        "Version": "2012-10-17",
                        "Statement": [{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}],
                    },
                    "check_path": "/health",
                    "url": "public",
                    **changes,
                }
            ),
        ),
        compressor="zlib",
        folder=folder,
    )
    (folder / "manifest.json").write_text(manifest.to_json())
    return dataclasses.replace(manifest, folder=folder)


@pytest.fixture(scope="session")
def aws():
    with embedded_aws() as running:
        yield running


REGIONS = itertools.chain(
    # S3 makes a bucket in the oldest one by another call than in all others
    (region for region in boto3.Session().get_available_regions("lambda") if region != "us-east-1"),
    (f"eu-{''.join(letters)}-1" for letters in itertools.product("abcdefghijklmnopqrstuvwxyz", repeat=3)),
)
os.environ.setdefault("MOTO_ALLOW_NONEXISTENT_REGION", "true")  # there are more tests than regions


@pytest.fixture
def region():
    """A region that no other test uses, so that all share one AWS; only roles are common to them."""
    return next(REGIONS)


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    """An endpoint that is not there is soon given up: it comes no more."""
    monkeypatch.setattr(retry, "UNREACHED_SECONDS", 1.0)


@dataclasses.dataclass(frozen=True)
class Done:
    stdout: str
    stderr: str
    status: int = 0


OPTIONS = {
    "deploy": {"--bucket": "bucket", "--lease": "lease", "--adopt": "adopt", "--canary": "canary"},
    "publish": {"--bucket": "bucket", "--ssm": "ssm"},
    "prune": {"--versions": "versions"},
}
"""What options add to what their commands are permitted to call."""


def permitted(command, arguments):
    """The operations that the table of permissions has for a command with its options."""
    added = {part for option, part in OPTIONS.get(command, {}).items() if option in arguments}
    return operations_of(frozenset({command, *added}))


class Command:
    """`python -m optimizer` in this process.

    `calls` are those that the last run made, by the service's access log, and `requests` what it asked for; each run is
    checked to call nothing but what the table of permissions has for its command and options.
    """

    def __init__(self, aws, folder, monkeypatch, capsys):
        self.aws, self.folder, self.monkeypatch, self.capsys = aws, folder, monkeypatch, capsys
        self.calls = Counter()
        self.requests = []

    def __call__(self, command, *arguments, status=0, local=True, **env):
        before = Counter(self.aws.log.counts)
        where = ("--endpoint-url", self.aws.endpoint_url) if local else ()
        with self.monkeypatch.context() as patch:
            for key in [k for k in os.environ if k.startswith("AWS_")]:
                patch.delenv(key)
            settings = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "HOME": str(self.folder)}
            for key, value in {**settings, "AWS_EC2_METADATA_DISABLED": "true", **env}.items():
                patch.setenv(key, value)
            patch.chdir(self.folder)
            patch.setattr(sys, "argv", ["optimizer", command, *arguments, *where])
            with recorded(patch) as self.requests, pytest.raises(SystemExit) as left:
                main()
        done = Done(*self.capsys.readouterr(), int(left.value.code or 0))
        assert status in {done.status, None}, done.stderr + done.stdout
        assert {request.operation for request in self.requests} <= permitted(command, arguments)
        self.calls = Counter({operation: n for (_, operation), n in (self.aws.log.counts - before).items()})
        return done

    def document(self, command, folder, *arguments, status=0):
        """The JSON document of a run on a folder of artifacts."""
        done = self(command, "--artifacts", str(folder), "--format", "json", *arguments, status=status)
        return json.loads(done.stdout)


@pytest.fixture
def command(aws, tmp_path, monkeypatch, capsys):
    return Command(aws, tmp_path, monkeypatch, capsys)


@pytest.fixture
def client(aws, region):
    def make(service="lambda", region_name=region):
        return boto3.client(
            service,
            endpoint_url=aws.endpoint_url,
            region_name=region_name,
            aws_access_key_id="x",
            aws_secret_access_key="x",
        )

    return make


def ask(client, function="app", qualifier="live"):
    """What a version or alias answers, and Lambda's error."""
    event = {"version": "2.0", "rawPath": "/x", "requestContext": {"http": {"method": "GET", "path": "/x"}}}
    answer = client.invoke(FunctionName=function, Qualifier=qualifier, Payload=json.dumps(event))
    payload = json.loads(answer["Payload"].read())
    if answer.get("FunctionError"):
        return answer["FunctionError"], payload
    return None, json.loads(payload["body"])
