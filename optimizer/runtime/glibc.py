"""What the shared objects of a folder are and need, and which of them a runtime would refuse to load."""

from __future__ import annotations

import dataclasses
import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from optimizer.runtime.errors import RuntimeMissingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_ELF = b"\x7fELF"
_LIBRARY = re.compile(r"\.so(\.[0-9]+)*$")
_VERSION = re.compile(r"GLIBC_(\d+)\.(\d+)(?:\.\d+)?$")
_RELATIVE_RELOCATIONS = "GLIBC_ABI_DT_RELR"
_RELATIVE_RELOCATIONS_SINCE = (2, 36)
_MACHINES = {"EM_X86_64": "x86_64", "EM_AARCH64": "aarch64"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """One shared object: its (file, version) pairs of glibc, the libraries it needs, and where it looks for them.

    `machine` is what it was compiled for, as Python and wheel tags name it, where that is one of Lambda's.
    """

    glibc: tuple[tuple[str, str], ...]
    needed: tuple[str, ...]
    search: tuple[str, ...]
    machine: str = ""


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
                if provider := find_provider(path, name, libraries, folders):
                    done[path] = message_of(provider)
        return done[path]

    return {path: message for path in libraries if (message := message_of(path))}


def to_facts(library: Library) -> dict[str, Any]:
    """As it stands in JSON."""
    return dataclasses.asdict(library)


def from_facts(facts: dict[str, Any]) -> Library:
    """What `to_facts` wrote."""
    return Library(
        glibc=tuple((file, version) for file, version in facts["glibc"]),
        needed=tuple(facts["needed"]),
        search=tuple(facts["search"]),
        machine=facts["machine"],
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


def find_provider(path: str, name: str, libraries: Mapping[str, Library], folders: tuple[str, ...]) -> str | None:
    """Which of our own libraries the loader would take for a needed name; None where the system's would serve."""
    origin = posixpath.dirname(path)
    own = (s.replace("${ORIGIN}", origin).replace("$ORIGIN", origin) for s in libraries[path].search)
    for folder in (*own, *folders, origin):  # origin: what wheels graft finds its siblings by its loader's DT_RPATH
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
        tags: dict[str, list[str]] = {"DT_NEEDED": [], "DT_RPATH": [], "DT_RUNPATH": []}
        try:
            elf = ELFFile(stream)
            machine = str(elf.header["e_machine"])
            for section in elf.iter_sections():
                if isinstance(section, GNUVerNeedSection):
                    for need, inner in section.iter_versions():
                        versions += [(str(need.name), str(v.name)) for v in inner if str(v.name).startswith("GLIBC_")]
                elif isinstance(section, DynamicSection):
                    for tag in section.iter_tags():
                        if tag.entry.d_tag in tags:
                            value = getattr(tag, tag.entry.d_tag.removeprefix("DT_").lower())
                            tags[tag.entry.d_tag] += str(value).split(":")
        except (ELFError, ValueError):
            return None  # damaged: the loader will say so itself
    search = (*tags["DT_RPATH"], *tags["DT_RUNPATH"])
    return Library(
        glibc=tuple(versions),
        needed=tuple(tags["DT_NEEDED"]),
        search=tuple(s for s in search if s),
        machine=_MACHINES.get(machine, machine),
    )
