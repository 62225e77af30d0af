"""Which folder of the project is a function's `source`, and what its handler is called from there."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from optimizer.discover.files import joined, listed
from optimizer.discover.settle import Setting
from optimizer.discover.terraform import source_path

if TYPE_CHECKING:
    from optimizer.discover.files import Project
    from optimizer.discover.sources import Sources
    from optimizer.discover.values import FoundFunction, Value

_DEFAULT_HANDLER = "lambda_function.lambda_handler"
"""What Lambda's console names a new function's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The source folder, relative to the project, and the settings of `source` and `handler`."""

    folder: str
    source: Setting
    handler: Setting


def place(project: Project, sources: Sources, found: FoundFunction) -> Placed:
    """Where the function's modules are; nothing that is not there is taken without asking."""
    told, where = _told_source(found)
    handler = found.values.get("handler")
    if handler is None or not isinstance(handler.value, str) or "." not in handler.value:
        return _unknown_handler(sources, found, told, where)
    module, _, attribute = handler.value.replace("/", ".").strip(".").rpartition(".")
    path = module.replace(".", "/")
    if told is not None and (file := _module(project, told, path)):
        return _at(sources, found, told, where, file=file, attribute=attribute, handler=handler)
    if ".." in handler.value.split("/"):
        ask = f"{handler.where} says {handler.value}, which leads out of {told or 'the project'}"
        return _asked(sources, told or ".", where, Setting(key="handler", value=_DEFAULT_HANDLER, ask=ask))
    homes = _homes(sources, path)
    if len(homes) == 1 and told != homes[0]:
        file = _module(project, homes[0], path) or ""
        said = f"{where or found.where} does not say which folder; the handler's module is in this one alone"
        return _at(sources, found, homes[0], said, file=file, attribute=attribute, handler=handler)
    ask = f"no module {path}.py in {told or 'the project'} ({handler.where})"
    if homes:
        ask = f"{path}.py is in {listed(homes)}: which of them is the function's ({handler.where})?"
    folder = homes[0] if homes else told if told and (project.root / told).is_dir() else "."
    return Placed(
        folder=folder,
        source=Setting(key="source", value=folder, ask=ask),
        handler=Setting(key="handler", value=f"{module}.{attribute}", why=handler.place),
    )


def _told_source(found: FoundFunction) -> tuple[str | None, str]:
    """The folder that the tool's file names, and its place; None where it is none of the project's."""
    value = found.values.get("source")
    if value is None:
        return found.base or ".", f"{found.where} says none: the file's own folder"
    if not isinstance(value.value, str) or "://" in value.value:
        return None, f"{value.where}: {value.how or value.value}"
    joint = source_path if found.tool == "Terraform" else _joined
    return joint(value.value, found.base), value.place


def _joined(path: str, base: str) -> str | None:
    return joined(base, path)


def _module(project: Project, folder: str, path: str) -> str:
    """The file of a module in a folder, or nothing."""
    for name in (f"{path}.py", f"{path}/__init__.py"):
        there = joined(folder, name)
        if there is not None and project.has(there):
            return there
    return ""


def _homes(sources: Sources, path: str) -> list[str]:
    """The folders that have the module."""
    ending = f"/{path}.py"
    found = [
        p.removesuffix(ending.lstrip("/")).rstrip("/") or "." for p in sources.modules() if f"/{p}".endswith(ending)
    ]
    return list(dict.fromkeys(found))


def _at(
    sources: Sources, found: FoundFunction, folder: str, where: str, *, file: str, attribute: str, handler: Value
) -> Placed:
    """The module is there; a folder that holds the tool's own files is narrowed to the one with the modules."""
    chosen, why = folder, where
    if folder in {found.base or ".", "."} and posixpath.dirname(file):
        outermost = "" if folder == "." else folder
        narrowed = sources.folder_of(file, outermost)
        if narrowed != folder:
            chosen, why = narrowed, f"{where}, narrowed to the handler's modules"
    inside = posixpath.relpath(file, chosen)
    module = inside.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    from_here = f"{module}.{attribute}"
    told = handler.place if from_here == handler.value else f"{handler.where}: {handler.value}, from {chosen}"
    remarks = ("everything in it ships, hidden files aside: move the function's modules into a folder of their own",)
    return Placed(
        folder=chosen,
        source=Setting(key="source", value=chosen, why=why, remarks=remarks if chosen == "." else ()),
        handler=Setting(key="handler", value=from_here, why=told),
    )


def _unknown_handler(sources: Sources, found: FoundFunction, told: str | None, where: str) -> Placed:
    value = found.values.get("handler")
    said = f"{value.where} says {value.how or value.value}" if value else f"{found.where} names none"
    inside = [h for h in sources.handlers() if told in {None, "."} or str(h.value).startswith(f"{told}/")]
    if inside:
        path, _, attribute = inside[0].value.rpartition(":")
        folder = told if told not in {None, "."} else sources.folder_of(path)
        module = posixpath.relpath(path, folder).removesuffix(".py").replace("/", ".")
        ask = f"{said}; the code has {listed(h.value for h in inside)}"
        return _asked(sources, folder or ".", where, Setting(key="handler", value=f"{module}.{attribute}", ask=ask))
    return _asked(sources, told or ".", where, Setting(key="handler", value=_DEFAULT_HANDLER, ask=said))


def _asked(sources: Sources, folder: str, where: str, handler: Setting) -> Placed:
    there = (sources.project.root / folder).is_dir()
    source = Setting(key="source", value=folder, why=where) if there else Setting(key="source", value=".", ask=where)
    return Placed(folder=source.value, source=source, handler=handler)
