"""The inventory: what is in reach of the requirements, and what is wrong with it."""

import pytest

from optimizer.config import load
from optimizer.errors import InventoryError, UsageError
from optimizer.inventory import InstalledEnvironment, read_inventory
from tests.support import lay_out, make_project


def read(root, site):
    return read_inventory(load(root / "config/layers.toml"), InstalledEnvironment.of_folder(site))


def codes(inventory):
    return {(d.distribution, d.code) for d in inventory.defects}


def test_only_what_is_required_is_in_it(tmp_path):
    inventory = read(tmp_path, make_project(tmp_path))
    assert [d.name for d in inventory.distributions] == ["aws", "shared", "tool", "web"]
    assert inventory.functions[0].direct == {"aws", "web", "tool"}


def test_extras_and_markers_are_evaluated_for_the_target(tmp_path):
    site = make_project(tmp_path, requirements="Aws\nWEB[fast]\ntool; sys_platform == 'win32'\n")
    lay_out(site, "web", requires=("shared", "quick; extra == 'fast'", "old; python_version < '3.11'"))
    lay_out(site, "quick", requires=("arm; platform_machine == 'aarch64'", "amd; platform_machine == 'x86_64'"))
    lay_out(site, "amd")
    names = [d.name for d in read(tmp_path, site).distributions]
    assert names == ["amd", "aws", "quick", "shared", "web"]


def test_installed_bytes_are_those_on_disk(tmp_path):
    site = make_project(tmp_path)
    on_disk = sum(p.stat().st_size for folder in ("aws", "aws-1.0.dist-info") for p in (site / folder).rglob("*"))
    assert next(d for d in read(tmp_path, site).distributions if d.name == "aws").installed_bytes == on_disk


def test_every_fatal_defect_is_told_at_once(tmp_path):
    site = make_project(tmp_path, requirements="aws==2.0\nweb\nnowhere\n")
    lay_out(site, "web", tags=("cp311-cp311-macosx_11_0_arm64",))
    with pytest.raises(InventoryError) as raised:
        read(tmp_path, site)
    text = str(raised.value)
    assert "aws: version 1.0 does not satisfy ==2.0" in text
    assert "nowhere: required by" in text
    assert "requirements.txt:3, is not installed" in text
    assert "web: 1.0 is built for cp311-cp311-macosx_11_0_arm64, which does not load on python3.11" in text


@pytest.mark.parametrize(
    ("tags", "fits"),
    [
        (("cp311-cp311-manylinux_2_28_x86_64",), False),
        (("cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-manylinux_2_28_x86_64"), True),
        (("cp39-abi3-manylinux2014_x86_64",), True),
        (("cp312-cp312-manylinux_2_17_x86_64",), False),
        (("cp311-cp311-manylinux_2_17_aarch64",), False),
        (("cp311-cp311-musllinux_1_2_x86_64",), False),
        (("py3-none-any",), True),
        (("py2.py3-none-any",), True),
    ],
)
def test_a_wheel_has_to_load_on_the_runtimes_glibc_and_one_tag_is_enough(tmp_path, tags, fits):
    site = make_project(tmp_path)
    lay_out(site, "web", tags=tags)
    if fits:
        read(tmp_path, site)
    else:
        with pytest.raises(InventoryError, match=r"glibc 2\.26"):
            read(tmp_path, site)


def test_a_wheel_built_here_is_a_warning(tmp_path):
    site = make_project(tmp_path)
    lay_out(site, "web", tags=("cp311-cp311-linux_x86_64",))
    assert ("web", "built-here") in codes(read(tmp_path, site))


def test_an_editable_install_is_refused(tmp_path):
    site = make_project(tmp_path)
    lay_out(site, "web", metadata={"direct_url.json": '{"url": "file:///x", "dir_info": {"editable": true}}'})
    with pytest.raises(InventoryError, match="editable install"):
        read(tmp_path, site)


