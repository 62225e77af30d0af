"""CycloneDX documents of real builds: valid, the same bytes each time, one component a distribution, never stale."""

import errno
import hashlib
import json
import sys
import zipfile

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from optimizer.build import Manifest
from optimizer.build.sbom import Sboms
from optimizer.cli.build import run_build
from optimizer.cli.pipeline import Source
from optimizer.errors import DiskError, UsageError
from tests.support import lay_out, make_project

VALIDATOR = JsonStrictValidator(max(SchemaVersion))
METADATA = "Metadata-Version: 2.4\nName: {}\nVersion: {}\n{}"


@pytest.fixture
def build(tmp_path, monkeypatch):
    """A project, and what builds it into a folder of it; the documents by file name are returned."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    site = make_project(tmp_path)
    lay_out(
        site,
        "tool",
        files={"tool/__init__.py": "", "tool.libs/libx-1a2b.so.1": b"\x7fELF"},
        metadata={
            "METADATA": METADATA.format("Tool", "1.0", "License-Expression: MIT OR Apache-2.0\n"),
            "licenses/LICENSE": "terms",
            "sboms/a b.cdx.json": "{}",
        },
    )

    def run(output="out", *, sbom=True):
        run_build(Source(config=tmp_path / "config/layers.toml", path=site), tmp_path / output, sbom=sbom)
        folder = tmp_path / output
        return {path.name: json.loads(path.read_text()) for path in folder.glob("*.cdx.json")}

    run.root, run.site = tmp_path, site
    return run


def component(document, name):
    (found,) = [c for c in document["components"] if c["name"] == name]
    return found


def edges(document):
    return {d["ref"]: d.get("dependsOn", []) for d in document["dependencies"]}


def test_there_is_a_valid_document_for_each_zip_and_the_manifest_names_it(build):
    documents = build()
    manifest = Manifest.read(build.root / "out")
    assert documents.keys() == {a.sbom for a in manifest.artifacts}
    assert documents.keys() == {f"{a.path.removesuffix('.zip')}.cdx.json" for a in manifest.artifacts}
    for artifact in manifest.artifacts:
        text = (build.root / "out" / artifact.sbom).read_text()
        assert VALIDATOR.validate_str(text) is None
        root = json.loads(text)["metadata"]["component"]
        properties = {p["name"]: p["value"] for p in root["properties"]}
        assert root["hashes"] == [{"alg": "SHA-256", "content": artifact.sha256}]
        assert properties["layer-optimizer:fingerprint"] == artifact.fingerprint
        assert properties["layer-optimizer:target"] == "python3.11 x86_64"


def test_the_same_inputs_give_the_same_bytes_and_others_another_serial_number(build):
    first = build("a")
    again = build("b")
    for name in first:
        assert (build.root / "a" / name).read_bytes() == (build.root / "b" / name).read_bytes()
    assert "timestamp" not in first["utilities.cdx.json"]["metadata"]
    lay_out(build.site, "shared", "1.0", files={"shared/__init__.py": "changed = 1\n"})
    changed = build("c")
    differ = {name for name in again if again[name]["serialNumber"] != changed[name]["serialNumber"]}
    assert differ == {"aws-core.cdx.json"}


def test_a_component_says_licence_purl_and_the_digest_that_the_lock_has(build):
    document = build()["utilities.cdx.json"]
    tool = component(document, "tool")
    assert tool["purl"] == "pkg:pypi/tool@1.0"
    assert tool["licenses"] == [{"expression": "MIT OR Apache-2.0", "acknowledgement": "declared"}]
    assert "hashes" not in tool
    assert not any(p["name"] == "layer-optimizer:part" for p in tool["properties"])
    with zipfile.ZipFile(build.root / "out/utilities.zip") as archive:
        lines = sorted(
            f"{i.filename}\0{(i.external_attr >> 16) & 0o777:o}\0{hashlib.sha256(archive.read(i)).hexdigest()}"
            for i in archive.infolist()
            if not i.filename.endswith(".pyc")
        )
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    assert {"name": "layer-optimizer:sources-sha256", "value": digest} in tool["properties"]
    licence = "python/tool-1.0.dist-info/licenses/LICENSE"
    assert {"name": "layer-optimizer:licence-file", "value": licence} in tool["properties"]


@pytest.mark.parametrize(
    ("fields", "licenses"),
    [
        ("License-Expression: LicenseRef-Ours\n", [{"expression": "LicenseRef-Ours"}]),
        ("License-Expression: (mit)\n", [{"expression": "(MIT)"}]),
        ("License: MIT\n", [{"license": {"id": "MIT"}}]),
        (
            "Classifier: License :: OSI Approved :: BSD License\nClassifier: License :: OSI Approved :: MIT License\n",
            [{"license": {"id": "MIT"}}, {"license": {"name": "BSD License"}}],
        ),
        ("License: do as you \x01 please\n", [{"license": {"name": "do as you \x01 please"}}]),
        ("", None),
    ],
)
def test_whatever_the_metadata_says_the_document_is_valid(build, fields, licenses):
    lay_out(build.site, "tool", metadata={"METADATA": METADATA.format("tool", "1.0", fields)})
    tool = component(build()["utilities.cdx.json"], "tool")
    for one in tool.get("licenses", ()):
        assert one.get("license", one).pop("acknowledgement") == "declared"
    assert tool.get("licenses") == licenses
    assert VALIDATOR.validate_str((build.root / "out/utilities.cdx.json").read_text()) is None


def test_shared_libraries_and_sboms_that_the_wheel_brought_are_told(build):
    tool = component(build()["utilities.cdx.json"], "tool")
    (library,) = tool["components"]
    assert library["name"] == "python/tool.libs/libx-1a2b.so.1"
    assert library["hashes"][0]["content"] == hashlib.sha256(b"\x7fELF").hexdigest()
    (reference,) = tool["externalReferences"]
    assert reference["type"] == "bom"
    assert reference["url"] == "python/tool-1.0.dist-info/sboms/a%20b.cdx.json"
    assert reference["hashes"][0]["content"] == hashlib.sha256(b"{}").hexdigest()


def test_requirements_lead_inside_the_layer_and_to_what_another_layer_has(build):
    documents = build()
    assert edges(documents["aws-core.cdx.json"])["pkg:pypi/aws@1.0"] == ["pkg:pypi/shared@1.0"]
    web = documents["web-framework.cdx.json"]
    assert edges(web)["pkg:pypi/web@1.0"] == ["pkg:pypi/shared@1.0"]
    assert edges(web)["layer:web-framework"] == ["pkg:pypi/web@1.0"]
    outside = component(web, "shared")
    assert outside["isExternal"]
    assert outside["properties"] == [{"name": "layer-optimizer:layer", "value": "aws-core"}]
    code = documents["function.cdx.json"]
    assert edges(code)["function:app"] == [f"pkg:pypi/{name}@1.0" for name in ("aws", "tool", "web")]
    assert all(c["isExternal"] for c in code["components"])


def test_names_are_normalised(build):
    lay_out(build.site, "Ruamel.YAML_x", files={"ry.py": ""})
    (build.root / "requirements.txt").write_text("aws\nRuamel.YAML_x\nweb\n")
    assert component(build()["utilities.cdx.json"], "ruamel-yaml-x")["purl"] == "pkg:pypi/ruamel-yaml-x@1.0"


def test_parts_of_botocore_are_one_component_that_says_which_parts(build):
    model = "botocore/data/{}/2020-01-01/service-2.json"
    files = {model.format(name): "{}" for name in ("s3", "sqs")} | {"botocore/__init__.py": ""}
    lay_out(build.site, "botocore", files=files)
    config = build.root / "config/layers.toml"
    apart = '[groups]\napart = [["botocore", "botocore/data/s3"]]\n'
    config.write_text(f'{config.read_text()}\n[aws]\nservices = ["s3", "sqs"]\nsplit_services = true\n{apart}')
    (build.root / "requirements.txt").write_text("aws\nweb\nbotocore\n")
    documents = build()
    parts = {
        name: sorted(p["value"] for p in c["properties"] if p["name"] == "layer-optimizer:part")
        for name, document in documents.items()
        for c in document["components"]
        if c["name"] == "botocore" and not c.get("isExternal")
    }
    assert len(parts) == 2
    assert sorted(part for held in parts.values() for part in held) == [
        "botocore",
        "botocore/data/s3",
        "botocore/data/sqs",
    ]
    for name in documents:
        assert VALIDATOR.validate_str((build.root / "out" / name).read_text()) is None


def test_a_build_without_removes_those_of_an_earlier_one_and_nobody_elses(build):
    plain = build("plain", sbom=False)
    build()
    (build.root / "out/theirs.cdx.json").write_text("{}")
    assert not plain
    assert build(sbom=False).keys() == {"theirs.cdx.json"}
    assert "sbom" not in (build.root / "plain/manifest.json").read_text()
    assert (build.root / "out/manifest.json").read_bytes() == (build.root / "plain/manifest.json").read_bytes()


def test_when_a_document_cannot_be_written_the_earlier_build_stays_whole(build, monkeypatch):
    build()
    before = {p.name: p.read_bytes() for p in (build.root / "out").iterdir()}
    lay_out(build.site, "shared", files={"shared/__init__.py": "changed = 1\n"})
    document = Sboms.document

    def full(self, artifact):
        if artifact.name == "utilities":
            raise OSError(errno.ENOSPC, "No space left on device")
        return document(self, artifact)

    monkeypatch.setattr(Sboms, "document", full)
    with pytest.raises(DiskError, match="No space left"):
        build()
    assert {p.name: p.read_bytes() for p in (build.root / "out").iterdir()} == before


def test_without_the_extra_it_says_how_to_install_it(build, monkeypatch):
    for module in [m for m in sys.modules if m.split(".")[0] == "cyclonedx" or m == "optimizer.build.sbom"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "cyclonedx", None)
    with pytest.raises(UsageError, match=r"pip install 'layer-optimizer\[sbom\]'"):
        build()
    assert not (build.root / "out").exists()
