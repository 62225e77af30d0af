"""[reads] The service models that releases of botocore hold: of each wheel only their bytes are asked for, by ranges.

A wheel has 17 MB, its models of a few services less than one. What is kept is a digest for each wheel and service, in
the content cache, as soon as it is known: so an interrupted run is resumed, and the next week is one wheel more.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from concurrent.futures import CancelledError, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import InvalidVersion

from optimizer import limits
from optimizer.errors import NetworkError
from optimizer.history.index import NoRangesError
from optimizer.history.models import Model
from optimizer.history.ranges import BLOCK, RangeFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from optimizer.content import Store
    from optimizer.history.index import IndexFile, RangeIndex
    from optimizer.history.snapshot import Release

FORMAT = 1
"""Raised when digests of the same content change: those remembered are of no use then."""
_AT_ONCE = 4
_TAIL = 1 << 18
"""Where a wheel's central directory is, of botocore's 2,000 files."""
_GZIP = b"\x1f\x8b\x08"
_GZIP_WINDOW = 31  # zlib's number for gzip's header and trailer
_HEADER_BYTES = 30 + 512
"""A member's local header with its name and what may stand beside it (APPNOTE 4.3.7)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """Each release that could be read, oldest first, with the models of the services; and what to tell a person."""

    releases: tuple[tuple[Release, dict[str, Model]], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Work:
    """What is known, and what went wrong."""

    known: dict[str, dict[str, Model]]
    notes: list[str] = field(default_factory=list)
    failure: NetworkError | NoRangesError | None = None


def look(
    index: RangeIndex,
    store: Store,
    releases: Sequence[Release],
    files: Iterable[IndexFile],
    services: Iterable[str],
    *,
    tell: Callable[[int, int], None] = lambda _done, _total: None,
) -> Looked:
    """What the releases hold of the services: remembered, or read from their wheels, a few at once.

    Args:
        index: what is asked.
        store: remembers digests.
        releases: of botocore, oldest first.
        files: botocore's wheels, as the index tells of them.
        services: whose models.
        tell: called with how many are here, of how many.

    Raises:
        NetworkError: the file host failed; what was read is kept.
    """
    names = sorted(set(services))
    wheels = _wheels_of(releases, files)
    work = _Work(known={wheel.filename: _remembered(store, wheel, names) for wheel in wheels.values()})
    missing = [w for w in wheels.values() if len(work.known[w.filename]) < len(names)]
    done = len(wheels) - len(missing)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        futures = {pool.submit(read_models, index, wheel, names): wheel for wheel in missing}
        try:
            for future in as_completed(futures):
                wheel = futures[future]
                try:
                    work.known[wheel.filename] = found = future.result()
                    _remember(store, wheel, found)
                    done += 1
                    tell(done, len(wheels))
                except CancelledError:
                    continue
                except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
                    work.notes.append(f"{wheel.filename} is left out: it is no whole zip ({error})")
                except (NetworkError, NoRangesError) as error:
                    work.failure = work.failure or error
                    for other in futures:
                        other.cancel()
        finally:
            for future in futures:  # Ctrl-C waits for those under way alone
                future.cancel()
    if isinstance(work.failure, NetworkError):
        raise NetworkError(
            f"{work.failure.message}. The service models of {done} of {len(wheels)} releases are here; "
            "no snapshot was written",
            mend=f"{work.failure.mend} Run the command again: it goes on from there.",
        ) from work.failure
    if work.failure is not None:
        note = "the file host sends whole wheels only, of which only ranges are wanted: service models get the prior"
        return Looked(notes=(note,))
    read = [(r, work.known[wheels[r.version].filename]) for r in releases if r.version in wheels]
    whole = tuple((release, found) for release, found in read if len(found) == len(names))
    return Looked(releases=whole, notes=tuple(sorted(work.notes)))


def read_models(index: RangeIndex, wheel: IndexFile, services: Iterable[str]) -> dict[str, Model]:
    """The model of each service that the wheel has.

    Raises:
        NetworkError: the file host could not be reached, or refused.
        NoRangesError: it sends whole files only.
        zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError: it is no whole zip.
    """
    file = RangeFile(lambda start, stop: index.read(wheel, start, stop), wheel.bytes)
    file.load(wheel.bytes - _TAIL, wheel.bytes)
    with zipfile.ZipFile(file) as archive:
        members: dict[str, list[zipfile.ZipInfo]] = {service: [] for service in services}
        for entry in archive.infolist():
            parts = entry.filename.split("/", 3)
            if parts[:2] == ["botocore", "data"] and len(parts) > 3 and parts[2] in members:  # noqa: PLR2004
                members[parts[2]].append(entry)
        _load(file, [entry for entries in members.values() for entry in entries])
        return {service: _model(archive, entries) for service, entries in members.items()}


def _load(file: RangeFile, entries: list[zipfile.ZipInfo]) -> None:
    """Ask for the members in as few requests as there are runs of them."""
    spans: list[tuple[int, int]] = []
    for entry in sorted(entries, key=lambda e: e.header_offset):
        start, stop = entry.header_offset, entry.header_offset + _HEADER_BYTES + entry.compress_size
        if spans and start - spans[-1][1] < BLOCK:
            spans[-1] = (spans[-1][0], max(stop, spans[-1][1]))
        else:
            spans.append((start, stop))
    for start, stop in spans:
        file.load(start, stop)


def _model(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> Model:
    """One service's digest, over what its files hold unpacked: gzip's time stamp differs in every release."""
    if sum(entry.file_size for entry in entries) > limits.UNZIPPED_BYTES:
        raise zipfile.BadZipFile("it has more bytes unzipped than Lambda takes")
    lines = sorted(
        f"{entry.filename.removesuffix('.gz')}\0{hashlib.sha256(_unpacked(archive.read(entry))).hexdigest()}"
        for entry in entries
        if not entry.is_dir()
    )
    return Model(
        digest=hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32] if lines else "",
        wheel_bytes=sum(entry.compress_size for entry in entries),
    )


def _unpacked(data: bytes) -> bytes:
    return zlib.decompressobj(_GZIP_WINDOW).decompress(data, limits.UNZIPPED_BYTES) if data.startswith(_GZIP) else data


def _wheels_of(releases: Iterable[Release], files: Iterable[IndexFile]) -> dict[str, IndexFile]:
    """The wheel of each release, by its version; botocore has one of each."""
    wanted = {release.version for release in releases}
    found: dict[str, IndexFile] = {}
    for file in sorted(files, key=lambda f: f.filename):
        try:
            version = str(parse_wheel_filename(file.filename)[1])
        except (InvalidWheelFilename, InvalidVersion):
            continue
        if version in wanted and file.url and file.bytes:
            found.setdefault(version, file)
    return found


def _key(wheel: IndexFile, service: str) -> str:
    text = json.dumps(["service-model", FORMAT, wheel.sha256 or wheel.url, service])
    return hashlib.sha256(text.encode()).hexdigest()


def _remember(store: Store, wheel: IndexFile, found: dict[str, Model]) -> None:
    store.remember({_key(wheel, s): json.dumps([model.digest, model.wheel_bytes]) for s, model in found.items()})


def _remembered(store: Store, wheel: IndexFile, services: list[str]) -> dict[str, Model]:
    """What is remembered of the wheel; what is damaged is not."""
    keys = {service: _key(wheel, service) for service in services}
    facts = store.facts(keys.values())
    found = {}
    for service, key in keys.items():
        try:
            digest, count = json.loads(facts[key])
            if isinstance(digest, str) and isinstance(count, int):
                found[service] = Model(digest=digest, wheel_bytes=count)
        except (KeyError, ValueError, TypeError):
            continue
    return found
