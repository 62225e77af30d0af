"""Of botocore's wheels only the kept services are read, once; what is broken off goes on."""

import hashlib
import io
import zipfile
from datetime import date, timedelta

import pytest

from optimizer.content import Store
from optimizer.errors import NetworkError
from optimizer.history import Release
from optimizer.history.index import IndexFile, NoRangesError
from optimizer.history.wheel_models import look, read_models
from tests.unit.history.support import botocore_wheel

WEEKS = 12
RELEASES = [Release(date(2026, 1, 5) + timedelta(weeks=i), f"1.{i}") for i in range(WEEKS)]


def wheel_of(version, data):
    return IndexFile(
        filename=f"botocore-{version}-py3-none-any.whl",
        uploaded=None,
        bytes=len(data),
        url=f"https://files.test/{version}",
        sha256=hashlib.sha256(data).hexdigest(),
    )


class Host:
    """Hands out ranges of wheels from memory, and counts them; fails for some, where told."""

    def __init__(self, datas, *, fails=(), error=None):
        self.datas = {f"1.{i}": data for i, data in enumerate(datas)}
        self.fails = fails
        self.error = error or NetworkError("The line is down", mend="Look at the network.")
        self.asked = {}

    @property
    def files(self):
        return [wheel_of(version, data) for version, data in self.datas.items()]

    def read(self, wheel, start, stop):
        version = wheel.url.rsplit("/", 1)[1]
        if version in self.fails:
            raise self.error
        self.asked.setdefault(version, []).append(stop - start)
        return self.datas[version][start:stop]


def wheels(*contents):
    """One wheel a week with S3's model as told, each packed at another time; that of SQS never changes."""
    return [botocore_wheel({"s3": c, "sqs": "never"}, stamp=1000 + i) for i, c in enumerate(contents)]


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "cache.sqlite") as store:
        yield store


def digests(looked, service):
    return [models[service].digest for _, models in looked.releases]


def test_models_that_differ_by_gzips_time_stamp_alone_are_the_same(store):
    host = Host(wheels("a", "a", "b"))
    found = look(host, store, RELEASES, host.files, ["s3", "sqs"])
    first, second, third = digests(found, "s3")
    assert first == second != third
    assert len(set(digests(found, "sqs"))) == 1
    assert [r.version for r, _ in found.releases] == ["1.0", "1.1", "1.2"]
    assert found.notes == ()


def test_plain_json_and_gzipped_are_the_same_where_they_hold_the_same():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("botocore/data/s3/2020-01-01/service-2.json", "model")
    host = Host([out.getvalue(), botocore_wheel({"s3": "model"})])
    plain, packed = (read_models(host, file, ["s3", "absent"]) for file in host.files)
    assert plain["s3"].digest == packed["s3"].digest
    assert (plain["absent"].digest, plain["absent"].wheel_bytes) == ("", 0)
    assert plain["s3"].wheel_bytes == 5


def test_a_part_of_each_wheel_is_asked_for(store):
    datas = [botocore_wheel({"s3": "a"}, others=150)]
    host = Host(datas)
    look(host, store, RELEASES, host.files, ["s3"])
    assert sum(host.asked["1.0"]) < len(datas[0]) / 3
    assert len(host.asked["1.0"]) <= 2


def test_what_was_read_is_remembered_by_wheel_and_service(store):
    host = Host(wheels("a", "b"))
    before = look(host, store, RELEASES, host.files, ["s3"])
    again = Host(wheels("a", "b", "c"))
    after = look(again, store, RELEASES, again.files, ["s3"])
    assert set(again.asked) == {"1.2"}
    assert after.releases[:2] == before.releases
    more = Host(wheels("a", "b", "c"))
    look(more, store, RELEASES, more.files, ["s3", "sqs"])
    assert set(more.asked) == {"1.0", "1.1", "1.2"}
    none = Host(wheels("a", "b", "c"))
    told = []
    look(none, store, RELEASES, none.files, ["s3", "sqs"], tell=lambda *n: told.append(n))
    assert none.asked == {}


def test_a_network_that_fails_in_the_middle_loses_nothing(store):
    contents = [str(i // 3) for i in range(WEEKS)]
    broken = Host(wheels(*contents), fails={"1.5"})
    with pytest.raises(NetworkError) as raised:
        look(broken, store, RELEASES, broken.files, ["s3"])
    read = set(broken.asked)
    assert f"{len(read)} of 12 releases are here; no snapshot was written" in raised.value.message
    assert "goes on from there" in raised.value.mend
    whole = Host(wheels(*contents))
    found = look(whole, store, RELEASES, whole.files, ["s3"])
    assert set(whole.asked) == set(whole.datas) - read
    assert "1.5" in whole.asked
    assert len(set(digests(found, "s3"))) == 4


def test_ctrl_c_keeps_what_is_here_and_reads_no_further(store):
    host = Host(wheels(*"abcdefghijkl"))

    def interrupt(done, _total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        look(host, store, RELEASES, host.files, ["s3"], tell=interrupt)
    after = Host(wheels(*"abcdefghijkl"))
    look(after, store, RELEASES, after.files, ["s3"])
    assert len(after.asked) <= WEEKS - 2


def test_a_host_without_ranges_gives_no_history_and_says_so(store):
    host = Host(wheels(*"abcdefghijkl"), fails={r.version for r in RELEASES}, error=NoRangesError())
    found = look(host, store, RELEASES, host.files, ["s3"])
    assert found.releases == ()
    assert "sends whole wheels only" in found.notes[0]


def test_a_damaged_wheel_and_a_release_without_one_are_left_out(store):
    datas = wheels("a", "b", "a")
    datas[1] = datas[1][:-30] + bytes(30)
    host = Host(datas)
    found = look(host, store, RELEASES, host.files, ["s3"])
    assert [r.version for r, _ in found.releases] == ["1.0", "1.2"]
    assert len(found.notes) == 1
    assert "botocore-1.1-py3-none-any.whl is left out: it is no whole zip" in found.notes[0]


def test_what_is_damaged_in_the_cache_is_read_again(store):
    host = Host(wheels("a"))
    before = look(host, store, RELEASES, host.files, ["s3"])
    with store._db:
        store._db.execute("update fact set value = '[1]'")
    again = Host(wheels("a"))
    assert look(again, store, RELEASES, again.files, ["s3"]) == before
    assert again.asked
