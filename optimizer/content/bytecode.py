"""Compiles sources in a clean child: the same bytes on each build, whatever the caller's environment.

The bytes of a .pyc depend on what the compiling process has imported, on PYTHONOPTIMIZE and on PYTHONNODEBUGRANGES;
so a child with `-I -S` does it, with `optimize=0`. Unchecked-hash pycs (PEP 552) stay valid whatever date a zip gives.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer.errors import CompilerError

if TYPE_CHECKING:
    from optimizer.limits import Runtime

_CHILD = """
import json, py_compile, sys
mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
failed = {}
for source, target, embedded in json.load(sys.stdin):
    try:
        py_compile.compile(source, target, embedded, doraise=True, optimize=0, invalidation_mode=mode)
    except (py_compile.PyCompileError, ValueError, RecursionError) as error:
        failed[target] = str(error).strip().splitlines()[-1]
json.dump(failed, sys.stdout)
"""
_PROBE = "import importlib.util, sys; print(*sys.version_info[:2], importlib.util.MAGIC_NUMBER.hex(), sys.version)"
_FLAGS = ("-I", "-S", "-X", "utf8", "-W", "ignore")
_CLEAN = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiler:
    """A Python of the target's minor version: `magic` is its bytecode's number in hex, `build` its sys.version."""

    executable: str
    magic: str
    build: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One source to compile; `embedded` is the path it will have on Lambda, which tracebacks show.

    `source` is where it lies, unless `content` holds what ships in its stead.
    """

    key: str
    source: str
    embedded: str
    content: bytes | None = None


def find_compiler(runtime: Runtime) -> Compiler:
    """This Python where its minor version is the runtime's, else `pythonX.Y` from PATH.

    Raises:
        CompilerError: there is none.
    """
    if sys.version_info[:2] == runtime.python and sys.implementation.name == "cpython":
        import importlib.util

        return Compiler(executable=sys.executable, magic=importlib.util.MAGIC_NUMBER.hex(), build=sys.version)
    found = shutil.which(f"python{runtime.version}")
    compiler = _probe(found, runtime.python) if found else None
    if compiler is None:
        raise CompilerError(
            f"No Python {runtime.version} is at hand to compile bytecode for {runtime.name} with "
            f"(this is {sys.version_info[0]}.{sys.version_info[1]})",
            mend=f"Put python{runtime.version} on PATH, or ship no bytecode: `bytecode = false` under [build] in the "
            "configuration (then each cold start compiles anew).",
        )
    return compiler


@cache
def _probe(executable: str, wanted: tuple[int, int]) -> Compiler | None:
    """What the executable says of itself; None where it does not run or is another version (a pyenv shim, say)."""
    try:
        done = subprocess.run(
            [executable, "-I", "-S", "-c", _PROBE], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    major, minor, magic, build = done.stdout.split(" ", 3)
    if (int(major), int(minor)) != wanted:
        return None
    return Compiler(executable=executable, magic=magic, build=build.strip())


def compile_all(jobs: list[Job], compiler: Compiler) -> dict[str, bytes | str]:
    """Each job's .pyc by key, or the reason as text where the source does not compile.

    Raises:
        CompilerError: the child itself failed.
    """
    if not jobs:
        return {}
    processes = min(os.cpu_count() or 1, 1 + len(jobs) // 50)
    with tempfile.TemporaryDirectory(prefix="layer-optimizer-") as scratch, ThreadPoolExecutor(processes) as pool:
        parts = [jobs[i::processes] for i in range(processes)]
        done: dict[str, bytes | str] = {}
        for result in pool.map(lambda part: _run(part, compiler, Path(scratch)), parts):
            done.update(result)
    return done


def _run(jobs: list[Job], compiler: Compiler, scratch: Path) -> dict[str, bytes | str]:
    targets = {job.key: str(scratch / job.key) for job in jobs}
    try:
        work = json.dumps([(_source(job, scratch), targets[job.key], job.embedded) for job in jobs])
        done = subprocess.run(
            [compiler.executable, *_FLAGS, "-c", _CHILD],
            input=work,
            capture_output=True,
            text=True,
            check=True,
            env=_CLEAN,
            encoding="utf-8",
        )
        failed: dict[str, str] = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        detail = getattr(error, "stderr", None) or str(error)
        raise CompilerError(
            f"{compiler.executable} failed to compile bytecode: {detail.strip()[-400:]}",
            mend="Check the disk's space and that this Python runs, or set `bytecode = false` under [build].",
        ) from error
    return {key: failed[target] if target in failed else Path(target).read_bytes() for key, target in targets.items()}


def _source(job: Job, scratch: Path) -> str:
    """Where the child finds the source."""
    if job.content is None:
        return job.source
    place = scratch / f"{job.key}.py"
    place.write_bytes(job.content)
    return str(place)
