"""Where there is no solution, the error names what has no wheel for the target, what there is of it, and the way on."""

import io
import tarfile

import pytest

from optimizer.errors import ResolutionError
from optimizer.models import Target
from tests.support import make_wheel
from tests.unit.inventory.resolving import ARM, X86, Place, isolated

NEW, OLD = "cp311-cp311-manylinux_2_28_x86_64", "cp311-cp311-manylinux_2_17_x86_64"


@pytest.fixture
def place(tmp_path, monkeypatch):
    for name, value in isolated(tmp_path).items():
        monkeypatch.setenv(name, value)
    return Place(tmp_path)


def make_sdist(folder, name, version="1.0"):
    data = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()
    with tarfile.open(folder / f"{name}-{version}.tar.gz", "w:gz") as archive:
        entry = tarfile.TarInfo(f"{name}-{version}/PKG-INFO")
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))


def refused(place, requirements, target=X86):
    with pytest.raises(ResolutionError) as caught:
        place.resolve(requirements, target)
    assert caught.value.exit_status == 2
    return caught.value


def test_the_tags_there_are_and_the_newest_version_that_loads(place):
    for version, tag in (("1.0", OLD), ("1.5", OLD), ("2.0", NEW), ("2.0", "cp312-cp312-manylinux_2_28_x86_64")):
        make_wheel(place.index, "fast", version, tag=tag)
    make_wheel(place.index, "fast", "2.0", tag="cp311-cp311-macosx_11_0_arm64")
    error = refused(place, "fast==2.0\n")
    assert "has no wheels for python3.11 on x86_64 (glibc 2.26)" in error.message
    assert f"fast 2.0 has no wheel for it, but for {NEW}, cp311-cp311-macosx_11_0_arm64" in error.message
    assert "the newest version that has one is 1.5: fast==1.5" in error.message
    assert "2.0 loads on python3.12" in error.message
    assert "uv" not in error.message
    assert "--wheels DIR" in error.mend


def test_all_of_them_are_told_at_once(place):
    make_wheel(place.index, "fast", "2.0", tag=NEW)
    make_wheel(place.index, "quick", "3.0", tag="cp311-cp311-win_amd64")
    make_sdist(place.index, "slow")
    make_wheel(place.index, "fine")
    message = refused(place, "fast\nfine\nquick>=2\nslow\n").message
    assert f"fast 2.0 has no wheel for it, but for {NEW}; no version of it has one" in message
    assert "quick 3.0 has no wheel for it, but for cp311-cp311-win_amd64; no version of it has one" in message
    assert "slow==1.0 has no wheels at all, only a source distribution" in message
    assert "fine" not in message


def test_a_source_distribution_that_is_newer_than_the_last_wheel(place):
    make_wheel(place.index, "slow", "1.0")
    make_sdist(place.index, "slow", "2.0")
    message = refused(place, "slow>=2\n").message
    assert "slow>=2 has no wheels at all, only a source distribution; the newest version that has one is 1.0" in message


def test_who_requires_it_is_said_where_the_file_does_not_name_it(place, monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")  # uv breaks its lines where a terminal ends
    make_wheel(place.index, "app", requires=("fast==2.0",))
    make_wheel(place.index, "fast", "1.0", tag=OLD)
    make_wheel(place.index, "fast", "2.0", tag=NEW)
    message = refused(place, "app\n").message
    assert "fast==1.0" in message
    assert "all versions of app depend on fast==2.0" in message


def test_what_only_a_newer_glibc_than_uv_was_asked_for_would_solve(place):
    """Frame 3 loads on 2.26, which uv does not know; what it requires does not."""
    make_wheel(place.index, "frame", "3.0", tag="cp311-cp311-manylinux_2_24_x86_64", requires=("array>=2",))
    make_wheel(place.index, "array", "1.0", tag=OLD)
    make_wheel(place.index, "array", "2.0", tag="cp311-cp311-manylinux_2_27_x86_64")
    message = refused(place, "frame\n").message
    assert "array 2.0 has no wheel for it" in message
    assert "array==1.0" in message
    assert "frame 3.0 has no" not in message


def test_versions_that_contradict_each_other_are_told_in_uvs_words(place):
    make_wheel(place.index, "app", requires=("fast<2",))
    for version in ("1.0", "2.0"):
        make_wheel(place.index, "fast", version)
    message = refused(place, "app\nfast==2.0\n").message
    assert "can't be resolved for python3.11 on x86_64" in message
    assert "all versions of app depend on fast<2" in message


def test_a_name_that_nobody_knows_is_told_in_uvs_words(place):
    assert "nowhere was not found" in refused(place, "nowhere\n").message


def test_a_file_pinned_for_another_target_says_so(place):
    from tests.unit.inventory.test_resolve import sha256

    wheel = make_wheel(place.index, "fast", tag=OLD)
    make_wheel(place.index, "fast", tag="cp311-cp311-manylinux_2_17_aarch64")
    text = f"fast==1.0 --hash=sha256:{sha256(wheel)}\n"
    assert f"fast 1.0 is pinned to {wheel.name}, which does not load there" in refused(place, text, ARM).message
    other = Target(runtime="python3.13", architecture="x86_64")
    assert "pinned" in refused(place, text, other).message
