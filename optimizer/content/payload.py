"""Selections → payloads: sources and bytecode with their exact bytes, computed once per content."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from optimizer.content.bytecode import Compiler, Job, compile_all
from optimizer.content.deflate import COMPRESSOR, DEFLATED, Stream, deflate, is_whole
from optimizer.content.rewrites import plain
from optimizer.content.source import changed, changes, identity, is_changed, read, read_stream, shipped, ships_as_packed
from optimizer.errors import DiskError
from optimizer.models import Dropped, Entry, Payload
from optimizer.select.rewrites import SOURCES_RULE, rewriting_rule

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

    from optimizer.content.store import Store
    from optimizer.models import InstalledFile, Packed, Selection

_FORMAT = 8
"""Part of every key: raised when what is kept under a key changes."""
ENTRY_BYTES = 76
"""A zip's local header (30) and central directory entry (46) without the two copies of the name (APPNOTE 4.3)."""
END_BYTES = 22
"""A zip's end of central directory record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where files go: `prefix` inside the zip, `root` the folder on Lambda that the zip is unpacked into.

    `bytecode` is whether sources there get any.
    """

    prefix: str
    root: str
    bytecode: bool = True


LAYER = Place(prefix="python/", root="/opt/")
CODE = Place(prefix="", root="/var/task/")

_Row = tuple[str, int, str, int, int, int, tuple[str, int, int] | None]
"""A payload's file as it is remembered: path, mode, content, bytes, stream's bytes, whether it is bytecode, and, where
the stream is a wheel's, the wheel's SHA-256, the stream's offset and its CRC."""


@dataclass(frozen=True, slots=True)
class _Source:
    """One file that ships: its SHA-256 in hex, its bytes, and where a wheel holds the stream that ships of it.

    `rewritten_by` is the rule that changed its text, `rewritten_bytes` by how many bytes that became shorter.
    """

    path: str
    mode: int
    content: str
    bytes: int
    packed: Packed | None = None
    unsourced: bool = False
    rewritten_by: str = ""
    rewritten_bytes: int = 0


@dataclass(slots=True)
class _Work:
    """One selection while it is worked on.

    `sources` are its files in their order, and then the made RECORD, if any; `beside` are files of its parts, of which
    RECORD tells too.
    """

    selection: Selection
    place: Place
    key: str
    sources: list[_Source]
    beside: list[_Source]
    bytecode: dict[str, str]
    changed: list[str]


