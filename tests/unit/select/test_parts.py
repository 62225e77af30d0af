"""Service models as items of their own: what ships is the same, in more and smaller items."""

import csv
import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from optimizer.cli.pipeline import Source, planned
from optimizer.cli.replay import untrimmed
from optimizer.content.deflate import inflate
from optimizer.errors import ConfigError
from optimizer.partition.document import problem_document
from optimizer.report.explanation import explanation
from optimizer.report.plan_json import plan_document
from tests.support import CONFIG, lay_out, make_project

S3 = "botocore/data/s3"
SQS = "botocore/data/sqs"
RECORD = "python/botocore-1.0.dist-info/RECORD"
SERVICES = ("s3", "sqs", "ec2")
APART = '\n[aws]\nservices = ["s3", "sqs"]\nsplit_services = true\n'
TOGETHER = APART.replace("true", "false")
AS_PACKED = "[slim]\nbotocore-documentation = false\n"


def model(service, *, stamp=1234):
    return f"botocore/data/{service}/2020-01-01/service-2.json.gz", gzip.compress(service.encode() * 50, mtime=stamp)


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    make_project(tmp_path, config=CONFIG.replace('["aws"]', '["boto3"]'), requirements="boto3\nweb\ntool\n")
    install(tmp_path)
    return tmp_path


def install(project, version="1.0", *, stamp=1234, extra=None):
    files: dict[str, str | bytes] = {
        "botocore/__init__.py": f"VERSION = '{version}'\n",
        "botocore/data/endpoints.json": "{}",
    }
    for service in SERVICES:
        files |= dict([model(service, stamp=stamp)])
        files[f"botocore/data/{service}/2020-01-01/paginators-1.json"] = f'{{"{service}": 1}}'
    lay_out(project / "site", "botocore", version, files={**files, **(extra or {})})
    resources = {f"boto3/data/{name}/2020-01-01/resources-1.json": "{}" for name in ("s3", "ec2")}
    lay_out(project / "site", "boto3", requires=("botocore",), files={"boto3/__init__.py": "", **resources})


def configure(project, text=APART):
    base = CONFIG.replace('["aws"]', '["boto3"]')
    (project / "config/layers.toml").write_text(base + text)


def plan(project, text=APART, **options):
    configure(project, text)
    return planned(Source(config=project / "config/layers.toml", path=project / "site", **options))


def contents(result):
    """Every file of every layer: mode and bytes, by path; no path stands in two."""
    found = {}
    for layer in result.plan.layers:
        for d in layer.distributions:
            for entry, stream in result.payloads.entries(d.payload):
                assert entry.path not in found
                found[entry.path] = (entry.mode, inflate(stream))
    return found


def paths_of(result, name):
    (payload,) = (d.payload for layer in result.plan.layers for d in layer.distributions if d.name == name)
    return {line.split("\0")[0] for line in payload.sources}


def test_by_default_each_distribution_is_one_item(project):
    with plan(project, "") as result:
        names = [d.name for layer in result.plan.layers for d in layer.distributions]
    assert sorted(names) == ["boto3", "botocore", "shared", "tool", "web"]


def test_each_kept_service_is_an_item_of_botocores_version(project):
    with plan(project) as result:
        items = {item.name: item for item in result.problem.items}
        assert set(items) == {"boto3", "botocore", S3, SQS, "shared", "tool", "web"}
        assert items["botocore"].requires == (S3, SQS)
        assert items[S3].members == (S3,)
        assert paths_of(result, S3) == {
            f"python/{S3}/2020-01-01/service-2.json",
            f"python/{S3}/2020-01-01/paginators-1.json",
        }
        assert "python/boto3/data/s3/2020-01-01/resources-1.json" in paths_of(result, "boto3")
        assert "python/botocore/data/endpoints.json" in paths_of(result, "botocore")
        (function,) = result.inventory.functions
        assert {S3, SQS, "botocore"} <= function.closure
        assert S3 not in function.direct


def test_the_layers_merge_to_the_same_files_byte_for_byte(project):
    with plan(project, TOGETHER) as result:
        before = contents(result)
    with plan(project) as result:
        assert contents(result) == before


@pytest.mark.parametrize("text", [TOGETHER, APART])
def test_gzipd_models_ship_without_their_time_stamp(project, text):
    with plan(project, text + AS_PACKED) as result:
        packed = {path: data for path, (_, data) in contents(result).items() if path.endswith(".gz")}
    assert len(packed) == 2
    for path, data in packed.items():
        disk = (project / "site" / path.removeprefix("python/")).read_bytes()
        assert data == disk[:4] + bytes(4) + disk[8:]
        assert gzip.decompress(data) == gzip.decompress(disk)


