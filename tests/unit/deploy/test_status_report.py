"""status and prune as a person reads them: shares, SnapStart, concurrency, errors, what was kept after all."""

import dataclasses
import io

from rich.console import Console

from optimizer.deploy.drift.findings import Expected
from optimizer.deploy.drift.status import read_status
from optimizer.deploy.pruning.prune import Judged
from optimizer.deploy.pruning.pruner import Pruning
from optimizer.deploy.values import CodeStorage, Url
from optimizer.errors import AwsError
from optimizer.report.prune import print_pruning, pruning_document
from optimizer.report.status import print_status, status_document
from tests.unit.deploy.fakes import REGION, FakeAws, make_manifest
from tests.unit.deploy.support import deploy

DARK = AwsError("xx-nowhere-1 can't be reached", mend="Look at the network.")


def printed(show, *arguments, **named):
    console = Console(file=io.StringIO(), width=80)
    show(*arguments, console, **named)
    return console.file.getvalue()


def statuses(aws, manifest, **changes):
    expected = Expected(
        function=manifest.functions[0],
        ordered=manifest.functions[0].layers,
        fingerprints={a.name: a.fingerprint for a in manifest.artifacts if a.kind == "layer"},
        **changes,
    )
    return read_status([expected], regions=None, connect=lambda _: aws)


def test_an_alias_is_told_with_its_shares_snap_start_provisioned_concurrency_and_url(tmp_path):
    aws, manifest = FakeAws(), make_manifest(tmp_path / "a")
    deploy(aws, manifest)
    deploy(aws, make_manifest(tmp_path / "b", code="code 2"))
    found = aws.functions["app"]
    found.versions["2"] = dataclasses.replace(found.versions["2"], snap_start="On", modified="2026-11-25T07:33:36.844")
    found.aliases["live"] = dataclasses.replace(found.aliases["live"], weights={"1": 0.25})
    found.aliases["same"] = dataclasses.replace(found.aliases["live"], name="same", weights={})
    found.provisioned["live"] = 3
    found.urls[None] = Url(address="https://latest.example/", auth="NONE")
    read = statuses(aws, manifest, unlocked=("utilities",))
    text = printed(print_status, read)
    flat = " ".join(text.split())
    assert "live version 2 of 2026-11-25 07:33 UTC, code " in flat
    assert "; 25% to version 1; SnapStart On; provisioned concurrency 3 https://app.example/ AWS_IAM" in flat
    assert "same version 2" in flat
    assert "layers as live" in flat
    assert "its callers the function URL https://latest.example/" in flat
    assert "utilities has no lock to compare with" in flat
    assert "! alias-weighted app:live" in flat
    assert "Drift in 1 of 1 function." in flat
    (entry,) = status_document(read, {"GetFunction": 1})["functions"]
    live = next(alias for alias in entry["aliases"] if alias["name"] == "live")
    assert (live["weights"], live["serves"]["snap_start"]) == ({"1": 0.25}, "On")
    assert entry["provisioned_concurrency"] == {"live": 3}
    assert entry["layers_without_lock"] == ["utilities"]


def test_a_region_that_cannot_be_read_is_told_beside_the_others(tmp_path):
    class Dark:
        def configuration(self, *_):
            raise DARK

    text = printed(print_status, statuses(Dark(), make_manifest(tmp_path)))
    assert text.splitlines()[:3] == [
        f"app in {REGION}  can't be read",
        "  xx-nowhere-1 can't be reached",
        "  Look at the network.",
    ]
    assert "1 of 1 function can't be read; drift in 0." in text


def judged(version, **changes):
    return Judged(
        **{
            "kind": "layer",
            "subject": "web",
            "version": version,
            "arn": f"arn:web:{version}",
            "since": "2026-11-25T07:33:36",
            "fingerprint": "f" * 64,
            "zipped_bytes": 2048,
            **changes,
        }
    )


def test_what_was_deleted_kept_after_all_gone_or_attached_meanwhile_is_told():
    one = Pruning(
        region=REGION,
        versions=(judged(3), judged(2), judged(1), judged(4, reason="newest"), judged(5, reason="in-use")),
        storage=CodeStorage(used_bytes=10_240, limit_bytes=20_480),
        outcomes={"arn:web:3": "deleted", "arn:web:2": "kept", "arn:web:1": "gone"},
        kept={"arn:web:2": "used by app:$LATEST"},
        late={"arn:web:3": ("app:7",)},
        after=CodeStorage(used_bytes=8192, limit_bytes=20_480),
    )
    text = printed(print_pruning, [one], executed=True)
    flat = " ".join(text.split())
    assert "eu-central-1 code storage 10.0 KiB of 20.0 KiB (50.0%)" in flat
    assert "- layer web:3 of 2026-11-25, 2.0 KiB: deleted" in flat
    assert "= layer web:2 of 2026-11-25, 2.0 KiB: kept after all, used by app:$LATEST" in flat
    assert "= layer web:1 of 2026-11-25, 2.0 KiB: somebody else deleted it meanwhile" in flat
    assert "= layer web keeps in use 5; among the newest 4" in flat
    assert "! arn:web:3 was attached by app:7 in the moment in which it was deleted." in flat
    assert "Deleted 1 version: 2.0 KiB freed. eu-central-1: code storage 8.0 KiB of 20.0 KiB (40.0%) now" in flat
    assert "--yes" not in flat
    document = pruning_document([one], keep=1, executed=True, calls={})
    (region,) = document["regions"]
    assert (region["freed_bytes"], region["code_storage"]["used_bytes_after"]) == (2048, 8192)
    assert region["attached_meanwhile"] == {"arn:web:3": ["app:7"]}


def test_a_region_that_is_refused_is_told_and_nothing_of_it_is_counted():
    text = printed(print_pruning, [Pruning(region="xx-nowhere-1", error=DARK)], executed=False)
    assert text.startswith("xx-nowhere-1  refused\n  !  xx-nowhere-1 can't be reached\n")
    assert "Nothing can be deleted." in text
