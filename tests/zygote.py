"""A process that has the command line imported and forks for each call: Python and imports take longer than most calls.

Started as `python -m tests.zygote`. Each line on stdin asks for one call, as JSON: `arguments`, `cwd`, `env`, and the
files that `stdout` and `stderr` go to; each line on stdout is the status that it ended with.
"""

import importlib
import io
import json
import os
import sys
import time
import traceback
from pathlib import Path

HEAVY = ("boto3", "botocore.session", "rich.console", "rich.table", "pydantic", "tomlkit", "jinja2", "zlib_ng.zlib_ng")


def preload() -> None:
    """Import what commands import; nothing is run."""
    from optimizer.cli.app import COMMANDS

    for name in (*HEAVY, "optimizer.cli.entry", *(f"optimizer.cli.{command}" for command in COMMANDS)):
        importlib.import_module(name)
    for package in ("report", "partition", "content", "inventory", "select", "build", "history", "verify", "runtime"):
        for file in sorted((Path(__file__).parents[1] / "optimizer" / package).glob("[a-z]*.py")):
            importlib.import_module(f"optimizer.{package}.{file.stem}")


def call(asked: dict) -> int:
    """In the forked process: what `python -m optimizer` does with these arguments there; its status."""
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    for number, name in ((1, "stdout"), (2, "stderr")):
        place = os.open(asked[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(place, number)
        os.close(place)
        setattr(sys, name, io.TextIOWrapper(io.FileIO(number, "w", closefd=False), "utf-8", write_through=number == 2))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.path[0] = asked["cwd"]
    sys.argv = [str(Path(__file__).parents[1] / "optimizer/__main__.py"), *asked["arguments"]]
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    from optimizer import remembered
    from optimizer.cli.entry import main

    remembered.STARTED_NS = time.time_ns()  # this is when the process of a real call would have started
    try:
        main()
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  # as Python does with what nobody catches
        traceback.print_exc()
        return 1


def serve() -> None:
    """Answer until stdin ends."""
    preload()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            status = call(json.loads(line))
            for stream in (sys.stdout, sys.stderr):
                if stream is not None:
                    stream.flush()
            os._exit(status)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
