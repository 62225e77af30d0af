"""What a verification of real artifacts finds."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from optimizer import limits
from optimizer.errors import LimitError, UsageError
from optimizer.runtime import probe
from optimizer.runtime.process import start

ROOT = Path(__file__).parents[3]


def checks(document):
    return [(f["check"], f["subject"]) for f in document["findings"]]


def test_a_sound_build_has_no_findings_and_answers_its_check_path(project):
    document = project.verify()
    assert document["findings"] == []
    assert document["schema"] == 1
    assert document["functions"][0]["status"] == 200
    assert document["init_ms"] > 0
    assert document["modules_imported"] == 4  # aws, shared, tool, web
    assert document["notes"] == []


def test_the_text_ends_with_the_verdict(project):
    out = project.run("--path", str(project.site), status=0)
    assert "its check_path answered 200" in out
    assert out.splitlines()[-1] == "nothing wrong found; 4 modules imported"


def test_without_a_check_path_only_the_handler_is_imported_and_that_is_said(project):
    project.configure('check_path = "/health"', "")
    document = project.verify()
    assert document["functions"][0]["status"] is None
    assert document["notes"] == ["app has no check_path: its handler was imported, no request was sent"]


def test_nothing_of_the_project_is_written(project):
    before = sorted(project.root.rglob("*"))
    project.verify()
    assert sorted(project.root.rglob("*")) == before


def test_a_handler_that_can_not_be_imported_is_a_finding_with_its_log(project):
    project.handler("json", "import nowhere\n")
    document = project.verify(status=1)
    assert checks(document) == [("handler", "app")]
    actual = document["findings"][0]["actual"]
    assert "No module named 'nowhere'" in actual
    assert "slimming is not to blame" in actual


@pytest.mark.parametrize("answer", ['{"statusCode": 500, "body": "oh"}', '"no response"', "1 / 0"])
def test_an_answer_that_is_none_is_a_finding_with_its_log(project, answer):
    project.handler(
        "json",
        f"def handler(event, context):\n    print('said this')\n    return {answer}\n".replace("{", "{{").replace(
            "}", "}}"
        ),
    )
    document = project.verify(status=1)
    assert checks(document) == [("request", "app")]
    assert "said this" in document["findings"][0]["actual"]


AWS = """
import os, urllib.request, urllib.error

def handler(event, context):
    try:
        urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"], timeout=5)
    except urllib.error.HTTPError as error:
        return {{"statusCode": STATUS, "body": str(error.code) + os.environ["AWS_ACCESS_KEY_ID"]}}
