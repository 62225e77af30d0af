"""The requirements files that are written beside the configuration where the project has none that pip reads."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optimizer.discover.required import Export
    from optimizer.discover.survey import Survey

_EMPTY = (
    "# What the function requires, one distribution a line: nothing was found. Written by `layer-optimizer init`.\n"
)


def write_requirements(found: Survey, folder: str) -> dict[str, str]:
    """The texts of those files by their paths relative to the project; the functions' settings name them then.

    Args:
        found: the survey, whose settings of `requirements` are completed.
        folder: where the configuration is, relative to the project.
    """
    files: dict[str, str] = {}
    names: dict[str, str] = {}
    for function, required in zip(found.functions, found.required, strict=True):
        if required is not None and required.export is None:
            continue
        export = required.export if required else None
        key = export.source if export else f"nothing for {function.name}"
        if key not in names:
            names[key] = function.name
            path = posixpath.join(folder, f"requirements-{function.name}.txt")
            constraints = f"constraints-{function.name}.txt"
            files[path] = export_text(export, constraints) if export else _EMPTY
            if export and export.constraints:
                files[posixpath.join(folder, constraints)] = constraints_text(export)
        path = posixpath.join(folder, f"requirements-{names[key]}.txt")
        function.settings = [replace(s, value=path) if s.key == "requirements" else s for s in function.settings]
    return files


def export_text(export: Export, constraints: str) -> str:
    """The requirements file; `constraints` is the name of the file beside it that holds the lock's versions."""
    what = f"What {export.source} requires" + (f", in the versions of {export.lock}" if export.lock else "")
    text = f"# {what}: written by `layer-optimizer init`, not kept up to date by anything.\n"
    if export.again:
        text += f"# Anew, with everything pinned: {export.again} THIS-FILE\n"
    text += "".join(f"# not taken over, since no index has it: {name}\n" for name in map(_one_line, export.unread))
    if export.constraints:
        text += f"-c {constraints}\n"
    return text + "".join(f"{line}\n" for line in map(_one_line, export.lines))


def constraints_text(export: Export) -> str:
    """The constraints file."""
    head = (
        f"# The versions that {export.lock} has, whether they are needed or not: written by `layer-optimizer init`.\n"
    )
    return head + "".join(f"{_one_line(line)}\n" for line in export.constraints)


def _one_line(text: str) -> str:
    return " ".join(text.split())
