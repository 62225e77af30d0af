"""[pure] .pth files: Lambda's Python processes those in a layer as any Python does those in site-packages.

So they ship. Some can't work there: those of an editable install, and lines with a folder that is on this machine
alone. Lines that begin with `import` run at every start, which is worth knowing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True, kw_only=True)
class PathFileProblem:
    """What is to be said of a .pth file, and whether it can't ship."""

    text: str
    refused: bool


def is_path_file(path: str) -> bool:
    """Whether Python reads the file when it starts."""
    return path.endswith(".pth") and "/" not in path


def path_file_problems(path: str, text: str) -> list[PathFileProblem]:
    """What is to be said of one; nothing of lines that name a folder in the layer."""
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if path.startswith(("__editable__", "_virtualenv")) or any("__editable__" in line for line in lines):
        return [PathFileProblem(text=f"{path} is of an editable install, whose files lie elsewhere", refused=True)]
    found = []
    for line in lines:
        if line.startswith(("import ", "import\t")):
            code = line if len(line) <= 60 else f"{line[:57]}..."  # noqa: PLR2004  enough to know it by
            found.append(PathFileProblem(text=f"{path} runs at every start: {code}", refused=False))
        elif PurePosixPath(line).is_absolute() or ".." in PurePosixPath(line).parts:
            found.append(
                PathFileProblem(
                    text=f"{path} leads to {line}, which is not in the layer; there it does nothing", refused=False
                )
            )
    return found
