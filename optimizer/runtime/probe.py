"""Asks a function's environment questions that are no events: what can be imported, which metadata is found."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from optimizer.errors import DiskError
from optimizer.runtime.process import ending, start
from optimizer.runtime.unpack import remove

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Sequence

    from optimizer.runtime.folders import Folders
    from optimizer.runtime.image import FunctionImage

_SCRIPT = Path(__file__).with_name("_imports.py")
_NOBODY = "127.0.0.1:9"
"""The discard port: a Runtime API that nobody speaks to."""
ANSWER_SECONDS = 60.0
"""How long one question may take; a module that imports longer than this would not start on Lambda either."""
_LOOK_SECONDS = 0.02
_SHOWN_LINES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """`import` a module, ask for a distribution's `metadata`, or for all `entry-points` together."""

    kind: Literal["import", "metadata", "entry-points"]
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`said` is a version or a count; `error` is None or what went wrong, with Lambda's paths in it.

    `missing` is the top-level module that was not found, where that is the error.
    """

    question: Question
    said: str = ""
    error: str | None = None
    missing: str | None = None


def ask(
    image: FunctionImage, folders: Folders, questions: Sequence[Question], progress: Callable[[int], None]
) -> list[Answer]:
    """An answer to each question, in their order.

    One process is asked all of them; where one ends it, a new one is asked those that follow. `progress` is called
    with the number of answers so far.

    Raises:
        DiskError: the process can't be started.
    """
    answers: list[Answer] = []
    while len(answers) < len(questions):
        progress(len(answers))
        answers += _run(image, folders, questions[len(answers) :])
    return answers


def _run(image: FunctionImage, folders: Folders, questions: Sequence[Question]) -> list[Answer]:
    """The answers of one process, the last of which may be that it ended with the question."""
    scratch = Path(tempfile.mkdtemp(prefix="layer-optimizer-probe-"))
    try:
        facts, output = scratch / "answers", scratch / "output"
        (scratch / "tmp").mkdir()
        facts.touch()
        with output.open("wb") as sink:
            more = {"answers": str(facts), "questions": [(q.kind, q.name) for q in questions]}
            process, lifeline = start(
                _SCRIPT, image, folders, scratch=scratch / "tmp", api=_NOBODY, output=sink.fileno(), more=more
            )
        ended = False
        try:
            ended = _wait(process, facts)
        finally:
            how = _end(process, lifeline)
        if not ended:
            how = f"it did not end within {ANSWER_SECONDS:.0f} seconds"
        return list(_answers(facts.read_text("utf-8"), questions, how, _tail(output), folders))
    except OSError as error:
        raise DiskError(
            f"{image.name}: {folders.interpreter} can't be run: {error}", mend="Free some memory, disk or processes."
        ) from error
    finally:
        remove(scratch)


def _wait(process: subprocess.Popen[bytes], facts: Path) -> bool:
    """Whether it ended by itself; one that says nothing for too long is not waited for. It is left to be reaped."""
    said, since = -1, time.monotonic()
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
        time.sleep(_LOOK_SECONDS)
        now = facts.stat().st_size
        if now != said:
            said, since = now, time.monotonic()
        elif time.monotonic() - since > ANSWER_SECONDS:
            return False
    return True


def _end(process: subprocess.Popen[bytes], lifeline: int) -> str:
    """Kill it with what it started; how it ended where it did so by itself."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # until it is reaped, its number is nobody else's
        os.killpg(process.pid, signal.SIGKILL)
    os.close(lifeline)
    return ending(process.wait())


def _answers(text: str, questions: Sequence[Question], how: str, output: str, folders: Folders) -> list[Answer]:
    facts: dict[int, dict[str, Any]] = {}
    for line in text.splitlines():
        with contextlib.suppress(ValueError):  # it was killed while it wrote the line
            fact = json.loads(line)
            facts[fact["number"]] = fact
    found = []
    for number in range(max(facts, default=len(questions) - 1) + 1):  # without any, it never came to a question
        fact = facts.get(number, {})
        error = fact.get("error")
        if error is None and "said" not in fact:
            error = f"{how}{output}"
        found.append(
            Answer(
                question=questions[number],
                said=fact.get("said") or "",
                error=None if error is None else folders.as_on_lambda(error),
                missing=fact.get("missing"),
            )
        )
    return found


def _tail(output: Path) -> str:
    """The last lines of what was written, each on a line of its own."""
    lines = [line for line in output.read_text("utf-8", "replace").splitlines() if line.strip()]
    return "".join(f"\n    {line}" for line in lines[-_SHOWN_LINES:])
