"""`export`: what was built, as a file for the tool that deploys it."""

from __future__ import annotations

import json
import os
import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from optimizer.cli.common import CONFIG, ConfigOption, emit, note, write_text
from optimizer.errors import DiskError, UsageError


class Tool(StrEnum):
    """What deploys."""

    SAM = "sam"
    CLOUDFORMATION = "cloudformation"
    TERRAFORM = "terraform"
    CDK = "cdk"
    SERVERLESS = "serverless"


_US = ("python", "-m", "optimizer")
_FILES = {
    Tool.SAM: "template.yaml",
    Tool.CLOUDFORMATION: "template.yaml",
    Tool.TERRAFORM: "main.tf",
    Tool.CDK: "app.py",
    Tool.SERVERLESS: "serverless.yml",
}
"""What people call the file."""


def export(
    tool: Annotated[Tool, typer.Option("--format", help="The tool that deploys.", show_default=False)],
    artifacts: Annotated[
        Path | None,
        typer.Option("--artifacts", help="What build wrote; layers/.build of the project.", metavar="DIR"),
    ] = None,
    published: Annotated[
        Path | None,
        typer.Option(
            "--published",
            help="Attach published layers: what `publish --format json` wrote, with --ssm by their parameters.",
            metavar="FILE",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Write it there instead of to stdout; paths are relative to it.", metavar="FILE"
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that export did not write.")] = False,
    config: ConfigOption = CONFIG,
) -> int:
    """Write layers, their order, and functions as a file for the tool that you deploy with; AWS is not called.

    The tool publishes the layers from the zips that build wrote, or attaches those that publish published.

    Example: python -m optimizer export --format sam --output template.yaml
    """
    from optimizer.build.manifest import Manifest
    from optimizer.report.export import export_of, exported, published_layers

    folder = artifacts if artifacts is not None else _default_folder(config)
    manifest = Manifest.read(folder)
    layers = None if published is None else published_layers(_read_json(published), str(published))
    if output is not None and not force:
        _refuse_foreign(output)
    base = Path.cwd() if output is None else output.resolve().parent
    given = {"--artifacts": artifacts, "--published": published, "--output": output}
    words = [word for name, value in given.items() if value is not None for word in (name, value.as_posix())]
    parameters = [layer.parameter for layer in (layers or {}).values()]
    text = exported(
        tool,
        export_of(
            manifest,
            folder=_relative(folder, base),
            file=_FILES[tool] if output is None else output.name,
            command=shlex.join([*_US, "export", "--format", tool, *words]),
            before=_before(artifacts, published, parameters[0] if parameters else None),
            place="" if output is None or base == Path.cwd() else output.parent.as_posix(),
            published=layers,
        ),
    )
    if output is None:
        emit(text)
    else:
        write_text(output, text)
        note(f"wrote {output}")
    return 0


def _before(artifacts: Path | None, published: Path | None, parameter: str | None) -> list[str]:
    """What is called each time before the file is written or read: build, and publish where that publishes."""
    commands = [shlex.join([*_US, "build", *(["--output", artifacts.as_posix()] if artifacts else [])])]
    if published is not None:
        options = ["--artifacts", artifacts.as_posix() if artifacts else "layers/.build"]
        options += ["--ssm", parameter.rpartition("/")[0]] if parameter else []
        commands.append(
            f"{shlex.join([*_US, 'publish', *options, '--format', 'json'])} > {shlex.quote(str(published))}"
        )
    return commands


def _default_folder(config: Path) -> Path:
    from optimizer.cli.build import DEFAULT_OUTPUT
    from optimizer.config import load

    return load(config).root / DEFAULT_OUTPUT


def _relative(folder: Path, base: Path) -> str:
    """The folder as it is reached from another, with slashes on every system.

    Raises:
        UsageError: they lie on different drives.
    """
    try:
        return Path(os.path.relpath(folder.resolve(), base)).as_posix()
    except ValueError as error:
        raise UsageError(
            f"{folder} can't be reached from {base} by a relative path: {error}",
            mend="Build to a folder on the same drive as --output.",
        ) from error


def _read_json(path: Path) -> Any:
    """A JSON document.

    Raises:
        DiskError: it can't be read.
        UsageError: it is none.
    """
    try:
        return json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise DiskError(
            f"{path} can't be read: {error.strerror or error}", mend="Name a file that publish --format json wrote."
        ) from error
    except ValueError as error:
        raise UsageError(f"{path} is no JSON: {error}", mend="Name a file that publish --format json wrote.") from error


def _refuse_foreign(output: Path) -> None:
    """Refuse to replace what somebody else wrote.

    Raises:
        DiskError: it can't be read.
        UsageError: it is another's.
    """
    from optimizer.report.export import MARK

    if not output.is_file():
        return
    try:
        with output.open(encoding="utf-8", errors="replace") as file:
            first = file.readline(len(MARK))
    except OSError as error:
        raise DiskError(f"{output} can't be read: {error.strerror or error}", mend="Name another file.") from error
    if first != MARK:
        raise UsageError(
            f"{output} was not written by export: its first line does not begin with {MARK!r}",
            mend="Name another file, or give --force to write over it.",
        )
