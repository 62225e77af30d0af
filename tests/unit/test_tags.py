"""The tag that lists which tags are ours is read back as it was written, and is itself one that Lambda takes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer import tags

KEYS = st.from_regex(tags.PATTERN, fullmatch=True).filter(bool)


@given(st.sets(KEYS, max_size=10))
def test_keys_are_read_as_they_were_listed(keys):
    text = tags.listed(keys)
    assert tags.keys_in(text) == keys
    assert re.fullmatch(tags.PATTERN, text)


def test_it_is_readable():
    assert tags.marked({"team": "images", "Cost Center": "7"}) == {
        "team": "images",
        "Cost Center": "7",
        "layer-optimizer": "Cost=20.Center team",
    }
    assert tags.marked({}) == {}


@pytest.mark.parametrize("text", ["a=", "a=20", "=zz.", "=FFFFFFFFFF.", ""])
def test_what_is_not_written_so_names_nothing(text):
    assert tags.keys_in(text) == frozenset()
