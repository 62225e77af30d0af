"""A project → its functions as config/layers.toml will have them, with what is required and the layers for it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from optimizer.discover import settle
from optimizer.discover.files import Project, is_test, listed
from optimizer.discover.placing import place
from optimizer.discover.required import LOOKED_FOR, elsewhere, find_required, told_of
from optimizer.discover.runtimes import default_runtime, python_version
from optimizer.discover.sam import read_sam
from optimizer.discover.serverless import read_serverless
from optimizer.discover.settle import Setting, Settled
from optimizer.discover.sources import Sources
from optimizer.discover.terraform import read_terraform
from optimizer.discover.values import FoundFunction, Reading, Value
from optimizer.errors import UsageError
from optimizer.models import Target

if TYPE_CHECKING:
    from pathlib import Path

    from optimizer.discover.required import Required

_READERS = (("SAM or CloudFormation", read_sam), ("Serverless", read_serverless), ("Terraform", read_terraform))
_MOST = 100
_SHORT = 60


@dataclass(slots=True, kw_only=True)
class Survey:
    """What was found: functions that share a runtime, what each requires, and what a person should be told."""

    project: Project
    target: Target
    functions: list[Settled]
    required: list[Required | None]
    remarks: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def asked(self) -> list[str]:
        """What was not found, each as `function: key: what`."""
        return [f"{f.name}: {s.key}{_brief(s.value)}: {s.ask}" for f in self.functions for s in f.settings if s.ask]


def survey(root: Path) -> Survey:
    """Look through the project in that folder.

    Raises:
        UsageError: no Python function is there, nothing says what it requires, or a library is missing that reads
            what is there.
    """
    project = Project(root)
    sources = Sources(project)
    reading, notes = _reading(project, sources)
    taken: set[str] = set()
    settled = [_first_settings(project, sources, found, taken) for found in reading.functions]
    kept, remarks = _same_target(settled)
    target = Target(runtime=kept[0].runtime, architecture=kept[0].architecture)
    region = settle.regions(reading.regions, reading.other_regions, os.environ)
    required = []
    for function in kept:
        told = function.found.values
        required.append(
            find_required(
                project, function.source, target, named=told.get("requirements"), layer=told.get("layer_requirements")
            )
        )
        _rest(sources, function, region, required[-1])
        region = replace(region, remarks=())  # told once
    if not any(required):
        there = elsewhere(project)
        raise UsageError(
            f"{project.root} has a handler ({kept[0].found.where}), and nothing that says what it requires"
            + (f" on its way; there is {listed(there)}" if there else ""),
            mend=f"Beside the function's source, or above it, one of these is looked for: {', '.join(LOOKED_FOR)}.",
        )
    return Survey(
        project=project,
        target=target,
        functions=kept,
        required=required,
        remarks=remarks,
        notes=[*notes, *remarks, *dict.fromkeys(project.notes)],
    )


def _reading(project: Project, sources: Sources) -> tuple[Reading, list[str]]:
    """The first tool's reading that has Python functions, else what the code alone says."""
    chosen: Reading | None = None
    notes: list[str] = []
    for path in project.named("cdk.json", "*.tf.json"):
        if not is_test(path):
            project.note(f"{path} is of a tool whose files are not read here")
    for tool, read in _READERS:
        reading = read(project)
        python = tuple(f for f in reading.functions if _is_python(project, f))
        if python and chosen is None:
            chosen = Reading(functions=python, regions=reading.regions, other_regions=reading.other_regions)
            notes.append(
                f"{listed(dict.fromkeys(f.where.partition(':')[0] for f in python))} ({tool}) describes "
                f"{listed(f.label for f in python)}"
            )
        elif python:
            places = listed(f"{f.label} ({f.where})" for f in python)
            notes.append(f"{tool} describes functions too, which were not taken: {places}")
    return (chosen, notes) if chosen is not None else _of_code(project, sources)


def _is_python(project: Project, found: FoundFunction) -> bool:
    runtime = found.values.get("runtime")
    if runtime is None or runtime.value is None or str(runtime.value).startswith("python"):
        return True
    project.note(f"{runtime.where}: {found.label} runs on {runtime.value}")
    return False


