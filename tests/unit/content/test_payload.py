"""Payloads: exact bytes, the same everywhere, computed once."""

import os
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from optimizer.build.archive import write_archive
from optimizer.config import load
from optimizer.content import CODE, END_BYTES, LAYER, Payloads, Store, bytecode, find_compiler
from optimizer.errors import CompilerError
from optimizer.inventory import InstalledEnvironment, read_inventory
from optimizer.limits import RUNTIMES, Runtime
from optimizer.select import select_distribution, without_shared
from tests.support import lay_out, make_project

PYTHON = RUNTIMES[f"python3.{sys.version_info[1]}"]


def selections(root, site):
    config = load(root / "config/layers.toml")
    inventory = read_inventory(config, InstalledEnvironment.of_folder(site))
    alone, _ = without_shared([select_distribution(d, config) for d in inventory.distributions])
    return [(s, LAYER) for s in alone]


def payloads(tmp_path, selected, *, name="cache.sqlite", compiler=None, lines=None):
    with Store(tmp_path / name) as store:
        return Payloads(store, compiler or find_compiler(PYTHON), (lines or []).append).compute(selected)


def test_bytes_are_those_of_the_zip(tmp_path):
    chosen = selections(tmp_path, make_project(tmp_path))
    with Store(tmp_path / "cache.sqlite") as store:
        computer = Payloads(store, find_compiler(PYTHON), lambda _: None)
        for payload in computer.compute(chosen):
            with (tmp_path / "one.zip").open("wb") as file:
                written = write_archive(file, computer.entries(payload))
            assert (tmp_path / "one.zip").stat().st_size == written.zipped_bytes == payload.zipped_bytes + END_BYTES
            with zipfile.ZipFile(tmp_path / "one.zip") as archive:
                assert archive.testzip() is None
                assert sum(i.file_size for i in archive.infolist()) == payload.unzipped_bytes == written.unzipped_bytes
                assert len(archive.infolist()) == payload.files


def test_what_an_installer_leaves_does_not_ship_and_record_is_made_anew(tmp_path):
    site = make_project(tmp_path)
    (site / "aws/__pycache__").mkdir()
    (site / "aws/__pycache__/__init__.cpython-311.pyc").write_bytes(b"stale")
    record = site / "aws-1.0.dist-info/RECORD"
    record.write_text(record.read_text() + "aws/__pycache__/__init__.cpython-311.pyc,,\n")
    with Store(tmp_path / "cache.sqlite") as store:
        computer = Payloads(store, find_compiler(PYTHON), lambda _: None)
        payload = computer.compute(selections(tmp_path, site)[:1])[0]
        entries = {entry.path: stream for entry, stream in computer.entries(payload)}
    tag = sys.implementation.cache_tag
    assert set(entries) == {
        "python/aws/__init__.py",
        f"python/aws/__pycache__/__init__.{tag}.pyc",
        "python/aws-1.0.dist-info/METADATA",
        "python/aws-1.0.dist-info/WHEEL",
        "python/aws-1.0.dist-info/RECORD",
    }
    made = bytecode_of(entries["python/aws-1.0.dist-info/RECORD"])
    assert b"aws/__init__.py,sha256=" in made
    assert b".pyc" not in made
    assert b"INSTALLER" not in made
    assert {d.rule for d in payload.dropped} == {"installer-files", "installed-bytecode"}


def bytecode_of(stream):
    from optimizer.content.deflate import inflate

    return inflate(stream)


def test_bytecode_is_unchecked_and_names_the_path_on_lambda(tmp_path):
    site = make_project(tmp_path)
    with Store(tmp_path / "cache.sqlite") as store:
        computer = Payloads(store, find_compiler(PYTHON), lambda _: None)
        payload = computer.compute(selections(tmp_path, site)[:1])[0]
        pyc = next(bytecode_of(s) for e, s in computer.entries(payload) if e.compiled)
    assert int.from_bytes(pyc[4:8], "little") == 0b01  # hash-based, source not checked (PEP 552)
    assert b"/opt/python/aws/__init__.py" in pyc
    assert str(site).encode() not in pyc


def test_a_source_that_does_not_compile_ships_with_a_note(tmp_path):
    site = make_project(tmp_path)
    lay_out(site, "aws", requires=("shared",), files={"aws/__init__.py": "", "aws/old.py": "print 'two'\n"})
    payload = payloads(tmp_path, selections(tmp_path, site))[0]
    assert "aws/old.py does not compile" in payload.notes[0]


def test_a_file_whose_hash_is_not_records_is_told(tmp_path):
    site = make_project(tmp_path)
    init = site / "aws/__init__.py"
    init.write_text(init.read_text().replace("aws", "swa"))  # the same length
    (note,) = payloads(tmp_path, selections(tmp_path, site))[0].notes
    assert "aws/__init__.py changed since the install" in note


def test_the_second_time_nothing_is_read(tmp_path, monkeypatch):
    chosen = selections(tmp_path, make_project(tmp_path))
    first = payloads(tmp_path, chosen)
    monkeypatch.setattr("optimizer.content.payload.read", lambda _: pytest.fail("read again"))
    assert payloads(tmp_path, chosen) == first