def test_without_record_files_come_from_the_disk(tmp_path):
    site = make_project(tmp_path)
    lay_out(site, "web", files={"web/__init__.py": "", "web/sub/a.py": "A = 1\n"}, record=False)
    (site / "web-1.0.dist-info/RECORD").unlink(missing_ok=True)
    inventory = read(tmp_path, site)
    web = next(d for d in inventory.distributions if d.name == "web")
    assert {"web/__init__.py", "web/sub/a.py", "web-1.0.dist-info/METADATA"} <= {f.path for f in web.files}
    assert ("web", "no-record") in codes(inventory)


def test_without_record_and_without_modules_it_is_refused(tmp_path):
    site = make_project(tmp_path)
    lay_out(site, "odd", files={}, record=False)
    (tmp_path / "requirements.txt").write_text("odd\n")
    with pytest.raises(InventoryError, match="no module of it is found"):
        read(tmp_path, site)


def test_a_record_that_disagrees_with_the_disk_is_told(tmp_path):
    site = make_project(tmp_path)
    lay_out(site, "web", files={"web/__init__.py": "", "web/a.py": "A = 1\n", "web/b.py": ""})
    (site / "web/a.py").write_text("A = 12345\n")
    (site / "web/b.py").unlink()
    inventory = read(tmp_path, site)
    assert {("web", "record-differs"), ("web", "record-missing")} <= codes(inventory)


def test_files_outside_the_folder_never_ship(tmp_path):
    site = make_project(tmp_path)
    (tmp_path / "secret").write_text("x")
    lay_out(site, "web", extra_record=("../secret,,1", "/etc/passwd,,", "../../bin/web,,", "a/../../secret,,"))
    inventory = read(tmp_path, site)
    web = next(d for d in inventory.distributions if d.name == "web")
    assert not [f for f in web.files if ".." in f.path or f.path.startswith("/")]
    (defect,) = [d for d in inventory.defects if d.code == "outside"]
    assert "../secret" in defect.detail
    assert "bin/web" not in defect.detail


def test_an_egg_info_is_read_from_the_disk(tmp_path):
    site = make_project(tmp_path, requirements="legacy\naws\nweb\n")
    egg = site / "legacy-0.9.egg-info"
    egg.mkdir()
    (egg / "PKG-INFO").write_text("Metadata-Version: 1.1\nName: legacy\nVersion: 0.9\n")
    (egg / "requires.txt").write_text("shared\n\n[more]\nnowhere\n")
    (egg / "top_level.txt").write_text("legacy_pkg\n")
    (site / "legacy_pkg").mkdir()
    (site / "legacy_pkg/__init__.py").write_text("")
    inventory = read(tmp_path, site)
    legacy = next(d for d in inventory.distributions if d.name == "legacy")
    assert "legacy_pkg/__init__.py" in {f.path for f in legacy.files}
    assert legacy.requires == ("shared",)
    assert ("legacy", "egg-info") in codes(inventory)


