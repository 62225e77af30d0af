"""`policy deployer` and `policy function`: the least that IAM has to allow, generated from the configuration."""

from __future__ import annotations

import json
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from optimizer.cli.common import (
    CONFIG,
    ConfigOption,
    Format,
    FormatOption,
    PathOption,
    RequirementsOption,
    WheelsOption,
    emit,
    emit_json,
    note,
    rendered,
    write_text,
)
from optimizer.cli.remote import FunctionOption, RegionOption
from optimizer.errors import LimitError, UsageError, check_known

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optimizer.config import Config, FunctionConfig
    from optimizer.deploy.permission.permissions import Part

_COLUMNS = 120


class Command(StrEnum):
    """What a deployer runs."""

    DEPLOY = "deploy"
    PUBLISH = "publish"
    ROLLBACK = "rollback"
    STATUS = "status"
    CONSUMERS = "consumers"
    ROLL = "roll"
    PRUNE = "prune"


_USUAL = [Command.DEPLOY, Command.PUBLISH, Command.ROLLBACK]
_OutputOption = Annotated[
    Path | None,
    typer.Option("--output", help="Write the document there, for --policy-document file://FILE.", metavar="FILE"),
]

policy = typer.Typer(
    no_args_is_help=True,
    help="The least that IAM has to allow, generated from the configuration; AWS is not asked.\n\n"
    "Example: python -m optimizer policy deployer --account 123456789012 --format json",
)


@policy.callback()
def _root() -> None:
    pass


@policy.command()
def deployer(
    config: ConfigOption = CONFIG,
    commands: Annotated[
        list[Command] | None,
        typer.Option(
            "--for",
            help="A command that is run: deploy, publish, rollback, status, consumers, roll or prune; may be repeated.",
            metavar="COMMAND",
            show_default="deploy, publish, rollback",
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="For every command, with --adopt, --canary and --versions.")
    ] = False,
    adopt: Annotated[bool, typer.Option("--adopt", help="With what `deploy --adopt` needs.")] = False,
    canary: Annotated[bool, typer.Option("--canary", help="With what `deploy --canary` needs.")] = False,
    versions: Annotated[bool, typer.Option("--versions", help="With what `prune --versions` needs.")] = False,
    bucket: Annotated[
        str | None, typer.Option("--bucket", help="With what `--bucket NAME` needs.", metavar="NAME")
    ] = None,
    lease: Annotated[
        str | None, typer.Option("--lease", help="With what `--lease ADDRESS` needs.", metavar="ADDRESS")
    ] = None,
    ssm: Annotated[
        str | None, typer.Option("--ssm", help="With what `publish --ssm PREFIX` needs.", metavar="PREFIX")
    ] = None,
    function: FunctionOption = None,
    layer: Annotated[
        list[str] | None,
        typer.Option(
            "--layer", help="A layer beside the configured: one that left, say; may be repeated.", metavar="NAME"
        ),
    ] = None,
    region: RegionOption = None,
    account: Annotated[
        str | None, typer.Option("--account", help="The account's number; any account without it.", metavar="ID")
    ] = None,
    output: _OutputOption = None,
    output_format: FormatOption = Format.TEXT,
) -> int:
    """Print the IAM policy of whoever deploys: the actions behind the calls that are made, on the resources meant.

    JSON is the document itself, as `aws iam create-policy` takes it; text says what each action is for.

    Example: python -m optimizer policy deployer --for deploy --canary --account 123456789012 --output deployer.json
    """
    from optimizer.config import load
    from optimizer.deploy.boto.lease_store import parse_place
    from optimizer.deploy.permission.permissions import PARTS
    from optimizer.deploy.permission.policies import deployer_statements, documents
    from optimizer.deploy.permission.scope import Scope
    from optimizer.report.policy import print_deployer_policy, remarks

    if account is not None and (len(account) != 12 or not account.isdecimal()):  # noqa: PLR2004  IAM's API model
        raise UsageError(f"{account!r} is no account's number", mend="It has 12 digits.")
    read = load(config)
    scope = Scope.of(
        read,
        functions=function or (),
        regions=region or (),
        layers=(*_spare_layers(read), *(layer or ())),
        account=account,
        bucket=bucket,
        lease=parse_place(lease) if lease is not None else None,
        ssm=ssm,
    )
    chosen = {str(one) for one in (list(Command) if everything else commands or _USUAL)}
    options = {"adopt": adopt, "canary": canary, "versions": versions}
    chosen |= {name for name, given in options.items() if given or everything}
    chosen |= {"bucket", "lease", "ssm"}  # of no consequence where the scope has none
    parts: frozenset[Part] = frozenset(part for part in PARTS if part in chosen)
    statements = deployer_statements(scope, parts)
    made = documents(statements)
    _write(made, output)
    if output_format is Format.JSON:
        if len(made) > 1 and output is None:
            raise LimitError(
                f"It takes {len(made)} policies to hold what is needed, and stdout holds one",
                mend="Write them to files with --output, or make one for each --function or --region.",
            )
        emit_json(made[0])
    else:
        emit(rendered(lambda console: print_deployer_policy(statements, made, parts, console), columns=_COLUMNS))
    for line in remarks(scope, parts, len(made)):
        note(f"note: {line}")
    return 0


