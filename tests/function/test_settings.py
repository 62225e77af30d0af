"""Settings come from the environment; what is wrong is told at once, all of it, and never silently passed over."""

import hashlib
from pathlib import Path

import pytest

from app.core.settings import Settings

DIGEST = hashlib.sha256(b"a key").hexdigest()


def test_absent_and_empty_keep_the_defaults() -> None:
    assert Settings.from_environment({"ANALYZER_MAX_PIXELS": " ", "HOME": "/"}) == Settings()


def test_each_kind_of_setting_is_read() -> None:
    environment = {
        "ANALYZER_BUCKETS": "one, two,",
        "ANALYZER_BASE_PATH": "images/",
        "ANALYZER_STORE_PREFIX": "/kept",
        "ANALYZER_MAX_PIXELS": "7",
        "ANALYZER_PROBE_SECONDS": "0.5",
        "ANALYZER_METRICS": "Off",
        "ANALYZER_AUTH": "api-key",
        "ANALYZER_API_KEYS": DIGEST.upper(),
    }
    assert Settings.from_environment(environment) == Settings(
        buckets=("one", "two"),
        base_path="/images",
        store_prefix="kept/",
        max_pixels=7,
        probe_seconds=0.5,
        metrics=False,
        auth="api-key",
        api_keys=(DIGEST,),
    )
    assert not Settings.from_environment({"ANALYZER_BASE_PATH": "/"}).base_path


def test_faults_are_told_together() -> None:
    with pytest.raises(ValueError, match="ANALYZER") as raised:
        Settings.from_environment(
            {
                "ANALYZER_PROBE_SECONDS": "soon",
                "ANALYZER_MAX_PIXELS": "-1",
                "ANALYZER_AUTH": "basic",
                "ANALYZER_METRICS": "perhaps",
                "ANALYZER_EVENT_ANALYSIS": "smells",
            }
        )
    assert str(raised.value) == (
        "ANALYZER_AUTH must be one of none, api-key, iam, not 'basic'; "
        "ANALYZER_EVENT_ANALYSIS must be one of labels, text, faces, moderation, colors, comprehensive, not 'smells'; "
        "ANALYZER_MAX_PIXELS must be a positive int, not '-1'; "
        "ANALYZER_METRICS must be on or off; "
        "ANALYZER_PROBE_SECONDS must be a positive float, not 'soon'"
    )


def test_misspelt_setting_is_refused() -> None:
    """Else a service that was to ask for keys would be open to everybody."""
    with pytest.raises(ValueError, match="ANALYZER_APIKEYS is no setting"):
        Settings.from_environment({"ANALYZER_APIKEYS": DIGEST})


def test_keys_are_needed_where_they_are_asked_for() -> None:
    with pytest.raises(ValueError, match="needs ANALYZER_API_KEYS"):
        Settings.from_environment({"ANALYZER_AUTH": "api-key"})


def test_key_in_place_of_its_digest_is_refused_without_showing_it() -> None:
    with pytest.raises(ValueError, match="SHA-256 digests") as raised:
        Settings.from_environment({"ANALYZER_API_KEYS": "hunter2"})
    assert "hunter2" not in str(raised.value)


def test_every_setting_is_documented_with_its_default() -> None:
    text = (Path(__file__).parents[2] / "docs/function.md").read_text("utf-8")
    for name in Settings.__slots__:
        (row,) = [line for line in text.splitlines() if f"`ANALYZER_{name.upper()}`" in line and line.startswith("|")]
        default = getattr(Settings(), name)
        if not isinstance(default, tuple) and default not in {"", True}:
            shown = f"{default:g}" if isinstance(default, float) else str(default)
            assert shown in row, name
