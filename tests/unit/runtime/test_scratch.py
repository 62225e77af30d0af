"""Folders of the embedded AWS: removed at the end, and those of killed ones by the next that starts."""

import os
import tempfile

import pytest
from filelock import FileLock

from optimizer.runtime.scratch import scratch_folder


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """A folder for temporary files of the test's own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def left(folder, name):
    """What a killed one left an hour ago, with a read-only folder in it."""
    place = folder / f"layer-optimizer-scratch-{name}"
    (place / "unpacked").mkdir(parents=True)
    (place / "unpacked" / "file").write_text("")
    (place / "unpacked").chmod(0o555)
    (place / "lock").write_text("")
    os.utime(place / "lock", (0, 0))
    return place


def test_a_folder_is_gone_at_the_end_with_what_is_read_only_in_it():
    with scratch_folder() as folder:
        (folder / "a").mkdir()
        (folder / "a" / "b").write_text("")
        (folder / "a").chmod(0o555)
    assert not folder.exists()


def test_what_a_killed_one_left_is_removed_by_the_next(temporary):
    place = left(temporary, "killed")
    with scratch_folder():
        assert not place.exists()


def test_a_folder_in_use_a_young_one_and_others_files_are_left(temporary):
    used = left(temporary, "used")
    young = temporary / "layer-optimizer-scratch-young"
    young.mkdir()
    (young / "lock").write_text("")
    other = temporary / "other"
    other.mkdir()
    with FileLock(used / "lock"):
        os.utime(used / "lock", (0, 0))
        with scratch_folder():
            assert used.exists()
            assert young.exists()
            assert other.exists()