@policy.command()
def function(
    config: ConfigOption = CONFIG,
    function: FunctionOption = None,
    path: PathOption = None,
    wheels: WheelsOption = None,
    requirements: RequirementsOption = None,
    output: _OutputOption = None,
    output_format: FormatOption = Format.TEXT,
) -> int:
    """Print the policy of a function's role, compared with the AWS services that its code makes clients for.

    A service that the code uses and the policy allows nothing of is told on stderr, and the other way round.

    Example: python -m optimizer policy function --function ai-image-analyzer-fastapi
    """
    from optimizer.build.artifacts import function_entry
    from optimizer.cli.policy_uses import client_calls_of
    from optimizer.config import load
    from optimizer.deploy.permission.policies import INLINE_CHARACTERS, characters
    from optimizer.deploy.permission.role_policy import compare
    from optimizer.deploy.planning.access import logs_policy
    from optimizer.deploy.wanted import role_name
    from optimizer.report.policy import RolePolicy, differences, print_role_policy

    read = load(config)
    chosen = _functions(read, function or [])
    if len(chosen) > 1 and (output_format is Format.JSON or output is not None):
        raise UsageError(
            f"Each of {', '.join(one.name for one in chosen)} has a policy of its own",
            mend="Name one with --function.",
        )
    calls = client_calls_of(read, path=path, wheels=wheels, requirements=requirements)
    for one in chosen:
        document = function_entry(one, (), read.root).policy
        if document is not None and characters(document) > INLINE_CHARACTERS:
            raise LimitError(
                f"{one.policy} has {characters(document)} characters; a role takes {INLINE_CHARACTERS} inline",
                mend="Shorten it, or give the function a `role_arn` whose policies you manage.",
            )
        compared = compare(document, calls[one.name])
        logs, role = logs_policy(one.regions[0]), one.role_arn or role_name(one.name)
        if output_format is Format.JSON or output is not None:
            if document is None:
                raise UsageError(
                    f"No policy is configured for {one.name}, whose role has {logs} alone",
                    mend="Name a file with `policy` under [[function]].",
                )
            _write([document], output)
        if output_format is Format.JSON:
            emit_json(document)
            note(f"note: the role has {logs} too, with which it writes its log")
        else:
            shown = RolePolicy(function=one.name, role=role, logs=logs, document=document, comparison=compared)
            emit(rendered(partial(print_role_policy, shown), columns=_COLUMNS))
        for line in differences(one, compared):
            note(line)
    return 0


def _functions(config: Config, names: Sequence[str]) -> list[FunctionConfig]:
    check_known("function", names, (one.name for one in config.function), where="the configuration")
    return [one for one in config.function if not names or one.name in names]


def _spare_layers(config: Config) -> tuple[str, ...]:
    """Locked layers that `--layers` split off the configured ones.

    Raises:
        UsageError: a lock can't be read.
    """
    from optimizer.cli.pipeline import read_locks
    from optimizer.partition.naming import origin

    configured = [layer.name for layer in config.layer]
    return tuple(name for name in read_locks(config) if name not in configured and origin(name, configured))


def _write(made: Sequence[dict[str, Any]], output: Path | None) -> None:
    """The documents as FILE, FILE-2 and so on.

    Raises:
        DiskError: a file can't be written.
    """
    if output is None:
        return
    for number, document in enumerate(made, start=1):
        place = output if number == 1 else output.with_stem(f"{output.stem}-{number}")
        write_text(place, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
        note(f"wrote {place}")
