"""A file of which only what is read is asked for."""

import io
import zipfile

import pytest

from optimizer.errors import NetworkError
from optimizer.history.index import IndexFile, NoRangesError, SimpleIndex
from optimizer.history.ranges import BLOCK, RangeFile
from tests.unit.history.support import http_index

DATA = bytes(i * 7 % 251 for i in range(5 * BLOCK + 123))


class Asked:
    def __init__(self):
        self.spans = []

    def __call__(self, start, stop):
        self.spans.append((start, stop))
        assert 0 <= start < stop <= len(DATA)
        return DATA[start:stop]


def test_what_is_read_is_what_is_there_and_each_block_is_asked_for_once():
    asked = Asked()
    file = RangeFile(asked, len(DATA))
    assert (file.seekable(), file.readable()) == (True, True)
    plain = io.BytesIO(DATA)
    for offset, whence, count in (
        (-22, 2, 22),
        (-22, 2, -1),
        (BLOCK - 1, 0, 3),
        (5, 1, 2 * BLOCK),
        (0, 0, 9),
        (9, 2, 4),
    ):
        assert file.seek(offset, whence) == plain.seek(offset, whence)
        assert file.read(count) == plain.read(count)
        assert file.tell() == plain.tell()
    assert file.seek(0) == 0
    assert file.read() == DATA
    assert sum(stop - start for start, stop in asked.spans) == len(DATA)
    with pytest.raises(OSError, match="no byte -1"):
        file.seek(-1)


def test_blocks_side_by_side_come_in_one_request():
    asked = Asked()
    file = RangeFile(asked, len(DATA))
    file.load(2 * BLOCK, 3 * BLOCK)
    file.load(-5, len(DATA) + 99)
    assert asked.spans == [(2 * BLOCK, 3 * BLOCK), (0, 2 * BLOCK), (3 * BLOCK, len(DATA))]
    file.load(0, len(DATA))
    assert len(asked.spans) == 3


def test_a_zip_is_read_in_part():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for i in range(20):
            archive.writestr(f"{i}.bin", DATA[:BLOCK])
    data = out.getvalue()
    sent = []

    def fetch(start, stop):
        sent.append(stop - start)
        return data[start:stop]

    with zipfile.ZipFile(RangeFile(fetch, len(data))) as archive:
        assert archive.read("7.bin") == DATA[:BLOCK]
    assert sum(sent) <= 4 * BLOCK


def the_wheel(url):
    return IndexFile(filename="x-1-py3-none-any.whl", uploaded=None, bytes=len(DATA), url=f"{url}files/x.whl")


def test_a_server_that_has_ranges_sends_them():
    with http_index({}, wheels={"x.whl": DATA}) as (url, asked), SimpleIndex(url) as index:
        assert index.read(the_wheel(url), 10, 25) == DATA[10:25]
    assert asked == [("x.whl", 15)]


def test_a_server_that_has_none_is_told_by_its_answer():
    with (
        http_index({}, wheels={"x.whl": DATA}, ranges=False) as (url, _),
        SimpleIndex(url) as index,
        pytest.raises(NoRangesError),
    ):
        index.read(the_wheel(url), 10, 25)


@pytest.mark.parametrize("status", [403, 404, 416])
def test_a_refusal_is_an_error_of_the_network(status):
    with (
        http_index({}, wheels={"x.whl": DATA}, before=[(status, {})]) as (url, _),
        SimpleIndex(url.replace("//", "//me:secret@")) as index,
        pytest.raises(NetworkError, match=r"x-1-py3-none-any.whl could not be read") as raised,
    ):
        index.read(the_wheel(url.replace("//", "//me:secret@")), 10, 25)
    assert "secret" not in str(raised.value)


def test_a_range_beyond_the_end_is_no_range():
    with http_index({}, wheels={"x.whl": DATA}) as (url, _), SimpleIndex(url) as index, pytest.raises(NoRangesError):
        index.read(the_wheel(url), len(DATA) - 5, len(DATA) + 5)
