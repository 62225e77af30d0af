"""Killed or unanswered at a call, a deploy ends well: some of the points that benchmarks/killed_deploys.py tries."""

import pytest

from tests.integration.deploy.killing import Point, points, theatre
from tests.integration.deploy.scenarios import SCENARIOS


@pytest.fixture(scope="module")
def place():
    with theatre() as opened:
        yield opened


@pytest.fixture(scope="module")
def undisturbed(place):
    """The calls of a scenario and how it ends, played once."""
    known = {}

    def of(name):
        if name not in known:
            known[name] = place.undisturbed(SCENARIOS[name])
        return known[name]

    return of


@pytest.mark.parametrize(
    ("name", "happening", "operation", "nth"),
    [
        ("first deploy", "killed after", "CreateRole", 1),
        ("first deploy", "answer lost", "CreateFunction", 1),
        ("code change", "answer lost", "PublishVersion", 1),
        ("both", "killed after", "PublishLayerVersion", 2),
        ("both", "killed after", "UpdateFunctionCode", 1),
        ("both", "killed before", "UpdateFunctionConfiguration", 1),
        ("both", "killed after", "UpdateAlias", 1),
        ("rollback", "answer lost", "UpdateAlias", 1),
    ],
)
def test_disturbed_at_a_call_it_ends_as_an_undisturbed_one_and_callers_notice_nothing(
    place, undisturbed, *, name, happening, operation, nth
):
    calls, ended = undisturbed(name)
    point = Point(operation=operation, nth=nth, happening=happening)
    assert point in points(calls)
    result = place.play(SCENARIOS[name], point, ended)
    assert result.faults == ()
    assert result.alone is (happening == "answer lost"), "an answer that is lost alone stops no deploy"
