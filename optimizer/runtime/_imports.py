"""Runs in a process of its own, made as Lambda's would be: imports modules, and asks for distributions' metadata.

What it finds goes line by line into the file that the settings name, the question before its answer: whoever reads it
sees which question a crash is the answer to.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback

from _bootstrap import begin  # type: ignore[import-not-found]  # it lies beside this script

TYPE_CHECKING = False
if TYPE_CHECKING:  # as in _bootstrap
    from typing import Any


def main() -> None:
    """Ask every question, whatever the answers are."""
    settings = begin()
    answers = os.open(settings["answers"], os.O_WRONLY | os.O_APPEND)
    for number, (kind, name) in enumerate(settings["questions"]):
        _tell(answers, {"number": number})
        try:
            said = _ASKED[kind](name)
        except BaseException as error:  # noqa: BLE001  SystemExit is an answer too
            _tell(answers, {"number": number, "error": _text(error), "missing": _missing(error)})
        else:
            _tell(answers, {"number": number, "said": said})
    os._exit(0)  # modules may have left threads that would not end


def _import(name: str) -> str:
    importlib.import_module(name)
    return ""


def _metadata(name: str) -> str:
    """The version, asked for as programs do it; what else programs ask for has to be readable."""
    from importlib import metadata

    found = metadata.distribution(name)
    _ = [(each.group, each.name, each.value) for each in found.entry_points]
    _ = (found.requires, found.metadata["Name"])
    return metadata.version(name)


def _entry_points(_: str) -> str:
    """All of them at once, as whoever looks for plugins does."""
    from importlib import metadata

    return str(len(list(metadata.entry_points())))


def _text(error: BaseException) -> str:
    """The error in one line, with the place that raised it."""
    line = " ".join(f"{type(error).__name__}: {error}".split())
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith("/")]
    ours = [frame for frame in frames if frame.filename != __file__]
    return f"{line} ({ours[-1].filename}:{ours[-1].lineno})" if ours else line


def _missing(error: BaseException) -> str | None:
    """The top-level module that was not found, where that is the error."""
    name = error.name if isinstance(error, ModuleNotFoundError) else None
    return name.partition(".")[0] if name else None


def _tell(answers: int, fact: dict[str, Any]) -> None:
    os.write(answers, json.dumps(fact).encode() + b"\n")


_ASKED = {"import": _import, "metadata": _metadata, "entry-points": _entry_points}

if __name__ == "__main__":
    del sys.modules["_bootstrap"]  # a function may have one of its own
    main()
