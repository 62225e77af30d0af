"""Published versions are frozen; aliases point at them, with weights and revisions of their own."""

import json
from collections import Counter

import pytest

from optimizer.local.operations.invoke import chosen
from tests.unit.local.lambda_api import zipped


@pytest.fixture
def two_versions(api):
    """A function with versions 1 and 2."""
    api.function()
    api.publish_version(FunctionName="f")
    api.update_function_code(FunctionName="f", ZipFile=zipped({"h.py": "2"}))
    api.settle()
    api.publish_version(FunctionName="f")
    return api


def test_publishing_makes_nothing_new_where_nothing_changed(api):
    api.function()
    first = api.publish_version(FunctionName="f", Description="one")
    assert api.publish_version(FunctionName="f", Description="two") == first
    api.update_function_configuration(FunctionName="f", Timeout=9)
    api.settle()
    assert api.publish_version(FunctionName="f")["Version"] == "2"


def test_publishing_is_guarded_by_the_codes_hash(api):
    api.function()
    actual = api.get_function_configuration(FunctionName="f")["CodeSha256"]
    error = api.refused("publish_version", FunctionName="f", CodeSha256="other")
    assert error.code == "InvalidParameterValueException"
    assert f"(other) is different from current CodeSHA256 in $LATEST ({actual})" in error.message
    assert api.publish_version(FunctionName="f", CodeSha256=actual)["Version"] == "1"


def test_a_version_freezes_code_and_layers(api):
    a, b = api.layer("a"), api.layer("b")
    api.function(Layers=[a])
    frozen = api.publish_version(FunctionName="f")
    api.update_function_configuration(FunctionName="f", Layers=[b])
    api.settle()
    api.update_function_code(FunctionName="f", ZipFile=zipped({"h.py": "2"}))
    api.settle()
    read = api.get_function_configuration(FunctionName="f", Qualifier="1")
    assert read == frozen
    assert [x["Arn"] for x in read["Layers"]] == [a]


def test_versions_are_listed_after_latest_in_order(two_versions):
    rows = two_versions.list_versions_by_function(FunctionName="f")["Versions"]
    assert [row["Version"] for row in rows] == ["$LATEST", "1", "2"]


def test_a_version_that_an_alias_points_at_can_not_be_deleted(two_versions):
    api = two_versions
    api.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    assert api.refused("delete_function", FunctionName="f", Qualifier="1").status == 409
    api.update_alias(FunctionName="f", Name="live", FunctionVersion="2")
    api.delete_function(FunctionName="f", Qualifier="1")
    assert api.refused("get_function", FunctionName="f", Qualifier="1").status == 404
    api.update_function_configuration(FunctionName="f", Timeout=9)
    api.settle()
    assert api.publish_version(FunctionName="f")["Version"] == "3"


def test_an_alias_is_moved_under_the_guard_of_its_revision(two_versions):
    api = two_versions
    made = api.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    moved = api.update_alias(FunctionName="f", Name="live", FunctionVersion="2", RevisionId=made["RevisionId"])
    assert moved["FunctionVersion"] == "2"
    assert moved["RevisionId"] != made["RevisionId"]
    error = api.refused(
        "update_alias", FunctionName="f", Name="live", FunctionVersion="1", RevisionId=made["RevisionId"]
    )
    assert (error.status, error.code) == (412, "PreconditionFailedException")
    assert api.get_alias(FunctionName="f", Name="live") == moved


def test_reading_through_an_alias_shows_the_versions_configuration_under_the_aliass_arn(two_versions):
    api = two_versions
    api.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    shown = api.get_function(FunctionName="f", Qualifier="live")["Configuration"]
    assert shown["Version"] == "1"
    assert shown["FunctionArn"].endswith(":function:f:live")


def test_an_alias_needs_a_version_that_exists_and_a_name_that_is_free(two_versions):
    api = two_versions
    assert api.refused("create_alias", FunctionName="f", Name="live", FunctionVersion="9").status == 404
    api.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    assert api.refused("create_alias", FunctionName="f", Name="live", FunctionVersion="1").status == 409


