"""What a zip may hold, and what of it is counted without unpacking."""

import io
import stat
import zipfile

import pytest

from optimizer.errors import ArtifactError
from optimizer.runtime import BadArchiveError, UnsafeArchiveError, ZipFacts, inspect_zip


def _zip(*entries, external_attr=None):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in entries:
            info = zipfile.ZipInfo(name)
            if external_attr is not None:
                info.external_attr = external_attr
            archive.writestr(info, content)
    return stream.getvalue()


def test_files_are_counted_and_folders_are_not():
    data = _zip(("a.py", "abc"), ("b/", ""), ("b/c.py", "defgh"))
    assert inspect_zip(data) == ZipFacts(files=2, unzipped_bytes=8)


def test_a_path_is_as_good_as_its_bytes(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(_zip(("a.py", "abc")))
    assert inspect_zip(path) == inspect_zip(path.read_bytes())


def test_an_empty_zip_holds_nothing():
    assert inspect_zip(_zip()) == ZipFacts(files=0, unzipped_bytes=0)


@pytest.mark.parametrize(
    "name", ["../a.py", "b/../../a.py", "/etc/passwd", "b\\a.py", "c:/a.py", "./a.py", "b//a.py", ".."]
)
def test_names_that_leave_the_folder_are_refused(name):
    with pytest.raises(UnsafeArchiveError):
        inspect_zip(_zip((name, "x")))


@pytest.mark.parametrize(("kind", "words"), [(stat.S_IFLNK, "is a link"), (stat.S_IFIFO, "is no plain file")])
def test_only_plain_files_are_taken(kind, words):
    with pytest.raises(UnsafeArchiveError, match=words):
        inspect_zip(_zip(("a", "/etc/passwd"), external_attr=(kind | 0o777) << 16))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_entries_for_one_path_are_refused():
    with pytest.raises(UnsafeArchiveError, match="twice"):
        inspect_zip(_zip(("a.py", "1"), ("a.py", "2")))


def test_a_file_that_is_also_a_folder_is_refused():
    with pytest.raises(UnsafeArchiveError, match="both a file and a folder"):
        inspect_zip(_zip(("a", "1"), ("a/b", "2")))


def test_what_is_no_zip_says_so(tmp_path):
    missing = tmp_path / "missing.zip"
    for source in (b"", b"PK\x03\x04 and then nothing", missing):
        with pytest.raises(BadArchiveError) as caught:
            inspect_zip(source)
        assert isinstance(caught.value, ArtifactError)
    assert "missing.zip" in str(caught.value)
