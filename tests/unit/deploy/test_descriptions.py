"""Fingerprints in descriptions survive the way there and back; anything else is not taken for ours."""

from hypothesis import given
from hypothesis import strategies as st

from optimizer import limits
from optimizer.deploy import descriptions

fingerprints = st.text("0123456789abcdef", min_size=64, max_size=64)


commits = st.none() | st.from_regex("[0-9a-f]{40}([0-9a-f]{24})?(-dirty)?", fullmatch=True)


def shown(commit):
    return commit and commit[:12] + ("-dirty" if commit.endswith("-dirty") else "")


@given(code=fingerprints, layers=st.lists(fingerprints, max_size=limits.LAYERS), commit=commits)
def test_a_version_description_names_code_and_layers_in_order_and_the_commit_and_fits(code, layers, commit):
    text = descriptions.of_version(code, layers, commit)
    assert len(text) <= limits.DESCRIPTION_LENGTH
    assert descriptions.commit_in(text) == shown(commit)
    assert descriptions.of_version(code, layers, descriptions.commit_in(text)) == text
    assert descriptions.version_fingerprints(text) == tuple(f[:32] for f in (code, *layers))


@given(fingerprint=fingerprints, commit=commits)
def test_a_layer_description_holds_the_whole_fingerprint_and_the_commit(fingerprint, commit):
    text = descriptions.of_layer(fingerprint, commit)
    assert descriptions.layer_fingerprint(text) == fingerprint
    assert descriptions.commit_in(text) == shown(commit)


@given(text=st.text(max_size=80))
def test_other_descriptions_are_not_ours(text):
    assert descriptions.layer_fingerprint(text) is None
    assert descriptions.version_fingerprints(text) == ()
    assert descriptions.commit_in(text) is None


def test_a_layer_description_is_not_taken_for_a_version_description():
    assert descriptions.version_fingerprints(f"lo1 {'a' * 64}") == ()
