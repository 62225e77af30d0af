"""Layer versions: immutable, shared one by one, gone for readers when deleted, working on where attached."""

import json

from tests.unit.local.lambda_api import zipped


def test_each_publish_makes_a_version_even_of_the_same_bytes(api):
    assert [api.layer().rpartition(":")[2] for _ in range(3)] == ["1", "2", "3"]


def test_a_deleted_versions_number_is_not_given_again(api):
    api.layer()
    api.delete_layer_version(LayerName="layer", VersionNumber=1)
    assert api.layer().endswith(":2")


def test_a_version_is_read_with_its_hash_and_listed_without(api):
    api.publish_layer_version(LayerName="layer", Description="lo1 abc", Content={"ZipFile": zipped()})
    read = api.get_layer_version(LayerName="layer", VersionNumber=1)
    by_arn = api.get_layer_version_by_arn(Arn=read["LayerVersionArn"])
    assert read == by_arn
    assert len(read["Content"]["CodeSha256"]) == 44
    (listed,) = api.list_layer_versions(LayerName="layer")["LayerVersions"]
    assert listed["Description"] == "lo1 abc"
    assert "Content" not in listed


def test_versions_are_listed_newest_first_in_pages(api):
    for _ in range(5):
        api.layer()
    first = api.list_layer_versions(LayerName="layer", MaxItems=3)
    second = api.list_layer_versions(LayerName="layer", MaxItems=3, Marker=first["NextMarker"])
    assert [v["Version"] for v in first["LayerVersions"] + second["LayerVersions"]] == [5, 4, 3, 2, 1]
    assert "NextMarker" not in second


def test_versions_of_a_layer_that_is_not_there_are_none(api):
    assert api.list_layer_versions(LayerName="nothing") == {"LayerVersions": []}


def test_listings_can_be_narrowed_to_a_runtime(api):
    api.publish_layer_version(LayerName="a", CompatibleRuntimes=["python3.11"], Content={"ZipFile": zipped()})
    api.layer("b")
    assert [x["LayerName"] for x in api.list_layers(CompatibleRuntime="python3.11")["Layers"]] == ["a"]


def test_a_deleted_version_works_on_where_it_is_attached_and_can_neither_be_read_nor_attached(api):
    arn = api.layer()
    api.function(Layers=[arn])
    api.delete_layer_version(LayerName="layer", VersionNumber=1)
    assert [x["Arn"] for x in api.get_function_configuration(FunctionName="f")["Layers"]] == [arn]
    api.update_function_configuration(FunctionName="f", Timeout=9)  # the list is not named: it stays
    api.settle()
    assert api.get_function_configuration(FunctionName="f")["Layers"]
    assert api.refused("get_layer_version", LayerName="layer", VersionNumber=1).status == 404
    assert api.refused("get_layer_version_by_arn", Arn=arn).status == 404
    error = api.refused("update_function_configuration", FunctionName="f", Layers=[arn])
    assert (error.code, error.message) == ("InvalidParameterValueException", f"Layer version {arn} does not exist.")


def test_a_layer_of_another_region_can_not_be_attached(api):
    api.region = "us-east-1"
    arn = api.layer()
    api.region = "eu-central-1"
    api.function()
    assert api.refused("update_function_configuration", FunctionName="f", Layers=[arn]).message.endswith(
        "does not exist."
    )


def test_two_versions_of_one_layer_are_refused_and_so_is_one_twice(api):
    first, second = api.layer(), api.layer()
    api.function()
    for arns in ([first, second], [first, first]):
        error = api.refused("update_function_configuration", FunctionName="f", Layers=arns)
        assert error.message.startswith("Two different versions of the same layer are not allowed")


def test_the_layer_list_is_replaced_whole_and_keeps_its_order(api):
    a, b, c = api.layer("a"), api.layer("b"), api.layer("c")
    api.function(Layers=[a, b])
    api.update_function_configuration(FunctionName="f", Layers=[c, a])
    api.settle()
    assert [x["Arn"] for x in api.get_function_configuration(FunctionName="f")["Layers"]] == [c, a]


def test_permissions_belong_to_one_version(api):
    api.layer()
    api.layer()
    given = {"LayerName": "layer", "StatementId": "s", "Action": "lambda:GetLayerVersion", "Principal": "210987654321"}
    api.add_layer_version_permission(VersionNumber=1, **given)
    policy = json.loads(api.get_layer_version_policy(LayerName="layer", VersionNumber=1)["Policy"])
    assert policy["Statement"][0]["Principal"] == {"AWS": "arn:aws:iam::210987654321:root"}
    assert api.refused("get_layer_version_policy", LayerName="layer", VersionNumber=2).status == 404
    assert api.refused("add_layer_version_permission", VersionNumber=1, **given).status == 409
    api.remove_layer_version_permission(LayerName="layer", VersionNumber=1, StatementId="s")
    assert api.refused("get_layer_version_policy", LayerName="layer", VersionNumber=1).status == 404


def test_a_marker_that_no_page_gave_is_refused(api):
    error = api.refused("list_layers", Marker="nonsense")
    assert (error.code, error.message) == ("InvalidParameterValueException", "Invalid marker: nonsense")
