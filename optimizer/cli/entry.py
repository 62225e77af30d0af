"""The process's entry: a remembered build is done at once, everything else goes to the command line."""

from __future__ import annotations

import sys
from typing import NoReturn

from optimizer import remembered


def main() -> NoReturn:
    """Run what the arguments ask for and exit with its status."""
    if sys.argv[1:2] == ["build"]:
        lines = remembered.again(sys.argv[1:])
        if lines is not None:
            sys.stderr.write("".join(f"{line}\n" for line in lines))
            sys.exit(0)
    from optimizer.cli.app import main as run

    run()
