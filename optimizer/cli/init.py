"""`init`: a first config/layers.toml for the project it stands in, and the plan that follows from it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from optimizer.cli.common import (
    CONFIG,
    INTERRUPTED,
    ConfigOption,
    Format,
    FormatOption,
    emit,
    emit_json,
    note,
    rendered,
    slowly,
    write_text,
)
from optimizer.config import parse, root_of
from optimizer.errors import OptimizerError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.requirements import Requirement

    from optimizer.discover.roles import Proposal, Weight
    from optimizer.discover.survey import Survey
    from optimizer.inventory import Environment

_ENVIRONMENTS = (".venv", "venv", "env")
_DISK = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _AtHand:
    """Where the required distributions are: a folder `path`, or the running environment; `installed` false: nowhere."""

    installed: bool
    weights: dict[str, Weight]
    measure: str
    path: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ended:
    """How it ends: the plan's document, or the error that refused it, and what to run next."""

    next: str
    plan: dict[str, Any] | None = None
    error: OptimizerError | None = None
    fits: bool = True
    interrupted: bool = False


def init(
    config: ConfigOption = CONFIG,
    force: Annotated[bool, typer.Option("--force", help="Write over files that are there.")] = False,
    output_format: FormatOption = Format.TEXT,
) -> int:
    """Write a first config/layers.toml from what the project's files say, and show the plan.

    Reads SAM, CloudFormation, Serverless and Terraform files, handlers in the code, requirements files, pyproject.toml,
    and the locks of uv, Poetry, PDM and Pipenv; runs none of them. What no file says is marked ASK, with a default.

    Example: python -m optimizer init
    """
    from optimizer.discover.document import document
    from optimizer.discover.exports import write_requirements
    from optimizer.discover.roles import propose
    from optimizer.discover.survey import survey

    root = root_of(config)
    if config.exists() and not force:
        raise _there(config)
    with slowly("looking through the project"):
        found = survey(root)
        folder = config.resolve().parent.relative_to(root).as_posix()
        exported = write_requirements(found, "" if folder == "." else folder)
        at_hand = _at_hand(found)
    files = {root / path: text for path, text in exported.items()}
    for path, text in files.items():
        if not force and path.exists() and _text_of(path) != text:
            raise _there(path)
    layers = propose(_direct(found), at_hand.weights, at_hand.measure, packed=not at_hand.installed, most=_room(found))
    text = document(found.functions, layers, found.remarks)
    parse(text, config)
    for path, content in {**files, config: text}.items():
        write_text(path, content)
    for line in (*found.notes, *(f"ASK: {ask}" for ask in found.asked)):
        note(line)
    for path in (*files, config):
        note(f"wrote {_shown(path, root)}")
    ended = _plan(found, config, at_hand, output_format)
    if output_format is Format.JSON:
        emit_json(_document(found, layers, [_shown(path, root) for path in (*files, config)], ended))
    if ended.error is not None:
        note(f"no plan: {ended.error}")
    note(ended.next)
    if ended.interrupted:
        return INTERRUPTED
    return 0 if ended.error is None and ended.fits else 1


def _there(path: Path) -> UsageError:
    return UsageError(f"{path} is there already", mend="Look at it; --force writes over it.")


