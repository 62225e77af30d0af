"""No second has more calls than the pace allows, and single calls are not slowed down."""

import threading

import pytest

from optimizer.deploy.boto.pace import Pacer
from tests.unit.deploy.fakes import VirtualClock


@pytest.mark.parametrize("per_second", [1, 3, 12])
def test_no_second_has_more_calls_than_the_pace_allows(per_second):
    clock = VirtualClock()
    pacer = Pacer(clock, per_second)
    starts = []
    for _ in range(40):
        pacer.wait()
        starts.append(clock.now())
    assert all(later - start >= 1 for start, later in zip(starts, starts[per_second:], strict=False))
    assert starts[-1] == (40 - 1) // per_second, "and no more waiting than that takes"


def test_calls_that_come_slowly_do_not_wait():
    clock = VirtualClock()
    pacer = Pacer(clock, 2)
    for second in range(5):
        clock.seconds = float(second)
        pacer.wait()
        assert clock.now() == second


class SharedClock:
    """Stands still; each thread's waits are its own."""

    def __init__(self):
        self.slept = []

    def now(self):
        return 0.0

    def sleep(self, seconds):
        self.slept.append(seconds)


def test_threads_share_one_pace():
    clock = SharedClock()
    pacer = Pacer(clock, 4)
    threads = [threading.Thread(target=pacer.wait) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(clock.slept) == [1.0] * 4 + [2.0] * 4
