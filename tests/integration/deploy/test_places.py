"""Many functions, regions, accounts and stages: what is shared, what is deployed where, and what is published once."""

import dataclasses
import json

import pytest

from optimizer.build import Manifest, Share
from tests.integration.deploy.conftest import REGIONS, ask, built

PARTNER, ORG = "210987654321", "o-a1b2c3d4e5"


def written(manifest, **changes):
    changed = dataclasses.replace(manifest, **changes)
    (changed.folder / "manifest.json").write_text(changed.to_json())
    return changed


def two_functions(folder, *, regions, **versions):
    """`one` and `two`, which share their layers."""
    made = [
        built(folder / name, function=name, region=regions[0], regions=regions, version=versions.get(name, "1"))
        for name in ("one", "two")
    ]
    moved = [
        dataclasses.replace(artifact, path=f"{name}/{artifact.path}")
        for name, manifest in zip(("one", "two"), made, strict=True)
        for artifact in manifest.artifacts
        if artifact.kind == "function" or name == "one"
    ]
    functions = tuple(manifest.functions[0] for manifest in made)
    return written(dataclasses.replace(made[0], artifacts=tuple(moved), functions=functions, folder=folder))


def shared_with(lam, layer, version):
    try:
        answer = lam.get_layer_version_policy(LayerName=layer, VersionNumber=version)
    except lam.exceptions.ResourceNotFoundException:
        return {}
    return {one["Sid"]: one for one in json.loads(answer["Policy"])["Statement"]}


def test_layers_are_shared_with_accounts_and_an_organisation_again_at_each_publish(command, client, region, tmp_path):
    lam = client()
    written(built(tmp_path / "a", region=region), share=Share(accounts=(PARTNER,), organization=ORG))
    command.document("deploy", tmp_path / "a", "--yes")
    granted = shared_with(lam, "web", 1)
    assert granted[f"layer-optimizer-{PARTNER}"]["Principal"] == {"AWS": f"arn:aws:iam::{PARTNER}:root"}
    organisation = granted[f"layer-optimizer-{ORG}"]
    assert organisation["Principal"] == "*"
    assert organisation["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": ORG}}
    written(built(tmp_path / "b", region=region, web="2"), share=Share(accounts=(), organization=ORG))
    done = command.document("deploy", tmp_path / "b", "--yes")
    rows = [(row["action"], row["subject"]) for row in done["deployments"][0]["changes"]]
    assert ("share-layer", "web") in rows
    assert ("unshare-layer", "aws-core") in rows
    assert set(shared_with(lam, "web", 2)) == set(shared_with(lam, "aws-core", 1)) == {f"layer-optimizer-{ORG}"}
    again = command.document("deploy", tmp_path / "b", "--yes")
    assert again["calls"].keys() <= {"GetAlias", "GetFunctionUrlConfig", "GetRolePolicy", "GetLayerVersionPolicy"}


def test_publish_shares_before_it_tells_others_of_the_version(command, client, region, tmp_path):
    written(built(tmp_path / "a", region=region), share=Share(accounts=(PARTNER,), organization=None))
    done = command.document("publish", tmp_path / "a", "--ssm", "/layers")
    assert [(row["action"], row["subject"]) for row in done["changes"]] == [
        ("publish-layer", "aws-core"),
        ("share-layer", "aws-core"),
        ("publish-layer", "web"),
        ("share-layer", "web"),
    ]
    assert set(shared_with(client(), "web", 1)) == {f"layer-optimizer-{PARTNER}"}
    again = command.document("publish", tmp_path / "a", "--ssm", "/layers")
    assert {row["action"] for row in again["changes"]} == {"keep-layer"}


def test_functions_that_share_layers_publish_each_once_in_each_region(command, client, region, tmp_path):
    other = next(REGIONS)
    two_functions(tmp_path, regions=(region, other))
    done = command.document("deploy", tmp_path, "--yes")
    assert [(one["function"], one["region"], one["outcome"]) for one in done["deployments"]] == [
        (name, place, "done") for name in ("one", "two") for place in (region, other)
    ]
    assert command.calls["PublishLayerVersion"] == 4
    assert ask(client(), "two")[1]["version"] == "1"


