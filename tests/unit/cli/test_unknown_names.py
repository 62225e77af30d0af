"""A name that nothing has: every command refuses it in the same words, before it calls anything."""

import pytest

from optimizer.cli.app import application
from optimizer.errors import UsageError
from tests.support import make_project


@pytest.fixture
def project(tmp_path, monkeypatch):
    make_project(tmp_path)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "command",
    [
        ("status",),
        ("rollback", "--dry-run"),
        ("policy", "deployer"),
        ("policy", "function", "--path", "site"),
    ],
    ids=" ".join,
)
@pytest.mark.usefixtures("project")
def test_a_function_that_there_is_not_is_refused_in_the_same_words(command):
    asked = (*command, "--function", "nobody", "--function", "app", "--function", "noone")
    with pytest.raises(UsageError) as refused:
        application((command[0],))(asked, standalone_mode=False)
    assert refused.value.message.startswith("There is no function nobody, noone in ")
    assert refused.value.mend == "It has app."


@pytest.mark.usefixtures("project")
def test_a_region_that_there_is_not_is_too():
    with pytest.raises(UsageError) as refused:
        application(("status",))(("status", "--region", "eu-north-1"), standalone_mode=False)
    assert refused.value.message == "There is no region eu-north-1 in the configuration"
    assert refused.value.mend == "It has eu-central-1."