"""


def test_a_health_path_that_reports_refused_calls_is_told_and_no_finding(project):
    project.handler("", AWS.replace("STATUS", "503"))
    (note,) = project.verify()["notes"]
    assert "503 after 1 refused calls to AWS" in note
    assert "403ASIAVERIFY" in note


def test_a_503_of_a_function_that_asked_no_aws_is_a_finding(project):
    (project.root / "src/handler.py").write_text("def handler(event, context):\n    return {'statusCode': 503}\n")
    assert checks(project.verify(status=1)) == [("request", "app")]


def test_a_500_after_refused_calls_is_a_finding_that_says_so(project):
    project.handler("", AWS.replace("STATUS", "500"))
    document = project.verify(status=1)
    assert "500 after 1 refused calls to AWS" in document["findings"][0]["actual"]


@pytest.mark.parametrize(
    "call",
    [
        "socket.create_connection(('example.com', 80))",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 9))",
    ],
)
def test_nothing_leaves_the_machine(project, call):
    project.handler("", f"import socket\n\ndef handler(event, context):\n    {call}\n")
    assert "which nothing may leave here" in project.verify(status=1)["findings"][0]["actual"]


def test_a_folder_that_is_needed_and_left_out_is_found_when_its_importer_is_named(project):
    """As with numpy: it imports, while numpy.testing needs the tests folder."""
    project.ship(
        "pkg",
        {
            "pkg/__init__.py": "",
            "pkg/testing.py": "from pkg.tests import helpers\n",
            "pkg/tests/__init__.py": "",
            "pkg/tests/helpers.py": "",
        },
    )
    project.slim('[slim.drop]\npkg = ["pkg/tests/*"]')
    assert project.verify()["findings"] == []
    document = project.verify("--import", "pkg.testing", status=1)
    assert checks(document) == [("import", "pkg.testing")]
    assert document["findings"][0]["actual"].splitlines()[-1].strip() == (
        'left out by rule slim.drop from distribution pkg: keep it with [slim.keep] pkg = ["*"]'
    )


def test_a_compiled_helper_beside_a_package_is_missed_though_the_host_has_one(project, monkeypatch):
    """As with mypyc's files: on the host the import works, since it has the same distribution."""
    host = project.root / "host"
    host.mkdir()
    (host / "ab12__mypyc.py").write_text("")
    monkeypatch.setenv("PYTHONPATH", str(host))
    monkeypatch.syspath_prepend(str(host))
    files = {"pkg/__init__.py": "import importlib\nimportlib.import_module('ab12__mypyc')\n"}
    project.ship("pkg", {**files, "ab12__mypyc.py": ""})
    project.slim('[slim.drop]\npkg = ["*__mypyc*"]')
    document = project.verify(status=1)
    assert checks(document) == [("import", "pkg")]
    assert "No module named 'ab12__mypyc'" in document["findings"][0]["actual"]


def test_a_distribution_that_asks_for_its_metadata_at_import_fails_without_it(project):
    """As with opentelemetry-api, which raises StopIteration."""
    source = "from importlib.metadata import entry_points\nnext(iter(entry_points(group='pkg_context')))\n"
    project.ship("pkg", {"pkg/__init__.py": source}, metadata={"entry_points.txt": "[pkg_context]\na = pkg:b\n"})
    project.build()
    assert project.verify("--artifacts", "built")["findings"] == []
    repack(project.root / "built", "utilities", lambda name: "pkg-1.0.dist-info/" not in name)
    document = project.verify("--artifacts", "built", status=1)
    assert ("import", "pkg") in checks(document)
    assert any("StopIteration" in finding["actual"] for finding in document["findings"])


def test_metadata_is_never_dropped_by_a_pattern(project):
    project.ship("pkg", {"pkg/__init__.py": ""})
    project.slim('[slim.drop]\npkg = ["pkg-1.0.dist-info/*"]')
    assert project.verify()["findings"] == []


def repack(folder, layer, keeps):
    """The layer's zip as somebody else's slimming would leave it, and a manifest that agrees."""
    place = folder / f"{layer}.zip"
    with zipfile.ZipFile(place) as archive:
        kept = {name: archive.read(name) for name in archive.namelist() if keeps(name)}
    with zipfile.ZipFile(place, "w") as archive:
        for name, data in kept.items():
            archive.writestr(name, data)
    manifest = json.loads((folder / "manifest.json").read_text())
    (one,) = (a for a in manifest["artifacts"] if a["name"] == layer)
    one["sha256"] = hashlib.sha256(place.read_bytes()).hexdigest()
    one |= {"zipped_bytes": place.stat().st_size, "unzipped_bytes": sum(map(len, kept.values())), "files": len(kept)}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_an_added_init_that_breaks_a_namespace_is_found(project):
    project.ship("google-a", {"google/cloud/a/__init__.py": ""})
    project.ship("google-b", {"google/cloud/b/__init__.py": ""})
    project.handler("google.cloud.a, google.cloud.b")
    document = project.verify()
    assert document["findings"] == []
    assert document["modules_imported"] == 6
    (project.root / "src/google").mkdir()
    (project.root / "src/google/__init__.py").write_text("")
    found = checks(project.verify(status=1))
    assert ("collision", "google") in found
    assert ("handler", "app") in found
    assert ("import", "google.cloud.a") not in found, "it fails with slimming and without: a note"


