"""A service whose model does not ship, asked for in a built layer: the real botocore says how to add it."""

import subprocess
import sys
import zipfile

import pytest

from optimizer.build import build
from optimizer.cli.pipeline import Source, planned
from optimizer.cli.selecting import choose
from optimizer.cli.sources import open_source
from optimizer.config import load
from optimizer.content import Store, file_hashes
from optimizer.inventory import read_inventory
from tests.support import CONFIG, make_project

ASK = """
import pickle, sys
sys.path.insert(0, sys.argv[1])
import boto3, boto3.exceptions, botocore.exceptions

def ask(make, name):
    try:
        make(name, region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")
    except Exception as error:
        return error

assert boto3.__file__.startswith(sys.argv[1])
assert ask(boto3.client, "s3") is None
assert ask(boto3.resource, "s3") is None
client, resource = ask(boto3.client, "dynamodb"), ask(boto3.resource, "dynamodb")
assert type(client) is botocore.exceptions.UnknownServiceError
assert isinstance(client, botocore.exceptions.DataNotFoundError)
assert client.kwargs["service_name"] == "dynamodb"
assert str(pickle.loads(pickle.dumps(client))) == str(client)
assert type(resource) is boto3.exceptions.ResourceNotExistsError
assert isinstance(resource, (boto3.exceptions.Boto3Error, botocore.exceptions.DataNotFoundError))
print(client)
print("-" * 8)
print(resource)
"""
MEND = "if 'dynamodb' is an AWS service, add it to `services` under [aws] in config/layers.toml and deploy again."


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    make_project(tmp_path, config=CONFIG.replace('["aws"]', '["boto3"]').replace('["web"]', "[]"), requirements="boto3")
    return tmp_path


def write(config, services):
    text = CONFIG.replace('["aws"]', '["boto3"]').split('[[layer]]\nname = "web')[0]
    config.write_text(f"{text}\n[aws]\nservices = {services}\n")


def unpacked(project, services):
    config = project / "config/layers.toml"
    write(config, services)
    with planned(Source(config=config)) as result:
        manifest = build(result.plan, result.payloads, project / "out", root=project)
        changed = {path for layer in result.plan.layers for d in layer.distributions for path in d.payload.changed}
    for artifact in manifest.artifacts:
        with zipfile.ZipFile(project / "out" / artifact.path) as archive:
            archive.extractall(project / "opt")
    return changed


def test_client_and_resource_say_how_to_add_the_service(project):
    changed = unpacked(project, '["s3", "sts"]')
    assert changed == {"botocore/exceptions.py", "boto3/exceptions.py"}
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", ASK, str(project / "opt/python")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    client, resource = done.stdout.split("--------")
    assert "ships only the service models s3, " in client
    assert MEND in client
    assert "The 'dynamodb' resource does not exist." in resource
    assert MEND in resource


def test_where_all_services_ship_nothing_is_added(project):
    config = project / "config/layers.toml"
    write(config, '"all"')
    loaded = load(config)
    with Store() as store:
        opened = open_source(
            loaded, path=None, wheels=None, requirements=None, upgrade=False, sha256=file_hashes(store)
        )
        chosen = choose(loaded, read_inventory(loaded, opened.environment), store)
    files = {file.path: file.added for selection in chosen.selections for file in selection.files}
    assert files["botocore/exceptions.py"] == files["boto3/exceptions.py"] == ""
    assert not any(files.values())
