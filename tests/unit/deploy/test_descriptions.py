"""Fingerprints in descriptions survive the way there and back; anything else is not taken for ours."""

from hypothesis import given
from hypothesis import strategies as st

from optimizer import limits
from optimizer.deploy import descriptions

fingerprints = st.text("0123456789abcdef", min_size=64, max_size=64)


@given(code=fingerprints, layers=st.lists(fingerprints, max_size=limits.LAYERS))
def test_a_version_description_names_code_and_layers_in_order_and_fits(code, layers):
    text = descriptions.of_version(code, layers)
    assert len(text) <= limits.DESCRIPTION_LENGTH
    assert descriptions.version_fingerprints(text) == tuple(f[:32] for f in (code, *layers))


@given(fingerprint=fingerprints)
def test_a_layer_description_holds_the_whole_fingerprint(fingerprint):
    assert descriptions.layer_fingerprint(descriptions.of_layer(fingerprint)) == fingerprint


@given(text=st.text(max_size=80))
def test_other_descriptions_are_not_ours(text):
    assert descriptions.layer_fingerprint(text) is None
    assert descriptions.version_fingerprints(text) == ()


def test_a_layer_description_is_not_taken_for_a_version_description():
    assert descriptions.version_fingerprints(f"lo1 {'a' * 64}") == ()
