"""Hashes of whole files, remembered by what stat says of them, as git does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.inventory.wheels import sha256_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from optimizer.content.store import Store


def file_hashes(store: Store) -> Callable[[Path], str]:
    """What gives a file's SHA-256 in hex: it reads the file where size, mtime or inode are not as they were."""

    def sha256(path: Path) -> str:
        stat = path.stat()
        key = f"sha256 {path.absolute()} {stat.st_size} {stat.st_mtime_ns} {stat.st_ino}"
        known = store.facts([key]).get(key)
        if known is None:
            known = sha256_of(path)
            store.remember({key: known})
        return known

    return sha256
