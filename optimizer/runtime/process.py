"""The process of one environment: started clean, watched, and ended with everything that it started."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optimizer.errors import DiskError
from optimizer.runtime.api import RuntimeApi, Signal
from optimizer.runtime.output import Output
from optimizer.runtime.unpack import remove
from optimizer.runtime.variables import variables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optimizer.runtime.folders import Folders
    from optimizer.runtime.image import FunctionImage

_BOOTSTRAP = Path(__file__).with_name("_bootstrap.py")
_PEAK = re.compile(r"VmHWM:\s+(\d+) kB")
_ENDED = os.WEXITED | os.WNOWAIT
"""Asks whether a process has ended, and leaves it to be reaped by its one watcher."""
_SIGNALS: dict[int, str] = {
    signal.SIGABRT: "aborted",
    signal.SIGBUS: "bus error",
    signal.SIGFPE: "floating point exception",
    signal.SIGILL: "illegal instruction",
    signal.SIGKILL: "killed",
    signal.SIGSEGV: "segmentation fault",
    signal.SIGTERM: "terminated",
}


def start(
    script: Path,
    image: FunctionImage,
    folders: Folders,
    *,
    scratch: Path,
    api: str,
    output: int,
    more: Mapping[str, Any] | None = None,
) -> tuple[subprocess.Popen[bytes], int]:
    """Start a script that begins as `_bootstrap` does; the second is the pipe whose closing it takes for our death.

    Args:
        script: lies beside `_bootstrap`.
        image: what it runs.
        folders: where that lies.
        scratch: stands in for /tmp.
        api: host and port of the Runtime API.
        output: the descriptor that it writes to.
        more: further settings for the script.

    Raises:
        OSError: it can't be started.
    """
    environment = variables(image, folders, scratch=scratch, api=api)
    # where PYTHONPATH is set, Lambda's runtime does not add the layers
    layer_paths = () if "PYTHONPATH" in environment else folders.layer_paths
    settings = {
        "handler": image.handler,
        "first": [str(path) for path in (folders.task, *layer_paths)],
        "last": [str(folders.runtime)],
        "read_only": [f"{folder}/" for folder in (folders.task, folders.opt, folders.runtime)],
        "refused": folders.refused,
        "offline": image.offline,
        **(more or {}),
    }
    theirs, lifeline = os.pipe()
    try:
        process = subprocess.Popen(
            # -S, -s: nothing of the host's site-packages; -B: code and layers are read-only even where root writes
            [folders.interpreter, "-S", "-s", "-B", script],
            env=environment,
            cwd=folders.task,
            stdin=theirs,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C in our terminal is not the function's
        )
    except BaseException:
        os.close(lifeline)
        raise
    finally:
        os.close(theirs)
    line = memoryview(json.dumps(settings).encode() + b"\n")
    with contextlib.suppress(BrokenPipeError):  # it ended already: the watcher tells
        while line:
            line = line[os.write(lifeline, line) :]
    return process, lifeline


def ending(status: int) -> str:
    """How a process with that return code ended, in the words of Lambda's error."""
    if status < 0:
        return f"Runtime exited with error: signal: {_SIGNALS.get(-status, str(-status))}"
    if status > 0:
        return f"Runtime exited with error: exit status {status}"
    return "Runtime exited without providing a reason"


class Process:
    """A running Python with the runtime's client in it; its Runtime API is `api`, what it writes is `output`.

    Raises:
        DiskError: it can't be started.
    """

    def __init__(self, image: FunctionImage, folders: Folders) -> None:
        self._lock = threading.Lock()
        self._exited = False
        self._closed = False
        self._peak_kb = 0
        self._scratch = Path(tempfile.mkdtemp(prefix="layer-optimizer-tmp-"))
        self._remove_scratch = weakref.finalize(self, remove, self._scratch)  # also where nobody closes it
        self.api = RuntimeApi()
        output, theirs = os.pipe()
        try:
            self._process, self._lifeline = start(
                _BOOTSTRAP, image, folders, scratch=self._scratch, api=self.api.address, output=theirs
            )
        except OSError as error:
            os.close(output)
            self.api.close()
            self._remove_scratch()
            raise DiskError(
                f"{image.name}: {folders.interpreter} can't be started: {error}", mend="Free some memory or processes."
            ) from error
        finally:
            os.close(theirs)
        self.output = Output(output)
        self._watcher = threading.Thread(target=self._watch, daemon=True, name="function-exit")
        self._watcher.start()

    @property
    def alive(self) -> bool:
        """Whether it runs at this moment."""
        with self._lock:
            return not self._exited and os.waitid(os.P_PID, self._process.pid, _ENDED | os.WNOHANG) is None

    @property
    def ending(self) -> str:
        """How it ended, in the words of Lambda's error."""
        return ending(self._process.wait())

    def peak_mb(self) -> int:
        """The most memory it has used, in MB; the last known where it has ended, 0 where the system does not tell."""
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{self._process.pid}/status").read_text("utf-8")
            if match := _PEAK.search(status):
                self._peak_kb = int(match[1])
        return -(-self._peak_kb // 1024)

    def close(self) -> None:
        """Kill it and what it started, wait for it, and remove its folder; harmless to repeat, from any thread."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if not self._exited:
                os.killpg(self._process.pid, signal.SIGKILL)
        self._watcher.join()
        self.api.close()
        self.output.close()
        os.close(self._lifeline)
        self._remove_scratch()

    def _watch(self) -> None:
        """Wait for the end; what the process started ends with it, as it does when Lambda resets an environment."""
        os.waitid(os.P_PID, self._process.pid, _ENDED)
        with self._lock:  # until it is reaped, its number is nobody else's
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._exited = True
        self.api.signals.put(Signal(kind="exited"))
