"""A folder for what runs functions, removed at its end; where that end was a kill, by the next one that starts."""

from __future__ import annotations

import contextlib
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from optimizer.runtime.unpack import remove

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX = "layer-optimizer-scratch-"
_LOCK = "lock"
_YOUNG_SECONDS = 60
"""So long a folder is left alone: its lock may be made and not held yet."""


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for the time of the block, locked so that nobody takes it for a dead one's."""
    _sweep(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    try:
        with FileLock(folder / _LOCK):
            yield folder
    finally:
        remove(folder)


def _sweep(parent: Path) -> None:
    """Remove what killed ones have left: nobody holds their locks."""
    for lock in parent.glob(f"{_PREFIX}*/{_LOCK}"):
        with contextlib.suppress(OSError, Timeout):  # another user's, gone meanwhile, or in use
            if time.time() - lock.stat().st_mtime > _YOUNG_SECONDS:
                with FileLock(lock, timeout=0):
                    remove(lock.parent)