def test_record_tells_of_the_parts_files_and_of_nothing_that_does_not_ship(project):
    import base64
    import hashlib

    with plan(project) as result:
        merged = contents(result)
    rows = list(csv.reader(merged[RECORD][1].decode().splitlines()))
    listed = {f"python/{path}" for path, _, _ in rows}
    own = {path for path in merged if path.startswith("python/botocore") and not path.endswith(".pyc")}
    assert listed == own
    for path, digest, size in rows:
        if digest:
            data = merged[f"python/{path}"][1]
            assert digest == "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            assert int(size) == len(data)


def digests(project, text=APART):
    with plan(project, text) as result:
        return {d.name: d.payload.digest for layer in result.plan.layers for d in layer.distributions}


def test_a_release_that_changes_no_model_changes_no_part_and_one_that_does_changes_botocore_too(project):
    before = digests(project)
    for path in Path(project / "site").glob("botocore-1.0*"):
        for file in path.iterdir():
            file.unlink()
        path.rmdir()
    install(project, "1.1", stamp=99999)
    after = digests(project)
    assert {name for name in before if before[name] != after[name]} == {"botocore"}
    install(project, "1.1", stamp=99999, extra={f"{SQS}/2020-01-01/paginators-1.json": "{}"})
    later = digests(project)
    assert {name for name in before if after[name] != later[name]} == {"botocore", SQS}


def test_botocores_payload_depends_on_a_parts_file_alone_since_its_record_does(project):
    before = digests(project)
    (project / "site" / SQS / "2020-01-01/paginators-1.json").write_text("[]")
    after = digests(project)
    assert {name for name in before if before[name] != after[name]} == {"botocore", SQS}


def test_a_time_stamp_alone_changes_no_layer(project):
    before = digests(project, TOGETHER)
    install(project, stamp=99999)
    assert digests(project, TOGETHER) == before


def test_parts_are_not_glued_to_botocore_but_real_overlaps_are(project):
    lay_out(project / "site", "tool", files={"tool/__init__.py": "", f"{S3}/2020-01-01/extra.json": "{}"})
    lay_out(project / "site", "web", requires=("shared",), files={f"{SQS}/2020-01-01/paginators-1.json": "{}"})
    configure(project)
    text = (project / "config/layers.toml").read_text().replace('["web"]', '["shared"]')
    (project / "config/layers.toml").write_text(text)
    with planned(Source(config=project / "config/layers.toml", path=project / "site")) as result:
        groups = {group.members for group in result.plan.groups}
        assert groups == {("boto3",), ("botocore", SQS, "tool", "web"), (S3,), ("shared",)}
        assert any("botocore and web both own" in line for line in result.plan.warnings)
        contents(result)


def test_lock_plan_and_explanation_speak_of_parts(project):
    with plan(project, APART + f'[groups]\napart = [["botocore", "{S3}"]]\n', layers=4) as result:
        lock = "".join(layer.lock for layer in result.plan.layers)
        assert f"\n{S3}==1.0 sha256:" in lock
        document = plan_document(result.plan)
        rows = {d["name"]: d for layer in document["layers"] for d in layer["distributions"]}
        with plan(project, TOGETHER) as other:
            unsplit = plan_document(other.plan)
        whole = {d["name"]: d for layer in unsplit["layers"] for d in layer["distributions"]}["botocore"]
        assert sum(rows[name]["installed_bytes"] for name in ("botocore", S3, SQS)) == whole["installed_bytes"]
        assert document["total_unzipped_bytes"] == unsplit["total_unzipped_bytes"]
        assert rows["botocore"]["left_out"] == whole["left_out"]
        found = explanation(result.plan, result.inventory, S3)
        assert found["required_by"] == ["botocore"]
        assert found["requirement_paths"] == [{"function": "app", "path": ["boto3", "botocore", S3]}]
        assert [row["name"] for row in problem_document(result.problem)["items"]].count(S3) == 1
        home = {d["name"]: layer["name"] for layer in document["layers"] for d in layer["distributions"]}
        assert home["botocore"] != home[S3]


def test_locked_parts_are_found_again(project):
    with plan(project) as result:
        for layer in result.plan.layers:
            place = project / "layers" / layer.name / "layer.lock"
            place.parent.mkdir(parents=True)
            place.write_text(layer.lock)
    with plan(project) as result:
        assert result.plan.stale == ()
        assert S3 in result.problem.locked


