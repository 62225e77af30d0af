"""Manifests of every shape that is exported, and zips for them."""

import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path

from optimizer.build import Artifact, External, Function, Manifest, Share
from optimizer.models import Target
from optimizer.report.export import export_of, exported, published_layers

TOOLS = ("sam", "cloudformation", "terraform", "cdk", "serverless")
TEMPLATES = ("sam", "cloudformation")
EXTERNAL = "arn:aws:lambda:eu-central-1:464622532012:layer:Datadog-Extension:64"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "Read",
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:ListBucket"],
            "Resource": ["arn:aws:s3:::pictures", "arn:aws:s3:::pictures/*"],
            "Condition": {"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}},
        }
    ],
}
HOSTILE = {
    "QUOTES": "a 'single' and a \"double\" one, \\ and \\\\",
    "DOLLARS": "${HOME} $${HOME} \\${env:HOME} ${env:HOME} $5 $$",
    "OPEN": "${",
    "PERCENT": "%{ if true }x%{ endif } 100% %%{x}",
    "HASHES": "#{AWS::Region} # no comment",
    "LINES": "first\nsecond\r\n\tthird\n",
    "COLONS": "key: value - [x] {y} & *z !Ref a | > @ `",
    "UNICODE": "Zürich 日本 😀 \u202eright to left\u2028\u0085\ufeff\x7f",
    "WORDS": "no",
    "NUMBER": "0123",
    "EMPTY": "",
    "SPACES": "  around  ",
    "FRONT": "--- ",
    "BRACES": "{{x}} {% y %} <%= z %>",
}
"""Values of environment variables that one tool or another would take for something of its own."""


def artifact(name: str, kind: str = "layer", content: str = "", path: str | None = None) -> Artifact:
    digest = hashlib.sha256(f"{name} {content}".encode()).hexdigest()
    return Artifact(
        name=name,
        kind=kind,
        path=path or f"{name}.zip",
        sha256=digest,
        zipped_bytes=2_345_678,
        unzipped_bytes=9_000_000,
        fingerprint=digest,
        files=12,
    )


def function(name: str = "images", **more) -> Function:
    return Function(
        **{
            "name": name,
            "artifact": name,
            "layers": ("aws-core", "web"),
            "external_layers": (),
            "handler": "lambda_function.handler",
            "runtime": "python3.11",
            "architecture": "x86_64",
            "regions": ("eu-central-1",),
            "memory_mb": 512,
            "timeout_seconds": 30,
            "environment": {},
            "role_arn": None,
            "policy": POLICY,
            "check_path": "/health",
            "url": "iam",
            **more,
        }
    )


def manifest(*functions: Function, share: Share | None = None) -> Manifest:
    functions = functions or (function(),)
    layers = dict.fromkeys(name for one in functions for name in one.layers)
    codes = [artifact(one.artifact, "function", path=f"function-{i}.zip") for i, one in enumerate(functions)]
    return Manifest(
        target=Target(runtime="python3.11", architecture=functions[0].architecture),
        artifacts=(*(artifact(name) for name in layers), *codes),
        functions=tuple(functions),
        compressor="zlib",
        share=share,
    )


SEVERAL = manifest(
    function("images", layers=("web", "aws-core"), url="public", tags={"team": "pictures", "cost centre": "4/7 + 1"}),
    function("thumbs_2", layers=("aws-core",), url="none", role_arn="arn:aws:iam::123456789012:role/thumbs"),
    function("nightly", layers=(), url="none", policy=None, environment={"MODE": "full"}),
)
MANIFESTS = {
    "plain": manifest(),
    "public": manifest(function(url="public")),
    "hostile": manifest(function(environment=HOSTILE)),
    "external": manifest(function(external_layers=(External(arn=EXTERNAL, unzipped_bytes=9),), architecture="arm64")),
    "shared": manifest(share=Share(accounts=("210987654321",), organization="o-a1b2c3d4e5")),
    "several": SEVERAL,
    "regions": manifest(function(regions=("eu-central-1", "us-east-1"))),
}


def publication(built: Manifest, *regions: str, ssm: str | None = None) -> dict:
    """What publish --format json writes of it."""
    return {
        "schema": 1,
        "layers": [
            {
                "name": one.name,
                "region": region,
                "version": 7,
                "arn": f"arn:aws:lambda:{region}:123456789012:layer:{one.name}:7",
                "fingerprint": one.fingerprint,
                "published": False,
                **({"parameter": f"{ssm}/{one.name}"} if ssm else {}),
            }
            for region in regions
            for one in built.artifacts
            if one.kind == "layer"
        ],
    }


PUBLISHED = {
    "one region": publication(SEVERAL, "eu-central-1"),
    "two regions": publication(SEVERAL, "eu-central-1", "us-east-1"),
    "parameters": publication(SEVERAL, "eu-central-1", "us-east-1", ssm="/layers/images"),
}


def written(tool: str, built: Manifest, published: dict | None = None, folder: str = "layers/.build") -> str:
    """The text of an export."""
    layers = None if published is None else published_layers(published, "published.json")
    return exported(
        tool,
        export_of(
            built, folder=folder, file="template.yaml", command=f"export --format {tool}", before=("build",),
            published=layers,
        ),
    )  # fmt: skip


def exports(tool: str) -> dict[str, str]:
    """All of them, by what is particular about each."""
    found = {name: written(tool, built) for name, built in MANIFESTS.items()}
    return found | {f"published, {name}": written(tool, SEVERAL, one) for name, one in PUBLISHED.items()}


def lay_zips(built: Manifest, folder: Path) -> Manifest:
    """Zips and manifest as build leaves them."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for one in built.artifacts:
        member = "python/x.py" if one.kind == "layer" else "lambda_function.py"
        with zipfile.ZipFile(folder / one.path, "w") as archive:
            archive.writestr(zipfile.ZipInfo(member), f"NAME = {one.name!r}\ndef handler(event, context): pass\n")
        made.append(replace(one, sha256=hashlib.sha256((folder / one.path).read_bytes()).hexdigest()))
    laid = replace(built, artifacts=tuple(made), folder=folder)
    (folder / "manifest.json").write_text(laid.to_json())
    return laid
