"""Two real builds, and what `diff` says of them."""

import hashlib
import json
import shutil
import zipfile

import pytest

from optimizer.build.compare import compare
from optimizer.build.contents import read_contents
from optimizer.cli.app import application
from optimizer.cli.build import run_build
from optimizer.cli.pipeline import Source
from optimizer.errors import ArtifactError
from optimizer.report.difference import difference_document
from optimizer.report.difference_words import summary
from tests.support import lay_out, make_project


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project whose `build(NAME)` writes a folder of that name, and `diff(A, B)` compares two."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)

    class Project:
        root = tmp_path
        site = make_project(tmp_path)

        def build(self, name):
            run_build(Source(config=tmp_path / "config/layers.toml", path=self.site), tmp_path / name)
            return tmp_path / name

        def upgrade(self, name, version, files=None):
            for place in (*self.site.glob(f"{name}-*.dist-info"), self.site / name):
                shutil.rmtree(place, ignore_errors=True)
            lay_out(self.site, name, version, files=files)

        def configure(self, before, after):
            config = tmp_path / "config/layers.toml"
            assert before in config.read_text()
            config.write_text(config.read_text().replace(before, after))

        def diff(self, old="old", new="new"):
            return compare(read_contents(tmp_path / old), read_contents(tmp_path / new))

    made = Project()
    made.build("old")
    return made


def statuses(difference):
    return {one.name: one.status for one in difference.zips}


def changes(difference, artifact):
    (one,) = [z for z in difference.zips if z.name == artifact]
    return one.changes


