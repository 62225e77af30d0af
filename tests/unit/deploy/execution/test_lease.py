"""A lease is held by one run at a time, expires by itself, and knows its own object where an answer is lost."""

import dataclasses
import itertools
import json

import pytest

from optimizer.deploy.boto.lease_store import parse_place
from optimizer.deploy.execution.holder import Holder
from optimizer.deploy.execution.lease import SECONDS, Found, Lease, held
from optimizer.deploy.rejections import AnswerLostError
from optimizer.errors import AwsError, DeployRefusedError, UsageError
from tests.unit.deploy.fakes import VirtualClock


class FakeStore:
    """One object with the clock of the place that holds it; `lost` are the writes whose answers do not arrive."""

    place = "s3://leases/app"

    def __init__(self, clock):
        self.clock, self.there, self.lost, self.writes = clock, None, set(), 0
        self.unreachable, self.dropped = False, False
        self._etags = itertools.count(1)

    def read(self):
        self._reach()
        if self.there is None:
            return None
        etag, data, at = self.there
        return Found(etag=etag, data=data, age_seconds=self.clock.now() - at)

    def write(self, data, *, replaces):
        self._reach()
        self.writes += 1
        if self.dropped:
            raise AnswerLostError("lost", mend="again")
        if (self.there[0] if self.there else None) != replaces:
            return None
        self.there = (f"e{next(self._etags)}", data, self.clock.now())
        if self.writes in self.lost:
            raise AnswerLostError("lost", mend="again")
        return self.there[0]

    def remove(self, etag):
        self._reach()
        if self.there is not None and self.there[0] == etag:
            self.there = None

    def _reach(self):
        if self.unreachable:
            raise AwsError("can't be reached", mend="look")


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def store(clock):
    return FakeStore(clock)


def lease(store, who="ann@laptop", commit=None):
    return Lease(
        store=store,
        holder=Holder(who=who, commit=commit),
        clock=store.clock,
        progress=store.__dict__.setdefault("told", []).append,
    )


def test_one_holds_it_and_another_is_told_who_and_until_when(store):
    lease(store, commit="c0ffee" * 7).acquire()
    with pytest.raises(DeployRefusedError) as refused:
        lease(store, "bob@laptop").acquire()
    assert "ann@laptop at commit c0ffeec0ffee has deployed there since" in refused.value.message
    assert "s3://leases/app until " in refused.value.message
    assert refused.value.exit_status == 1


def test_it_is_free_again_when_it_was_let_go(store):
    with held(lease(store)):
        assert json.loads(store.there[1])["who"] == "ann@laptop"
    assert store.there is None
    lease(store, "bob").acquire()


def test_whatever_ends_the_block_lets_it_go(store):
    with pytest.raises(KeyboardInterrupt), held(lease(store)):
        raise KeyboardInterrupt
    assert store.there is None


def test_one_that_expired_is_taken_over_and_its_holder_stops(store, clock):
    first, second = lease(store), lease(store, "bob")
    first.acquire()
    clock.sleep(SECONDS)
    with pytest.raises(DeployRefusedError):
        second.acquire()
    clock.sleep(1)
    second.acquire()
    assert "took over the lease s3://leases/app of ann@laptop" in store.told[0]
    with pytest.raises(DeployRefusedError, match="could not be renewed in time"):
        first.check()
    first.renew()
    with pytest.raises(DeployRefusedError, match="taken over or removed by somebody else"):
        first.check()
    first.release()
    assert json.loads(store.there[1])["who"] == "bob", "only one's own is removed"
    second.check()


def test_it_lasts_while_it_is_renewed(store, clock):
    first = lease(store)
    first.acquire()
    for _ in range(5):
        clock.sleep(SECONDS / 2)
        first.renew()
        first.check()
    with pytest.raises(DeployRefusedError):
        lease(store, "bob").acquire()


def test_while_the_place_cannot_be_reached_it_is_held_until_shortly_before_its_end(store, clock):
    first = lease(store)
    first.acquire()
    store.unreachable = True
    clock.sleep(SECONDS / 2)
    with pytest.raises(AwsError):
        first.renew()
    first.check()
    clock.sleep(SECONDS / 2 - 5)
    with pytest.raises(DeployRefusedError, match="could not be renewed in time: nothing more is changed"):
        first.check()
    first.release()
    assert "expires by itself" in store.told[0]


@pytest.mark.parametrize("lost", [{1}, {1, 2}])
def test_a_lost_answer_to_the_first_write_is_known_by_its_token(store, lost):
    store.lost = lost
    first = lease(store)
    first.acquire()
    assert json.loads(store.there[1])["token"] == first.token
    first.check()
    first.renew()
    first.check()
    first.release()
    assert store.there is None


def test_a_lost_answer_to_a_renewal_is_known_by_its_token(store, clock):
    first = lease(store)
    first.acquire()
    clock.sleep(60)
    store.lost = {2}
    first.renew()
    clock.sleep(100)
    first.check()
    store.lost = set()
    first.renew()
    first.check()


def test_a_renewal_that_never_arrived_renews_nothing(store, clock):
    first = lease(store)
    first.acquire()
    clock.sleep(60)
    store.dropped = True
    first.renew()
    first.check()
    clock.sleep(SECONDS - 65)
    with pytest.raises(DeployRefusedError, match="could not be renewed in time"):
        first.check()


def test_whoever_lets_go_late_leaves_the_next_ones_alone(store, clock):
    first, second = lease(store), lease(store, "bob")
    first.acquire()
    clock.sleep(SECONDS + 1)
    second.acquire()
    first.release()
    assert json.loads(store.there[1])["who"] == "bob"


def test_one_that_somebody_removed_is_lost(store):
    first = lease(store)
    first.acquire()
    store.there = None
    first.renew()
    with pytest.raises(DeployRefusedError, match="removed by somebody else"):
        first.check()
    assert store.there is None


@pytest.mark.parametrize("data", [b"an invoice", b"{}", b"[]", b'{"schema": 1, "token": "t", "who": "w"}'])
def test_what_is_no_lease_is_never_written_over(store, clock, data):
    store.there = ("e0", data, clock.now() - 10_000)
    with pytest.raises(DeployRefusedError, match="something else lies there"):
        lease(store).acquire()
    assert store.there[1] == data


@pytest.mark.parametrize("text", ["leases/app", "s3://leases", "s3:///app", "https://leases/app", "s3://leases/"])
def test_a_place_is_a_bucket_and_a_key(text):
    with pytest.raises(UsageError, match="is no place for a lease"):
        parse_place(text)
    assert parse_place("s3://leases/a/b") == ("leases", "a/b")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        (
            {"GITHUB_RUN_ID": "7", "GITHUB_REPOSITORY": "team/app", "GITHUB_SHA": "abc"},
            Holder(who="GitHub run 7 of team/app", commit="abc"),
        ),
        ({"CI_JOB_URL": "https://ci/1", "CI_COMMIT_SHA": "abc"}, Holder(who="https://ci/1", commit="abc")),
        ({"BUILD_URL": "https://ci/2"}, Holder(who="https://ci/2", commit=None)),
    ],
)
def test_a_run_of_a_ci_service_is_named_as_that_service_names_it(tmp_path, environment, expected):
    assert Holder.of(environment, tmp_path) == expected


def test_a_person_is_named_with_the_machine(tmp_path):
    there = Holder.of({}, tmp_path)
    assert "@" in there.who
    assert dataclasses.replace(there, who="") == Holder(who="", commit=None), "no repository, no commit"
