"""Wheels as an environment: which one is taken, what of it would be installed, and what is refused."""

import hashlib
import io
import re
import stat
import subprocess
import sys
import zipfile

import pytest

from optimizer.content import shipped
from optimizer.errors import InventoryError, LimitError, UsageError
from optimizer.inventory import InstalledEnvironment, WheelEnvironment
from optimizer.inventory.closure import Closure
from optimizer.inventory.requirements import read_requirements
from optimizer.models import Target
from tests.support import lay_out, make_wheel

TARGET = Target(runtime="python3.11", architecture="x86_64")


def find(folder, name, specifier=""):
    from packaging.specifiers import SpecifierSet

    return WheelEnvironment.of_folder(folder, TARGET).find(name, SpecifierSet(specifier))


def errors(installed):
    return [defect.detail for defect in installed.defects if defect.severity == "error"]


def change(wheel, edit):
    """The wheel with its members as `edit` leaves them: a list of (ZipInfo, bytes)."""
    with zipfile.ZipFile(wheel) as archive:
        members = [(info, archive.read(info)) for info in archive.infolist()]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for info, data in edit(members):
            archive.writestr(info, data)
    wheel.write_bytes(buffer.getvalue())


def test_files_are_those_that_an_installer_lays_out(tmp_path):
    wheel = make_wheel(
        tmp_path,
        "odd",
        files={
            "odd/__init__.py": "x = 1\n" * 40,
            "odd/run.sh": "#!/bin/sh\n",
            "odd-1.0.data/purelib/pure.py": "pure = True\n",
            "odd-1.0.data/platlib/odd/plat.py": "plat = True\n",
            "odd-1.0.data/scripts/odd": "#!python\nprint()\n",
            "odd-1.0.data/data/share/odd.txt": "data",
            "odd-1.0.data/headers/odd.h": "int odd;",
        },
        requires=("other>=2",),
        modes={"odd/run.sh": 0o100755},
    )
    found = find(tmp_path, "odd")
    assert {file.path: file.executable for file in found.files if "dist-info" not in file.path} == {
        "odd/__init__.py": False,
        "odd/plat.py": False,
        "odd/run.sh": True,
        "pure.py": False,
    }
    assert {file.path: shipped(file) for file in found.files}["pure.py"] == b"pure = True\n"
    assert (found.version, found.requirements, found.info) == ("1.0", ("other>=2",), "odd-1.0.dist-info")
    assert found.outside_bytes == len("#!python\nprint()\n")
    assert found.wheel == hashlib.sha256(wheel.read_bytes()).hexdigest()
    (outside,) = found.defects
    assert outside.severity == "warning"
    assert "odd.txt" in outside.detail
    assert "odd.h" in outside.detail


def test_the_newest_version_that_is_asked_for_is_taken_and_a_pre_release_only_where_it_is(tmp_path):
    for version in ("1.0", "2.0", "10.0", "11.0rc1"):
        make_wheel(tmp_path, "tool", version)
    assert find(tmp_path, "tool").version == "10.0"
    assert find(tmp_path, "tool", "<10").version == "2.0"
    assert find(tmp_path, "tool", "==11.0rc1").version == "11.0rc1"
    assert find(tmp_path, "tool", ">20").version == "10.0"  # whoever asks sees that it will not do
    assert find(tmp_path, "other") is None


def test_of_one_version_the_wheel_with_the_best_tag_is_taken_whatever_the_order(tmp_path):
    for tag in ("py3-none-any", "cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-manylinux_2_28_x86_64"):
        make_wheel(tmp_path, "tool", tag=tag)
    make_wheel(tmp_path, "tool", tag="cp311-cp311-macosx_11_0_arm64")
    assert find(tmp_path, "tool").tags == ("cp311-cp311-manylinux_2_17_x86_64",)
    assert find(tmp_path, "tool").defects == ()


