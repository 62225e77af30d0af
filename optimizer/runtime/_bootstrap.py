"""Runs in the environment's own process: makes it what Lambda's would be, then hands over to awslambdaric.

Started by its path with the standard library alone; it sees nothing of this project. Its standard input is a pipe: the
first line is the settings as JSON, and that the pipe stays open says that whoever started it is alive.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import select
import signal
import site
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing itself would slow each cold start
    from collections.abc import Callable
    from typing import Any

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC
_CHANGES = {
    "os.mkdir": ((0, 2),),
    "os.remove": ((0, 1),),
    "os.rmdir": ((0, 1),),
    "os.chmod": ((0, 2),),
    "os.utime": ((0, 3),),
    "os.symlink": ((1, 2),),
    "os.link": ((1, 3),),
    "os.rename": ((0, 2), (1, 3)),
}
"""Audit events that change a folder: where in their arguments the path and its dir_fd stand (audit events table)."""
_HERE = frozenset({"localhost", "::1", "0.0.0.0", "::"})  # noqa: S104  nothing is bound to them


def main() -> None:
    """Set everything up and answer events until killed."""
    settings = begin()
    sys.argv[1:] = [settings["handler"]]
    from awslambdaric.__main__ import main as answer

    answer(sys.argv)


def begin() -> dict[str, Any]:
    """Make this process what Lambda's would be; its settings are returned."""
    settings: dict[str, Any] = json.loads(_first_line(0))
    _end_with_parent()
    sys.addaudithook(_read_only(tuple(settings["read_only"])))
    if settings["refused"]:
        sys.addaudithook(_refusing(settings["refused"]))
    if settings["offline"]:
        sys.addaudithook(_stay_here)
    site.setquit()  # what `-S` leaves out and handlers may use
    site.sethelper()
    site.setcopyright()
    _set_path(settings)
    return settings


def _first_line(descriptor: int) -> bytes:
    """Read up to the first newline and not a byte more."""
    line = b""
    while not line.endswith(b"\n"):
        part = os.read(descriptor, 1 << 16)
        if not part:
            os._exit(1)
        line += part
    return line


def _end_with_parent() -> None:
    """Have Linux kill this process and all its children when the pipe's other end is closed, however that happens.

    PR_SET_PDEATHSIG would not do: it fires when the *thread* that started the process ends.
    """
    pipe = os.dup(0)  # not inherited by what the function starts
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    fcntl.fcntl(pipe, fcntl.F_SETOWN, -os.getpgrp())
    fcntl.fcntl(pipe, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([pipe], [], [], 0)[0]:
        os._exit(1)  # it was closed before anybody listened


def _set_path(settings: dict[str, list[str]]) -> None:
    """Lambda's order: the code, what PYTHONPATH names or else the layers, the standard library, the runtime's own.

    `.pth` files in code and layers are processed, as the runtime does with `site.addsitedir`.
    """
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120  pathlib would slow each cold start
    given = [path for path in sys.path if path and os.path.abspath(path) != here]  # noqa: PTH100
    sys.path[:] = [*settings["first"], *given, *settings["last"]]
    known = {os.path.normcase(path) for path in sys.path}
    for folder in settings["first"]:
        site.addsitedir(folder, known)


def _read_only(folders: tuple[str, ...]) -> Callable[[str, tuple[Any, ...]], None]:
    """An audit hook that lets nobody write into code and layers: their modes don't keep root from it."""

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            changed = [args[0]] if isinstance(args[2], int) and args[2] & _WRITES else []
        elif event in _CHANGES:
            changed = [args[path] for path, folder in _CHANGES[event] if args[folder] == -1]
        else:
            return
        for path in changed:
            if isinstance(path, (str, bytes)) and os.path.abspath(os.fsdecode(path)).startswith(folders):  # noqa: PTH100
                raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)

    return hook


def _refusing(messages: dict[str, str]) -> Callable[[str, tuple[Any, ...]], None]:
    """An audit hook that loads no shared object whose path has a message: the loader of the runtime would not."""

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "import" and args[1] in messages:
            raise ImportError(messages[args[1]], name=args[0], path=args[1])
        if event == "ctypes.dlopen" and args[0] and (path := os.fsdecode(args[0])) in messages:
            raise OSError(messages[path])

    return hook


def _stay_here(event: str, args: tuple[Any, ...]) -> None:
    """An audit hook that lets Python's sockets reach this machine alone."""
    if event == "socket.getaddrinfo":
        host = args[0]
    elif event in {"socket.connect", "socket.sendto", "socket.sendmsg"} and isinstance(args[1], tuple):
        host = args[1][0]
    else:
        return
    name = os.fsdecode(host) if isinstance(host, (str, bytes)) else ""
    if name and name not in _HERE and not name.startswith("127."):
        raise OSError(errno.ENETUNREACH, f"{name} is not on this machine, which nothing may leave here")


if __name__ == "__main__":
    main()
