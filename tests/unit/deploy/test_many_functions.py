"""Functions of one manifest share their layers: one publishes, the others use it, and know where it did not."""

import dataclasses

import pytest

from tests.unit.deploy.fakes import FakeAws, make_manifest, rejected
from tests.unit.deploy.support import deployer, served


@pytest.fixture
def aws():
    return FakeAws()


def three(folder, **changes):
    manifest = make_manifest(folder, **changes)
    (app,) = manifest.functions
    return dataclasses.replace(manifest, functions=tuple(dataclasses.replace(app, name=f"app-{n}") for n in "abc"))


def outcomes(run):
    return [(one.function, one.outcome) for one in run.execute(run.plan())]


def test_each_layer_is_published_once_and_all_attach_that_version(aws, tmp_path):
    run = deployer(aws, three(tmp_path))
    assert outcomes(run) == [("app-a", "done"), ("app-b", "done"), ("app-c", "done")]
    assert aws.calls.count("publish_layer") == 2
    assert len({served(aws, f"app-{n}") for n in "abc"}) == 1


def test_where_a_layer_could_not_be_published_those_that_wait_for_it_say_so_and_change_nothing(aws, tmp_path):
    def full(_aws, verb, when):
        if (verb, when) == ("publish_layer", "before"):
            raise rejected("CodeStorageExceededException", "Code storage limit exceeded.")

    aws.fault = full
    run = deployer(aws, three(tmp_path))
    done = run.execute(run.plan())
    assert [one.outcome for one in done] == ["failed"] * 3
    assert "Code storage limit exceeded." in done[0].error.message
    assert "app-b in eu-central-1 needs the layer aws-core" in done[1].error.message
    assert aws.functions == {}
    aws.fault = lambda *_: None
    assert [outcome for _, outcome in outcomes(deployer(aws, three(tmp_path)))] == ["done"] * 3


def test_a_broken_function_does_not_keep_the_others_from_the_layers_that_it_published(aws, tmp_path):
    def broken(_aws, verb, when):
        if (verb, when) == ("create_function", "before") and aws.calls.count("create_function") == 1:
            raise rejected("InvalidParameterValueException", "no")

    aws.fault = broken
    assert outcomes(deployer(aws, three(tmp_path))) == [("app-a", "failed"), ("app-b", "done"), ("app-c", "done")]
    assert aws.calls.count("publish_layer") == 2
