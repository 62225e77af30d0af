"""The inventory of a region: every version of every function with its whole list of layers."""

import dataclasses

import pytest

from optimizer.deploy import BotoAws, Clients, Connection
from optimizer.deploy.fleet.region import read_region
from optimizer.deploy.values import LATEST
from optimizer.errors import AwsError
from tests.unit.deploy.fakes import ACCOUNT, REGION, FakeAws, VirtualClock, fingerprint, layer_arn, make_manifest
from tests.unit.deploy.support import deploy


@pytest.fixture
def aws(tmp_path):
    """Two functions; `app` has two versions, of which the alias serves the second."""
    made = FakeAws()
    deploy(made, make_manifest(tmp_path / "a"))
    deploy(made, make_manifest(tmp_path / "b", layers={"aws-core": "aws 1", "web": "web 2"}))
    app = made.functions["app"]
    latest = dataclasses.replace(app.latest, arn=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:other")
    made.functions["other"] = dataclasses.replace(app, latest=latest, versions={}, aliases={})
    made.calls.clear()
    return made


def test_every_version_is_told_with_its_layers_in_order(aws):
    app, other = read_region(aws)
    assert (app.name, other.name) == ("app", "other")
    assert [one.version for one in app.every] == [LATEST, "1", "2"]
    assert app.versions[0].layer_arns == (layer_arn("aws-core", 1), layer_arn("web", 1))
    assert app.versions[1].layer_arns == (layer_arn("aws-core", 1), layer_arn("web", 2))
    assert app.latest.layer_arns == other.latest.layer_arns == app.versions[1].layer_arns
    assert app.alias("live").version == "2"
    assert app.aliases_of("2") == app.aliases
    assert app.aliases_of("1") == ()
    assert read_region(aws).layer_arns() == {layer_arn("aws-core", 1), layer_arn("web", 1), layer_arn("web", 2)}


def test_an_alias_belongs_to_each_version_that_it_sends_callers_to(aws):
    aliases = aws.functions["app"].aliases
    aliases["live"] = dataclasses.replace(aliases["live"], weights={"1": 0.1})
    app, _ = read_region(aws)
    assert app.aliases_of("1") == app.aliases_of("2") == (aliases["live"],)


def test_only_functions_that_matter_are_asked_for_their_aliases(aws):
    app, other = read_region(aws, matters=lambda one: one.name == "app")
    assert aws.calls == ["every_version", "aliases"]
    assert app.aliases
    assert other.aliases is None


def test_versions_are_in_the_order_of_their_numbers(aws):
    versions = aws.functions["app"].versions
    for number in range(3, 12):
        versions[str(number)] = dataclasses.replace(versions["2"], version=str(number))
    app, _ = read_region(aws)
    assert [one.version for one in app.versions] == [str(number) for number in range(1, 12)]


def test_a_call_that_fails_is_no_empty_region(aws):
    def fault(_aws, verb, _moment):
        if verb == "aliases":
            raise AwsError("denied", mend="")

    aws.fault = fault
    with pytest.raises(AwsError):
        read_region(aws)


class Listing:
    """Lambda's listings, of one page each, as botocore hands them on."""

    def __init__(self, **pages):
        self.pages = pages

    def get_paginator(self, name):
        page = self.pages[name]
        return type("Paginator", (), {"paginate": lambda *_, **__: [page]})()


class OneClient(Clients):
    service: Listing

    def client(self, *_, **__):
        return self.service


def listed(**pages):
    clients = OneClient(connection=Connection())
    clients.service = Listing(**pages)
    return BotoAws(region=REGION, clients=clients, clock=VirtualClock())


def test_image_functions_and_qualified_names_are_read_as_listings_have_them():
    image = {
        "FunctionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:picture:$LATEST",
        "Version": "$LATEST",
        "PackageType": "Image",
        "CodeSha256": "x",
        "CodeSize": 0,
        "MemorySize": 128,
        "Timeout": 3,
        "Role": "arn:aws:iam::123456789012:role/r",
    }
    alias = {
        "Name": "live",
        "FunctionVersion": "2",
        "RevisionId": "r",
        "Description": "by hand",
        "RoutingConfig": {"AdditionalVersionWeights": {"1": 0.25}},
    }
    aws = listed(list_functions={"Functions": [image]}, list_aliases={"Aliases": [alias]})
    (picture,) = read_region(aws)
    assert (picture.name, picture.latest.image, picture.latest.layers) == ("picture", True, ())
    (live,) = picture.aliases
    assert (live.versions, live.weighted, live.description, live.revision) == (("2", "1"), True, "by hand", "r")


def test_the_versions_of_a_layer_are_told_newest_first(aws):
    assert [(one.version, one.description) for one in aws.layer_versions("web")] == [
        (2, f"lo1 {fingerprint('web 2')}"),
        (1, f"lo1 {fingerprint('web 1')}"),
    ]