def repack(folder, name, edit=lambda _, data: data):
    """Writes a zip of the folder anew, as another compressor would, and its manifest with it."""
    with zipfile.ZipFile(folder / name) as archive:
        entries = [(info, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_STORED) as archive:
        for info, data in entries:
            made = zipfile.ZipInfo(info.filename)
            made.external_attr = info.external_attr
            archive.writestr(made, edit(info.filename, data))
    manifest = json.loads((folder / "manifest.json").read_text())
    for artifact in manifest["artifacts"]:
        if artifact["path"] == name:
            artifact["sha256"] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
            artifact["zipped_bytes"] = (folder / name).stat().st_size
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_two_builds_of_the_same_do_not_differ(project):
    project.build("new")
    difference = project.diff()
    assert not difference.differs
    assert set(statuses(difference).values()) == {"unchanged"}
    assert summary(difference) == "no difference: nothing is published"


def test_a_new_version_publishes_its_layer_alone(project):
    text = "".join(f"VALUE_{n} = {hash((n, 7))}\n" for n in range(200))
    project.upgrade("tool", "1.1", {"tool/__init__.py": "NAME = 'tool'\n", "tool/more.py": text})
    project.build("new")
    difference = project.diff()
    assert statuses(difference) == {
        "aws-core": "unchanged",
        "web-framework": "unchanged",
        "utilities": "published",
        "app": "unchanged",
    }
    (change,) = changes(difference, "utilities")
    assert (change.name, change.kind, change.before, change.after) == ("tool", "updated", "1.0", "1.1")
    files = {(f.path, f.kind) for f in change.files}
    assert ("python/tool/more.py", "added") in files
    assert ("python/tool-1.1.dist-info/METADATA", "changed") in files
    assert not any(path.endswith(("__init__.py", ".pyc", "WHEEL")) for path, _ in files)
    sizes = [(project.root / folder / "utilities.zip").stat().st_size for folder in ("old", "new")]
    assert change.zipped_bytes == sizes[1] - sizes[0] == difference.zipped_bytes
    assert difference.sent_bytes == sizes[1]
    words = summary(difference)
    assert words.startswith("tool 1.0 → 1.1, +")
    assert words.endswith(f"zipped; only utilities is published again ({sizes[1] / 1024:.1f} KiB to send)")


def test_what_moves_is_told_with_both_layers_and_no_file_of_it_counts(project):
    project.configure('roots = ["aws"]', 'roots = ["aws"]\ninclude = ["tool"]')
    project.build("new")
    difference = project.diff()
    (came,) = changes(difference, "aws-core")
    (left,) = changes(difference, "utilities")
    assert (came.kind, came.other, came.files) == ("came", "utilities", ())
    assert (left.kind, left.other, left.files) == ("left", "aws-core", ())
    assert came.zipped_bytes == -left.zipped_bytes > 0
    assert statuses(difference)["web-framework"] == "unchanged"
    assert summary(difference).startswith("tool 1.0 moved from utilities, as many bytes zipped; only aws-core and util")


def test_what_moves_and_changes_tells_what_changed(project):
    project.configure('roots = ["aws"]', 'roots = ["aws"]\ninclude = ["tool"]')
    project.upgrade("tool", "2.0", {"tool/__init__.py": "NAME = 'other'\n"})
    project.build("new")
    (came,) = changes(project.diff(), "aws-core")
    assert (came.kind, came.before, came.after) == ("came", "1.0", "2.0")
    assert "python/tool/__init__.py" in {f.path for f in came.files}
    assert "python/tool-2.0.dist-info/WHEEL" not in {f.path for f in came.files}
    assert summary(project.diff()).startswith("tool 1.0 → 2.0 moved from utilities, ")


def test_what_is_added_and_removed(project):
    lay_out(project.site, "Extra.Thing", "3.1", files={"extra.py": ""})
    (project.root / "requirements.txt").write_text("aws\nweb\nextra-thing\n")
    project.build("new")
    added, removed = changes(project.diff(), "utilities")
    assert (added.name, added.kind, added.before, added.after) == ("extra-thing", "added", None, "3.1")
    assert (removed.name, removed.kind, removed.before, removed.after) == ("tool", "removed", "1.0", None)
    assert "extra-thing 3.1 added and tool 1.0 removed" in summary(project.diff())


def test_equal_fingerprints_with_other_bytes_are_not_published(project):
    project.build("new")
    repack(project.root / "new", "utilities.zip", lambda path, data: data + b"\0" if path.endswith(".pyc") else data)
    difference = project.diff()
    assert statuses(difference)["utilities"] == "same-content"
    assert difference.sent_bytes == 0
    assert difference.differs
    assert changes(difference, "utilities") == ()
    assert summary(difference) == "same content, other bytes in utilities; nothing is published"


def test_other_build_options_are_told_where_no_source_differs(project):
    project.configure('name = "utilities"', 'name = "utilities"\n\n[build]\nbytecode = false')
    project.build("new")
    difference = project.diff()
    assert {one.status for one in difference.zips if one.kind == "layer"} == {"published"}
    assert not any(one.changes for one in difference.zips)
    words = summary(difference)
    assert words.startswith("the same sources, with other bytecode or build options; all: aws-core, web-framework and")


def test_another_architecture_sends_everything(project):
    project.configure('runtime = "python3.11"', 'runtime = "python3.11"\narchitecture = "arm64"')
    project.build("new")
    difference = project.diff()
    assert set(statuses(difference).values()) == {"published"}
    assert summary(difference).startswith("from python3.11 x86_64 to python3.11 arm64; all: ")


def test_a_renamed_layer_is_new_and_the_other_gone(project):
    project.configure('name = "utilities"', 'name = "rest"')
    project.build("new")
    difference = project.diff()
    assert (statuses(difference)["rest"], statuses(difference)["utilities"]) == ("new", "removed")
    (came,) = changes(difference, "rest")
    assert (came.kind, came.other) == ("came", "utilities")


def test_code_and_settings_are_told_but_no_secret(project):
    (project.root / "src/handler.py").write_text("def handler(event, context):\n    return 1\n")
    project.configure('handler = "handler', 'memory_mb = 2048\nenvironment = {TOKEN = "hunter2"}\nhandler = "handler')
    project.build("new")
    difference = project.diff()
    (change,) = changes(difference, "app")
    assert [f.path for f in change.files] == ["handler.py"]
    text = json.dumps(difference_document(difference))
    assert "hunter2" not in text
    settings = {one.name: (one.before, one.after) for one in difference.settings}
    assert settings == {"memory_mb": ("512", "2048"), "environment": (None, None)}
    size = (project.root / "new/function.zip").stat().st_size
    assert summary(difference).endswith(f"; only the code of app is sent ({size} B to send)")


def test_parts_belong_to_their_distribution_wherever_they_lie(project):
    model = "botocore/data/{}/2020-01-01/service-2.json"
    files = {model.format(name): "{}" for name in ("s3", "sqs")} | {"botocore/__init__.py": ""}
    lay_out(project.site, "botocore", files=files)
    apart = '[groups]\napart = [["botocore", "botocore/data/s3"]]\n'
    aws = f'[aws]\nservices = ["s3", "sqs"]\nsplit_services = true\n{apart}'
    project.configure('name = "utilities"', f'name = "utilities"\n\n{aws}')
    (project.root / "requirements.txt").write_text("aws\nweb\nbotocore\n")
    project.build("old")
    held = {z.artifact.name: [h.name for h in z.held] for z in read_contents(project.root / "old").zips}
    assert sum(names.count("botocore") for names in held.values()) == 2
    assert not any("" in names for layer, names in held.items() if layer != "app")
    project.upgrade("botocore", "1.1", files | {model.format("s3"): '{"new": 1}'})
    project.build("new")
    told = [(c.name, c.before, c.after) for one in project.diff().zips for c in one.changes]
    assert told == [("botocore", "1.0", "1.1")] * 2


def test_a_distribution_without_record_is_known_by_its_metadata(project):
    shutil.rmtree(project.site / "tool-1.0.dist-info")
    info = project.site / "tool-1.0.egg-info"
    info.mkdir()
    (info / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: Tool\nVersion: 1.0\n")
    (info / "top_level.txt").write_text("tool\n")
    project.build("new")
    (utilities,) = [z for z in read_contents(project.root / "new").zips if z.artifact.name == "utilities"]
    (held,) = utilities.held
    assert (held.name, held.version) == ("tool", "1.0")
    assert "python/tool/__init__.py" in held.files


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda folder: (folder / "manifest.json").unlink(), "There is no manifest.json"),
        (lambda folder: (folder / "utilities.zip").unlink(), "utilities.zip is missing"),
        (lambda folder: (folder / "utilities.zip").write_bytes(b"PK"), "is not the zip that its manifest describes"),
    ],
)
def test_a_folder_that_is_no_whole_build_is_refused(project, harm, words):
    harm(project.root / "old")
    with pytest.raises(ArtifactError, match=words) as raised:
        read_contents(project.root / "old")
    assert "optimizer build" in raised.value.mend


