"""Functions change in two calls, settle over time, and are guarded by revisions."""

import pytest

from optimizer.local.operations.invoke import chosen
from optimizer.local.protocol import ServiceError
from tests.unit.local.lambda_api import ROLE, zipped

GUARDED = [
    ("update_function_code", {"ZipFile": zipped({"h.py": "2"})}),
    ("update_function_configuration", {"Timeout": 9}),
    ("publish_version", {}),
]


def test_a_new_function_is_pending_before_it_is_active(api):
    api.create_function(
        FunctionName="f", Runtime="python3.11", Handler="h.handler", Role=ROLE, Code={"ZipFile": zipped()}
    )
    assert api.get_function_configuration(FunctionName="f")["State"] == "Pending"
    for name, given in GUARDED:
        error = api.refused(name, FunctionName="f", **given)
        assert (error.status, error.code) == (409, "ResourceConflictException")
    assert api.refused("invoke", FunctionName="f").code == "ResourceConflictException"
    api.settle()
    now = api.get_function_configuration(FunctionName="f")
    assert (now["State"], now["LastUpdateStatus"]) == ("Active", "Successful")
    assert not {"StateReason", "StateReasonCode", "LastUpdateStatusReason"} & set(now)


@pytest.mark.parametrize(("name", "given"), GUARDED[:2])
def test_while_an_update_is_in_progress_the_next_one_is_refused(api, name, given):
    api.function()
    assert getattr(api, name)(FunctionName="f", **given)["LastUpdateStatus"] == "InProgress"
    for other, parameters in GUARDED:
        error = api.refused(other, FunctionName="f", **parameters)
        assert (error.status, error.code) == (409, "ResourceConflictException")
        assert error.message.startswith("The operation cannot be performed at this time. An update is in progress")
    api.settle()
    assert getattr(api, name)(FunctionName="f", **given)


@pytest.mark.parametrize(("name", "given"), GUARDED[:2])
def test_the_revision_changes_at_the_update_and_again_when_it_settles(api, name, given):
    api.function()
    before = api.get_function_configuration(FunctionName="f")["RevisionId"]
    during = getattr(api, name)(FunctionName="f", **given)["RevisionId"]
    assert api.get_function_configuration(FunctionName="f")["RevisionId"] == during
    api.settle()
    after = api.get_function_configuration(FunctionName="f")["RevisionId"]
    assert len({before, during, after}) == 3


@pytest.mark.parametrize(("name", "given"), GUARDED)
def test_a_stale_revision_is_refused_and_the_newest_is_taken(api, name, given):
    api.function()
    error = api.refused(name, FunctionName="f", RevisionId="00000000-0000-0000-0000-000000000000", **given)
    assert (error.status, error.code) == (412, "PreconditionFailedException")
    newest = api.get_function_configuration(FunctionName="f")["RevisionId"]
    assert getattr(api, name)(FunctionName="f", RevisionId=newest, **given)


def test_the_revision_that_an_update_returned_is_stale_once_it_has_settled(api):
    api.function()
    returned = api.update_function_configuration(FunctionName="f", Timeout=9)["RevisionId"]
    api.settle()
    assert api.refused("publish_version", FunctionName="f", RevisionId=returned).status == 412


def test_invocations_get_the_old_code_until_an_update_settles(api):
    from optimizer.local.operations.invoke import chosen

    api.function()
    region = api.lam.state.region(api.region)
    old = region.function("f").latest
    api.update_function_code(FunctionName="f", ZipFile=zipped({"h.py": "2"}))
    assert chosen(region, "f", None).snapshot is old
    api.settle()
    assert chosen(region, "f", None).snapshot is region.function("f").latest is not old


def test_an_unknown_role_is_refused(api):
    error = api.refused(
        "create_function",
        FunctionName="f",
        Runtime="python3.11",
        Handler="h.handler",
        Role="arn:aws:iam::123456789012:role/nobody",
        Code={"ZipFile": zipped()},
    )
    assert error.message == "The role defined for the function cannot be assumed by Lambda."


