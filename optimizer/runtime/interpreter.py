"""The Python that functions run in, and the folder that holds the runtime's client and nothing else of ours."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer.errors import UsageError

if TYPE_CHECKING:
    from optimizer.limits import Runtime

_CLIENT = ("awslambdaric", "simplejson", "snapshot_restore_py")
"""awslambdaric and what it requires; `runtime_client` is its extension module, beside the package."""
_LOCK = threading.Lock()


@cache
def interpreter(runtime: Runtime) -> str:
    """A Python of the runtime's minor version, outside any virtual environment where it can be told.

    Raises:
        UsageError: there is none.
    """
    base = getattr(sys, "_base_executable", None) or sys.executable
    if sys.version_info[:2] == runtime.python:
        return str(base)
    found = shutil.which(f"python{runtime.version}")
    probe = "import sys; print(*sys.version_info[:2])"
    try:
        done = subprocess.run([found or "", "-I", "-c", probe], capture_output=True, text=True, timeout=30, check=True)
        if found and done.stdout.split() == list(map(str, runtime.python)):
            return found
    except (OSError, subprocess.SubprocessError):
        pass  # a shim that leads nowhere is as good as none
    raise UsageError(
        f"No Python {runtime.version} is at hand to run functions of {runtime.name}",
        mend=f"Put python{runtime.version} on PATH.",
    )


def client_folder(cache_folder: Path) -> Path:
    """A folder with the runtime's client alone, so that nothing else of this environment can be imported.

    Raises:
        UsageError: the client is not installed.
    """
    place = cache_folder / "client"
    with _LOCK:
        if place.is_dir():
            return place
        scratch = cache_folder / ".client-part"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        for name in _CLIENT:
            spec = importlib.util.find_spec(name)
            if spec is None or spec.origin is None:
                raise UsageError(
                    f"Running functions needs {name}, which is not installed",
                    mend="Install the extra: python -m pip install 'layer-optimizer[local]'",
                )
            shutil.copytree(Path(spec.origin).parent, scratch / name)
        native = importlib.util.find_spec("runtime_client")
        if native is not None and native.origin is not None:
            shutil.copy2(native.origin, scratch)
        scratch.rename(place)
    return place
