"""Which C library versions the shared objects of a folder need, and which of them a runtime would refuse to load."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from optimizer.runtime.errors import RuntimeMissingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ELF = b"\x7fELF"
_LIBRARY = re.compile(r"\.so(\.[0-9]+)*$")
_VERSION = re.compile(r"GLIBC_(\d+)\.(\d+)(?:\.\d+)?$")
_RELATIVE_RELOCATIONS = "GLIBC_ABI_DT_RELR"
_RELATIVE_RELOCATIONS_SINCE = (2, 36)

Facts: TypeAlias = "dict[str, list[list[str]]]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """One shared object: the (file, version) pairs it asks of glibc, the libraries it needs, where it looks for them."""

    glibc: tuple[tuple[str, str], ...]
    needed: tuple[str, ...]
    search: tuple[str, ...]


def read_libraries(folder: Path) -> dict[str, Library]:
    """Every shared object under a folder by its path relative to it; what merely looks like one is left out.

    Raises:
        RuntimeMissingError: pyelftools is not installed and there is a shared object to read.
    """
    found = {}
    for path in sorted(folder.rglob("*.so*")):
        if _LIBRARY.search(path.name) and path.is_file() and (library := _read(path)):
            found[path.relative_to(folder).as_posix()] = library
    return found


def refusals(libraries: Mapping[str, Library], glibc: tuple[int, int], search: Iterable[str]) -> dict[str, str]:
    """The loader's message for each shared object that can't be loaded with a glibc of that version.

    `libraries` is keyed by the absolute path that each has on Lambda, `search` holds the folders of LD_LIBRARY_PATH.
    A library that is fine itself is refused where one that it needs is.
    """
    folders = tuple(search)
    own = {path: message for path, library in libraries.items() if (message := _too_new(path, library, glibc))}
    if not own:
        return {}
    done: dict[str, str | None] = {}

    def message_of(path: str) -> str | None:
        if path not in done:
            done[path] = own.get(path)  # also what ends a cycle
            for name in libraries[path].needed:
                if done[path]:
                    break
                if provider := _provider(path, name, libraries, folders):
                    done[path] = message_of(provider)
        return done[path]

    return {path: message for path in libraries if (message := message_of(path))}


def to_facts(library: Library) -> Facts:
    """As it stands in JSON."""
    return {
        "glibc": [list(pair) for pair in library.glibc],
        "needed": [list(library.needed)],
        "search": [list(library.search)],
    }


def from_facts(facts: Facts) -> Library:
    """What `to_facts` wrote."""
    return Library(
        glibc=tuple((file, version) for file, version in facts["glibc"]),
        needed=tuple(facts["needed"][0]),
        search=tuple(facts["search"][0]),
    )


def _too_new(path: str, library: Library, glibc: tuple[int, int]) -> str | None:
    for file, version in library.glibc:
        if _number(version) > glibc:
            return f"/lib64/{file}: version `{version}' not found (required by {path})"
    return None


def _number(version: str) -> tuple[int, int]:
    if version == _RELATIVE_RELOCATIONS:
        return _RELATIVE_RELOCATIONS_SINCE
    match = _VERSION.match(version)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _provider(path: str, name: str, libraries: Mapping[str, Library], folders: tuple[str, ...]) -> str | None:
    """Which of our own libraries the loader would take for a needed name; None where the system's would serve."""
    origin = posixpath.dirname(path)
    own = (s.replace("${ORIGIN}", origin).replace("$ORIGIN", origin) for s in libraries[path].search)
    for folder in (*own, *folders):
        candidate = posixpath.normpath(posixpath.join(folder, name))
        if candidate in libraries:
            return candidate
    return None


def _read(path: Path) -> Library | None:
    with path.open("rb") as stream:
        if stream.read(4) != _ELF:
            return None
        try:
            from elftools.common.exceptions import ELFError
            from elftools.elf.dynamic import DynamicSection
            from elftools.elf.elffile import ELFFile
            from elftools.elf.gnuversions import GNUVerNeedSection
        except ImportError:
            raise RuntimeMissingError(
                "Shared libraries can't be checked against the runtime's glibc: pyelftools is not installed",
                mend="pip install 'layer-optimizer[local]'",
            ) from None
        versions: list[tuple[str, str]] = []
        needed: list[str] = []
        search: list[str] = []
        try:
            for section in ELFFile(stream).iter_sections():
                if isinstance(section, GNUVerNeedSection):
                    versions += [
                        (need.name, each.name)
                        for need, inner in section.iter_versions()
                        for each in inner
                        if each.name.startswith("GLIBC_")
                    ]
                elif isinstance(section, DynamicSection):
                    tags = list(section.iter_tags())
                    needed += [tag.needed for tag in tags if tag.entry.d_tag == "DT_NEEDED"]
                    search += [s for tag in tags if tag.entry.d_tag == "DT_RPATH" for s in tag.rpath.split(":")]
                    search += [s for tag in tags if tag.entry.d_tag == "DT_RUNPATH" for s in tag.runpath.split(":")]
        except (ELFError, ValueError, UnicodeDecodeError):
            return None  # damaged: the loader will say so itself
    return Library(glibc=tuple(versions), needed=tuple(needed), search=tuple(s for s in search if s))
