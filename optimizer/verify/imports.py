"""Imports every module that the layers offer, and asks for every distribution's metadata, as a function would."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.runtime.probe import Question, ask
from optimizer.verify.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from optimizer.runtime import FunctionImage
    from optimizer.runtime.folders import Folders
    from optimizer.runtime.probe import Answer
    from optimizer.verify.zips import Metadata


def check_imports(
    image: FunctionImage,
    folders: Folders,
    *,
    modules: Sequence[str],
    metadata: Sequence[Metadata],
    serves: Callable[[str | None], str | None],
    progress: Callable[[str], None],
) -> tuple[list[Finding], list[str], int]:
    """Findings, notes, and how many of the modules could be imported.

    Args:
        image: the function.
        folders: where it lies.
        modules: to import by name, in this order.
        metadata: the distributions that have to be found.
        serves: tells a note about a top-level module that the runtime has and this machine has not.
        progress: called with a line before each process.

    Raises:
        DiskError: no process can be started.
    """
    questions = [Question(kind="import", name=module) for module in modules]
    questions += [Question(kind="metadata", name=each.name) for each in metadata]
    questions.append(Question(kind="entry-points", name="all"))
    total = len(questions)

    def told(done: int) -> None:
        progress(f"importing {len(modules)} modules" if not done else f"going on after a crash ({done} of {total})")

    findings, notes, imported = [], [], 0
    versions = {each.name: each.version for each in metadata}
    for answer in ask(image, folders, questions, told):
        if note := serves(answer.missing):
            notes.append(note)
        elif finding := _finding(answer, versions):
            findings.append(finding)
        elif answer.question.kind == "import":
            imported += 1
    return findings, notes, imported


def _finding(answer: Answer, versions: dict[str, str | None]) -> Finding | None:
    name = answer.question.name
    match answer.question.kind:
        case "import":
            if answer.error is None:
                return None
            return Finding(check="import", subject=name, expected="it can be imported", actual=answer.error)
        case "metadata":
            version = versions[name]
            if answer.error is None and answer.said == version:
                return None
            expected = f"importlib.metadata finds {f'version {version}' if version else 'its METADATA'}"
            return Finding(
                check="metadata", subject=name, expected=expected, actual=answer.error or answer.said or "none"
            )
        case "entry-points":
            if answer.error is None:
                return None
            expected = "importlib.metadata.entry_points() can be asked"
            return Finding(check="entry-points", subject=name, expected=expected, actual=answer.error)
