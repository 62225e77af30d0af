"""The alias's description: what it says is read back, and is believed only while it is true."""

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from optimizer.deploy.mark import Draft, Mark, read_mark, rest_of
from optimizer.deploy.values import Alias
from tests.unit.deploy.fakes import make_manifest

HEX = "0123456789abcdef"
MARKS = st.builds(
    Mark,
    draft=st.builds(
        Draft,
        code=st.text(HEX, min_size=32, max_size=32),
        rest=st.text(HEX, min_size=16, max_size=16),
        own_role=st.booleans(),
    ),
    version=st.integers(1, 10**9).map(str),
    layers=st.lists(st.integers(1, 10**6), max_size=5).map(tuple),
    url=st.none() | st.from_regex(r"https?://[a-z0-9.:-]{1,90}/", fullmatch=True),
)


def alias(mark, **changes):
    named = {"name": "live", "version": mark.version, "revision": "r", "description": mark.text(), **changes}
    return Alias(arn="arn:aws:lambda:eu-central-1:123456789012:function:app:live", **named)


@given(MARKS)
def test_it_is_read_as_it_was_written_and_fits_the_description(mark):
    assert 0 < len(mark.text()) <= 256
    assert read_mark(alias(mark)) == mark


@given(MARKS)
def test_it_says_nothing_where_it_would_be_cut(mark):
    assert dataclasses.replace(mark, url=f"https://{'x' * 200}/").text() == ""


@given(MARKS, st.integers(1, 10**9).map(str))
def test_it_is_believed_for_its_own_version_alone(mark, version):
    assert (read_mark(alias(mark, version=version)) is not None) == (version == mark.version)
    assert read_mark(alias(mark, weights={"2": 0.1})) is None
    assert read_mark(None) is None


def test_layers_are_named_in_the_functions_own_account_region_and_partition():
    mark = Mark(draft=Draft(code="", rest="", own_role=False), version="1", layers=(3, 7), url=None)
    assert mark.arns(alias(mark), ("a", "b")) == (
        "arn:aws:lambda:eu-central-1:123456789012:layer:a:3",
        "arn:aws:lambda:eu-central-1:123456789012:layer:b:7",
    )
    assert mark.arns(alias(mark), ("a",)) is None


def test_all_that_is_configured_of_a_function_counts(tmp_path):
    function = make_manifest(tmp_path).functions[0]
    rest = rest_of(function, ("a", "b"))
    changes = {
        "layers": ("web", "aws-core"),
        "external_layers": ("arn",),
        "handler": "x",
        "memory_mb": 1,
        "timeout_seconds": 1,
        "environment": {"A": "1"},
        "role_arn": "r",
        "policy": None,
        "url": "none",
        "architecture": "arm64",
    }
    digests = {rest_of(dataclasses.replace(function, **{key: value}), ("a", "b")) for key, value in changes.items()}
    assert len(digests | {rest, rest_of(function, ("b", "a"))}) == len(changes) + 2
    assert rest_of(dataclasses.replace(function, regions=("elsewhere",)), ("a", "b")) == rest


def test_variables_are_not_told(tmp_path):
    """Whoever may read an alias may not therefore guess its function's secrets: a plain digest could be tried out."""
    function = dataclasses.replace(make_manifest(tmp_path).functions[0], environment={"PIN": "1234"})
    assert rest_of(function, ()) == rest_of(dataclasses.replace(function), ())
    assert rest_of(function, ()) != rest_of(dataclasses.replace(function, environment={"PIN": "1235"}), ())
