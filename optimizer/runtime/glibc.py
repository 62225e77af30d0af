"""Shared objects against the runtime's glibc: which would not load on Lambda, and the loader's own words for it."""

from __future__ import annotations

import json
import re
from pathlib import Path

from optimizer.errors import UsageError

_VERSION = re.compile(r"^GLIBC_(\d+)\.(\d+)(?:\.\d+)?$")
_CACHE = ".glibc.json"


def too_new(folder: Path, glibc: tuple[int, int]) -> dict[str, str]:
    """Shared objects in the folder that need a newer glibc, by path relative to it, with the loader's message.

    What they need is remembered beside them, so a folder is read once.

    Args:
        folder: an unpacked zip.
        glibc: (major, minor) that the runtime has.
    """
    found = {}
    for path, needs in _needed(folder).items():
        for library, major, minor in needs:
            if (major, minor) > glibc:
                found[path] = f"/lib64/{library}: version `GLIBC_{major}.{minor}' not found (required by {{path}})"
                break
    return found


def _needed(folder: Path) -> dict[str, list[tuple[str, int, int]]]:
    """(library, major, minor) of every glibc version that each shared object asks for, the newest first."""
    note = folder.with_name(folder.name + _CACHE)
    try:
        known = json.loads(note.read_text("utf-8"))
        return {path: [(n[0], n[1], n[2]) for n in needs] for path, needs in known.items()}
    except (OSError, ValueError, IndexError, AttributeError, TypeError):
        pass  # not read yet, or damaged: read it now
    needed = {
        path.relative_to(folder).as_posix(): _versions(path)
        for path in sorted(folder.rglob("*"))
        if ".so" in path.suffixes and path.is_file()
    }
    part = note.with_name(note.name + ".part")
    part.write_text(json.dumps(needed), "utf-8")
    part.replace(note)
    return needed


def _versions(path: Path) -> list[tuple[str, int, int]]:
    try:
        from elftools.common.exceptions import ELFError
        from elftools.elf.elffile import ELFFile
        from elftools.elf.gnuversions import GNUVerNeedSection
    except ImportError as error:
        raise UsageError(
            f"Checking shared objects needs {error.name}, which is not installed",
            mend="Install the extra: python -m pip install 'layer-optimizer[local]'",
        ) from error
    found = []
    with path.open("rb") as file:
        try:
            for section in ELFFile(file).iter_sections():
                if isinstance(section, GNUVerNeedSection):
                    for need, versions in section.iter_versions():
                        found += [
                            (str(need.name), int(match[1]), int(match[2]))
                            for version in versions
                            if (match := _VERSION.match(version.name))
                        ]
        except (ELFError, ValueError):
            return []  # named like a shared object, but none
    return sorted(set(found), key=lambda n: (-n[1], -n[2], n[0]))