def test_one_function_of_several_is_deployed_and_the_others_are_left(command, client, region, tmp_path):
    two_functions(tmp_path / "a", regions=(region,))
    command.document("deploy", tmp_path / "a", "--yes")
    two_functions(tmp_path / "b", regions=(region,), one="2", two="2")
    done = command.document("deploy", tmp_path / "b", "--yes", "--function", "two")
    assert [one["function"] for one in done["deployments"]] == ["two"]
    assert [ask(client(), name)[1]["version"] for name in ("one", "two")] == ["1", "2"]
    refused = command("deploy", "--artifacts", str(tmp_path / "b"), "--yes", "--function", "three", status=2)
    assert "There is no function three in what was built" in refused.stderr
    assert "It has one, two." in refused.stderr


def test_what_was_built_once_goes_from_stage_to_stage(command, client, region, tmp_path):
    stage = next(REGIONS)
    built(tmp_path / "a", region=region)
    command.document("deploy", tmp_path / "a", "--yes", "--region", stage)
    assert command.calls["CreateFunction"] == 1
    with pytest.raises(client().exceptions.ResourceNotFoundException):
        client().get_function(FunctionName="app")
    first = command.document("deploy", tmp_path / "a", "--yes")
    second = command.document("deploy", tmp_path / "a", "--yes", "--region", stage, "--region", region)
    assert [one["region"] for one in second["deployments"]] == [stage, region]
    assert second["sent_bytes"] == 0
    assert first["deployments"][0]["layers"][0]["arn"].split(":")[3] == region
    assert Manifest.read(tmp_path / "a").functions[0].regions == (region,)


def test_a_layer_of_another_region_is_refused_before_the_first_call(command, region, tmp_path):
    other = next(REGIONS)
    arn = f"arn:aws:lambda:{region}:{PARTNER}:layer:agent:3"
    built(tmp_path / "a", region=region, external=(arn,))
    refused = command("deploy", "--artifacts", str(tmp_path / "a"), "--yes", "--region", other, status=1)
    assert f"app in {other} can't attach {arn}: Lambda takes layers of its own region alone" in refused.stderr
    assert not [name for name in command.calls if not name.startswith(("Get", "List"))]


def test_parameters_are_written_in_each_region_and_only_those_that_differ(command, client, region, tmp_path):
    other = next(REGIONS)
    built(tmp_path / "a", region=region)
    places = ("--region", region, "--region", other)
    first = command.document("publish", tmp_path / "a", "--ssm", "/l", *places)
    assert command.calls["PutParameter"] == 4
    arns = {(row["region"], row["name"]): row["arn"] for row in first["layers"]}
    ssm = client("ssm")
    assert ssm.get_parameter(Name="/l/web")["Parameter"]["Value"] == arns[region, "web"]
    ssm.delete_parameter(Name="/l/web")  # as if the run before had been cut off there
    built(tmp_path / "b", region=region, core="2")
    again = command.document("publish", tmp_path / "b", "--ssm", "/l", *places)
    assert command.calls["PutParameter"] == 3
    assert sorted(again["parameters"]) == ["/l/aws-core", "/l/aws-core", "/l/web"]
    assert ssm.get_parameter(Name="/l/web")["Parameter"]["Value"] == arns[region, "web"]


def test_publish_tells_the_region_that_failed_and_does_the_others(command, region, tmp_path):
    built(tmp_path / "a", region=region)
    places = ("--region", region, "--region", "no_region")
    done = command.document("publish", tmp_path / "a", "--ssm", "/l", *places, status=3)
    assert done["regions"] == [
        {"region": region, "outcome": "done"},
        {"region": "no_region", "outcome": "failed"},
    ]
    assert {layer["region"] for layer in done["layers"]} == {region}
    assert "no_region" in done["error"]["message"]
    assert done["parameters"] == ["/l/aws-core", "/l/web"]