BOTOCORE = {
    "botocore/__init__.py": """
import pathlib

def client(service):
    if not (pathlib.Path(__file__).parent / "data" / service).is_dir():
        raise LookupError("UnknownServiceError: " + service)
""",
    "botocore/data/endpoints.json": "{}",
    **{f"botocore/data/{name}/2020-01-01/service-2.json": "{}" for name in ("s3", "sqs", "sns", "ec2")},
}


def test_a_service_that_was_trimmed_and_is_needed_is_laid_to_the_trimming(project):
    project.ship("botocore", BOTOCORE)
    project.slim('[slim.drop]\ntool = ["*.txt"]\nshared = ["*.txt"]\n[aws]\nservices = ["s3"]')
    project.handler("botocore; botocore.client('sqs')")
    document = project.verify(status=1)
    assert checks(document) == [("handler", "app")]
    actual = document["findings"][0]["actual"]
    assert "UnknownServiceError: sqs" in actual
    assert "left out by rule botocore-services from distribution botocore" in actual
    assert '[slim.keep] botocore = ["*"]' in actual


def test_a_module_that_needs_what_nobody_requires_is_a_note_with_sources_and_a_finding_without(project):
    project.ship("pkg", {"pkg/__init__.py": "", "pkg_plugin.py": "import not_required\n"})
    document = project.verify()
    (note,) = document["notes"]
    assert "pkg_plugin can't be imported, with slimming or without" in note
    project.build()
    assert checks(project.verify("--artifacts", "built", status=1)) == [("import", "pkg_plugin")]


def test_a_segfault_at_import_is_a_finding_and_the_rest_goes_on(project):
    project.ship(
        "pkg", {"pkg.py": "import os, signal\nprint('last words', flush=True)\nos.kill(os.getpid(), signal.SIGSEGV)\n"}
    )
    project.ship("zpkg")
    project.build()
    document = project.verify("--artifacts", "built", status=1)
    assert checks(document) == [("import", "pkg")]
    assert "segmentation fault" in document["findings"][0]["actual"]
    assert "last words" in document["findings"][0]["actual"]
    assert document["modules_imported"] == 5


def test_a_process_that_never_comes_to_a_question_fails_all_of_them_at_once(project, monkeypatch):
    (project.root / "src/early.pth").write_text("import os; os._exit(7)\n")
    project.build()
    starts = []
    monkeypatch.setattr(probe, "start", lambda *a, **k: starts.append(a) or start(*a, **k))
    document = project.verify("--artifacts", "built", status=1)
    assert len(starts) == 1
    assert {check for check, _ in checks(document)} == {"handler", "import", "metadata", "entry-points"}
    assert all("exit status 7" in f["actual"] for f in document["findings"])


def test_an_exit_at_import_is_a_finding(project):
    project.ship("pkg", {"pkg.py": "raise SystemExit('not here')\n"})
    project.build()
    document = project.verify("--artifacts", "built", status=1)
    assert document["findings"][0]["actual"].startswith("SystemExit: not here")
    assert "/opt/python/pkg.py:1" in document["findings"][0]["actual"]


def real_library():
    """A shared object that this Python can import."""
    import simplejson._speedups

    return Path(simplejson._speedups.__file__)


def test_a_shared_object_of_another_machine_is_found(project):
    data = bytearray(real_library().read_bytes())
    data[18:20] = (183).to_bytes(2, "little")  # e_machine: EM_AARCH64
    project.ship("pkg", {"pkg/__init__.py": "", "pkg/fast.abi3.so": bytes(data)})
    project.build()
    document = project.verify("--artifacts", "built", status=1)
    assert checks(document) == [("elf-machine", "/opt/python/pkg/fast.abi3.so")]
    assert (document["findings"][0]["expected"], document["findings"][0]["actual"]) == ("x86_64", "aarch64")