def test_a_changed_file_changes_its_distribution_alone(tmp_path):
    site = make_project(tmp_path)
    first = {p.name: p for p in payloads(tmp_path, selections(tmp_path, site))}
    (site / "web/__init__.py").write_text("CHANGED = 1\n")
    second = {p.name: p for p in payloads(tmp_path, selections(tmp_path, site))}
    assert [n for n in first if first[n].digest != second[n].digest] == ["web"]


@pytest.mark.parametrize("damage", [b"", b"not a database at all, but long enough to look like something"])
def test_a_damaged_cache_is_made_anew(tmp_path, damage):
    chosen = selections(tmp_path, make_project(tmp_path))
    first = payloads(tmp_path, chosen)
    (tmp_path / "cache.sqlite").write_bytes(damage)
    for suffix in ("-wal", "-shm"):
        (tmp_path / f"cache.sqlite{suffix}").unlink(missing_ok=True)
    assert payloads(tmp_path, chosen) == first


def test_damaged_rows_count_as_unknown(tmp_path):
    chosen = selections(tmp_path, make_project(tmp_path))
    first = payloads(tmp_path, chosen)
    db = sqlite3.connect(tmp_path / "cache.sqlite")
    db.execute("update payload set summary = '{}'")
    db.execute("delete from stream where rowid % 2")
    db.commit()
    db.close()
    with Store(tmp_path / "cache.sqlite") as store:
        computer = Payloads(store, find_compiler(PYTHON), lambda _: None)
        again = computer.compute(chosen)
        assert again == first
        assert all(computer.entries(p) for p in again)


def test_a_cache_that_cant_be_written_is_worked_without(tmp_path):
    (tmp_path / "file").write_text("")
    with Store(tmp_path / "file" / "cache.sqlite") as store:
        assert "can't be used" in store.note
        assert Payloads(store, None, lambda _: None).compute(selections(tmp_path, make_project(tmp_path)))


def test_a_cache_that_gets_full_is_gone_on_with_in_memory(tmp_path):
    chosen = selections(tmp_path, make_project(tmp_path))
    with Store(tmp_path / "cache.sqlite") as store:
        store._db.execute("pragma max_page_count = 8")
        computer = Payloads(store, find_compiler(PYTHON), lambda _: None)
        found = computer.compute(chosen)
        assert "could not be written" in store.note
        assert all(computer.entries(payload) for payload in found)


def test_the_callers_environment_does_not_reach_the_bytes(tmp_path):
    """Whatever hash seed, optimisation, debug ranges, umask or time zone: the same digest and bytes."""
    site = make_project(tmp_path)
    lay_out(
        site,
        "aws",
        requires=("shared",),
        files={"aws/__init__.py": "assert 1\ndef f(x):\n    'doc'\n    return {1, 2}\n"},
    )
    chosen = selections(tmp_path, site)
    script = (
        "import sys; from pathlib import Path; from tests.unit.content.test_payload import *\n"
        "root = Path(sys.argv[1]); chosen = selections(root, root / 'site')\n"
        "print([(p.digest, p.unzipped_bytes, p.zipped_bytes) for p in payloads(root, chosen, name=sys.argv[2])])"
    )
    outputs = set()
    for i, env in enumerate(
        (
            {"PYTHONHASHSEED": "1"},
            {"PYTHONHASHSEED": "77", "PYTHONOPTIMIZE": "2", "PYTHONNODEBUGRANGES": "1", "TZ": "Asia/Tokyo"},
        )
    ):
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path), f"cache-{i}.sqlite"],
            env={**os.environ, **env, "PYTHONPATH": os.pathsep.join([str(Path.cwd()), *sys.path])},
            capture_output=True,
            text=True,
            check=True,
        )
        outputs.add(done.stdout)
    assert len(outputs) == 1
    assert chosen


def test_without_a_python_of_the_targets_version_there_is_a_refusal(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(CompilerError, match=r"No Python 3\.99") as raised:
        find_compiler(Runtime(name="python3.99", python=(3, 99), glibc=(2, 34)))
    assert "bytecode = false" in raised.value.mend


def test_a_python_on_path_of_another_version_does_not_count(monkeypatch):
    monkeypatch.setattr(bytecode.shutil, "which", lambda _: sys.executable)
    with pytest.raises(CompilerError):
        find_compiler(Runtime(name="python3.99", python=(3, 99), glibc=(2, 34)))


def test_code_goes_to_var_task(tmp_path):
    site = make_project(tmp_path)
    selection, _ = selections(tmp_path, site)[0]
    with Store(tmp_path / "c.sqlite") as store:
        computer = Payloads(store, find_compiler(PYTHON), lambda _: None)
        payload = computer.compute([(selection, CODE)])[0]
        assert all(not e.path.startswith("python/") for e, _ in computer.entries(payload))
        assert any(b"/var/task/aws/__init__.py" in bytecode_of(s) for e, s in computer.entries(payload) if e.compiled)
