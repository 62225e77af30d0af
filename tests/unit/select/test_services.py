"""Trimming botocore: only the service models that the code uses ship, and it fails closed."""

import json

import pytest

from optimizer.cli.pipeline import Source, planned
from optimizer.errors import ConfigError
from tests.support import CONFIG, lay_out, make_project

SERVICES = ("s3", "sqs", "sts", "rekognition")


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    make_project(tmp_path, config=CONFIG.replace('["aws"]', '["botocore"]'), requirements="botocore\nweb\ntool\n")
    files = {f"botocore/data/{name}/2020-01-01/service-2.json": json.dumps({"n": name}) for name in SERVICES}
    files |= {"botocore/__init__.py": "", "botocore/data/endpoints.json": "{}"}
    lay_out(tmp_path / "site", "botocore", files=files)
    return tmp_path


def shipped(project):
    """The services in the layer, and the plan's warnings."""
    with planned(Source(config=project / "config/layers.toml", path=project / "site")) as result:
        payload = next(d.payload for d in result.plan.layers[0].distributions if d.name == "botocore")
        paths = [line.split("\0")[0] for line in payload.sources]
        assert "python/botocore/data/endpoints.json" in paths
        found = {path.split("/")[3] for path in paths if path.count("/") > 3}
        return found, result.plan.warnings


def test_services_in_the_functions_code_ship_and_those_of_credentials(project):
    (project / "src/handler.py").write_text("import boto3\nboto3.client('s3')\n")
    assert shipped(project) == ({"s3", "sts"}, ())


def test_services_in_a_distributions_code_ship(project):
    lay_out(project / "site", "web", files={"web/__init__.py": "import boto3\nQUEUE = boto3.client('sqs')\n"})
    assert shipped(project)[0] == {"sqs", "sts"}


def test_what_cant_be_followed_keeps_everything_and_names_the_line(project):
    (project / "src/handler.py").write_text("import boto3\n\n\ndef make(name):\n    return boto3.client(name)\n")
    found, (warning,) = shipped(project)
    assert found == set(SERVICES)
    assert "handler.py:5" in warning


def test_a_change_of_the_code_is_seen(project):
    (project / "src/handler.py").write_text("import boto3\nboto3.client('s3')\n")
    assert shipped(project)[0] == {"s3", "sts"}
    (project / "src/handler.py").write_text("import boto3\nboto3.client('rekognition')\n")
    assert shipped(project)[0] == {"rekognition", "sts"}


@pytest.mark.parametrize(("services", "expected"), [('"all"', set(SERVICES)), ('["sqs"]', {"sqs", "sts"})])
def test_a_person_can_decide(project, services, expected):
    config = project / "config/layers.toml"
    config.write_text(f"{config.read_text()}\n[aws]\nservices = {services}\n")
    assert shipped(project)[0] == expected


def test_a_listed_service_that_is_none_is_a_fault(project):
    config = project / "config/layers.toml"
    config.write_text(f'{config.read_text()}\n[aws]\nservices = ["s3", "s4"]\n')
    with pytest.raises(ConfigError, match=r"aws\.services: 's4' is no service"):
        shipped(project)


def test_patterns_keep_and_drop(project):
    config = project / "config/layers.toml"
    slim = '[slim]\nkeep = {botocore = ["botocore/data/sqs/*"]}\ndrop = {web = ["web/*.txt"]}\n'
    config.write_text(f"{config.read_text()}\n{slim}")
    assert shipped(project)[0] == {"sqs", "sts"}


@pytest.mark.parametrize(
    "source",
    [
        "",
        "class UnknownServiceError(Exception):\n    pass\n",
        "class UnknownServiceError(Exception):\n    fmt = 'no {service_name}'\n",
        "class ResourceNotExistsError(Exception):\n    def __init__(self, service_name):\n        pass\n",
    ],
)
def test_what_is_added_to_another_sdks_exceptions_does_no_harm(project, source):
    """Another version may have other exceptions: then nothing is said, and nothing fails."""
    from optimizer.config import load
    from optimizer.models import InstalledFile
    from optimizer.select.shipped_services import saying_how_to_add

    config = load(project / "config/layers.toml")
    for path in ("botocore/exceptions.py", "boto3/exceptions.py"):
        file = InstalledFile(path=path, location="", bytes=1, mtime_ns=1, inode=1, executable=False)
        (changed,) = saying_how_to_add([file], config)
        found: dict[str, object] = {}
        exec(compile(source + changed.added, path, "exec"), found)  # noqa: S102  text of our own
        for name in ("UnknownServiceError", "ResourceNotExistsError"):
            if name in found:
                error = found[name]("x")
                assert "layer-optimizer" not in getattr(error, "fmt", "")
