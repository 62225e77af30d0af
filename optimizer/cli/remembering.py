"""What a build read, to remember it by: every kind of input that planning and building have, each named here."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import optimizer
from optimizer import remembered
from optimizer.build.receipt import NAME as RECEIPT
from optimizer.content import LAYER, is_read
from optimizer.history import SNAPSHOT
from optimizer.inventory import requirement_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from optimizer.build import Manifest
    from optimizer.cli.pipeline import Planned, Source
    from optimizer.remembered import Input

_FROM_THE_DISK = frozenset({"no-record", "egg-info", "record-missing"})
"""Defects of distributions whose files were looked for, so that one that comes is an input too."""


def remember(arguments: Sequence[str], source: Source, result: Planned, manifest: Manifest, lines: list[str]) -> None:
    """Remember a build that was just made, where all that it read is known."""
    folders = result.opened.environment.folders
    looked_for = any(defect.code in _FROM_THE_DISK for defect in result.inventory.defects)
    if folders is None or manifest.folder is None or looked_for:
        return
    receipt = hashlib.sha256((manifest.folder / RECEIPT).read_bytes()).hexdigest()
    remembered.keep(
        arguments,
        [*_of_project(source, result), *_of_distributions(result, folders), *_of_programs(result)],
        manifest.folder,
        {RECEIPT: receipt, **{artifact.path: artifact.sha256 for artifact in manifest.artifacts}},
        manifest=replace(manifest, commit=None).to_json(),
        root=result.config.root,
        lines=lines,
    )


def _of_project(source: Source, result: Planned) -> Iterator[Input]:
    """What a person wrote: configuration, requirements, code, policies, and the committed history and locks."""
    config = result.config
    yield "content", str(config.path.absolute())
    for function in config.function:
        for path in requirement_files(source.requirements or config.root / function.requirements):
            yield "content", str(path.absolute())
        yield "tree", str(config.root / function.source)
        if function.policy:
            yield "content", str(config.root / function.policy)
    for found in result.inventory.functions:
        for file in found.files:
            yield "content", file.location
    yield "content", str((source.snapshot or config.root / SNAPSHOT).absolute())
    layers = config.root / "layers"
    yield "names", str(layers)
    for layer in layers.iterdir() if layers.is_dir() else ():
        yield "content", str(layer / "layer.lock")


def _of_distributions(result: Planned, folders: Iterable[str]) -> Iterator[Input]:
    """The wheels, or those installed files that are read, and the names of what lies beside them.

    Of a file that does not ship only the bytes are told, in the receipt, unless it is one that facts are found in.
    """
    for folder in folders:
        yield "names", folder
    placed = [d.payload for layer in result.plan.layers for d in layer.distributions]
    shipped = {line.partition("\0")[0].removeprefix(LAYER.prefix) for payload in placed for line in payload.sources}
    for distribution in result.inventory.distributions:
        for file in distribution.files:
            read = file.packed or file.path in shipped or is_read(file.path)
            yield "content" if read else "program", file.location
            if file.packed is None and file.path == f"{distribution.info}/METADATA":
                info = Path(file.location).parent
                yield "names", str(info)
                for name in info.iterdir():  # what an installer noted, whether or not RECORD tells
                    yield "content", str(name)


def _of_programs(result: Planned) -> Iterator[Input]:
    """This optimizer, the libraries that it has, and the Python that compiles."""
    for folder in sys.path:
        if folder and folder != str(Path.cwd()):
            yield "names", folder
    yield "program", str(Path(optimizer.__file__).parent)
    if result.payloads.compiler is not None:
        yield "program", result.payloads.compiler.executable
