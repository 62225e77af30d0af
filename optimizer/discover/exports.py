"""The requirements files that are written beside the configuration where the project has none that pip reads."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING

from optimizer.discover.required import constraints_text, export_text

if TYPE_CHECKING:
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
