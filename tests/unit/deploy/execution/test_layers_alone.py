"""publish in several regions: each has its own result, and a run that was cut off goes on where it was."""

import dataclasses

import pytest

from optimizer.deploy import Journal, Publisher
from optimizer.errors import AwsError, DeployRefusedError
from tests.unit.deploy.fakes import FakeAws, make_manifest, rejected

NAMES = ("/l/aws-core", "/l/web")


@pytest.fixture
def places():
    return {"eu-west-1": FakeAws(), "eu-west-2": FakeAws(), "eu-west-3": FakeAws()}


def publisher(places, manifest, **changes):
    return Publisher(
        **{
            "manifest": manifest,
            "connect": places.__getitem__,
            "bucket": None,
            "ssm": "/l",
            "journal": Journal(),
            "progress": lambda _: None,
            **changes,
        }
    )


def test_a_region_that_fails_stops_no_other_and_is_made_good_by_the_next_run(places, tmp_path):
    def full(aws, verb, when):
        if (verb, when) == ("publish_layer", "before") and aws.calls.count("publish_layer") == 2:
            raise rejected("CodeStorageExceededException", "Code storage limit exceeded.")

    places["eu-west-2"].fault = full
    manifest = make_manifest(tmp_path)
    first = publisher(places, manifest).publish(list(places))
    assert [(one.region, one.error is None, one.parameters) for one in first] == [
        ("eu-west-1", True, NAMES),
        ("eu-west-2", False, ()),
        ("eu-west-3", True, NAMES),
    ]
    assert isinstance(first[1].error, AwsError)
    assert len([one for one in first[1].layers if one.version is not None]) == 1, "what was published is told"
    places["eu-west-2"].fault = lambda *_: None
    again = publisher(places, manifest).publish(list(places))
    assert [(one.error, one.parameters) for one in again] == [(None, ()), (None, NAMES), (None, ())]
    assert sum(len(versions) for versions in places["eu-west-2"].layers.values()) == 2


def test_parameters_are_written_one_by_one_and_what_was_written_is_told(places, tmp_path):
    def denied(aws, verb, when):
        if (verb, when) == ("put_parameter", "before") and aws.calls.count("put_parameter") == 2:
            raise rejected("AccessDeniedException")

    places["eu-west-1"].fault = denied
    (one,) = publisher(places, make_manifest(tmp_path)).publish(["eu-west-1"])
    assert (one.parameters, isinstance(one.error, AwsError)) == (NAMES[:1], True)
    places["eu-west-1"].fault = lambda *_: None
    (again,) = publisher(places, make_manifest(tmp_path)).publish(["eu-west-1"])
    assert again.parameters == NAMES[1:]


def test_a_region_that_can_not_be_read_is_refused_before_anything_is_sent_there(places, tmp_path):
    def unread(_aws, verb, _when):
        if verb == "find_layer":
            raise rejected("AccessDeniedException")

    places["eu-west-3"].fault = unread
    done = publisher(places, make_manifest(tmp_path)).publish(list(places))
    assert [one.error is None for one in done] == [True, True, False]
    assert places["eu-west-3"].layers == {}


def test_a_zip_that_needs_a_bucket_is_refused_everywhere(places, tmp_path):
    manifest = make_manifest(tmp_path)
    large = [dataclasses.replace(a, zipped_bytes=60_000_000) for a in manifest.artifacts]
    manifest = dataclasses.replace(manifest, artifacts=tuple(large))
    done = publisher(places, manifest).publish(list(places))
    assert all(isinstance(one.error, DeployRefusedError) for one in done)
    assert all(aws.layers == {} for aws in places.values())


def test_lines_name_their_region_where_there_are_several(places, tmp_path):
    lines = []
    publisher(places, make_manifest(tmp_path), progress=lines.append).publish(["eu-west-1", "eu-west-2"])
    assert all(line.startswith(("eu-west-1: ", "eu-west-2: ")) for line in lines)
    assert "eu-west-2: wrote the parameter /l/web" in lines
    lines.clear()
    publisher(places, make_manifest(tmp_path), progress=lines.append).publish(["eu-west-3"])
    assert "wrote the parameter /l/web" in lines


def test_asked_to_stop_it_ends_what_is_under_way_and_begins_nothing_more(places, tmp_path):
    run = publisher(places, make_manifest(tmp_path))
    run.stop.set()
    with pytest.raises(KeyboardInterrupt):
        run.publish(["eu-west-1"])
    assert places["eu-west-1"].ssm == {}