def test_where_only_other_platforms_have_a_wheel_tags_and_the_newest_version_that_has_one_are_told(tmp_path):
    make_wheel(tmp_path, "tool", "3.0", tag="cp311-cp311-win_amd64")
    make_wheel(tmp_path, "tool", "3.0", tag="cp311-cp311-manylinux_2_28_x86_64")
    make_wheel(tmp_path, "tool", "2.0", tag="cp311-cp311-manylinux_2_17_x86_64")
    make_wheel(tmp_path, "tool", "1.0")
    (error,) = errors(find(tmp_path, "tool", ">=3"))
    assert "cp311-cp311-manylinux_2_28_x86_64, cp311-cp311-win_amd64" in error
    assert "python3.11 on x86_64 (glibc 2.26)" in error
    assert "is 2.0" in error
    assert find(tmp_path, "tool").version == "2.0"  # nobody asks for 3.0: what loads is taken


def walk(tmp_path, requirements):
    (tmp_path / "requirements.txt").write_text(requirements)
    closure = Closure(WheelEnvironment.of_folder(tmp_path / "wheels", TARGET), TARGET)
    closure.walk(read_requirements(tmp_path / "requirements.txt"))
    return closure


def test_a_direct_pin_decides_before_what_others_require(tmp_path):
    wheels = tmp_path / "wheels"
    make_wheel(wheels, "app", requires=("tool>=1",))
    make_wheel(wheels, "tool", "1.5")
    make_wheel(wheels, "tool", "2.0")
    closure = walk(tmp_path, "app\ntool==1.5\n")
    assert {d.name: d.version for d in closure.distributions()} == {"app": "1.0", "tool": "1.5"}
    assert closure.defects == {}


def test_a_hash_that_a_requirement_asks_for_has_to_be_the_wheels(tmp_path):
    good = hashlib.sha256(make_wheel(tmp_path / "wheels", "tool").read_bytes()).hexdigest()
    other = "0" * 64
    assert walk(tmp_path, f"tool==1.0 \\\n    --hash=sha256:{other} \\\n    --hash=sha256:{good}\n").defects == {}
    (defect,) = walk(tmp_path, f"tool==1.0 --hash=sha256:{other}\n").defects.values()
    assert defect.severity == "error"
    assert good in defect.detail
    assert other in defect.detail


def test_a_missing_wheel_is_told_with_the_folder(tmp_path):
    make_wheel(tmp_path / "wheels", "app", requires=("tool>=1",))
    (tmp_path / "wheels/not a wheel.whl").write_bytes(b"")
    (defect,) = walk(tmp_path, "app\n").defects.values()
    assert f"has no wheel in {tmp_path / 'wheels'}" in defect.detail
    assert "not a wheel.whl" in defect.detail


@pytest.mark.parametrize("make", [lambda _: None, lambda folder: folder.mkdir()])
def test_a_folder_that_is_none_or_has_no_wheel_is_wrong_usage(tmp_path, make):
    make(tmp_path / "wheels")
    with pytest.raises(UsageError, match="wheels"):
        WheelEnvironment.of_folder(tmp_path / "wheels", TARGET)


def _named(name, **values):
    def edit(members):
        info = zipfile.ZipInfo(name)
        info.external_attr = values.get("external_attr", 0o100644 << 16)
        return [*members, (info, b"x")]

    return edit


def _without(suffix):
    return lambda members: [(info, data) for info, data in members if not info.filename.endswith(suffix)]


