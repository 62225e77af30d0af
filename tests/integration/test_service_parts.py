"""The real boto3, with its models in other layers than botocore, as Lambda merges them."""

import json
import subprocess
import sys
import textwrap
import zipfile

import pytest

from optimizer.cli.build import run_build
from optimizer.cli.pipeline import Source
from tests.support import CONFIG

OPTION = """
[aws]
services = ["s3", "sqs"]
[groups]
apart = [["botocore", "botocore/data/s3"]]
[build]
bytecode = false
"""


@pytest.fixture
def merged(tmp_path, monkeypatch):
    """Builds with or without the option, and unpacks the layers in attach order; the folder and where each file was."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "config").mkdir()
    (tmp_path / "src").mkdir()
    (tmp_path / "src/handler.py").write_text("")
    (tmp_path / "requirements.txt").write_text("boto3\n")
    base = CONFIG.replace('["aws"]', '["boto3"]').replace('\n[[layer]]\nname = "web-framework"\nroots = ["web"]\n', "")

    def make(*, split):
        text = OPTION.replace("[groups]", "split_services = true\n[groups]") if split else OPTION
        (tmp_path / "config/layers.toml").write_text(
            base + (text if split else text.replace('", "botocore/data/s3"', '"'))
        )
        output = tmp_path / f"out-{split}"
        manifest = run_build(Source(config=tmp_path / "config/layers.toml"), output)
        home = {}
        for artifact in manifest.artifacts:
            if artifact.kind == "layer":
                with zipfile.ZipFile(output / artifact.path) as archive:
                    archive.extractall(output / "opt")
                    home |= dict.fromkeys(archive.namelist(), artifact.name)
        return output / "opt", home

    return make


def test_layers_merge_to_what_they_are_without_the_option_and_boto3_works(merged):
    before, _ = merged(split=False)
    after, home = merged(split=True)
    model = next(path for path in home if path.endswith("botocore/data/s3/2006-03-01/service-2.json"))
    assert home[model] != home["python/botocore/__init__.py"]
    files = [
        {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}
        for root in (before, after)
    ]
    assert files[0].keys() == files[1].keys()
    assert {path for path, data in files[0].items() if data != files[1][path]} == set()
    script = """
        import base64, hashlib, importlib.metadata, json, sys
        sys.path.insert(0, sys.argv[1])
        import boto3, botocore
        found = {}
        for name in ("s3", "sqs"):
            client = boto3.client(name, region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")
            found[name] = len(client.meta.service_model.operation_names)
        client = boto3.client("s3", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")
        found["url"] = client.generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"}).split("?")[0]
        found["pages"] = client.can_paginate("list_objects_v2")
        wrong = []
        listed = importlib.metadata.files("botocore")
        for file in listed:
            data = file.locate().read_bytes()
            want = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            if file.hash and (file.hash.value != want or file.size != len(data)):
                wrong.append(str(file))
        found |= {"wrong": wrong, "models": sum("data/s3/" in str(file) for file in listed), "from": botocore.__file__}
        print(json.dumps(found))
    """
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", textwrap.dedent(script), str(after / "python")],
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert found["s3"] > 90
    assert found["sqs"] > 15
    assert found["pages"] is True
    assert found["url"].endswith("/k")
    assert found["wrong"] == []
    assert found["models"] >= 5
    assert found["from"].startswith(str(after))
