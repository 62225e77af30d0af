"""The tools themselves read what is exported: they are installed in environments of their own, so not by default."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.export import readers
from tests.unit.export.exporting import HOSTILE, MANIFESTS, PUBLISHED, SEVERAL, lay_zips, written

pytestmark = pytest.mark.network
CASES = {**{name: (built, None) for name, built in MANIFESTS.items()}, "parameters": (SEVERAL, PUBLISHED["parameters"])}
OFFLINE = """\
module.exports = class {
  constructor(serverless) {
    serverless.getProvider('aws').request = async (service, method) =>
      method === 'describeStacks' ? { Stacks: [{ Outputs: [] }] } : {};
  }
};
"""
"""A plugin that answers for AWS, which Serverless asks about an earlier deploy before it packages."""


def run(*command, cwd, **more):
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", **more}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def pip_environment(folder: Path, *packages: str) -> Path:
    run(sys.executable, "-m", "venv", folder, cwd=folder.parent)
    run(folder / "bin/pip", "install", "--quiet", *packages, cwd=folder.parent)
    return folder / "bin"


@pytest.fixture(scope="module")
def sam(tmp_path_factory):
    return pip_environment(tmp_path_factory.mktemp("sam") / "env", "aws-sam-cli")


@pytest.mark.parametrize("name", CASES)
def test_sam_validates_it(name, sam, tmp_path):
    built, published = CASES[name]
    (tmp_path / "template.yaml").write_text(written("sam", lay_zips(built, tmp_path / "layers/.build"), published))
    options = ("--lint", "--template-file", "template.yaml", "--region", "eu-central-1")
    assert "is a valid SAM Template" in run(sam / "sam", "validate", *options, cwd=tmp_path, SAM_CLI_TELEMETRY="0")


@pytest.fixture(scope="module")
def cdk(tmp_path_factory):
    return pip_environment(tmp_path_factory.mktemp("cdk") / "env", "aws-cdk-lib", "constructs")


@pytest.mark.skipif(shutil.which("node") is None, reason="the CDK needs node")
@pytest.mark.parametrize("name", CASES)
def test_the_cdk_synthesises_it(name, cdk, tmp_path):
    built, published = CASES[name]
    (tmp_path / "app.py").write_text(written("cdk", lay_zips(built, tmp_path / "layers/.build"), published))
    run(cdk / "python", "app.py", cwd=tmp_path, CDK_OUTDIR=str(tmp_path / "out"))
    document = json.loads((tmp_path / "out/images.template.json").read_text())
    layers = readers.of_type(document, "Lambda::LayerVersion").values()
    assert len(layers) == (0 if published else 2)
    assert all(one["Description"].startswith("lo1 ") for one in layers)
    functions = readers.of_type(document, "Lambda::Function").values()
    assert len(readers.of_type(document, "Lambda::Alias")) == len(functions) == len(built.functions)
    actions = {one["Action"] for one in readers.of_type(document, "Lambda::Permission").values()}
    public = any(one.url == "public" for one in built.functions)
    assert actions == ({"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"} if public else set())
    if name == "hostile":
        assert next(iter(functions))["Environment"]["Variables"] == HOSTILE
        return  # cfn-lint reads JSON as YAML, which has no DEL
    lint = Path(sys.executable).with_name("cfn-lint")
    run(lint, "--ignore-checks", "W3005", "--", "out/images.template.json", cwd=tmp_path)  # DependsOn is the CDK's own


@pytest.fixture(scope="module")
def serverless(tmp_path_factory):
    folder = tmp_path_factory.mktemp("serverless")
    run("npm", "install", "--no-audit", "--no-fund", "serverless@3", cwd=folder)
    return folder / "node_modules/.bin/serverless"


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
@pytest.mark.parametrize("name", MANIFESTS)
def test_serverless_packages_it(name, serverless, tmp_path):
    built = MANIFESTS[name]
    text = written("serverless", lay_zips(built, tmp_path / "layers/.build"))
    (tmp_path / "offline.js").write_text(OFFLINE)
    (tmp_path / "serverless.yml").write_text(f"{text}\nplugins: [./offline.js]\n")
    told = run(serverless, "package", cwd=tmp_path, SLS_TELEMETRY_DISABLED="1", SLS_NOTIFICATIONS_MODE="off")
    assert "Warning" not in told
    document = json.loads((tmp_path / ".serverless/cloudformation-template-update-stack.json").read_text())
    resources = document["Resources"]
    functions = readers.of_type(document, "Lambda::Function")
    for one in functions.values():
        for layer in one.get("Layers", ()):
            assert isinstance(layer, str) or layer["Ref"] in resources
    for layer in (one for one in resources.values() if one["Type"] == "AWS::Lambda::LayerVersion"):
        assert (layer["DeletionPolicy"], layer["UpdateReplacePolicy"]) == ("Retain", "Retain")
    if name == "hostile":
        variables = functions["ImagesLambdaFunction"]["Environment"]["Variables"]
        joined = {k: "".join(v["Fn::Join"][1]) if isinstance(v, dict) else v for k, v in variables.items()}
        assert joined == HOSTILE


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed")
@pytest.mark.parametrize("name", CASES)
def test_terraform_validates_it(name, tmp_path):
    built, published = CASES[name]
    (tmp_path / "main.tf").write_text(written("terraform", lay_zips(built, tmp_path / "layers/.build"), published))
    run("terraform", "init", "-backend=false", "-input=false", cwd=tmp_path)
    run("terraform", "validate", cwd=tmp_path)
