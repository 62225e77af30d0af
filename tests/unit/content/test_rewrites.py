"""botocore's data as it ships: without what people read, and without endpoints of what does not ship."""

import gzip
import json
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import pytest

from optimizer.cli.build import run_build
from optimizer.cli.pipeline import Source, planned
from optimizer.content.rewrites import endpoint_prefix, only_endpoints, undocumented
from tests.support import CONFIG

MODEL = {
    "metadata": {"endpointPrefix": "portal.x"},
    "documentation": "<p>service</p>",
    "operations": {"Get": {"documentation": "get", "input": {"shape": "In"}}},
    "shapes": {
        "In": {"type": "structure", "members": {"documentation": {"shape": "Text", "documentation": "words"}}},
        "Text": {"type": "string", "documentation": "é"},
    },
    "clientContextParams": {"Fast": {"type": "boolean", "documentation": "botocore asks for it"}},
}


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_texts_go_and_all_that_a_call_reads_stays(pack):
    assert json.loads(undocumented(pack(json.dumps(MODEL).encode()))) == {
        "metadata": {"endpointPrefix": "portal.x"},
        "operations": {"Get": {"input": {"shape": "In"}}},
        "shapes": {
            "In": {"type": "structure", "members": {"documentation": {"shape": "Text"}}},
            "Text": {"type": "string"},
        },
        "clientContextParams": {"Fast": {"type": "boolean", "documentation": "botocore asks for it"}},
    }


@pytest.mark.parametrize("data", [b"", b"[1]", b"{", b"\x1f\x8b\x08broken", b'{"shapes": 1}'])
def test_what_is_no_model_stays_as_it_is(data):
    assert undocumented(data) == data
    assert only_endpoints(data, {"s3"}) == data
    assert endpoint_prefix(data) is None


def test_partitions_and_regions_stay():
    document = {"partitions": [{"partition": "aws", "regions": {"x": {}}, "services": {"s3": {"a": 1}, "ec2": {}}}]}
    assert json.loads(only_endpoints(json.dumps(document).encode(), {"s3"})) == {
        "partitions": [{"partition": "aws", "regions": {"x": {}}, "services": {"s3": {"a": 1}}}]
    }
    assert endpoint_prefix(json.dumps(MODEL).encode()) == "portal.x"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A function that asks for S3, with this environment's own boto3."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "config").mkdir()
    (tmp_path / "src").mkdir()
    (tmp_path / "src/handler.py").write_text("import boto3\nS3 = boto3.client('s3')\n")
    (tmp_path / "requirements.txt").write_text("boto3\n")
    config = CONFIG.replace('["aws"]', '["boto3"]').replace('["web"]', '["jmespath"]')
    (tmp_path / "config/layers.toml").write_text(config)
    return tmp_path


def test_clients_are_what_they_are_with_the_texts(project):
    """Operations, parameters, URLs, pages and waiters of the real botocore's S3; docstrings alone are shorter."""
    script = """
        import sys
        sys.path[:0] = sys.argv[1:]
        import boto3, json
        client = boto3.client("s3", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")
        model = client.meta.service_model
        print(json.dumps([
            sorted(model.operation_names),
            {n: sorted((model.operation_model(n).input_shape or model).members) for n in ("PutObject", "GetObject")},
            sorted(model.shape_names),
            client.generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"}).split("?")[0],
            client.can_paginate("list_objects_v2"), client.waiter_names, client.meta.endpoint_url,
            sorted(p.name for p in model.client_context_parameters),
            len(client.get_object.__doc__) > 100,
        ]))
    """
    run_build(Source(config=project / "config/layers.toml"), project / "out")
    for layer in ("aws-core", "web-framework", "utilities"):
        with zipfile.ZipFile(project / f"out/{layer}.zip") as archive:
            archive.extractall(project / "aws")
    import boto3

    here = str(Path(boto3.__file__).parents[1])
    found = [
        json.loads(
            subprocess.run(
                [sys.executable, "-I", "-S", "-c", textwrap.dedent(script), path],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        for path in (str(project / "aws/python"), here)
    ]
    assert found[0] == found[1]
    endpoints = json.loads((project / "aws/python/botocore/data/endpoints.json").read_bytes())
    assert {"s3", "sts"} <= set(endpoints["partitions"][0]["services"]) <= {"s3", "sts", "portal.sso", "oidc", "signin"}


def test_the_receipt_tells_of_both_rules_and_both_can_be_switched_off(project):
    config = project / "config/layers.toml"
    with planned(Source(config=config)) as result:
        (payload,) = (d.payload for layer in result.plan.layers for d in layer.distributions if d.name == "botocore")
    rules = {d.rule: (d.files, d.bytes) for d in payload.dropped}
    assert rules["botocore-endpoints"][0] == 1
    assert rules["botocore-endpoints"][1] > 1_000_000
    assert rules["botocore-documentation"][1] > 500_000
    config.write_text(config.read_text() + "[slim]\nbotocore-documentation = false\nbotocore-endpoints = false\n")
    with planned(Source(config=config)) as result:
        (whole,) = (d.payload for layer in result.plan.layers for d in layer.distributions if d.name == "botocore")
    assert {"botocore-endpoints", "botocore-documentation"}.isdisjoint(d.rule for d in whole.dropped)
    assert whole.zipped_bytes > payload.zipped_bytes
