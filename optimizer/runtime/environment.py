"""One execution environment: a process of its own that handles one event at a time."""

from __future__ import annotations

import json
import queue
import re
import shutil
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer.limits import RUNTIMES
from optimizer.runtime.api import Event, Outcome, RuntimeApi, error_body
from optimizer.runtime.archives import merge_once, unpack_once
from optimizer.runtime.glibc import too_new
from optimizer.runtime.interpreter import client_folder, interpreter

if TYPE_CHECKING:
    from collections.abc import Mapping

INIT_SECONDS = 10.0
"""How long an environment may take to initialise (Lambda's documentation, runtime environment lifecycle)."""
_BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
_SPAWNER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="environments")
"""Starts every environment, and stays: Linux ends a child with the *thread* that made it, where it asked for that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionImage:
    """What an environment is made from: zips, handler and settings; `environment` is the function's variables."""

    name: str
    version: str
    arn: str
    handler: str
    runtime: str
    architecture: str
    memory_mb: int
    timeout_seconds: float
    environment: Mapping[str, str]
    code: Path
    layers: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One answer: `error` is None or Unhandled; `log` has Lambda's START, END and REPORT lines around the output."""

    payload: bytes
    error: str | None
    log: str
    init_ms: float | None
    duration_ms: float
    max_memory_mb: int
    cold: bool


