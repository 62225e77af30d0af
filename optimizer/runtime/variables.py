"""The environment variables of a function: Lambda's documented ones and its own, and nothing of the host's."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from optimizer.runtime.folders import Folders
    from optimizer.runtime.image import FunctionImage

_PATH_LISTS = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH")
_HOME = "/home/sbx_user1051"
"""The home of the user that functions run as; it does not exist, so that no settings of a developer are read."""


def variables(image: FunctionImage, folders: Folders, *, scratch: Path, api: str) -> dict[str, str]:
    """Every variable of an environment.

    `scratch` stands in for /tmp, `api` is the Runtime API's host and port. In lists of paths that the function sets
    itself, /opt and /var/task become the real folders.
    """
    task, opt, runtime = folders.task, folders.opt, folders.runtime
    own = {
        name: _real(value, task=task, opt=opt) if name in _PATH_LISTS else value
        for name, value in image.environment.items()
    }
    stream = f"{time.strftime('%Y/%m/%d', time.gmtime())}/[{image.version}]{os.urandom(16).hex()}"
    return {
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "HOME": _HOME,
        "TMPDIR": str(scratch),
        "PATH": f"{folders.interpreter.parent}:/usr/local/bin:/usr/bin/:/bin:{opt}/bin",
        "LD_LIBRARY_PATH": ":".join(("/lib64", "/usr/lib64", *library_folders(task, opt, runtime))),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        **own,
        # these are reserved: a function can't set them
        "_HANDLER": image.handler,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{image.runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": image.name,
        "AWS_LAMBDA_FUNCTION_VERSION": image.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(image.memory_mb),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{image.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "AWS_LAMBDA_RUNTIME_API": api,
        "LAMBDA_TASK_ROOT": str(task),
        "LAMBDA_RUNTIME_DIR": str(runtime),
    }


def library_folders(task: Path | str, opt: Path | str, runtime: Path | str) -> tuple[str, ...]:
    """Where the loader looks for libraries of ours, in its order (Lambda's documentation of LD_LIBRARY_PATH)."""
    return (f"{runtime}", f"{runtime}/lib", f"{task}", f"{task}/lib", f"{opt}/lib")


def _real(value: str, *, task: Path, opt: Path) -> str:
    """A list of paths with the real folders in it."""
    parts = value.split(":")
    for ours, real in (("/var/task", task), ("/opt", opt)):
        parts = [f"{real}{part.removeprefix(ours)}" if f"{part}/".startswith(f"{ours}/") else part for part in parts]
    return ":".join(parts)