def test_a_shared_object_that_needs_a_newer_glibc_is_found_and_not_loaded(project):
    data = real_library().read_bytes()
    assert b"GLIBC_2.2.5\0" in data
    data = data.replace(b"GLIBC_2.2.5\0", b"GLIBC_2.123\0")
    project.ship("pkg", {"pkg/__init__.py": "import pkg._speedups\n", "pkg/_speedups.abi3.so": data})
    project.build()
    document = project.verify("--artifacts", "built", status=1)
    assert checks(document) == [("glibc", "/opt/python/pkg/_speedups.abi3.so"), ("import", "pkg")]
    assert all("version `GLIBC_2.123' not found" in f["actual"] for f in document["findings"])


def test_a_library_that_nothing_has_is_found(project):
    data = real_library().read_bytes()
    assert b"libc.so.6\0" in data
    data = data.replace(b"libc.so.6\0", b"libz.so.6\0")
    project.ship("pkg", {"pkg/__init__.py": "", "pkg/fast.abi3.so": data})
    project.build()
    (finding,) = project.verify("--artifacts", "built", status=1)["findings"]
    assert (finding["check"], finding["actual"]) == ("library", "not found: libz.so.6")


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ('runtime = "python3.11"', 'runtime = "python3.14"', "No Python 3.14 is at hand"),
        ('runtime = "python3.11"', 'runtime = "python3.11"\narchitecture = "arm64"', "the target aarch64"),
    ],
)
def test_what_can_not_run_here_is_checked_without_running_and_that_is_said(project, monkeypatch, before, after, reason):
    monkeypatch.setenv("PATH", "/nowhere")
    project.slim("[build]\nbytecode = false")
    project.configure(before, after)
    data = bytearray(real_library().read_bytes())
    project.ship("pkg", {"pkg/__init__.py": "raise RuntimeError\n"})
    document = project.verify()
    (note,) = document["notes"]
    assert "nothing was imported or called" in note
    assert reason in note
    assert (document["init_ms"], document["modules_imported"]) == (0, 0)
    if "arm64" in after:
        project.ship("native", {"native/__init__.py": "", "native/fast.abi3.so": bytes(data)}, tags=("py3-none-any",))
        assert checks(project.verify(status=1)) == [("elf-machine", "/opt/python/native/fast.abi3.so")]


def test_zips_that_are_not_what_the_manifest_says_are_found_before_anything_runs(project):
    manifest = project.build()
    place = project.root / "built" / "utilities.zip"
    with zipfile.ZipFile(place, "a") as archive:
        archive.writestr("python/more.py", "raise SystemExit")
    document = project.verify("--artifacts", "built", status=1)
    assert {subject for _, subject in checks(document)} == {
        f"utilities.zip: {what}" for what in ("sha256", "zipped bytes", "unzipped bytes", "files")
    }
    assert manifest.artifact("utilities", "layer").sha256 in [f["expected"] for f in document["findings"]]
    place.write_bytes(b"no zip")
    assert checks(project.verify("--artifacts", "built", status=1)) == [("artifact", "utilities.zip")]
    place.unlink()
    assert checks(project.verify("--artifacts", "built", status=1)) == [("artifact", "utilities.zip")]


def test_a_path_that_leaves_the_folder_is_found_and_not_unpacked(project):
    project.build()
    with zipfile.ZipFile(project.root / "built" / "utilities.zip", "a") as archive:
        archive.writestr("../outside", "")
    (finding,) = project.verify("--artifacts", "built", status=1)["findings"]
    assert "leaves the folder" in finding["actual"]


