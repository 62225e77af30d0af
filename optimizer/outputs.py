"""[writes] The files of a build in their folder: all of them, or none."""

from __future__ import annotations

import contextlib
import json
import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

MANIFEST = "manifest.json"


@contextmanager
def scratch_in(output: Path) -> Iterator[Path]:
    """A folder beside the files' place, which is made where it is missing; it is gone at the end.

    Raises:
        OSError: the place can't be written.
    """
    output.mkdir(parents=True, exist_ok=True)
    scratch = output / f".part-{os.getpid()}-{time.monotonic_ns():x}"
    scratch.mkdir(mode=0o700)
    try:
        yield scratch
    finally:
        for left in scratch.iterdir():
            with contextlib.suppress(OSError):
                left.unlink()
        with contextlib.suppress(OSError):
            scratch.rmdir()


def settle(scratch: Path, output: Path, names: Collection[str], manifest: str) -> None:
    """Put the files in their place, the manifest last; files that only an earlier build's manifest names are removed.

    Raises:
        OSError: the place can't be written.
    """
    (scratch / MANIFEST).write_text(manifest, "utf-8")
    earlier = _earlier_files(output)
    (output / MANIFEST).unlink(missing_ok=True)  # a manifest never stands beside zips that it does not describe
    for name in names:
        (scratch / name).replace(output / name)
    for stale in earlier - set(names):
        (output / stale).unlink(missing_ok=True)
    (scratch / MANIFEST).replace(output / MANIFEST)


def _earlier_files(output: Path) -> set[str]:
    """The zips and SBOMs that an earlier build's manifest names; nobody else's files are touched."""
    try:
        artifacts = json.loads((output / MANIFEST).read_text("utf-8"))["artifacts"]
        named = {str(a[key]) for a in artifacts for key in ("path", "sbom") if a.get(key)}
        return {name for name in named if name == Path(name).name}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return set()
