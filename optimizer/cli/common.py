"""What the commands share: the source options, JSON on stdout, errors, progress on stderr."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import sys
import threading
import time
from contextlib import contextmanager
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from optimizer.errors import DiskError, OptimizerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rich.console import Console


class Format(StrEnum):
    """What a command writes to stdout."""

    TEXT = "text"
    JSON = "json"


class TextFormat(StrEnum):
    """What a command writes that has something for a pull request too."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


class PlanFormat(StrEnum):
    """What `plan` writes."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"


ConfigOption = Annotated[Path, typer.Option("--config", help="The configuration file.", metavar="FILE")]
PathOption = Annotated[
    Path | None,
    typer.Option("--path", help="An installed folder to read instead of the running environment.", metavar="DIR"),
]
WheelsOption = Annotated[
    Path | None,
    typer.Option("--wheels", help="A folder of wheels to read instead; nothing is installed.", metavar="DIR"),
]
RequirementsOption = Annotated[
    Path | None,
    typer.Option(
        "--requirements",
        help="Instead of the configured requirements file; without --path or --wheels it is resolved for the target, "
        "and wheels are downloaded.",
        metavar="FILE",
    ),
]
LayersOption = Annotated[
    int | None,
    typer.Option("--layers", help="How many layers to make: the configured ones, and more that split them."),
]
SnapshotOption = Annotated[
    Path | None,
    typer.Option("--snapshot", help="Instead of layers/history.json beside the configuration.", metavar="FILE"),
]
FormatOption = Annotated[Format, typer.Option("--format", help="What stdout holds.")]
UpgradeOption = Annotated[
    bool, typer.Option("--upgrade", help="With --requirements: resolve it anew, whatever is locked.")
]
CONFIG = Path("config/layers.toml")
_QUIET_SECONDS = 1.0
INTERRUPTED = 130
"""The exit status after Ctrl-C."""
_PIPE_COLUMNS = 120
"""So many columns a table has at least where no terminal says how many there are."""
_written: list[str] = []
"""What has been written to stdout: a command's one JSON document stays alone there."""


def begin() -> None:
    """Begin a command: nothing has been written yet, and characters that a terminal lacks are no reason to fail."""
    _written.clear()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def fail(error: OptimizerError) -> NoReturn:
    """Say the error, as JSON on stdout too where JSON was asked for, and exit with its status."""
    emit_error(**error.document())
    sys.stderr.write(f"error: {error}\n")
    sys.exit(error.exit_status)


def emit_error(code: str, message: str, mend: str) -> None:
    """The error as the one JSON document on stdout, where JSON was asked for and the command wrote none of its own."""
    if json_wanted(sys.argv[1:]) and not _written:
        emit_json({"schema": 1, "error": {"code": code, "message": message, "mend": mend}})


def json_wanted(arguments: list[str]) -> bool:
    """Whether the command line asks for JSON (an error may come before it is parsed)."""
    return "--format=json" in arguments or any(a == "--format" and b == "json" for a, b in pairwise(arguments))


def _discard_stdout() -> None:
    """Let what follows, and the flush at exit, go nowhere: else Python would exit with a status of its own."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Stop:
    """Waits until the person or the system asks to stop, even where a shell started the process with Ctrl-C ignored."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._signal: int | None = None

    @property
    def status(self) -> int:
        """The exit status that the request stands for: 130 for Ctrl-C, 0 for a system's request."""
        return 130 if self._signal == signal.SIGINT else 0

    @property
    def asked(self) -> bool:
        """Whether it was asked for."""
        return self._asked.is_set()

    def wait(self) -> None:
        """Return when it was asked for."""
        while not self._asked.wait(3600):
            continue

    def ask(self, number: int, _: object) -> None:
        """A signal's handler."""
        self._signal = number
        self._asked.set()


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Take SIGINT and SIGTERM as requests to stop, for the time of the block."""
    stop = Stop()
    before = {number: signal.signal(number, stop.ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def emit_json(document: Any) -> None:
    """One JSON document on stdout and nothing else."""
    emit(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    _written.append("json")


def emit(text: str) -> None:
    """Write to stdout; a reader that has gone is no error, a full disk is one.

    Raises:
        DiskError: stdout can't be written.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_stdout()
    except (OSError, AttributeError) as error:
        reason = getattr(error, "strerror", None) or "it is closed"
        _discard_stdout()
        raise DiskError(f"stdout can't be written: {reason}", mend="Name a file with room, or a terminal.") from error


def rendered(show: Callable[[Console], None], *, to_file: bool = False, columns: int = _PIPE_COLUMNS) -> str:
    """What `show` prints, as text: in colour and as wide as the terminal, or plain and at least `columns` wide."""
    from rich.console import Console

    terminal = Console(soft_wrap=False)
    buffer = io.StringIO()
    coloured = terminal.is_terminal and not to_file
    console = Console(
        file=buffer,
        force_terminal=coloured,
        width=terminal.width if coloured else max(terminal.width, columns),
        color_system="auto" if coloured else None,
    )
    show(console)
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"


def note(text: str) -> None:
    """A line for the person at the terminal; never on stdout."""
    sys.stderr.write(text + "\n")


def tell_errors(errors: Iterable[OptimizerError | None]) -> None:
    """Each error once on stderr, where stdout is a document that has them among what else was found."""
    for text in dict.fromkeys(str(error) for error in errors if error is not None):
        note(f"error: {text}")


@contextmanager
def slowly(line: str) -> Iterator[None]:
    """Say the line where the block takes longer than a second."""
    timer = threading.Timer(_QUIET_SECONDS, note, [line])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def seldom() -> Callable[[str], None]:
    """Notes on what takes long: none in the first second, then at most one a second."""
    last = time.monotonic()
    lock = threading.Lock()

    def say(text: str) -> None:
        nonlocal last
        with lock:
            now = time.monotonic()
            if now - last < _QUIET_SECONDS:
                return
            last = now
        note(text)

    return say


def write_text(path: Path, text: str) -> None:
    """Write the whole file or nothing.

    Raises:
        DiskError: the file system refused.
    """
    if path.exists() and not path.is_file():  # a pipe or a device is written to, not replaced
        _write_to(path, text)
        return
    path = path.resolve()  # a link stays a link
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, "utf-8")
        part.replace(path)
    except OSError as error:
        raise DiskError(f"{path} can't be written: {error.strerror or error}", mend="Name a writable place.") from error
    finally:  # after an error, and after Ctrl-C
        with contextlib.suppress(OSError):
            part.unlink()


def _write_to(path: Path, text: str) -> None:
    try:
        with path.open("w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise DiskError(f"{path} can't be written: {error.strerror or error}", mend="Name a writable place.") from error
