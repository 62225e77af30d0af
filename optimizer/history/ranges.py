"""A file on a server as a seekable one: blocks are asked for by range, once each, so that a zip is read in part."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import WriteableBuffer

BLOCK = 1 << 16
"""What is asked for at least: a request costs about as much as so many bytes."""


class RangeFile(io.RawIOBase):
    """Bytes that `fetch(start, stop)` gets, kept in blocks.

    Args:
        fetch: returns exactly those bytes.
        size: of the whole.
    """

    def __init__(self, fetch: Callable[[int, int], bytes], size: int) -> None:
        super().__init__()
        self._fetch = fetch
        self._size = size
        self._place = 0
        self._blocks: dict[int, bytes] = {}

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Nothing is asked for until it is read.

        Raises:
            OSError: the place is before the file's begin.
        """
        place = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence] + offset
        if place < 0:
            raise OSError(f"there is no byte {place}")  # what zipfile expects of a file that is too short
        self._place = place
        return place

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """See io.RawIOBase."""
        view = memoryview(buffer).cast("B")
        stop = min(self._place + len(view), self._size)
        if stop <= self._place:
            return 0
        self.load(self._place, stop)
        first = self._place // BLOCK
        data = b"".join(self._blocks[i] for i in range(first, (stop - 1) // BLOCK + 1))
        count = stop - self._place
        view[:count] = data[self._place - first * BLOCK :][:count]
        self._place = stop
        return count

    def load(self, start: int, stop: int) -> None:
        """Have the bytes from start to stop here: one request for each run of blocks that are not."""
        last = (min(stop, self._size) - 1) // BLOCK
        missing = [i for i in range(max(start, 0) // BLOCK, last + 1) if i not in self._blocks]
        while missing:
            run = next((k for k in range(1, len(missing)) if missing[k] != missing[k - 1] + 1), len(missing))
            begin = missing[0] * BLOCK
            data = self._fetch(begin, min((missing[run - 1] + 1) * BLOCK, self._size))
            self._blocks.update((missing[k], data[k * BLOCK : (k + 1) * BLOCK]) for k in range(run))
            missing = missing[run:]
