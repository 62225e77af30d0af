"""The command line's entry: finds the command's module, runs it, turns errors into exit statuses.

Only the module of the command that is asked for is imported, so that `plan` does not pay for what `deploy` needs.
"""

from __future__ import annotations

import importlib
import sys
import traceback
from typing import NoReturn

import typer

from optimizer.cli.common import INTERRUPTED, begin, emit_error, fail
from optimizer.errors import OptimizerError

_BROKEN = 3
COMMANDS = (
    "plan",
    "tune",
    "explain",
    "history",
    "replay",
    "upgrades",
    "licenses",
    "build",
    "verify",
    "diff",
    "deploy",
    "rollback",
    "publish",
    "export",
    "status",
    "consumers",
    "roll",
    "prune",
    "policy",
    "local",
    "demo",
    "init",
)
"""In the order in which help lists them; each is a function, or a group, of its name in optimizer/cli/<name>.py."""


def application(commands: tuple[str, ...] = COMMANDS) -> typer.Typer:
    """The typer application with those commands."""
    app = typer.Typer(
        name="optimizer",
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def root() -> None:
        """Split an AWS Lambda deployment into layers, prove them, and deploy only what changed."""

    for command in commands:
        module = importlib.import_module(f"optimizer.cli.{command}")
        entry = getattr(module, command)
        if isinstance(entry, typer.Typer):
            app.add_typer(entry, name=command)
        else:
            app.command(command)(entry)
    return app


def main() -> NoReturn:
    """Run the command that the arguments name and exit with its status."""
    wanted = next((a for a in sys.argv[1:] if not a.startswith("-")), None)
    commands = (wanted,) if wanted in COMMANDS and "--show-completion" not in sys.argv else COMMANDS
    begin()
    try:
        status = application(commands)(standalone_mode=False)
    except typer.Abort:
        _leave("interrupted", INTERRUPTED)
    except KeyboardInterrupt:
        _leave("interrupted", INTERRUPTED)
    except OptimizerError as error:
        fail(error)
    except Exception as error:  # noqa: BLE001  the last net: whatever comes has to be told, with an honest status
        show = getattr(error, "show", None)  # typer's own usage errors know how to show themselves
        if show is None:  # a fault of this program: never the status of an honest no
            traceback.print_exc()
            mend = "This is a fault of layer-optimizer itself: report it with the lines above."
            emit_error("internal", f"{type(error).__name__}: {error}", mend)
            sys.exit(_BROKEN)
        show()
        emit_error("usage", str(error), "Run the command with --help to see what it takes.")
        sys.exit(getattr(error, "exit_code", 2))
    if status == INTERRUPTED:  # typer turns Ctrl-C into this status
        _leave("interrupted", INTERRUPTED)
    sys.exit(status if isinstance(status, int) else 0)


def _leave(word: str, status: int) -> NoReturn:
    sys.stderr.write(f"{word}\n")
    sys.exit(status)