def _replaced(suffix, old, new):
    return lambda members: [
        (info, data.replace(old, new) if info.filename.endswith(suffix) else data) for info, data in members
    ]


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (_named("../out.py"), "leaves the folder"),
        (_named("/etc/out.py"), "leaves the folder"),
        (_named("a\\b.py"), "no plain relative path"),
        (_named("link", external_attr=(stat.S_IFLNK | 0o777) << 16), "is a link"),
        (_named("tool/__init__.py"), "appears twice"),
        (_named("tool-1.0.data/purelib/tool/__init__.py"), "would install tool/__init__.py twice"),
        (_named("tool/__init__.py/x.py"), "both a file and a folder"),
        (_named("tool-2.0.dist-info/METADATA"), "tool-1.0.dist-info and tool-2.0.dist-info"),
        (_without("/RECORD"), "no tool-1.0.dist-info/RECORD"),
        (_without("/METADATA"), "no tool-1.0.dist-info/METADATA"),
        (_without("/WHEEL"), "no tool-1.0.dist-info/WHEEL"),
        (_replaced("/METADATA", b"Name: tool", b"Name: other"), "says in its METADATA that it is other 1.0"),
        (_replaced("/METADATA", b"Version: 1.0", b"Version: 1.1"), "says in its METADATA that it is tool 1.1"),
        (_replaced("/WHEEL", b"Wheel-Version: 1.0", b"Wheel-Version: 2.0"), "is of wheel version 2.0"),
        (_replaced("/__init__.py", b"NAME", b"NAMES"), "by RECORD"),
        (_replaced("/RECORD", b"sha256=", b"md5="), "proves nothing"),
    ],
)
def test_a_wheel_that_must_not_be_unpacked_or_is_none_is_an_error_that_names_it(tmp_path, edit, words):
    change(make_wheel(tmp_path, "tool"), edit)
    found = find(tmp_path, "tool")
    (error,) = errors(found)
    assert words in error
    assert "tool-1.0-py3-none-any.whl" in error
    assert found.files == ()


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\x03\x04"])
def test_what_is_no_zip_is_an_error_that_names_it(tmp_path, data):
    make_wheel(tmp_path, "tool").write_bytes(data)
    (error,) = errors(find(tmp_path, "tool"))
    assert "tool-1.0-py3-none-any.whl" in error


def test_an_encrypted_member_is_an_error(tmp_path):
    wheel = make_wheel(tmp_path, "tool")
    data = bytearray(wheel.read_bytes())
    for place in (m.start() for m in re.finditer(b"PK\x01\x02", bytes(data))):
        data[place + 8] |= 1
    wheel.write_bytes(bytes(data))
    assert "is encrypted" in errors(find(tmp_path, "tool"))[0]


def test_names_that_differ_in_case_alone_are_told_and_ship(tmp_path):
    make_wheel(tmp_path, "tool", files={"tool/a.py": "a", "tool/A.py": "A"})
    found = find(tmp_path, "tool")
    (defect,) = found.defects
    assert (defect.code, defect.severity) == ("case", "warning")
    assert "tool/A.py and tool/a.py" in defect.detail
    assert {"tool/A.py", "tool/a.py"} <= {file.path for file in found.files}


def test_what_record_leaves_out_or_names_in_vain_is_told(tmp_path):
    files = {"tool/a.py": "a = 1\n"}
    wheel = make_wheel(tmp_path, "tool", files=files)
    change(wheel, _named("tool/extra.py"))
    change(wheel, _replaced("/RECORD", b"tool/a.py,", b"tool/b.py,"))
    assert {d.code: d.detail for d in find(tmp_path, "tool").defects}.keys() == {"unrecorded", "record-missing"}


def test_a_content_with_another_hash_than_records_stops_when_it_is_read(tmp_path):
    change(make_wheel(tmp_path, "tool"), _replaced("/__init__.py", b"NAME", b"NONE"))
    found = find(tmp_path, "tool")
    assert errors(found) == []
    with pytest.raises(InventoryError, match="tampered with") as caught:
        [shipped(file) for file in found.files]
    assert "tool-1.0-py3-none-any.whl" in str(caught.value)


def declare(wheel, name, size):
    """Say another unzipped size of a member, in its header and in the directory, and in RECORD nothing."""
    data = bytearray(wheel.read_bytes())
    with zipfile.ZipFile(wheel) as archive:
        info = archive.getinfo(name)
    data[info.header_offset + 22 : info.header_offset + 26] = size.to_bytes(4, "little")
    for place in (m.start() for m in re.finditer(b"PK\x01\x02", bytes(data))):
        if data[place + 46 :].startswith(name.encode()):
            data[place + 24 : place + 28] = size.to_bytes(4, "little")
    wheel.write_bytes(bytes(data))


