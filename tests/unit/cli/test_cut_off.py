"""What is said of a run that is cut off is true of what callers see."""

import pytest

from optimizer.cli.remote import told_when_cut_off
from optimizer.deploy import Journal
from optimizer.errors import AwsError, ShareLeftError

WHOLE = "The alias serves a whole version"


@pytest.mark.parametrize(
    ("error", "whole"),
    [
        (KeyboardInterrupt(), True),
        (AwsError("denied", mend="allow it"), True),
        (ShareLeftError("10% may still go elsewhere", mend="roll back"), False),
    ],
)
def test_the_alias_is_called_whole_only_where_it_is(capsys, error, whole):
    with pytest.raises(type(error)), told_when_cut_off(Journal()):
        raise error
    said = capsys.readouterr().err
    assert (WHOLE in said) == whole
    assert "Running the same command again goes on." in said