class Payloads:
    """Computes payloads and, later, the streams of their entries.

    Args:
        store: the content cache.
        compiler: what compiles bytecode, or None where none ships.
        progress: called with a line before what takes long.
    """

    def __init__(self, store: Store, compiler: Compiler | None, progress: Callable[[str], None]) -> None:
        self.store = store
        self.compiler = compiler
        self._progress = progress
        self._verify = False
        self._whole: dict[str, Stream] = {}
        self._packed: dict[tuple[str, int], bytes] = {}
        self._wheels: dict[str, str] = {}

    def compute(self, selections: Sequence[tuple[Selection, Place]], *, trust_stat: bool = True) -> list[Payload]:
        """Each selection's payload, in the order given.

        Args:
            selections: what ships, and where it goes.
            trust_stat: take a payload from the cache where size, mtime and inode of every file are as they were, as
                git does; False reads and hashes every file.

        Raises:
            DiskError: a file can't be read.
            CompilerError: the compiling child failed.
        """
        keys = [self._key(selection, place) for selection, place in selections]
        self._wheels.update({f.packed.wheel: f.location for s, _ in selections for f in s.files if f.packed})
        known = _parsed(self.store.payload_summaries(keys)) if trust_stat else {}
        self._verify = not trust_stat
        if not trust_stat:
            self._progress("reading and hashing every file again")
        missing = [
            (selection, place, key)
            for (selection, place), key in zip(selections, keys, strict=True)
            if key not in known
        ]
        computed = self._compute(missing) if missing else {}
        payloads = []
        for (selection, _), key in zip(selections, keys, strict=True):
            payload = computed.get(key) or known[key]
            changed_files = tuple(file.path for file in selection.files if file.added)
            payloads.append(
                replace(
                    payload,
                    name=selection.name,
                    version=selection.version,
                    dropped=(*selection.dropped, *payload.rewritten),
                    changed=changed_files,
                )
            )
        return payloads

    def entries(self, payload: Payload) -> list[tuple[Entry, Stream]]:
        """The payload's files, each with its stream, sorted by path.

        Raises:
            DiskError: the cache lost them since the payload was computed.
        """
        text = self.store.payload_entries(payload.key)
        rows = json.loads(text) if text else []
        wanted = {row[2] for row in rows if row[6] is None}
        streams = {c: self._whole[c] for c in wanted & self._whole.keys()}
        streams |= self.store.streams(wanted - streams.keys())
        try:
            found = [
                (
                    Entry(path=p, mode=m, content=c, bytes=b, stream_bytes=s, compiled=bool(k)),
                    Stream(DEFLATED, w[2], b, self._wheel_stream(w[0], w[1], s)) if w else streams[c],
                )
                for p, m, c, b, s, k, w in rows
            ]
        except KeyError:
            found = []
        if len(found) != payload.files:
            raise self._lost(payload)
        return found

    def files(self, payload: Payload) -> list[Entry]:
        """The payload's files, sorted by path, without their streams.

        Raises:
            DiskError: the cache lost them since the payload was computed.
        """
        text = self.store.payload_entries(payload.key)
        rows = json.loads(text) if text else []
        if len(rows) != payload.files:
            raise self._lost(payload)
        return [
            Entry(path=p, mode=m, content=c, bytes=b, stream_bytes=s, compiled=bool(k)) for p, m, c, b, s, k, _ in rows
        ]

    def _lost(self, payload: Payload) -> DiskError:
        return DiskError(
            f"The content cache {self.store.path} lost {payload.name} while it was in use",
            mend="Run the command again; if it comes back, look at the disk's free space.",
        )

    def _wheel_stream(self, wheel: str, offset: int, length: int) -> bytes:
        """A stream of a wheel: the one that was read when it was verified, or else what the wheel has there."""
        known = self._packed.get((wheel, offset))
        return known if known is not None else read_stream(self._wheels[wheel], offset, length)

    def _known(self, contents: set[str]) -> dict[str, tuple[int, int]]:
        """(unzipped, stream) bytes of the contents that the cache has; when verifying, of those that are whole."""
        if not self._verify:
            return self.store.stream_sizes(contents)
        found = self.store.streams(contents - self._whole.keys())
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            whole = pool.map(is_whole, found.values(), found.keys(), chunksize=64)
            self._whole.update((item for item, good in zip(found.items(), whole, strict=True) if good))
        return {c: (s.size, len(s.data)) for c in contents if (s := self._whole.get(c)) is not None}

    def _key(self, selection: Selection, place: Place) -> str:
        """What a payload depends on, by stat instead of by content."""
        compiler = self.compiler
        head = (
            f"{_FORMAT}\0{place}\0{COMPRESSOR}\0{compiler and (compiler.magic, compiler.build)}\0{selection.record}\n"
        )
        lines = [
            f"{identity(f)}\0{f.path}\0{f.executable}\0{f.recorded}\0{f.unsourced}{changes(f)}"
            for f in (*selection.files, *selection.recorded)
        ]
        if selection.recorded:
            lines.append(f"{len(selection.recorded)} of them recorded alone")
        return hashlib.sha256((head + "\n".join(lines)).encode("utf-8", "surrogateescape")).hexdigest()

    def _compute(self, missing: list[tuple[Selection, Place, str]]) -> dict[str, Payload]:
        with ThreadPoolExecutor(os.cpu_count()) as pool, ThreadPoolExecutor(1) as beside:
            works = [self._read(selection, place, key, pool) for selection, place, key in missing]
            bytecode, jobs = self._uncompiled(works)
            compiling = beside.submit(compile_all, jobs, self.compiler) if self.compiler and jobs else None
            streams = self._deflate(works, pool)  # while the children compile
            compiled = compiling.result() if compiling else {}
            good = {key: data for key, data in compiled.items() if isinstance(data, bytes)}
            for (key, data), stream in zip(good.items(), pool.map(deflate, good.values()), strict=True):
                content = hashlib.sha256(data).hexdigest()
                streams[content] = stream
                bytecode[key] = (content, None)
        bytecode |= {key: (None, reason) for key, reason in compiled.items() if isinstance(reason, str)}
        records = dict(self._add_record(work, path, bytecode) for work in works if (path := work.selection.record))
        known = self._known(records.keys() - streams.keys())
        streams |= {c: deflate(text) for c, text in records.items() if c not in streams and c not in known}
        contents = {source.content for work in works for source in work.sources if source.packed is None}
        contents |= {content for content, _ in bytecode.values() if content}
        sizes = {c: (s.size, len(s.data)) for c, s in streams.items()}
        sizes |= self._known(contents - sizes.keys())
        payloads, rows = {}, {}
        for work in works:
            payload, entries = self._assemble(work, bytecode, sizes)
            payloads[work.key] = payload
            rows[work.key] = (_summary(payload), json.dumps(entries, separators=(",", ":")))
        self.store.add(streams=streams, bytecode=bytecode, payloads=rows)
        return payloads

    def _read(self, selection: Selection, place: Place, key: str, pool: ThreadPoolExecutor) -> _Work:
        """Hash every file."""
        looked = list(pool.map(_look, selection.files))
        changed = [file.path for file, (_, differs, _) in zip(selection.files, looked, strict=True) if differs]
        for file, (_, _, stream) in zip(selection.files, looked, strict=True):
            if stream is not None and file.packed and self._verify:
                self._packed[file.packed.wheel, file.packed.offset] = stream
        sources = [source for source, _, _ in looked]
        beside = [source for source, _, _ in pool.map(_look, selection.recorded)]
        return _Work(selection, place, key, sources, beside, self._bytecode_keys(sources, place), changed)

    def _add_record(
        self, work: _Work, path: str, bytecode: dict[str, tuple[str | None, str | None]]
    ) -> tuple[str, bytes]:
        """Add RECORD to what ships: its SHA-256 and text. A module that ships as bytecode alone has no hash in it."""
        rows: list[tuple[str, str, int | str]] = [
            (f"{source.path}c", "", "") if self._is_bare(work, source, bytecode) else _row(source)
            for source in work.sources
        ]
        record = _record(path, [*rows, *map(_row, work.beside)])
        content = hashlib.sha256(record).hexdigest()
        work.sources.append(_Source(path, 0o644, content, len(record)))
        return content, record

    @staticmethod
    def _is_bare(work: _Work, source: _Source, bytecode: dict[str, tuple[str | None, str | None]]) -> bool:
        """Whether a source ships as its bytecode alone: one that does not compile ships as it is."""
        key = work.bytecode.get(source.path)
        return source.unsourced and key is not None and bytecode[key][0] is not None

    def _deflate(self, works: list[_Work], pool: ThreadPoolExecutor) -> dict[str, Stream]:
        """Compress what the cache does not know and no wheel has, once for each content."""
        streams: dict[str, Stream] = {}
        contents = {source.content for work in works for source in work.sources if source.packed is None}
        contents -= self._known(contents).keys()
        for work in works:
            wanted = {
                source.content: file
                for file, source in zip(work.selection.files, work.sources, strict=True)
                if source.content in contents and source.packed is None and source.content not in streams
            }
            if len(wanted) > 100:  # noqa: PLR2004  fewer are done before anybody could read the line
                name = work.selection.name
                self._progress(f"compressing {len(wanted)} files of {name} (once; then they come from the cache)")
            streams.update(zip(wanted, pool.map(_deflate_file, wanted.items()), strict=True))
        return streams

    def _bytecode_keys(self, sources: list[_Source], place: Place) -> dict[str, str]:
        """Bytecode's key by the path of its source."""
        if self.compiler is None or not place.bytecode:
            return {}
        head = f"{_FORMAT}\0{self.compiler.magic}\0{self.compiler.build}\0"
        return {
            source.path: hashlib.sha256(f"{head}{source.content}\0{_embedded(source.path, place)}".encode()).hexdigest()
            for source in sources
            if source.path.endswith(".py")
        }

    def _uncompiled(self, works: list[_Work]) -> tuple[dict[str, tuple[str | None, str | None]], list[Job]]:
        """The content or note of each bytecode that the cache knows, by key, and what is to be compiled."""
        if self.compiler is None:
            return {}, []
        wanted = {key for work in works for key in work.bytecode.values()}
        found = self.store.bytecode(wanted)
        lost = {c for c, _ in found.values() if c} - self._known({c for c, _ in found.values() if c}).keys()
        found = {key: value for key, value in found.items() if value[0] not in lost}
        jobs = {
            key: Job(
                key=key,
                source=file.location,
                content=shipped(file) if is_changed(file) or file.packed else None,
                embedded=_embedded(file.path, work.place),
            )
            for work in works
            for file in work.selection.files
            if (key := work.bytecode.get(file.path)) and key not in found
        }
        return found, list(jobs.values())

    def _assemble(
        self,
        work: _Work,
        bytecode: dict[str, tuple[str | None, str | None]],
        sizes: dict[str, tuple[int, int]],
    ) -> tuple[Payload, list[_Row]]:
        prefix = work.place.prefix
        entries: list[_Row] = []
        notes = []
        if work.changed:
            more = f" and {len(work.changed) - 1} more" if len(work.changed) > 1 else ""
            notes.append(
                f"{work.changed[0]}{more} changed since the install (RECORD has another hash); the disk's ships"
            )
        bare = {source.path for source in work.sources if self._is_bare(work, source, bytecode)}
        for source in work.sources:
            if source.path in bare:
                continue
            packed = source.packed
            row = (prefix + source.path, source.mode, source.content, source.bytes)
            entries.append(
                (*row, packed.bytes, 0, (packed.wheel, packed.offset, packed.crc32))
                if packed
                else (*row, sizes[source.content][1], 0, None)
            )
        tag = self._cache_tag()
        for path, key in work.bytecode.items():
            compiled, reason = bytecode[key]
            if compiled is None:
                notes.append(f"{path} does not compile ({reason}); it ships without bytecode")
                continue
            folder, _, name = path.rpartition("/")
            cached = f"{folder}/__pycache__/{name[:-3]}.{tag}.pyc".lstrip("/")
            place = f"{path}c" if path in bare else cached
            entries.append((prefix + place, 0o644, compiled, *sizes[compiled], 1, None))
        entries.sort(key=lambda row: row[0])
        shown = [(f"{s.path}c" if s.path in bare else s.path, s.mode, s.content) for s in work.sources]
        lines = tuple(sorted(f"{prefix}{path}\0{mode:o}\0{content}" for path, mode, content in shown))
        payload = Payload(
            name=work.selection.name,
            version=work.selection.version,
            unzipped_bytes=sum(entry[3] for entry in entries),
            zipped_bytes=sum(ENTRY_BYTES + 2 * len(entry[0].encode()) + entry[4] for entry in entries),
            bytecode_bytes=sum(entry[3] for entry in entries if entry[5]),
            files=len(entries),
            digest=hashlib.sha256("\n".join(lines).encode()).hexdigest(),
            sources=lines,
            key=work.key,
            rewritten=_rewritten(work.sources, bare),
            notes=tuple(notes),
        )
        return payload, entries

    def _cache_tag(self) -> str:
        if self.compiler is None:
            return ""
        major, minor = self.compiler.build.split(" ", 1)[0].split(".")[:2]
        return f"cpython-{major}{minor}"