def _text_of(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _shown(path: Path, root: Path) -> str:
    whole = path.resolve()
    return whole.relative_to(root).as_posix() if whole.is_relative_to(root) else str(path)


def _requirements(found: Survey) -> list[Requirement]:
    """Those of all functions that hold on the target."""
    from optimizer.discover.weights import holds

    every = [r for required in found.required if required is not None for r in required.requirements]
    return [r for r in every if holds(r, found.target)]


def _direct(found: Survey) -> list[str]:
    """The names that a person chose, of those that hold on the target."""
    from packaging.utils import canonicalize_name

    holding = {canonicalize_name(r.name) for r in _requirements(found)}
    return sorted({n for required in found.required if required for n in required.direct} & holding)


def _room(found: Survey) -> int:
    """How many layers of ours fit beside those of others."""
    from optimizer import limits

    others = (s.value for f in found.functions for s in f.settings if s.key == "external_layers")
    return limits.LAYERS - max(map(len, others))


def _at_hand(found: Survey) -> _AtHand:
    """The project's own environment if it has what is required, else the running one; else what the lock says."""
    from optimizer.discover.files import listed
    from optimizer.discover.weights import installed_weights, locked_weights
    from optimizer.inventory import InstalledEnvironment

    requirements = _requirements(found)
    places: list[tuple[Path | None, Environment]] = []
    for name in _ENVIRONMENTS:
        for site in sorted((found.project.root / name).glob("lib/python3.*/site-packages")):
            try:
                places.append((site, InstalledEnvironment.of_folder(site)))
            except UsageError as error:
                note(f"{site} is passed over: {error.message}")
    places.append((None, InstalledEnvironment.running()))
    for path, environment in places:
        here = installed_weights(environment, requirements, found.target)
        if not here.lacking:
            return _AtHand(installed=True, weights=here.weights, measure="installed", path=path)
        if path is not None:
            note(f"{_shown(path, found.project.root)} lacks {listed(here.lacking)}")
    for required in found.required:
        if required is not None and required.lock.endswith("uv.lock") and (text := found.project.text(required.lock)):
            weights = locked_weights(text, _direct(found), found.target)
            if weights:
                return _AtHand(installed=False, weights=weights, measure="of wheels, as uv.lock says")
    return _AtHand(installed=False, weights={}, measure="")


def _plan(found: Survey, config: Path, at_hand: _AtHand, output_format: Format) -> _Ended:
    """Plan from what is at hand, or say how to.

    Raises:
        OptimizerError: the disk fails meanwhile.
    """
    from optimizer.cli.pipeline import Source, planned

    path = None if at_hand.path is None else Path(_shown(at_hand.path, found.project.root))
    options = "" if config == CONFIG else f" --config {shlex.quote(str(config))}"
    elsewhere = _from_index(found, options)
    if not at_hand.installed:
        return _Ended(next=f"What is required is not all installed here. Plan from the index instead: {elsewhere}")
    source = Source(config=config, path=at_hand.path, best_so_far=True)
    try:
        with planned(source) as result:
            if output_format is Format.TEXT:
                from optimizer.report.plan_text import print_plan

                emit(rendered(lambda console: print_plan(result.plan, console)))
                document = None
            else:
                from optimizer.report.plan_json import plan_document

                document = plan_document(result.plan)
            again = f"python -m optimizer plan{options}" + (f" --path {shlex.quote(str(path))}" if path else "")
            return _Ended(
                next=f"Plan again: {again}", plan=document, fits=result.plan.fits, interrupted=result.interrupted
            )
    except OptimizerError as error:
        if error.exit_status == _DISK:
            raise
        return _Ended(next=f"What is installed here won't do. Plan from the index instead: {elsewhere}", error=error)


def _from_index(found: Survey, options: str) -> str:
    """The command that plans from what the requirements resolve to; several files are installed together."""
    files = dict.fromkeys(s.value for f in found.functions for s in f.settings if s.key == "requirements")
    if len(files) == 1:
        return f"python -m optimizer plan{options} --requirements {shlex.quote(next(iter(files)))}"
    folder = "build/site"
    named = " ".join(f"-r {shlex.quote(file)}" for file in files)
    install = f"python -m pip install --target {folder} --only-binary=:all: {named}"
    return f"{install} && python -m optimizer plan{options} --path {folder}"


def _document(found: Survey, layers: Sequence[Proposal], written: list[str], ended: _Ended) -> dict[str, Any]:
    return {
        "schema": 1,
        "written": written,
        "target": {"runtime": found.target.runtime, "architecture": found.target.architecture},
        "functions": [
            {
                "name": function.name,
                "tool": function.found.tool or None,
                "settings": {
                    s.key: {"value": s.value, "found": s.why or None, "ask": s.ask or None, "remarks": s.remarks}
                    for s in function.settings
                },
            }
            for function in found.functions
        ],
        "layers": [{"name": layer.name, "roots": layer.roots, "reason": layer.why} for layer in layers],
        "asked": found.asked,
        "notes": found.notes,
        "plan": ended.plan,
        "error": ended.error.document() if ended.error is not None else None,
        "next": ended.next,
    }
