"""Runs in the environment's own process: makes sys.path what Lambda makes it, then hands over to awslambdaric.

It imports nothing of this project, since the process sees none of it: it is started by its path.
"""

import importlib.machinery
import json
import os
import site
import sys


def _die_with_parent() -> None:
    """Ask Linux to end this process when the one that started it ends, however that happens."""
    try:
        import ctypes

        ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL
    except (ImportError, OSError, AttributeError):
        return


def _refuse_too_new(table: dict[str, str]) -> None:
    """Make shared objects fail to load as they would where the C library is older."""
    if not table:
        return
    original = importlib.machinery.ExtensionFileLoader.create_module

    def create_module(self: importlib.machinery.ExtensionFileLoader, spec: importlib.machinery.ModuleSpec) -> object:
        message = table.get(os.path.realpath(spec.origin or "")) or table.get(spec.origin or "")
        if message:
            raise ImportError(message, name=spec.name, path=spec.origin)
        return original(self, spec)

    importlib.machinery.ExtensionFileLoader.create_module = create_module  # type: ignore[method-assign,assignment]


def main() -> None:
    """Set up and run; never returns while there are events."""
    _die_with_parent()
    plan = json.loads(sys.argv[1])
    stdlib = [path for path in sys.path if path and path != os.path.dirname(os.path.abspath(__file__))]  # noqa: PTH100, PTH120
    layers = [] if os.environ.get("PYTHONPATH") else plan["opt"]
    given = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[:] = [plan["task"], *given]
    for folder in layers:
        sys.path.append(folder)
        site.addsitedir(folder, {os.path.normcase(folder)})  # .pth files are read, as on Lambda
    sys.path += stdlib + plan["runtime"]
    sys.dont_write_bytecode = True  # code and layers are read-only on Lambda
    _refuse_too_new(plan["too_new"])
    os.chdir(plan["task"])
    from awslambdaric.__main__ import main as serve

    serve(["awslambdaric", plan["handler"]])


if __name__ == "__main__":
    main()