class Environment:
    """A process with the function's code, its layers merged, and Lambda's sys.path.

    Raises:
        OptimizerError: the zips can't be unpacked, or there is no Python for the runtime.
    """

    def __init__(self, image: FunctionImage, cache: Path) -> None:
        self.image = image
        self.alive = True
        self._fresh = True
        self._output: list[bytes] = []
        self._peak_kb = 0
        runtime = RUNTIMES[image.runtime]
        task = unpack_once(image.code, cache)
        layers = tuple(unpack_once(layer, cache) for layer in image.layers)
        opt = merge_once(layers, cache)
        self._scratch = Path(tempfile.mkdtemp(prefix="layer-optimizer-tmp-"))
        table = {str(task / p): m.format(path=f"/var/task/{p}") for p, m in too_new(task, runtime.glibc).items()}
        for layer in layers:
            refused = too_new(layer, runtime.glibc)
            table |= {str(opt / p): m.format(path=f"/opt/{p}") for p, m in refused.items()}
        packages = [
            opt / "python/lib" / f"python{runtime.version}" / "site-packages",
            opt / "python",
        ]
        plan = {
            "task": str(task),
            "opt": [str(folder) for folder in packages],
            "runtime": [str(client_folder(cache))],
            "handler": image.handler,
            "too_new": table,
        }
        self._api = RuntimeApi()
        self._began = time.perf_counter()
        self._process = _SPAWNER.submit(
            subprocess.Popen,
            [interpreter(runtime), "-S", "-u", str(_BOOTSTRAP), json.dumps(plan)],
            env=self._variables(task, opt),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=task,
            start_new_session=True,
        ).result()
        self._reader = threading.Thread(target=self._read, daemon=True, name=f"output-{image.name}")
        self._reader.start()
        threading.Thread(target=self._watch, daemon=True, name=f"watch-{image.name}").start()

    def _variables(self, task: Path, opt: Path) -> dict[str, str]:
        """What Lambda defines, and the function's own; nothing of the host's."""
        image = self.image
        return {
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{image.runtime}",
            "AWS_LAMBDA_FUNCTION_NAME": image.name,
            "AWS_LAMBDA_FUNCTION_VERSION": image.version,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(image.memory_mb),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{image.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": f"{time.strftime('%Y/%m/%d')}/[{image.version}]{self._scratch.name}",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
            "LAMBDA_TASK_ROOT": str(task),
            "LAMBDA_RUNTIME_DIR": "/var/runtime",
            "LD_LIBRARY_PATH": f"{task}:{task}/lib:{opt}/lib",
            "PATH": f"/usr/local/bin:/usr/bin:/bin:{opt}/bin",
            "LANG": "en_US.UTF-8",
            "PYTHONUTF8": "1",
            "TZ": ":UTC",
            "HOME": str(self._scratch),
            "TMPDIR": str(self._scratch),
            "_HANDLER": image.handler,
            **image.environment,
        }

    def invoke(self, payload: bytes, *, request_id: str, arn: str) -> Invocation:
        """Handle one event; after an error that ends the process, `alive` is False."""
        image = self.image
        cold, self._fresh = self._fresh, False
        init_ms = None
        outcome: Outcome | None = None
        if cold:
            outcome = self._wait(INIT_SECONDS)
            init_ms = (time.perf_counter() - self._began) * 1000
            if outcome is None:
                outcome = Outcome(kind="init-error", body=self._timed_out(request_id, INIT_SECONDS))
                self.close()
        began = time.perf_counter()
        if outcome is None or outcome.kind == "ready":
            deadline = int((time.time() + image.timeout_seconds) * 1000)
            self._api.send(Event(request_id=request_id, payload=payload, deadline_ms=deadline, arn=arn))
            outcome = self._wait(image.timeout_seconds)
            if outcome is None:
                outcome = Outcome(kind="timeout", body=self._timed_out(request_id, image.timeout_seconds))
                self.close()
        duration = (time.perf_counter() - began) * 1000
        if outcome.kind in {"exited", "init-error"}:
            self.close()
        body = outcome.body
        if outcome.kind == "exited":
            status = self._process.returncode
            how = f"exit status {status}" if status >= 0 else f"signal: {-status}"
            body = error_body("Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited with error: {how}")
        peak = self._measure()
        return Invocation(
            payload=body,
            error=None if outcome.kind == "response" else "Unhandled",
            log=self._log(request_id, duration, init_ms, peak),
            init_ms=init_ms,
            duration_ms=duration,
            max_memory_mb=peak,
            cold=cold,
        )

    def close(self) -> None:
        """End the process and remove what it wrote; harmless to repeat."""
        self.alive = False
        if self._process.poll() is None:
            self._measure()
            self._process.kill()
        self._process.wait()
        self._reader.join(timeout=2)
        if self._process.stdout:
            self._process.stdout.close()
        self._api.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _wait(self, seconds: float) -> Outcome | None:
        """The next outcome, or None where the time is over."""
        try:
            return self._api.outcomes.get(timeout=seconds)
        except queue.Empty:
            return None

    def _watch(self) -> None:
        """Report the end of the process to whoever waits."""
        self._process.wait()
        self._reader.join(timeout=2)
        self._api.outcomes.put(Outcome(kind="exited"))

    def _read(self) -> None:
        stream = self._process.stdout
        if stream is None:
            return
        try:
            for line in iter(stream.readline, b""):
                self._output.append(line)
        except ValueError:
            return  # closed meanwhile

    def _measure(self) -> int:
        """The process's peak memory in MB; 0 where the system does not tell."""
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text("utf-8")
        except OSError:
            status = ""
        match = re.search(r"VmHWM:\s+(\d+) kB", status)
        if match:
            self._peak_kb = int(match[1])
        return -(-self._peak_kb // 1024)

    def _log(self, request_id: str, duration: float, init_ms: float | None, peak: int) -> str:
        lines, self._output = self._output, []
        text = b"".join(lines).decode("utf-8", "replace")
        if text and not text.endswith("\n"):
            text += "\n"
        report = [
            f"REPORT RequestId: {request_id}",
            f"Duration: {duration:.2f} ms",
            f"Billed Duration: {-int(-duration // 1)} ms",
            f"Memory Size: {self.image.memory_mb} MB",
            f"Max Memory Used: {peak} MB",
        ]
        if init_ms is not None:
            report.append(f"Init Duration: {init_ms:.2f} ms")
        start = f"START RequestId: {request_id} Version: {self.image.version}\n"
        return f"{start}{text}END RequestId: {request_id}\n" + "\t".join(report) + "\n"

    @staticmethod
    def _timed_out(request_id: str, seconds: float) -> bytes:
        return error_body(
            "Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds"
        )