def test_a_name_is_taken_once_in_a_region(api):
    api.function()
    given = {"Runtime": "python3.11", "Handler": "h.h", "Role": ROLE, "Code": {"ZipFile": zipped()}}
    error = api.refused("create_function", FunctionName="f", **given)
    assert (error.status, error.code) == (409, "ResourceConflictException")
    api.region = "us-east-1"
    api.function()


def test_a_function_is_found_by_name_arn_and_partial_arn(api):
    api.function()
    arn = api.get_function_configuration(FunctionName="f")["FunctionArn"]
    assert arn == "arn:aws:lambda:eu-central-1:123456789012:function:f"
    for reference in (arn, f"{arn}:$LATEST", "123456789012:function:f", "f:$LATEST"):
        assert api.get_function(FunctionName=reference)["Configuration"]["FunctionName"] == "f"


def test_what_is_not_there_is_not_found(api):
    for name in ("get_function", "get_function_configuration", "list_versions_by_function", "delete_function"):
        error = api.refused(name, FunctionName="nobody")
        assert (error.status, error.code) == (404, "ResourceNotFoundException")


def test_functions_are_listed_in_pages_with_every_version_on_request(api):
    for name in ("a", "b", "c"):
        api.function(name)
    api.publish_version(FunctionName="b")
    page = api.list_functions(MaxItems=2)
    rest = api.list_functions(MaxItems=2, Marker=page["NextMarker"])
    assert [f["FunctionName"] for f in page["Functions"] + rest["Functions"]] == ["a", "b", "c"]
    every = api.list_functions(FunctionVersion="ALL")["Functions"]
    assert [(f["FunctionName"], f["Version"]) for f in every if f["FunctionName"] == "b"] == [
        ("b", "$LATEST"),
        ("b", "1"),
    ]


def test_a_page_has_fifty_functions_whatever_is_asked_for(api):
    for number in range(51):
        api.function(f"f{number:02}")
    page = api.list_functions(MaxItems=1000)
    assert len(page["Functions"]) == 50
    assert [f["FunctionName"] for f in api.list_functions(Marker=page["NextMarker"])["Functions"]] == ["f50"]


def test_with_snap_start_a_version_is_pending_until_its_snapshot_is_made(make_api):
    api = make_api(snapshot_seconds=3600)
    api.function(SnapStart={"ApplyOn": "PublishedVersions"})
    made = api.publish_version(FunctionName="f")
    assert (made["State"], made["SnapStart"]["ApplyOn"]) == ("Pending", "PublishedVersions")
    region = api.lam.state.region(api.region)
    with pytest.raises(ServiceError) as caught:
        chosen(region, "f", "1")
    assert caught.value.code == "SnapStartNotReadyException"
    assert chosen(region, "f", None).version == "$LATEST"
    region.functions["f"].versions[1].ready_at = 0.0
    read = api.get_function_configuration(FunctionName="f", Qualifier="1")
    assert (read["State"], read["SnapStart"]["OptimizationStatus"]) == ("Active", "On")
    assert chosen(region, "f", "1").version == "1"
    assert api.publish_version(FunctionName="f")["Version"] == "1"


def test_an_update_of_the_configuration_leaves_snap_start(api):
    api.function(SnapStart={"ApplyOn": "PublishedVersions"})
    api.update_function_configuration(FunctionName="f", MemorySize=512)
    assert api.get_function_configuration(FunctionName="f")["SnapStart"]["ApplyOn"] == "PublishedVersions"


def test_a_deleted_function_takes_its_environments_and_urls_along(api):
    api.function()
    api.create_function_url_config(FunctionName="f", AuthType="NONE")
    api.delete_function(FunctionName="f")
    assert api.environments.closed == ["arn:aws:lambda:eu-central-1:123456789012:function:f"]
    assert len(api.listeners.closed) == 1
    assert api.refused("get_function", FunctionName="f").status == 404


def test_an_operation_that_is_not_served_says_so(api):
    error = api.refused("list_code_signing_configs")
    assert (error.status, error.code) == (501, "NotImplementedException")
