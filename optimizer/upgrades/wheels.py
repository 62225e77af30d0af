"""[reads] A downloaded wheel → the digests of what ships of it; nothing of it is written to disk or run."""

from __future__ import annotations

import zipfile
import zlib
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from optimizer import limits
from optimizer.content.rewrites import endpoint_prefix
from optimizer.content.source import changed
from optimizer.models import Distribution, InstalledFile
from optimizer.select import rewrite, select_distribution, service_models
from optimizer.upgrades.digests import digest

if TYPE_CHECKING:
    from pathlib import Path

    from optimizer.config import Config
    from optimizer.models import Selection

_ENTRY_POINTS = "entry_points.txt"
_LIBRARIES = ("purelib", "platlib")


class UnreadableWheelError(Exception):
    """A wheel whose hash is right and whose content can't be read all the same; the message says why."""


def shipped_digests(
    wheel: Path, name: str, version: str, config: Config, services: frozenset[str] | None
) -> dict[str, str]:
    """The digest of each file that would ship of the wheel, by its path as it would be installed.

    The selection is the one that plans are made with. The metadata folder is set aside, but for the entry points, by
    which programs find each other at run time.

    Raises:
        UnreadableWheelError: it is damaged, or has more bytes than Lambda takes.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            entries = {
                path: entry
                for entry in archive.infolist()
                if not entry.is_dir() and (path := _installed_path(entry.filename)) is not None
            }
            info = next(
                (p.split("/")[0] for p in entries if p.endswith(".dist-info/METADATA") and p.count("/") == 1), ""
            )
            selected = select_distribution(_distribution(name, version, info, entries), config, services)
            selection = rewrite(selected, config, _prefixes(archive, entries, selected) if services else None)
            if sum(file.bytes for file in selection.files) > limits.UNZIPPED_BYTES:
                raise UnreadableWheelError("it has more bytes unzipped than Lambda takes")
            found = {}
            for file in selection.files:
                folder, _, rest = file.path.partition("/")
                if folder == info and rest != _ENTRY_POINTS:
                    continue
                key = f".dist-info/{rest}" if folder == info else file.path
                found[key] = digest(file.path, changed(file, archive.read(entries[file.location])), version)
            return found
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise UnreadableWheelError(f"it is no whole zip ({error})") from error  # RuntimeError: encrypted


def _prefixes(
    archive: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo], selection: Selection
) -> frozenset[str] | None:
    """The endpoint prefixes of the services that ship; None where they can't be told."""
    models = service_models(selection.files).values()
    found = {endpoint_prefix(archive.read(entries[model.location])) for model in models}
    return None if None in found else frozenset(prefix for prefix in found if prefix)


def _installed_path(path: str) -> str | None:
    """Where an installer puts an entry, relative to site-packages; None where that is elsewhere (scripts, headers)."""
    folder, _, rest = path.partition("/")
    if not folder.endswith(".data"):
        return path
    kind, _, inside = rest.partition("/")
    return inside if kind in _LIBRARIES else None


def _distribution(name: str, version: str, info: str, entries: dict[str, zipfile.ZipInfo]) -> Distribution:
    return Distribution(
        name=canonicalize_name(name),
        version=version,
        requires=(),
        files=tuple(
            InstalledFile(path=path, location=path, bytes=entry.file_size, mtime_ns=0, inode=0, executable=False)
            for path, entry in sorted(entries.items())
        ),
        outside_bytes=0,
        tags=(),
        info=info,
    )
