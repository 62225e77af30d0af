"""Who uses a layer: complete, in which version and place, and what was deleted is told as far as it can be."""

import dataclasses

import pytest

from optimizer.deploy.fleet.consumers import AliasShare, find_consumers
from optimizer.deploy.fleet.layer_reference import LayerReference
from optimizer.deploy.values import LATEST
from optimizer.errors import UsageError
from tests.unit.deploy.fakes import FakeAws, fleet, layer_arn, published

OTHER = "999999999999"


def found(aws, text="web"):
    return find_consumers(aws, LayerReference.parse(text))


def test_every_function_of_two_hundred_is_told_with_each_of_its_versions():
    aws = FakeAws()
    published(aws, "web", "web 1", "web 2")
    fleet(aws, 200, (layer_arn("apm", 7, OTHER), layer_arn("web", 1)))
    consumers = found(aws)
    assert len(consumers.uses) == 2 * 200
    assert {use.function for use in consumers.uses} == set(aws.functions)
    assert {(use.version, use.layer_version, use.position, use.layers) for use in consumers.uses} == {
        (LATEST, 1, 2, 2),
        ("1", 1, 2, 2),
    }
    assert consumers.newest.version == 2
    assert aws.calls.count("every_version") == 1


def test_functions_that_do_not_use_it_are_neither_told_nor_asked_for_aliases():
    aws = FakeAws()
    published(aws, "web", "web 1")
    published(aws, "core", "core 1")
    fleet(aws, 3, (layer_arn("core", 1),), prefix="other")
    fleet(aws, 2, (layer_arn("web", 1),))
    consumers = found(aws)
    assert {use.function for use in consumers.uses} == {"f000", "f001"}
    assert consumers.functions_read == 5
    assert aws.calls.count("aliases") == 2


def test_aliases_are_told_with_their_shares():
    aws = FakeAws()
    published(aws, "web", "web 1")
    fleet(aws, 1, (layer_arn("web", 1),))
    function = aws.functions["f000"]
    function.versions["2"] = dataclasses.replace(function.versions["1"], version="2")
    function.aliases["live"] = dataclasses.replace(function.aliases["live"], weights={"2": 0.25})
    latest, first, second = found(aws).uses
    assert latest.aliases == ()
    assert first.aliases == (AliasShare(name="live", share=0.75),)
    assert second.aliases == (AliasShare(name="live", share=0.25),)


def test_a_version_that_was_deleted_is_told_so():
    aws = FakeAws()
    published(aws, "web", "web 1", "web 2")
    fleet(aws, 1, (layer_arn("web", 1),))
    aws.deleted.add(layer_arn("web", 1))
    assert {use.deleted for use in found(aws).uses} == {True}


def test_another_accounts_layer_is_found_by_its_arn_alone_and_its_deletions_are_unknown():
    aws = FakeAws()
    published(aws, "web", "web 1")
    fleet(aws, 1, (layer_arn("web", 1), layer_arn("apm", 7, OTHER)))
    consumers = found(aws, layer_arn("apm", 7, OTHER).rpartition(":")[0])
    assert [(use.version, use.position, use.deleted) for use in consumers.uses] == [(LATEST, 2, None), ("1", 2, None)]
    by_name = found(aws, "apm")
    assert (by_name.uses, by_name.known) == ((), False)
    assert by_name.namesakes == (layer_arn("apm", 7, OTHER).rpartition(":")[0],)


def test_one_version_may_be_named():
    aws = FakeAws()
    published(aws, "web", "web 1", "web 2")
    fleet(aws, 1, (layer_arn("web", 1),))
    fleet(aws, 1, (layer_arn("web", 2),), prefix="g")
    for text in ("web:2", layer_arn("web", 2)):
        assert {use.function for use in found(aws, text).uses} == {"g000"}
    assert found(aws, "web:3").known is False


@pytest.mark.parametrize("text", ["", "a b", "web:0", "web:x", "arn:aws:lambda:eu:1:layer:web", "a" * 141])
def test_what_names_no_layer_is_refused(text):
    with pytest.raises(UsageError, match="names no layer"):
        LayerReference.parse(text)


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_arns_of_every_partition_are_understood(partition):
    layer = LayerReference.parse(f"arn:{partition}:lambda:cn-north-1:{OTHER}:layer:web:12")
    assert (layer.name, layer.version, layer.region, layer.account) == ("web", 12, "cn-north-1", OTHER)
    assert layer.listing == f"arn:{partition}:lambda:cn-north-1:{OTHER}:layer:web"
