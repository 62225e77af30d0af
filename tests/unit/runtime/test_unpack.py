"""Each zip is unpacked once, read-only; layers merge in attach order."""

import threading
import zipfile
from pathlib import Path

import pytest

from optimizer.errors import DiskError
from optimizer.runtime import BadArchiveError, UnsafeArchiveError
from optimizer.runtime.unpack import merge, remove, unpack


@pytest.fixture
def cache(tmp_path):
    yield tmp_path / "cache"
    remove(tmp_path / "cache")


def _zip(path, files, *, modes=()):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, (2001, 2, 3, 4, 5, 6))
            info.external_attr = (0o100000 | dict(modes).get(name, 0o644)) << 16
            archive.writestr(info, content)
    return path


def _content(folder):
    return {p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*") if p.is_file()}


def test_content_is_found_again_by_its_hash(tmp_path, cache):
    first = unpack(_zip(tmp_path / "a.zip", {"a.py": "1", "b/c.py": "2"}), cache)
    again = unpack(_zip(tmp_path / "same.zip", {"a.py": "1", "b/c.py": "2"}), cache)
    assert again == first
    assert first.sha256 in str(first.folder)
    assert _content(first.folder) == {"a.py": "1", "b/c.py": "2"}


def test_nothing_is_writable_and_what_may_be_executed_stays_so(tmp_path, cache):
    archive = _zip(tmp_path / "a.zip", {"bin/tool": "#!", "b/c.py": ""}, modes={"bin/tool": 0o755})
    folder = unpack(archive, cache).folder
    modes = {p.name: p.stat().st_mode & 0o777 for p in (folder, *folder.rglob("*"))}
    assert modes == {"tree": 0o555, "bin": 0o555, "b": 0o555, "tool": 0o555, "c.py": 0o444}


def test_files_keep_the_zips_date_as_utc(tmp_path, cache):
    """Else bytecode that records its source's date would be stale here and valid on Lambda, or the other way round."""
    folder = unpack(_zip(tmp_path / "a.zip", {"a.py": ""}), cache).folder
    assert (folder / "a.py").stat().st_mtime == 981173106


def test_a_later_layers_file_replaces_an_earlier_ones(tmp_path, cache):
    one = unpack(_zip(tmp_path / "1.zip", {"python/m.py": "one", "python/a.py": "a"}), cache)
    two = unpack(_zip(tmp_path / "2.zip", {"python/m.py": "two", "python/sub/b.py": "b"}), cache)
    assert _content(merge((one, two), cache)) == {"python/m.py": "two", "python/a.py": "a", "python/sub/b.py": "b"}
    assert _content(merge((two, one), cache))["python/m.py"] == "one"
    assert _content(one.folder)["python/m.py"] == "one"  # merging changes no layer


def test_a_later_layers_file_replaces_a_folder_and_the_other_way_round(tmp_path, cache):
    one = unpack(_zip(tmp_path / "1.zip", {"a/b.py": "1", "c": "1"}), cache)
    two = unpack(_zip(tmp_path / "2.zip", {"a": "2", "c/d.py": "2"}), cache)
    assert _content(merge((one, two), cache)) == {"a": "2", "c/d.py": "2"}


def test_merging_costs_no_bytes(tmp_path, cache):
    layers = tuple(unpack(_zip(tmp_path / f"{i}.zip", {f"{i}.py": "x"}), cache) for i in range(2))
    merged = merge(layers, cache)
    assert (merged / "0.py").samefile(layers[0].folder / "0.py")
    assert merge(layers, cache) == merged


def test_without_layers_opt_is_an_empty_folder(cache):
    assert _content(merge((), cache)) == {}


def test_where_links_are_not_to_be_had_files_are_copied(tmp_path, cache, monkeypatch):
    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr("os.link", refuse)
    layers = tuple(unpack(_zip(tmp_path / f"{i}.zip", {f"{i}.py": "x"}), cache) for i in range(2))
    assert _content(merge(layers, cache)) == {"0.py": "x", "1.py": "x"}


def test_many_threads_unpack_the_same_zip(tmp_path, cache):
    archive = _zip(tmp_path / "a.zip", {f"{i}.py": "x" * i for i in range(100)})
    found = []
    threads = [threading.Thread(target=lambda: found.append(unpack(archive, cache))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all(each == found[0] for each in found)
    assert [p.name for p in (cache / "zips").iterdir()] == [found[0].sha256]  # no scratch folder is left


def test_a_damaged_zip_leaves_nothing_behind(tmp_path, cache):
    archive = _zip(tmp_path / "a.zip", {"a.py": "content " * 100})
    data = bytearray(archive.read_bytes())
    data[40] ^= 0xFF
    archive.write_bytes(data)
    with pytest.raises(BadArchiveError):
        unpack(archive, cache)
    assert list((cache / "zips").iterdir()) == []


def test_an_unsafe_zip_writes_nothing(tmp_path, cache):
    with pytest.raises(UnsafeArchiveError):
        unpack(_zip(tmp_path / "a.zip", {"../out.py": ""}), cache)
    assert not (cache / "out.py").exists()


def test_a_missing_zip_says_so(tmp_path, cache):
    with pytest.raises(BadArchiveError, match=r"none\.zip"):
        unpack(tmp_path / "none.zip", cache)


def test_a_cache_that_cant_be_written_says_so(tmp_path):
    place = tmp_path / "file"
    place.write_text("")
    with pytest.raises(DiskError, match="can't be written"):
        unpack(_zip(tmp_path / "a.zip", {"a.py": ""}), Path(place))
