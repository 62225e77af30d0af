"""What is secret is found once for each content, and told in order."""

import hashlib

import pytest

from optimizer.content import Store, find_exposures
from optimizer.errors import DiskError
from optimizer.models import InstalledFile, Payload, Selection

KEY_ID = "AKIA" + "Q2W3E4R5T6Y7UIOP"


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "cache.sqlite") as store:
        yield store


def shipping(folder, name, files):
    """A selection of those files and its payload, as `Payloads` makes it."""
    found, lines = [], []
    for path, text in sorted(files.items()):
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        found.append(
            InstalledFile(path=path, location=str(place), bytes=len(text), mtime_ns=0, inode=0, executable=False)
        )
        lines.append(f"{path}\x00644\x00{hashlib.sha256(text.encode()).hexdigest()}")
    payload = Payload(
        name=name,
        version="",
        unzipped_bytes=0,
        zipped_bytes=0,
        bytecode_bytes=0,
        files=len(found),
        digest=hashlib.sha256("\n".join(lines).encode()).hexdigest(),
        sources=tuple(lines),
        key="",
    )
    return Selection(name=name, version="", files=tuple(found), record=None, dropped=()), payload


def told(store, distributions, functions):
    return [(one.name, one.place, one.what) for one in find_exposures(store, distributions, functions)]


def test_a_second_look_reads_no_file_and_says_the_same(store, tmp_path):
    own = shipping(tmp_path / "own", "app", {"a.py": "", "b.py": f"\nKEY = {KEY_ID!r}\n"})
    other = shipping(tmp_path / "site", "tool", {"tool/.env": "A=1", "tool/x.py": KEY_ID})
    first = told(store, [other], [own])
    assert first == [
        ("app", "b.py:2", "an AWS access key id"),
        ("tool", "tool/.env", "variables of an environment"),
    ]
    for path in ("own/a.py", "own/b.py", "site/tool/.env", "site/tool/x.py"):
        (tmp_path / path).unlink()
    assert told(store, [other], [own]) == first


def test_of_a_functions_source_only_what_changed_is_read_again(store, tmp_path):
    told(store, [], [shipping(tmp_path / "own", "app", {"a.py": f"KEY = {KEY_ID!r}\n", "b.py": ""})])
    changed = shipping(tmp_path / "own", "app", {"a.py": f"KEY = {KEY_ID!r}\n", "b.py": KEY_ID})
    (tmp_path / "own/a.py").unlink()
    assert [place for _, place, _ in told(store, [], [changed])] == ["a.py:1", "b.py:1"]


def test_what_changed_since_it_was_hashed_is_not_taken_for_it(store, tmp_path):
    for name, shipped in (("app", ([], [0])), ("tool", ([0], []))):
        one = shipping(tmp_path, name, {"x.py": "fine = 1\n"})
        (tmp_path / "x.py").write_text(KEY_ID)
        with pytest.raises(DiskError, match="changed while it was read"):
            told(store, *([one for _ in part] for part in shipped))


def test_the_same_content_is_searched_for_tokens_as_ones_own_whatever_a_distribution_was(store, tmp_path):
    files = {"x.py": KEY_ID}
    assert told(store, [shipping(tmp_path, "tool", files)], []) == []
    assert len(told(store, [], [shipping(tmp_path, "tool", files)])) == 1
