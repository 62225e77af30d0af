"""A digest stays the same where only the release's own version and gzip's time stamp differ."""

import gzip

import pytest

from optimizer.upgrades.digests import digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("__version__ = '1.44.5'\n", "__version__ = '1.44.10'\n"),
        ("AGENT = 'sdk/1.44.5 md'\n", "AGENT = 'sdk/1.44.10 md'\n"),
        ("TAG = 'v1.44.5'  # 1.44.5.\n", "TAG = 'v1.44.10'  # 1.44.10.\n"),
        ("version_tuple = (1, 44, 5)\n", "version_tuple = (1, 44, 10)\n"),
        ("version_info = [1,44,5, 'final']\n", "version_info = [1,44,10, 'final']\n"),
    ],
)
def test_the_own_version_does_not_count(old, new):
    assert digest("a/b.py", old.encode(), "1.44.5") == digest("a/b.py", new.encode(), "1.44.10")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x = '11.44.5'\n", "x = '11.44.6'\n"),  # the own version within another number
        ("x = '1.44.50'\n", "x = '1.44.60'\n"),
        ("x = '0.1.44.5'\n", "x = '0.1.44.6'\n"),
        ("x = '1.44.5rc1'\n", "x = '1.44.6rc1'\n"),
        ("x = '1.44.5.1'\n", "x = '1.44.6.1'\n"),
        ("core = '2.50.4'\n", "core = '2.50.5'\n"),  # another distribution's version
        ("f(1, 44, 5)\n", "g(1, 44, 6)\n"),
    ],
)
def test_other_numbers_do(old, new):
    assert digest("a/b.py", old.encode(), "1.44.5") != digest("a/b.py", new.encode(), "1.44.6")


def test_a_version_of_two_parts_counts_in_quotes_only_since_it_reads_like_a_number():
    assert digest("a.py", b"v = '0.5'\n", "0.5") == digest("a.py", b"v = '0.6'\n", "0.6")
    assert digest("a.py", b"timeout = 0.5\n", "0.5") != digest("a.py", b"timeout = 0.6\n", "0.6")
    assert digest("a.py", b"v = '5'\n", "5") != digest("a.py", b"v = '6'\n", "6")


def test_zeros_before_a_part_are_the_authors_taste():
    assert digest("a.py", b"'2026.07.14'", "2026.7.14") == digest("a.py", b"'2026.11.02'", "2026.11.2")


def test_a_post_release_counts_as_a_tuple_too():
    old, new = b"v = '2.9.0'; t = (2, 9, 0)", b"v = '2.9.0.post1'; t = (2, 9, 0)"
    assert digest("a.py", old, "2.9.0") == digest("a.py", new, "2.9.0.post1")


def test_gzip_is_compared_by_what_it_holds():
    one, two = gzip.compress(b'{"a": 1}', mtime=1), gzip.compress(b'{"a": 1}', mtime=2)
    assert one != two
    assert digest("m.json.gz", one, "1.0.0") == digest("m.json.gz", two, "1.0.1")
    assert digest("m.json.gz", one, "1.0.0") != digest("m.json.gz", gzip.compress(b'{"a": 2}', mtime=1), "1.0.1")
    assert digest("m.json.gz", one, "1.0.0") != digest("m.json.gz", b'{"a": 1}', "1.0.0")


@pytest.mark.parametrize("damage", [lambda data: data[:-3], lambda data: data[:3] + b"x", lambda data: data + b"more"])
def test_damaged_gzip_is_compared_by_its_bytes(damage):
    one, two = gzip.compress(b"same", mtime=1), gzip.compress(b"same", mtime=2)
    assert digest("m.gz", damage(one), "1.0.0") == digest("m.gz", damage(one), "1.0.1")
    if damage(one) != damage(two):
        assert digest("m.gz", damage(one), "1.0.0") != digest("m.gz", damage(two), "1.0.0")


@pytest.mark.parametrize("path", ["core.cpython-311-x86_64-linux-gnu.so", "libs/libx.so.1.2", "core.pyd"])
def test_of_compiled_modules_the_bytes_decide(path):
    assert digest(path, b"ELF 1.44.5", "1.44.5") != digest(path, b"ELF 1.44.6", "1.44.6")


def test_of_data_the_bytes_decide():
    assert digest("a.bin", b"\x00 1.44.5", "1.44.5") != digest("a.bin", b"\x00 1.44.6", "1.44.6")