def test_weights_send_a_share_of_the_calls_to_the_second_version(two_versions):
    api = two_versions
    api.create_alias(
        FunctionName="f",
        Name="live",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.25}},
    )
    region = api.lam.state.region(api.region)
    seen = Counter(chosen(region, "f", "live").version for _ in range(2000))
    assert set(seen) == {"1", "2"}
    assert 350 < seen["2"] < 650
    api.update_alias(FunctionName="f", Name="live", RoutingConfig={"AdditionalVersionWeights": {}})
    assert "RoutingConfig" not in api.get_alias(FunctionName="f", Name="live")
    assert {chosen(region, "f", "live").version for _ in range(50)} == {"1"}


@pytest.mark.parametrize("weights", [{"9": 0.1}, {"2": 0.1, "1": 0.1}, {"$LATEST": 0.1}, {"1": 0.1}])
def test_weights_that_lambda_would_not_take_are_refused(two_versions, weights):
    error = two_versions.refused(
        "create_alias",
        FunctionName="f",
        Name="live",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": weights},
    )
    assert error.status in {400, 404}


def test_weights_and_provisioned_concurrency_exclude_each_other_on_one_alias(two_versions):
    api = two_versions
    alias = {"FunctionName": "f", "Name": "live"}
    weights = {"RoutingConfig": {"AdditionalVersionWeights": {"2": 0.1}}}
    provisioned = {"FunctionName": "f", "Qualifier": "live"}
    api.create_alias(**alias, FunctionVersion="1", **weights)
    error = api.refused("put_provisioned_concurrency_config", **provisioned, ProvisionedConcurrentExecutions=1)
    assert (error.status, error.code) == (400, "InvalidParameterValueException")
    assert error.message == "Alias with weights can not be used with Provisioned Concurrency"
    assert api.refused("get_provisioned_concurrency_config", **provisioned).code == (
        "ProvisionedConcurrencyConfigNotFoundException"
    )
    api.update_alias(**alias, RoutingConfig={"AdditionalVersionWeights": {}})
    api.put_provisioned_concurrency_config(**provisioned, ProvisionedConcurrentExecutions=1)
    error = api.refused("update_alias", **alias, **weights)
    assert (error.status, error.code) == (400, "InvalidParameterValueException")
    assert error.message == "Invalid alias configuration for Provisioned Concurrency"


def test_a_provisioned_alias_that_is_moved_leads_to_its_old_version_until_the_new_one_is_allocated(two_versions):
    api = two_versions
    api.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    api.put_provisioned_concurrency_config(FunctionName="f", Qualifier="live", ProvisionedConcurrentExecutions=1)
    api.update_alias(FunctionName="f", Name="live", FunctionVersion="2")
    region = api.lam.state.region(api.region)
    moved = api.get_alias(FunctionName="f", Name="live")
    assert (moved["FunctionVersion"], moved["RoutingConfig"]) == ("2", {"AdditionalVersionWeights": {"1": 1.0}})
    assert chosen(region, "f", "live").version == "1"
    region.functions["f"].allocated_at["live"] = 0.0
    assert "RoutingConfig" not in api.get_alias(FunctionName="f", Name="live")
    assert chosen(region, "f", "live").version == "2"


def test_a_deleted_alias_takes_its_url_and_policy_along(two_versions):
    api = two_versions
    api.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    api.create_function_url_config(FunctionName="f", Qualifier="live", AuthType="NONE")
    api.delete_alias(FunctionName="f", Name="live")
    assert len(api.listeners.closed) == 1
    assert api.list_function_url_configs(FunctionName="f") == {"FunctionUrlConfigs": []}