def test_a_file_that_a_record_names_and_no_layer_has_is_found(project):
    manifest = project.build()
    artifact = manifest.artifact("utilities", "layer")
    place = project.root / "built" / artifact.path
    with zipfile.ZipFile(place) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if not name.startswith("python/tool/")}
    with zipfile.ZipFile(place, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    reseal(project.root / "built", artifact.path)
    project.handler("json")
    found = checks(project.verify("--artifacts", "built", status=1))
    assert ("record", "tool") in found


def test_what_a_distribution_vendors_is_not_asked_for(project):
    vendored = {
        "pkg/_vendor/old-1.dist-info/METADATA": "Name: old\n",
        "pkg/_vendor/old-1.dist-info/RECORD": "bin/old,,\n",
    }
    project.ship("pkg", {"pkg/__init__.py": "", **vendored})
    assert project.verify()["findings"] == []


def test_what_is_too_large_is_refused_from_sources_and_found_in_artifacts(project, monkeypatch):
    project.build()
    monkeypatch.setattr(limits, "UNZIPPED_BYTES", 1000)
    (finding,) = project.verify("--artifacts", "built", status=1)["findings"]
    assert (finding["check"], finding["expected"]) == ("size", "at most 1000 bytes unzipped, layers included")
    with pytest.raises(LimitError):
        project.run("--path", str(project.site), status=1)


def reseal(folder, path):
    """Have the manifest say what the zip is now."""
    import hashlib

    place = folder / "manifest.json"
    document = json.loads(place.read_text())
    for artifact in document["artifacts"]:
        if artifact["path"] == path:
            with zipfile.ZipFile(folder / path) as archive:
                infos = archive.infolist()
            artifact["sha256"] = hashlib.sha256((folder / path).read_bytes()).hexdigest()
            artifact["zipped_bytes"] = (folder / path).stat().st_size
            artifact["unzipped_bytes"] = sum(info.file_size for info in infos)
            artifact["files"] = len(infos)
    place.write_text(json.dumps(document))


def test_what_is_the_runtimes_own_is_told_and_no_finding(project):
    project.handler("boto3")
    project.ship("pkg", {"pkg/__init__.py": "import urllib3\n"})
    document = project.verify()
    assert document["notes"] == [
        "the runtime's own boto3 is used, and is not here: what imports it was not checked",
        "the runtime's own urllib3 is used, and is not here: what imports it was not checked",
    ]


def test_one_of_several_functions_can_be_asked_for(project):
    other = project.root / "other"
    other.mkdir()
    (other / "handler.py").write_text("import nowhere\n")
    place = project.root / "config/layers.toml"
    first = place.read_text().split("[[layer]]")[0]
    place.write_text(first.replace('"app"', '"second"').replace('"src"', '"other"') + place.read_text())
    assert project.verify("--function", "app")["findings"] == []
    assert checks(project.verify(status=1)) == [("handler", "second")]
    with pytest.raises(UsageError, match="no function third"):
        project.run("--path", str(project.site), "--function", "third", status=2)


def test_starts_are_measured_with_bytecode_and_without(project):
    (measured,) = project.verify("--measure", "1")["measured"]
    assert measured["runs"] == 1
    assert measured["init_ms"] > 0
    assert measured["init_ms_without_bytecode"] > 0
    assert measured["unzipped_bytes"] > measured["unzipped_bytes_without_bytecode"] > 0
    assert measured["zipped_bytes"] > measured["zipped_bytes_without_bytecode"] > 0
    assert "measured" in project.verify()
    assert "without" in project.run("--path", str(project.site), "--measure", "1", status=0)


def test_ctrl_c_leaves_nothing_behind(project, tmp_path):
    marker = tmp_path / "here"
    source = f"import os, time\nos.path.exists({str(marker)!r}) or os.mkdir({str(marker)!r})\ntime.sleep(60)\n"
    project.ship("pkg", {"pkg/__init__.py": source})
    project.build()
    with subprocess.Popen(
        [sys.executable, "-m", "optimizer", "verify", "--artifacts", "built"],
        cwd=project.root,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path / "tmp")},
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as running:
        deadline = time.monotonic() + 60
        while not marker.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    assert list((tmp_path / "tmp").iterdir()) == []