def test_a_damaged_zip_whose_manifest_agrees_is_refused(project):
    folder = project.root / "old"
    manifest = json.loads((folder / "manifest.json").read_text())
    data = (folder / "utilities.zip").read_bytes()[:-30]
    (folder / "utilities.zip").write_bytes(data)
    for artifact in manifest["artifacts"]:
        if artifact["name"] == "utilities":
            artifact["sha256"] = hashlib.sha256(data).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ArtifactError, match=r"utilities\.zip can't be read"):
        read_contents(folder)


def test_the_command_writes_text_json_and_markdown_and_exits_0(project, capsys):
    project.upgrade("tool", "1.1")
    project.build("new")

    def diff(*arguments):
        capsys.readouterr()
        status = application(("diff", "plan"))(["diff", "old", "new", *arguments], standalone_mode=False)
        return status, capsys.readouterr().out

    status, text = diff()
    assert status == 0
    assert text.startswith("tool 1.0 → 1.1, ")
    assert "aws-core: unchanged" in text
    status, text = diff("--format", "markdown")
    assert status == 0
    assert "| tool | 1.0 → 1.1 |" in text
    status, text = diff("--format", "json", "--exit-code")
    assert status == 1
    document = json.loads(text)
    assert (document["schema"], document["differs"]) == (1, True)
    assert [a["name"] for a in document["artifacts"] if a["sent_bytes"]] == ["utilities"]
    assert application(("diff", "plan"))(["diff", "old", "old", "--exit-code"], standalone_mode=False) == 0
