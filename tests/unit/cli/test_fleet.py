"""In which regions consumers and roll look, and what of their options contradicts itself."""

import json

import pytest

from optimizer.cli.fleet import configured, regions_of
from optimizer.config import load
from optimizer.deploy.fleet.layer_reference import LayerReference
from optimizer.errors import UsageError
from tests.support import run_optimizer

ARN = "arn:aws:lambda:eu-west-1:123456789012:layer:web"
CONFIG = """
[[function]]
name = "one"
source = "function"
requirements = "requirements.txt"
handler = "h.handler"
runtime = "python3.11"
regions = ["eu-central-1", "eu-west-3"]

[[layer]]
name = "web"
"""


@pytest.fixture
def config(tmp_path):
    (tmp_path / "layers.toml").write_text(CONFIG)
    return load(tmp_path / "layers.toml")


def regions(text="web", given=None, config=None):
    return regions_of(given, LayerReference.parse(text), config)


def test_regions_are_those_given_else_the_arns_else_the_configured_else_the_environments(config, monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "sa-east-1")
    assert regions(given=["us-east-1", "us-east-1", "eu-west-1"], config=config) == ("us-east-1", "eu-west-1")
    assert regions(ARN, config=config) == ("eu-west-1",)
    assert regions(ARN, given=["eu-west-1"]) == ("eu-west-1",)
    assert regions(config=config) == ("eu-central-1", "eu-west-3")
    assert regions() == ("sa-east-1",)


def test_without_anything_that_names_a_region_one_is_asked_for(monkeypatch, tmp_path):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(UsageError, match="names a region"):
        regions()


def test_a_layer_can_be_used_in_its_own_region_alone():
    with pytest.raises(UsageError, match="is of the region eu-west-1"):
        regions(ARN, given=["us-east-1"])


def test_a_configuration_is_needed_only_where_it_is_named(monkeypatch, tmp_path):
    from optimizer.cli.common import CONFIG

    monkeypatch.chdir(tmp_path)
    assert configured(CONFIG) is None
    with pytest.raises(UsageError, match="There is no configuration"):
        configured(tmp_path / "mine.toml")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("web", "--yes", "--wave", "0"), "'0' is no size of a wave"),
        (("web", "--yes", "--check-path", "health"), "'health' is no path"),
        (("a b", "--yes"), "'a b' names no layer"),
        (("web", "--yes", "--local", "--endpoint-url", "http://x"), "exclude each other"),
        ((ARN, "--yes", "--region", "us-east-1"), "is of the region eu-west-1"),
    ],
)
def test_what_a_roll_cant_be_asked_is_told_before_aws_is_called(tmp_path, arguments, told):
    done = run_optimizer(tmp_path, "roll", *arguments, "--format", "json", status=2)
    assert told in json.loads(done.stdout)["error"]["message"]
