"""A change set as a person reads it, and as the JSON document that scripts read."""

import io

from rich.console import Console

from optimizer.deploy.values import Url
from optimizer.report.change_set import deploy_document, print_changes
from tests.unit.deploy.fakes import FakeAws, make_manifest
from tests.unit.deploy.support import deploy, deployer


def printed(deployments):
    console = Console(file=io.StringIO(), width=160)
    print_changes(deployments, console)
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines()]


def test_each_action_has_its_symbol_its_bytes_and_its_reason(tmp_path):
    aws = FakeAws()
    deploy(aws, make_manifest(tmp_path / "a"))
    lines = printed(
        deployer(aws, make_manifest(tmp_path / "b", layers={"aws-core": "aws 1", "web": "web 2"}, url="none")).plan()
    )
    assert lines[0] == "app in eu-central-1 live serves version 1"
    assert lines[1].startswith("= keep-layer aws-core version 1 has fingerprint ")
    assert lines[2].startswith("+ publish-layer web 5 B 1 call fingerprint ")
    assert "~ attach-layers app 1 call aws-core:1 web:1 → aws-core:1 web:new" in lines
    assert "? check app 1 call GET /health before anybody else calls it" in lines
    assert "- delete-url app:live 1 call no URL is configured" in lines
    assert lines[-1] == "Plan: 2 to make, 3 to change, 1 to take away; 5 B to send in 7 calls."


def test_a_narrow_terminal_has_no_room_for_the_calls_of_each(tmp_path):
    planned = deployer(FakeAws(), make_manifest(tmp_path)).plan()
    console = Console(file=io.StringIO(), width=80)
    print_changes(planned, console)
    table, _, plan = console.file.getvalue().rpartition("Plan: ")
    assert "call " not in table
    assert plan.rstrip().endswith(" calls.")


def test_callers_of_latest_that_were_accepted_are_shown(tmp_path):
    aws = FakeAws()
    deploy(aws, make_manifest(tmp_path / "a"))
    aws.functions["app"].urls[None] = Url(address="https://latest.example/", auth="NONE")
    lines = printed(deployer(aws, make_manifest(tmp_path / "b", memory_mb=1024), accept_latest=True).plan())
    assert "! $LATEST is called by the function URL https://latest.example/, who sees it half-done" in lines


def test_a_refusal_is_an_entry_of_the_document_with_its_reason(tmp_path):
    planned = deployer(FakeAws(), make_manifest(tmp_path), code_only=True).plan()
    document = deploy_document(planned, executed=False, sent_bytes=0, calls={"GetFunction": 2})
    (one,) = document["deployments"]
    assert (one["outcome"], one["version"], one["layers"]) == ("refused", None, [])
    assert one["changes"][-1]["action"] == "refuse"
    assert "no function yet" in one["changes"][-1]["reason"]
    assert "1 of 1 can't be deployed; nothing is changed." in printed(planned)