def test_an_empty_folder_is_no_environment(tmp_path):
    make_project(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no distribution is installed"):
        read(tmp_path, tmp_path / "empty")
    with pytest.raises(UsageError, match="no such folder"):
        read(tmp_path, tmp_path / "missing")


def test_lines_that_are_no_requirements_are_told_with_their_place(tmp_path):
    site = make_project(tmp_path, requirements="aws\n-e ./here\nweb ~ 3\n")
    with pytest.raises(InventoryError) as raised:
        read(tmp_path, site)
    assert "requirements.txt:2" in str(raised.value)
    assert "requirements.txt:3" in str(raised.value)


def test_included_files_hashes_comments_and_continuations_are_read(tmp_path):
    site = make_project(
        tmp_path,
        requirements="--require-hashes\n-r more.txt  # the rest\naws==1.0 \\\n  --hash=sha256:a \\\n --hash=sha256:b\n",
    )
    (tmp_path / "more.txt").write_text("-r requirements.txt\nweb # comment\n")
    assert [d.name for d in read(tmp_path, site).distributions] == ["aws", "shared", "web"]


def test_a_link_out_of_the_source_is_refused(tmp_path):
    site = make_project(tmp_path)
    (tmp_path / "secret.py").write_text("")
    (tmp_path / "src/link.py").symlink_to(tmp_path / "secret.py")
    with pytest.raises(UsageError, match="is a link out of"):
        read(tmp_path, site)


@pytest.mark.parametrize("option", ["-rmore.txt", "-r more.txt", "--requirement=more.txt", '-r "more.txt"'])
def test_every_form_of_an_included_file_is_read(tmp_path, option):
    site = make_project(tmp_path, requirements=f"aws\n{option}\n--index-url https://example.invalid/simple\n")
    (tmp_path / "more.txt").write_text("tool\n")
    assert "tool" in [d.name for d in read(tmp_path, site).distributions]


def test_an_option_that_is_not_known_is_told(tmp_path):
    site = make_project(tmp_path, requirements="aws\n--surprise x\n")
    with pytest.raises(InventoryError, match="option that is not known"):
        read(tmp_path, site)


def test_links_to_folders_are_refused(tmp_path):
    site = make_project(tmp_path)
    (tmp_path / "src/real").mkdir()
    (tmp_path / "src/alias").symlink_to("real")
    with pytest.raises(UsageError, match="is a link to a folder"):
        read(tmp_path, site)


def test_paths_of_record_are_normalised(tmp_path):
    site = make_project(tmp_path)
    lay_out(site, "web", files={"web/__init__.py": "", "web/b.py": "", "web/c.py": ""})
    record = site / "web-1.0.dist-info/RECORD"
    text = record.read_text().replace("web/b.py", "web//b.py").replace("web/__init__", "./web/__init__")
    record.write_text(text.replace("web/c.py", f"{site}/web/c.py"))
    web = next(d for d in read(tmp_path, site).distributions if d.name == "web")
    assert {"web/__init__.py", "web/b.py", "web/c.py"} <= {f.path for f in web.files}


def test_the_rest_of_an_uninstall_does_not_matter(tmp_path):
    site = make_project(tmp_path)
    (site / "gone-1.dist-info").mkdir()
    assert read(tmp_path, site).distributions


@pytest.mark.parametrize("metadata", [None, b"Metadata-Version: 2.1\nName: web\n", b"\xff\xfe"])
def test_metadata_that_cant_be_read_is_an_error_of_that_distribution(tmp_path, metadata):
    site = make_project(tmp_path)
    place = site / "web-1.0.dist-info/METADATA"
    place.unlink()
    if metadata is not None:
        place.write_bytes(metadata)
    with pytest.raises(InventoryError, match="web: its metadata in"):
        read(tmp_path, site)


def test_extension_modules_without_a_wheels_tags_are_told_by_their_names(tmp_path):
    site = make_project(tmp_path)
    lay_out(site, "web", files={"web/__init__.py": "", "web/_c.cpython-39-x86_64-linux-gnu.so": ""}, tags=())
    with pytest.raises(InventoryError, match=r"web/_c\.cpython-39"):
        read(tmp_path, site)


def test_installed_files_of_an_egg_info_keep_others_files_out(tmp_path):
    site = make_project(tmp_path, requirements="legacy\naws\nweb\n")
    egg = site / "legacy-0.9.egg-info"
    egg.mkdir()
    (egg / "PKG-INFO").write_text("Metadata-Version: 1.1\nName: legacy\nVersion: 0.9\n")
    (egg / "top_level.txt").write_text("space\n")
    (egg / "installed-files.txt").write_text("../space/mine.py\nPKG-INFO\n../../../etc/passwd\n")
    (site / "space").mkdir()
    (site / "space/mine.py").write_text("")
    (site / "space/theirs.py").write_text("")
    legacy = next(d for d in read(tmp_path, site).distributions if d.name == "legacy")
    assert {f.path for f in legacy.files} == {"space/mine.py", "legacy-0.9.egg-info/PKG-INFO"}


def test_two_versions_side_by_side_are_refused(tmp_path):
    site = make_project(tmp_path)
    lay_out(site, "web", "2.0")
    with pytest.raises(InventoryError, match="lie side by side"):
        read(tmp_path, site)


def test_a_marker_that_means_nothing_is_an_error(tmp_path):
    site = make_project(tmp_path)
    lay_out(site, "web", requires=("shared; os_name ~= 'posix'",))
    with pytest.raises(InventoryError, match="marker"):
        read(tmp_path, site)