def _embedded(path: str, place: Place) -> str:
    return f"{place.root}{place.prefix}{path}"


def _look(file: InstalledFile) -> tuple[_Source, bool, bytes | None]:
    """The file as it ships, whether the disk's is another than RECORD says, and the wheel's stream where that ships."""
    data, stream = read(file)
    found = hashlib.sha256(data).hexdigest()
    differs = bool(file.recorded) and file.recorded != _record_hash(found)
    rule, saved = "", 0
    if is_changed(file):
        before, data = data, changed(file, data)
        found = hashlib.sha256(data).hexdigest()
        rule = rewriting_rule(file)
        saved = len(plain(before)) - len(plain(data)) if rule else 0
    packed = file.packed if ships_as_packed(file) else None
    mode = 0o755 if file.executable else 0o644
    source = _Source(
        path=file.path,
        mode=mode,
        content=found,
        bytes=len(data),
        packed=packed,
        unsourced=file.unsourced,
        rewritten_by=rule if saved else "",
        rewritten_bytes=saved,
    )
    return source, differs, stream


def _rewritten(sources: Sequence[_Source], bare: Container[str]) -> tuple[Dropped, ...]:
    """The receipt of what ships rewritten, or as bytecode alone."""
    by_rule: defaultdict[str, list[int]] = defaultdict(list)
    for source in sources:
        if source.rewritten_by:
            by_rule[source.rewritten_by].append(source.rewritten_bytes)
        if source.path in bare:
            by_rule[SOURCES_RULE].append(source.bytes)
    return tuple(Dropped(rule=rule, files=len(saved), bytes=sum(saved)) for rule, saved in sorted(by_rule.items()))