def _of_code(project: Project, sources: Sources) -> tuple[Reading, list[str]]:
    """Where no tool's file describes functions: what looks like a handler in the code.

    Raises:
        UsageError: nothing does.
    """
    handlers = sources.handlers()
    if not handlers:
        passed = "".join(f"\n  {note}" for note in dict.fromkeys(project.notes))
        raise UsageError(
            f"No Python function for Lambda was found in {project.root}{passed}",
            mend="Looked for: template.yaml (SAM, CloudFormation), serverless.yml, *.tf with aws_lambda_function, and "
            "modules with `def handler(event, context)`, `def lambda_handler(event, context)` or `x = Mangum(...)`. "
            "Run it in the project's root.",
        )
    first = handlers[0]
    path, _, attribute = first.value.rpartition(":")
    folder = sources.folder_of(path)
    inside = path if folder == "." else path.removeprefix(f"{folder}/")
    module = inside.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    found = FoundFunction(
        tool="",
        label=first.value,
        where=first.where,
        values={
            "name": Value(value=project.root.name, where=first.where, how="the folder's name", sure=False),
            "handler": Value(value=f"{module}.{attribute}", where=first.where, how=first.how),
            "source": Value(value=folder, where=first.where, how="the folder that its imports start from"),
        },
    )
    notes = [f"no tool's file describes a function; {first.where} has {first.how}"]
    if len(handlers) > 1:
        notes.append(f"not taken, and possible handlers too: {listed((h.where for h in handlers[1:]), 8)}")
    return Reading(functions=(found,)), notes


def _first_settings(project: Project, sources: Sources, found: FoundFunction, taken: set[str]) -> Settled:
    """The settings that decide which functions can share layers, and where the function is."""
    placed = place(project, sources, found)
    named = settle.name(found, taken)
    asked_for = python_version(project, "" if placed.folder == "." else placed.folder)
    runtime = settle.runtime(found, asked_for, default_runtime())
    architecture = settle.architecture(found)
    return Settled(
        found=found,
        name=named.value,
        source=placed.folder,
        runtime=runtime.value,
        architecture=architecture.value,
        settings=[named, placed.source, placed.handler, runtime, architecture],
    )


def _same_target(settled: list[Settled]) -> tuple[list[Settled], list[str]]:
    """The functions of the most usual runtime and architecture, which one file can have, and what is left out."""
    groups: dict[tuple[str, str], list[Settled]] = {}
    for function in settled:
        groups.setdefault((function.runtime, function.architecture), []).append(function)
    best = max(groups.values(), key=len)
    remarks = [
        f"left out: {f.name} ({f.found.where}): {f.runtime} on {f.architecture} can't share layers with "
        f"{best[0].runtime} on {best[0].architecture}; it takes a file of its own"
        for group in groups.values()
        if group is not best
        for f in group
    ]
    remarks += [f"left out: {f.name} ({f.found.where}): more than {_MOST} functions" for f in best[_MOST:]]
    return best[:_MOST], remarks


def _rest(sources: Sources, function: Settled, region: Setting, required: Required | None) -> None:
    """The other settings, in the file's order."""
    found, settings = function.found, function.settings
    at = next(i for i, s in enumerate(settings) if s.key == "source") + 1
    if required is None:
        ask = f"no file on its way says what it requires; looked for {listed(LOOKED_FOR, 20)}: an empty one is written"
        settings.insert(at, Setting(key="requirements", value="", ask=ask))
    else:
        settings.insert(at, Setting(key="requirements", value=required.file, why=told_of(required)))
    settings += [region, settle.external_layers(found), settle.memory(found), settle.timeout(found)]
    settings += [*settle.environment(found), *settle.role(found), settle.url(found)]
    runtimes_own = sources.imported_at(function.source, "boto3")
    if runtimes_own and required is not None and "boto3" not in required.direct:
        function.remarks.append(
            f"{runtimes_own} imports boto3, which is not required: the runtime's own is used, and changes under it"
        )
    if found.left:
        function.remarks.append(f"not taken over: {listed(found.left)}")


def _brief(value: object) -> str:
    """The default, where it is short enough for a line on stderr."""
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return f" = {text}" if 0 < len(text) < _SHORT else ""
