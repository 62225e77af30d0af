"""Several regions and functions: each has its own result, and none stops another."""

import dataclasses
import threading

import pytest

from optimizer.deploy import Deployer, Journal, Options, RealClock
from optimizer.deploy.rejections import AnswerLostError
from optimizer.errors import AwsError
from tests.unit.deploy.fakes import REGION, FakeAws, VirtualClock, make_manifest, rejected

OTHER = "us-east-1"


def regions(**faults):
    """Two regions; a fault by region is what each call there begins with."""
    places, clock = {}, VirtualClock()
    for region in (REGION, OTHER):
        places[region] = FakeAws(clock)
        places[region].region = region
        if region.replace("-", "_") in faults:
            places[region].fault = faults[region.replace("-", "_")]
    return places


def deployer(places, manifest, said=None):
    return Deployer(
        manifest=manifest,
        options=Options(),
        connect=places.__getitem__,
        clock=places[REGION].clock,
        journal=Journal(),
        progress=(said if said is not None else []).append,
    )


@pytest.fixture
def manifest(tmp_path):
    return make_manifest(tmp_path, regions=(REGION, OTHER))


def failing(verb, error):
    def fault(_aws, called, moment):
        if called == verb and moment == "before":
            raise error

    return fault


def test_regions_are_worked_on_side_by_side(manifest):
    """Each waits for the other in the middle: one after the other they would wait for ever."""
    both = threading.Barrier(2, timeout=20)
    places = regions(
        **dict.fromkeys(
            ("eu_central_1", "us_east_1"),
            lambda _aws, verb, moment: both.wait() if (verb, moment) == ("create_function", "before") else None,
        )
    )
    said = []
    run = deployer(places, manifest, said)
    done = run.execute(run.plan())
    assert [(one.region, one.outcome) for one in done] == [(REGION, "done"), (OTHER, "done")]
    assert {line.partition(":")[0] for line in said} == {REGION, OTHER}, "each line tells its region"


@pytest.mark.parametrize(
    "fault",
    [
        {"us_east_1": failing("create_function", rejected("AccessDeniedException"))},
        {"us_east_1": failing("alias", AwsError("there is no network", mend="look"))},
        {"us_east_1": failing("publish_version", AnswerLostError("lost", mend="again"))},
    ],
    ids=["refused", "unreachable", "lost"],
)
def test_one_that_fails_does_not_stop_the_other(manifest, fault):
    places = regions(**fault)
    run = deployer(places, manifest)
    done = run.execute(run.plan())
    assert [one.outcome for one in done] == ["done", "failed"]
    assert done[1].error is not None
    places[OTHER].fault = lambda *_: None
    run = deployer(places, manifest)
    assert [one.outcome for one in run.execute(run.plan())] == ["done", "done"]


def test_where_a_region_cant_be_reached_its_other_functions_are_not_tried(manifest):
    two = dataclasses.replace(
        manifest, functions=(manifest.functions[0], dataclasses.replace(manifest.functions[0], name="second"))
    )
    places = regions(us_east_1=failing("alias", AwsError("there is no network", mend="look")))
    planned = deployer(places, two).plan()
    assert [(one.function, one.region, one.outcome) for one in planned] == [
        ("app", REGION, "done"),
        ("app", OTHER, "failed"),
        ("second", REGION, "done"),
        ("second", OTHER, "failed"),
    ]
    assert places[OTHER].calls == ["alias"]


def test_one_function_that_is_refused_does_not_keep_another_from_being_deployed(manifest):
    aws = FakeAws()
    one = dataclasses.replace(manifest.functions[0], regions=(REGION,))
    two = dataclasses.replace(manifest, functions=(one, dataclasses.replace(one, name="second")))
    run = deployer({REGION: aws}, two)
    run.execute(run.plan())
    aws.functions["app"].latest = dataclasses.replace(aws.functions["app"].latest, state="Failed")
    changed = dataclasses.replace(two, functions=tuple(dataclasses.replace(f, memory_mb=1024) for f in two.functions))
    run = deployer({REGION: aws}, changed)
    done = run.execute(run.plan())
    assert [one.outcome for one in done] == ["refused", "done"]
    assert aws.functions["second"].latest.memory_mb == 1024


def test_asked_to_stop_it_ends_after_the_step_that_is_under_way(manifest):
    places = regions()
    run = deployer(places, manifest)
    planned = run.plan()
    places[REGION].fault = places[OTHER].fault = lambda *_: run.stop.set()
    with pytest.raises(KeyboardInterrupt):
        run.execute(planned)
    assert not places[REGION].functions
    again = deployer(places, manifest)
    places[REGION].fault = places[OTHER].fault = lambda *_: None
    assert [one.outcome for one in again.execute(again.plan())] == ["done", "done"]


def test_a_wait_ends_when_somebody_asks_to_stop_and_later_ones_take_their_time():
    clock = RealClock()
    clock.stop.set()
    with pytest.raises(KeyboardInterrupt):
        clock.sleep(3600)
    clock.sleep(0)
