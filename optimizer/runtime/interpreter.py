"""The Python that a runtime's functions run in, and the folder that holds the runtime's client and nothing else."""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer.runtime.errors import RuntimeMissingError
from optimizer.runtime.unpack import settled

if TYPE_CHECKING:
    from optimizer.limits import Runtime

_CLIENT = ("awslambdaric", "simplejson", "snapshot_restore_py")
"""awslambdaric and what it requires; its extension module `runtime_client` lies beside it."""
_PROBE = "import sys; print(sys.implementation.name, *sys.version_info[:2])"
_SKIPPED = shutil.ignore_patterns("tests", "__pycache__")


@cache
def find_interpreter(runtime: Runtime) -> str:
    """This Python outside its virtual environment where its minor version is the runtime's, else one from PATH.

    Raises:
        RuntimeMissingError: there is none that runs.
    """
    base = getattr(sys, "_base_executable", "") or sys.executable
    names = [base] if sys.version_info[:2] == runtime.python else []
    for candidate in (*names, shutil.which(f"python{runtime.version}")):
        if candidate and _is_python(candidate, runtime.version):
            return candidate
    raise RuntimeMissingError(
        f"No Python {runtime.version} is at hand to run functions of {runtime.name} with "
        f"(this is {sys.version_info[0]}.{sys.version_info[1]})",
        mend=f"Put python{runtime.version} on PATH.",
    )


def _is_python(executable: str, version: str) -> bool:
    """Whether it runs and is what its name says; a pyenv shim may be neither."""
    try:
        done = subprocess.run(
            [executable, "-I", "-S", "-c", _PROBE],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.stdout.split() == ["cpython", *version.split(".")]


def client_folder(cache: Path, interpreter: str, runtime: Runtime) -> Path:
    """A folder with the runtime's client alone, so that nothing else of this environment can be imported.

    Raises:
        RuntimeMissingError: the client is not installed.
        DiskError: the cache can't be written.
    """
    native = "runtime_client" if runtime.python == sys.version_info[:2] else "optimizer.runtime._runtime_client"
    sources = [_locate(name) for name in (*_CLIENT, native)]
    files = [file for source in sources for file in (sorted(source.rglob("*")) if source.is_dir() else [source])]
    stats = [
        (str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files if file.suffix in {".py", ".so"}
    ]
    place = cache / "clients" / hashlib.sha256(repr((interpreter, stats)).encode()).hexdigest()
    if not place.is_dir():
        with settled(place) as scratch:
            for source in sources:
                if source.is_dir():
                    shutil.copytree(source, scratch / source.name, ignore=_SKIPPED)
                else:
                    shutil.copy2(source, scratch / source.name.removeprefix("_"))
            # what is not compiled would be compiled at every cold start
            command = [interpreter, "-I", "-S", "-m", "compileall", "-q", str(scratch)]
            subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    return place


def _locate(name: str) -> Path:
    """Where a module or package lies.

    Raises:
        RuntimeMissingError: it is not installed.
    """
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise RuntimeMissingError(
            f"The runtime's client can't run: {name} is not installed", mend="pip install 'layer-optimizer[local]'"
        )
    origin = Path(spec.origin)
    return origin.parent if spec.submodule_search_locations else origin