@pytest.mark.parametrize(("size", "error"), [(1000, InventoryError), (1 << 30, LimitError)])
def test_a_bomb_is_unpacked_no_further_than_it_says_and_never_past_lambdas_limit(tmp_path, size, error):
    wheel = make_wheel(tmp_path, "tool", files={"tool/bomb.bin": bytes(1 << 22)})
    change(wheel, _replaced("/RECORD", str(1 << 22).encode(), b""))
    declare(wheel, "tool/bomb.bin", size)
    bomb = next(file for file in find(tmp_path, "tool").files if file.path == "tool/bomb.bin")
    with pytest.raises(error, match=r"tool/bomb\.bin"):
        shipped(bomb)


def test_a_stream_that_is_not_where_the_directory_says_is_an_error(tmp_path):
    wheel = make_wheel(tmp_path, "tool")
    data = wheel.read_bytes()
    wheel.write_bytes(data.replace(b"tool/__init__.py", b"tool/__unit__.py", 1))
    assert "not where its directory says" in errors(find(tmp_path, "tool"))[0]


def test_stored_members_are_read_too(tmp_path):
    wheel = make_wheel(tmp_path, "tool")

    def store(members):
        for info, _ in members:
            info.compress_type = zipfile.ZIP_STORED
        return members

    change(wheel, store)
    assert {shipped(f)[:4] for f in find(tmp_path, "tool").files if f.path == "tool/__init__.py"} == {b"NAME"}


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_paths_modes_and_contents_are_those_of_the_same_wheel_installed_by_pip(tmp_path, umask):
    wheel = make_wheel(
        tmp_path / "wheels",
        "odd-name",
        files={
            "odd_name/__init__.py": "x = 1\n" * 40,
            "odd_name/run.sh": "#!/bin/sh\n",
            "odd_name/typeless.sh": "#!/bin/sh\n",
            "odd_name/group.sh": "#!/bin/sh\n",
            "odd_name-1.0.data/purelib/pure.py": "pure = True\n",
            "odd_name-1.0.data/platlib/odd_name/plat.py": "plat = True\n",
            "odd_name-1.0.data/scripts/odd": "#!python\nprint()\n",
            "odd_name-1.0.data/data/share/odd.txt": "data",
        },
        metadata={"entry_points.txt": "[console_scripts]\nodd-run = odd_name:x\n", "licenses/LICENSE": "free\n"},
        modes={"odd_name/run.sh": 0o100755, "odd_name/typeless.sh": 0o755, "odd_name/group.sh": 0o100610},
    )
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--no-compile"),
            *("--target", str(tmp_path / "site"), str(wheel)),
        ],
        check=True,
        umask=umask,
    )
    installed = InstalledEnvironment.of_folder(tmp_path / "site").find("odd-name")
    packed = find(tmp_path / "wheels", "odd-name")

    def seen(found):
        left = {"INSTALLER", "REQUESTED", "RECORD", "direct_url.json"}
        return {f.path: (f.executable, shipped(f)) for f in found.files if f.path.rpartition("/")[2] not in left}

    assert seen(packed) == seen(installed)
    assert (packed.version, packed.tags, packed.info) == (installed.version, installed.tags, installed.info)


def test_a_wheel_and_a_folder_have_the_same_names(tmp_path):
    make_wheel(tmp_path / "wheels", "Some-Tool")
    lay_out(tmp_path / "site", "Some-Tool")
    assert WheelEnvironment.of_folder(tmp_path / "wheels", TARGET).names() == ("some-tool",)
    assert InstalledEnvironment.of_folder(tmp_path / "site").names() == ("some-tool",)