def _deflate_file(item: tuple[str, InstalledFile]) -> Stream:
    content, file = item
    data = shipped(file)
    if hashlib.sha256(data).hexdigest() != content:
        raise DiskError(
            f"{file.location} changed while it was read", mend="Run the command again when nothing installs or edits."
        )
    return deflate(data)


def _row(source: _Source) -> tuple[str, str, int]:
    """What RECORD tells of a file: its path, content and bytes."""
    return source.path, source.content, source.bytes


def _record(path: str, rows: list[tuple[str, str, int | str]]) -> bytes:
    """RECORD of what ships (PEP 376 with PEP 427's hashes); of (path, content, bytes), the content may be empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for name, content, size in sorted(rows, key=lambda row: row[0]):
        writer.writerow((name, f"sha256={_record_hash(content)}" if content else "", size))
    writer.writerow((path, "", ""))
    return text.getvalue().encode()


def _record_hash(content: str) -> str:
    """A hash as RECORD writes it (PEP 427): base64 for URLs, without padding."""
    return base64.urlsafe_b64encode(bytes.fromhex(content)).rstrip(b"=").decode()


def _summary(payload: Payload) -> str:
    values = asdict(payload)
    return json.dumps(values, separators=(",", ":"))


def _parsed(summaries: dict[str, str]) -> dict[str, Payload]:
    """Payloads from their summaries; one that is damaged counts as unknown."""
    found = {}
    for key, summary in summaries.items():
        try:
            values = json.loads(summary)
            for name in ("notes", "sources"):
                values[name] = tuple(values[name])
            values["dropped"] = values["changed"] = ()
            values["rewritten"] = tuple(Dropped(**one) for one in values["rewritten"])
            found[key] = Payload(**values)
        except (ValueError, KeyError, TypeError):
            continue
    return found