def test_pins_take_a_parts_name(project):
    text = CONFIG.replace('["aws"]', '["boto3"]').replace('["web"]', f'["web"]\ninclude = ["{SQS}"]')
    (project / "config/layers.toml").write_text(text + APART + f'[groups]\ntogether = [["{S3}", "tool"]]\n')
    with planned(Source(config=project / "config/layers.toml", path=project / "site")) as result:
        assert result.plan.partition.assignment[SQS] == "web-framework"
        assert (S3, "tool") in {group.members for group in result.plan.groups}


def test_patterns_of_botocore_hold_for_its_parts(project):
    slim = '[slim]\nkeep = {botocore = ["botocore/data/ec2/*"]}\ndrop = {botocore = ["*/paginators-1.json"]}\n'
    with plan(project, APART + slim) as result:
        assert paths_of(result, S3) == {f"python/{S3}/2020-01-01/service-2.json"}
        assert "python/botocore/data/ec2/2020-01-01/paginators-1.json" in paths_of(result, "botocore")
        assert "botocore/data/ec2" not in {item.name for item in result.problem.items}


def test_a_service_of_which_nothing_ships_is_no_item(project):
    with plan(project, APART + f'[slim]\ndrop = {{botocore = ["{S3}/*"]}}\n') as result:
        assert S3 not in {item.name for item in result.problem.items}


def test_untrimmed_bytes_are_those_of_all_models(project):
    with plan(project, TOGETHER + AS_PACKED) as result:
        before = untrimmed(result)["botocore"]
    install(project, stamp=0)
    with plan(project, APART + AS_PACKED) as result:
        parts = sum(item.zipped_bytes for item in result.problem.items if item.name in {S3, SQS})
        assert untrimmed(result)["botocore"] + parts == pytest.approx(before, abs=20)


def test_without_botocore_there_is_nothing_to_split(project):
    (project / "requirements.txt").write_text("web\ntool\n")
    text = CONFIG.replace('["aws"]', '["tool"]') + "\n[aws]\nsplit_services = true\n"
    (project / "config/layers.toml").write_text(text)
    with planned(Source(config=project / "config/layers.toml", path=project / "site")) as result:
        assert {item.name for item in result.problem.items} == {"shared", "tool", "web"}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('\n[aws]\nservices = "all"\nsplit_services = true\n', r"aws\.split_services: over 400 items"),
        (
            f'\n[groups]\napart = [["{S3}", "tool"]]\n',
            r"groups\.apart\[0\]: 'botocore/data/s3' is an item of its own with",
        ),
        (APART + '[groups]\napart = [["botocore/data/s4", "tool"]]\n', r"'botocore/data/s4' is not among"),
        (
            APART + '[groups]\napart = [["boto3/data/s3", "tool"]]\n',
            r"'boto3/data/s3' is not the name of a distribution",
        ),
        (APART + f'[slim]\nkeep = {{"{S3}" = ["*"]}}\n', r"'botocore/data/s3' is not the name of a distribution"),
    ],
)
def test_what_cannot_be_is_a_fault_of_the_configuration(project, text, fault):
    with pytest.raises(ConfigError, match=fault), plan(project, text):
        pass


def test_a_client_that_cant_be_followed_is_a_fault_with_its_line(project):
    (project / "src/handler.py").write_text("import boto3\n\n\ndef make(name):\n    return boto3.client(name)\n")
    with (
        pytest.raises(ConfigError, match=r"aws\.split_services: .*handler\.py:5: write the name as a literal"),
        plan(project, "\n[aws]\nsplit_services = true\n"),
    ):
        pass


def test_the_order_of_the_inventory_does_not_matter(project):
    from optimizer.select import split_inventory, split_selections

    with plan(project, TOGETHER) as result:
        inventory = result.inventory
    from optimizer.config import load
    from optimizer.select import select_distribution

    settings = load(project / "config/layers.toml")
    services = frozenset({"s3", "sqs"})
    chosen = [select_distribution(d, settings, services) for d in inventory.distributions]
    backwards = replace(inventory, distributions=inventory.distributions[::-1])
    first, second = split_selections(chosen, services), split_selections(chosen[::-1], services)
    assert first == second
    assert split_inventory(inventory, first) == split_inventory(backwards, second)
    assert json.dumps([s.name for s in first]) == json.dumps(sorted(s.name for s in first))