def test_permissions_of_an_alias_and_of_the_function_are_apart_and_guarded(two_versions):
    api = two_versions
    api.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    given = {"FunctionName": "f", "StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "*"}
    api.add_permission(Qualifier="live", **given)
    read = api.get_policy(FunctionName="f", Qualifier="live")
    (statement,) = json.loads(read["Policy"])["Statement"]
    assert statement["Resource"].endswith(":function:f:live")
    assert api.refused("get_policy", FunctionName="f").status == 404
    assert api.refused("add_permission", Qualifier="live", **given).status == 409
    other = {**given, "StatementId": "t", "Qualifier": "live"}
    assert api.refused("add_permission", RevisionId="stale", **other).status == 412
    api.add_permission(RevisionId=read["RevisionId"], **other)
    api.remove_permission(FunctionName="f", Qualifier="live", StatementId="s")
    (left,) = json.loads(api.get_policy(FunctionName="f", Qualifier="live")["Policy"])["Statement"]
    assert left["Sid"] == "t"


@pytest.mark.parametrize("place", [{}, {"Qualifier": "live"}])
def test_a_permission_changes_the_revision_of_what_it_is_for(two_versions, place):
    api = two_versions
    api.create_alias(FunctionName="f", Name="live", FunctionVersion="1")

    def revisions():
        configuration = api.get_function(FunctionName="f")["Configuration"]
        return configuration["RevisionId"], api.get_alias(FunctionName="f", Name="live")["RevisionId"]

    own, other = (1, 0) if place else (0, 1)
    seen = [revisions()]
    given = {"FunctionName": "f", "StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "*", **place}
    api.add_permission(**given)
    seen.append(revisions())
    assert api.get_policy(FunctionName="f", **place)["RevisionId"] == seen[1][own]
    api.remove_permission(FunctionName="f", StatementId="s", **place)
    seen.append(revisions())
    assert len({one[own] for one in seen}) == 3
    assert len({one[other] for one in seen}) == 1


def test_only_functions_and_aliases_have_urls_and_each_one(two_versions):
    api = two_versions
    assert api.refused("create_function_url_config", FunctionName="f", Qualifier="1", AuthType="NONE").status == 400
    assert api.refused("create_function_url_config", FunctionName="f", Qualifier="x", AuthType="NONE").status == 404
    made = api.create_function_url_config(FunctionName="f", AuthType="AWS_IAM")
    assert api.refused("create_function_url_config", FunctionName="f", AuthType="NONE").status == 409
    read = api.update_function_url_config(FunctionName="f", AuthType="NONE")
    assert (read["FunctionUrl"], read["AuthType"]) == (made["FunctionUrl"], "NONE")
    api.delete_function_url_config(FunctionName="f")
    assert api.refused("get_function_url_config", FunctionName="f").status == 404


def test_concurrency_provisioned_concurrency_tags_and_mappings_are_kept(two_versions):
    api = two_versions
    api.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=7)
    assert api.get_function(FunctionName="f")["Concurrency"] == {"ReservedConcurrentExecutions": 7}
    api.delete_function_concurrency(FunctionName="f")
    assert api.get_function_concurrency(FunctionName="f") == {}
    api.put_provisioned_concurrency_config(FunctionName="f", Qualifier="1", ProvisionedConcurrentExecutions=2)
    (row,) = api.list_provisioned_concurrency_configs(FunctionName="f")["ProvisionedConcurrencyConfigs"]
    assert (row["FunctionArn"][-2:], row["Status"]) == (":1", "READY")
    assert (
        api.refused(
            "put_provisioned_concurrency_config",
            FunctionName="f",
            Qualifier="$LATEST",
            ProvisionedConcurrentExecutions=1,
        ).status
        == 400
    )
    arn = api.get_function_configuration(FunctionName="f")["FunctionArn"]
    api.tag_resource(Resource=arn, Tags={"a": "b"})
    assert api.list_tags(Resource=arn) == {"Tags": {"a": "b"}}
    mapping = api.create_event_source_mapping(FunctionName="f", EventSourceArn="arn:aws:sqs:eu-central-1:1:q")
    assert api.list_event_source_mappings(FunctionName="f")["EventSourceMappings"][0]["UUID"] == mapping["UUID"]
    api.delete_event_source_mapping(UUID=mapping["UUID"])
    assert api.list_event_source_mappings()["EventSourceMappings"] == []


def test_tags_belong_to_the_function_alone_and_are_at_most_fifty(two_versions):
    api = two_versions
    arn = api.get_function(FunctionName="f")["Configuration"]["FunctionArn"]
    assert "not supported" in api.refused("tag_resource", Resource=f"{arn}:1", Tags={"a": "b"}).message
    assert "tag limit" in api.refused("tag_resource", Resource=arn, Tags={f"k{i}": "" for i in range(51)}).message
    assert "aws:" in api.refused("tag_resource", Resource=arn, Tags={"aws:x": ""}).message
    api.tag_resource(Resource=arn, Tags={f"k{i}": "" for i in range(50)})
    api.untag_resource(Resource=arn, TagKeys=[f"k{i}" for i in range(49)])
    assert api.get_function(FunctionName="f")["Tags"] == {"k49": ""}
    assert "Tags" not in api.get_function(FunctionName="f", Qualifier="1")
