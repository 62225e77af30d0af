"""Zips that something else made are searched for secrets before anything is called; what build made was searched."""

import dataclasses
import hashlib

import pytest

from tests.integration.deploy.conftest import built

KEY = "-----BEGIN RSA PRIVATE " + "KEY-----\n" + "MIIEowIBAAKCAQEA7bq9zqJ5Zk3vC1xT0yYhUoP2sRwLdNfGmEaVbXcQ" + "\n"
TOKEN = "gh" + "p_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
MORE = {
    "app": {"settings/.env": "A=1\n", "api.py": f"import os\nTOKEN = '{TOKEN}'\n"},
    "web": {"python/web/server.key": KEY, "python/web/tokens.py": f"EXAMPLE = '{TOKEN}'\n"},
}


def test_what_looks_secret_is_told_with_its_place_and_nothing_is_changed(command, region, tmp_path):
    built(tmp_path / "a", region=region, more=MORE)
    done = command("deploy", "--artifacts", str(tmp_path / "a"), "--yes", status=1)
    told = done.stderr.split("error: ")[1].splitlines()
    assert told[:4] == [
        "A zip holds what looks secret:",
        "  function.zip: api.py:2: a GitHub token",
        "  function.zip: settings/.env: variables of an environment",
        "  web.zip: python/web/server.key:1: a private key",
    ]
    assert '"searched": true' in told[4]
    assert TOKEN not in done.stderr
    assert all(name.startswith(("Get", "List")) for name in command.calls)
    document = command.document("publish", tmp_path / "a", "--region", region, status=1)
    assert document["error"]["code"] == "secret"


def test_whoever_searched_says_so_and_what_is_not_sent_is_not_searched(command, region, tmp_path):
    arguments = ("deploy", "--artifacts", str(tmp_path / "a"), "--yes")
    unsearched = built(tmp_path / "a", region=region, more=MORE)
    command(*arguments, status=1)
    searched = dataclasses.replace(unsearched, searched=True)
    (tmp_path / "a" / "manifest.json").write_text(searched.to_json())
    command(*arguments)
    (tmp_path / "a" / "manifest.json").write_text(unsearched.to_json())
    command(*arguments)


def test_what_a_published_distribution_brings_in_a_fat_zip_is_not_searched_for_tokens(command, region, tmp_path):
    record = "six.py,,\nsix-1.dist-info/RECORD,,\n"
    brought = {"six.py": f"EXAMPLE = '{TOKEN}'\n", "six-1.dist-info/RECORD": record}
    built(tmp_path / "a", region=region, more={"app": brought})
    command("deploy", "--artifacts", str(tmp_path / "a"), "--yes")


@pytest.mark.parametrize("data", [b"no zip", b"PK\x05\x06"])
def test_what_is_no_zip_is_told(command, region, tmp_path, data):
    manifest = built(tmp_path / "a", region=region)
    (tmp_path / "a/function.zip").write_bytes(data)
    function = manifest.artifacts[2]
    damaged = dataclasses.replace(function, sha256=hashlib.sha256(data).hexdigest(), zipped_bytes=len(data))
    changed = dataclasses.replace(manifest, artifacts=(*manifest.artifacts[:2], damaged))
    (tmp_path / "a" / "manifest.json").write_text(changed.to_json())
    done = command("deploy", "--artifacts", str(tmp_path / "a"), "--yes", status=2)
    assert "function.zip can't be read: " in done.stderr
