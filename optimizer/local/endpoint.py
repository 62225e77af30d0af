"""Where a running embedded AWS says how it is reached, and how to find it there."""

from __future__ import annotations

import contextlib
import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer.errors import DiskError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDPOINT = Path(".local/endpoint.json")
"""Below the folder that the embedded AWS was started in."""


def find_running(folder: Path) -> str | None:
    """The endpoint of the embedded AWS that was started in a folder, or None where none is alive."""
    try:
        document = json.loads((folder / ENDPOINT).read_text("utf-8"))
        pid, url = int(document["pid"]), str(document["endpoint_url"])
        os.kill(pid, 0)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return url if _answers(url) else None


def _answers(url: str) -> bool:
    """Whether what listens there is an embedded AWS, and not another program with a dead one's pid."""
    from urllib.request import ProxyHandler, build_opener

    direct = build_opener(ProxyHandler({}))  # this machine's proxy has no way here
    try:
        with direct.open(f"{url}/_embedded/calls", timeout=2) as answer:
            return "counts" in json.loads(answer.read())
    except (OSError, ValueError, TypeError):
        return False


@contextmanager
def announced(folder: Path, url: str) -> Iterator[None]:
    """Say in the folder's endpoint file where the embedded AWS is, for the time of the block.

    A file that a dead one left behind is replaced; at the end the file is removed, if it is still this one's.

    Raises:
        UsageError: another one is alive there.
        DiskError: the file can't be written.
    """
    running = find_running(folder)
    if running is not None:
        raise UsageError(
            f"An embedded AWS is running already: {running} (see {ENDPOINT})",
            mend="Use that one (deploy --local finds it), or stop it first.",
        )
    place = folder / ENDPOINT
    text = json.dumps({"endpoint_url": url, "pid": os.getpid()}) + "\n"
    part = place.with_name(f"{place.name}.{os.getpid()}.part")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, "utf-8")
        part.replace(place)
    except OSError as error:
        raise DiskError(
            f"{place} can't be written: {error.strerror or error}", mend="Start it in a writable folder."
        ) from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # somebody removed it: there is nothing left to take back
            if place.read_text("utf-8") == text:
                place.unlink()
