"""Lock files of every tool → the versions that they lock on the target."""

import json

import pytest

from optimizer.history.lockfiles import UnreadableLockError, locked_versions
from tests.unit.history.support import TARGET

PIP = """
# made by pip-compile
-i https://example.org/simple
boto3==1.44.5 \\
    --hash=sha256:00 \\
    --hash=sha256:11
    # via -r requirements.in
Py_Thing[extra]==2.0 ; python_version < "3.12"
newer==3.0 ; python_version >= "3.12"
loose>=1.0
star==1.*
-e ./here
nonsense here ==
"""
UV = """
version = 1
[[package]]
name = "boto3"
version = "1.44.5"
source = { registry = "x" }
[[package]]
name = "numpy"
version = "2.2.6"
resolution-markers = ["python_full_version < '3.12'"]
[[package]]
name = "numpy"
version = "2.4.0"
resolution-markers = ["python_full_version >= '3.13'", "python_full_version == '3.12.*'"]
[[package]]
name = "dynamic"
source = { editable = "." }
"""
POETRY = """
[[package]]
name = "boto3"
version = "1.44.5"
markers = {main = "python_version < '3.12'", dev = "python_version > '3.12'"}
[[package]]
name = "windows-only"
version = "1.0"
markers = "sys_platform == 'win32'"
"""
PYLOCK = """
lock-version = "1.0"
[[packages]]
name = "Boto3"
version = "1.44.5"
marker = "'default' in dependency_groups"
"""
PIPFILE = {"_meta": {}, "default": {"boto3": {"version": "==1.44.5"}, "local": {"path": "."}}, "develop": {}}


@pytest.mark.parametrize(
    ("name", "text", "locked"),
    [
        ("requirements.txt", PIP, {"boto3": "1.44.5", "py-thing": "2.0"}),
        ("some/requirements-prod.txt", PIP, {"boto3": "1.44.5", "py-thing": "2.0"}),
        ("uv.lock", UV, {"boto3": "1.44.5", "numpy": "2.2.6"}),
        ("poetry.lock", POETRY, {"boto3": "1.44.5"}),
        ("pdm.lock", '[[package]]\nname = "boto3"\nversion = "1.44.5"\n' * 2, {"boto3": "1.44.5"}),
        ("pylock.toml", PYLOCK, {"boto3": "1.44.5"}),
        ("pylock.prod.toml", PYLOCK, {"boto3": "1.44.5"}),
        ("Pipfile.lock", json.dumps(PIPFILE), {"boto3": "1.44.5"}),
        ("requirements.txt", "boto3>=1\n", {}),
        ("requirements.txt", "", {}),
    ],
)
def test_versions_are_read_for_the_target(name, text, locked):
    assert locked_versions(name, text, TARGET) == locked


@pytest.mark.parametrize(
    ("name", "text"),
    [("uv.lock", "<<<<<<< HEAD\n"), ("Pipfile.lock", "{"), ("Pipfile.lock", "[]"), ("poetry.lock", "package = 3")],
)
def test_what_cannot_be_parsed_is_told(name, text):
    with pytest.raises(UnreadableLockError):
        locked_versions(name, text, TARGET)
