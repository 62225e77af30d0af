"""config/layers.toml: every fault is told, by line or dotted key."""

import pytest

from optimizer.config import load
from optimizer.errors import ConfigError, UsageError
from tests.support import CONFIG


def faults(tmp_path, text):
    (tmp_path / "layers.toml").write_text(text)
    with pytest.raises(ConfigError) as raised:
        load(tmp_path / "layers.toml")
    return raised.value.faults


def test_the_projects_own_configuration_is_valid():
    config = load(__import__("pathlib").Path("config/layers.toml"))
    assert [layer.name for layer in config.layer] == ["aws-core", "web-framework", "utilities"]
    assert config.function[0].url == "iam"


def test_a_missing_file_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="There is no configuration"):
        load(tmp_path / "layers.toml")


def test_malformed_toml_names_the_line(tmp_path):
    (fault,) = faults(tmp_path, "[[layer]]\nname = \n")
    assert "line 2" in fault


def test_faults_of_every_kind_are_told_at_once(tmp_path):
    text = CONFIG.replace("regions", "timeout_seconds = 0\nregions") + (
        '\n[[layer]]\nname = "no spaces"\n\n[[layer]]\nname = "aws-core"\nroots = ["aws"]\nsurprise = 1\n'
        '\n[build]\nbytecode = "sometimes"\n\n[groups]\ntogether = [["aws", "web"]]\n'
    )
    found = "\n".join(faults(tmp_path, text))
    assert "function[0].timeout_seconds: Input should be greater than or equal to 1" in found
    assert "layer[3].name: 'no spaces' is not a layer's name" in found
    assert "layer[4].surprise: unknown key" in found
    assert "build.bytecode" in found
    assert "layer: the name 'aws-core' is used twice" in found
    assert "groups.together[0]: aws, web are in different layers: aws-core, web-framework" in found


def test_more_than_five_layers_are_refused(tmp_path):
    text = CONFIG + "".join(f'\n[[layer]]\nname = "l{i}"\nroots = ["r{i}"]\n' for i in range(3))
    assert "layer: 6 layers; Lambda attaches at most 5" in faults(tmp_path, text)


def test_external_layers_take_slots(tmp_path):
    arn = "arn:aws:lambda:eu-central-1:123456789012:layer:agent{}:1"
    external = ", ".join(f'{{arn = "{arn.format(i)}", unzipped_bytes = 1}}' for i in range(3))
    text = CONFIG.replace("regions =", f"external_layers = [{external}]\nregions =")
    assert "layer: 3 layers beside 3 external; Lambda attaches at most 5" in faults(tmp_path, text)


def test_one_distribution_in_two_layers_is_a_contradiction(tmp_path):
    text = CONFIG.replace('roots = ["web"]', 'roots = ["web"]\ninclude = ["aws"]')
    assert "layer[1].include[0]: 'aws' is already in layer 'aws-core'" in faults(tmp_path, text)


def test_functions_of_one_file_share_runtime_and_architecture(tmp_path):
    other = CONFIG.split("[[layer]]")[0].replace('"app"', '"other"').replace("3.11", "3.12")
    (fault,) = faults(tmp_path, CONFIG + other)
    assert "functions of one file share their layers" in fault


def test_apart_and_together_contradict_each_other(tmp_path):
    text = CONFIG + '\n[groups]\ntogether = [["x", "y"]]\napart = [["y", "x"]]\n'
    assert any("contradict each other" in fault for fault in faults(tmp_path, text))


def test_a_layer_cant_be_called_as_a_functions_zip_is(tmp_path):
    text = CONFIG.replace('"utilities"', '"function"')
    assert any("layer[2].name: 'function' is the name of a function's zip" in f for f in faults(tmp_path, text))


def test_pythonpath_would_hide_every_layer(tmp_path):
    text = CONFIG.replace("regions =", 'environment = {PYTHONPATH = "/x"}\nregions =')
    assert any("PYTHONPATH" in fault for fault in faults(tmp_path, text))


@pytest.mark.parametrize("name", ["A", "B-C", "1A", "_A"])
def test_a_variable_that_lambda_does_not_take_is_a_fault(tmp_path, name):
    text = CONFIG.replace("regions =", f'environment = {{"{name}" = "1"}}\nregions =')
    assert [fault for fault in faults(tmp_path, text) if f"environment.{name}" in fault]


def test_paths_have_to_stay_in_the_project(tmp_path):
    assert any("function[0].source" in f for f in faults(tmp_path, CONFIG.replace('"src"', '"../elsewhere"')))


def test_names_are_normalised(tmp_path):
    (tmp_path / "layers.toml").write_text(CONFIG.replace('["web"]', '["Web_Framework.Core"]'))
    assert load(tmp_path / "layers.toml").layer[1].roots == ("web-framework-core",)


def test_layers_are_shared_with_accounts_and_one_organisation(tmp_path):
    wrong = '\n[share]\naccounts = ["12345"]\norganization = "team"\n'
    found = "\n".join(faults(tmp_path, CONFIG + wrong))
    assert "share.accounts[0]" in found
    assert "share.organization" in found
    twice = '\n[share]\naccounts = ["210987654321", "210987654321"]\n'
    assert "share.accounts: 210987654321 stands there twice" in faults(tmp_path, CONFIG + twice)
    (tmp_path / "layers.toml").write_text(CONFIG + '\n[share]\naccounts = ["210987654321"]\n')
    assert load(tmp_path / "layers.toml").share.accounts == ("210987654321",)


@pytest.mark.parametrize(
    ("tags", "told"),
    [
        ('"aws:x" = "1"', "AWS does"),
        ('layer-optimizer = "1"', "each deploy does"),
        ('team = "a;b"', "'a;b' can't be in a tag"),
        ('"" = "a"', "can't be in a tag"),
        (", ".join(f'"{i:030}" = ""' for i in range(9)), "9 tags"),
    ],
)
def test_tags_are_such_as_lambda_takes_and_leave_room_for_the_one_that_lists_them(tmp_path, tags, told):
    (fault,) = faults(tmp_path, CONFIG.replace("regions =", f"tags = {{{tags}}}\nregions ="))
    assert fault.startswith("function[0].tags: ")
    assert told in fault
