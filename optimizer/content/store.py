"""The content cache: streams by content hash, bytecode by its source, payloads by what stat says of their files.

One SQLite file in the user's cache folder: safe with several processes, bounded, and harmless when it is deleted or
damaged, since everything in it can be computed again.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from typing import TYPE_CHECKING, Any, Self

import platformdirs

from optimizer.content.deflate import Stream

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SCHEMA = 2
LIMIT_BYTES = 1 << 30
"""How large the streams may grow together before the longest unused ones go."""
FACTS_LIMIT_BYTES = 1 << 26
"""The same for facts."""
_DAY = 86_400
_BATCH = 500
_TABLES = """
create table if not exists stream (content text primary key, method int, crc32 int, bytes int, data blob, used int);
create table if not exists bytecode (key text primary key, content text, note text, used int);
create table if not exists fact (key text primary key, value text, used int);
create table if not exists payload (key text primary key, summary text, entries text, used int);
"""


def default_path() -> Path:
    """Where the cache lies: the platform's cache folder for the user."""
    return platformdirs.user_cache_path("layer-optimizer") / f"content-{SCHEMA}.sqlite"


class Store:
    """An open cache. Where the file can't be used, it works in memory and `note` says why."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or default_path()
        self.note: str | None = None
        self._day = int(time.time()) // _DAY
        self._db = self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _open(self) -> sqlite3.Connection:
        for attempt in (1, 2):
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                return self._connect(str(self.path))
            except (sqlite3.Error, OSError) as error:
                self.note = f"the content cache {self.path} can't be used ({error}); everything is computed anew"
                if attempt == 1 and isinstance(error, sqlite3.DatabaseError) and "locked" not in str(error):
                    with contextlib.suppress(OSError):  # a damaged file: begin another
                        self.path.unlink(missing_ok=True)
                        self.note = None
        return self._connect(":memory:")

    @staticmethod
    def _connect(place: str) -> sqlite3.Connection:
        db = sqlite3.connect(place, timeout=30, isolation_level=None, check_same_thread=False)
        try:
            if not db.execute("select 1 from sqlite_master where name = 'payload'").fetchone():
                db.execute("pragma journal_mode = wal")
                db.executescript(_TABLES)
            db.execute("pragma synchronous = off")  # a cache lost with the machine's power is computed again
        except BaseException:
            db.close()
            raise
        return db

    def payload_summaries(self, keys: Iterable[str]) -> dict[str, str]:
        """The JSON summaries of those payloads that are known."""
        return dict(self._rows("select key, summary from payload where key in (%s)", keys, touch="payload"))

    def payload_entries(self, key: str) -> str | None:
        """The JSON entries of one payload."""
        rows = self._rows("select key, entries from payload where key in (%s)", [key])
        return rows[0][1] if rows else None

    def facts(self, keys: Iterable[str]) -> dict[str, str]:
        """Facts about files, by key."""
        return dict(self._rows("select key, value from fact where key in (%s)", keys, touch="fact"))

    def bytecode(self, keys: Iterable[str]) -> dict[str, tuple[str | None, str | None]]:
        """Bytecode by its source's key: its content hash, or else the note why there is none."""
        rows = self._rows("select key, content, note from bytecode where key in (%s)", keys, touch="bytecode")
        return {key: (content, note) for key, content, note in rows}

    def stream_sizes(self, contents: Iterable[str]) -> dict[str, tuple[int, int]]:
        """(unzipped, stream) bytes of those contents whose streams are known."""
        rows = self._rows(
            "select content, bytes, length(data) from stream where content in (%s)", contents, touch="stream"
        )
        return {content: (size, packed) for content, size, packed in rows}

    def streams(self, contents: Iterable[str]) -> dict[str, Stream]:
        """The streams of those contents that are known."""
        rows = self._rows("select content, method, crc32, bytes, data from stream where content in (%s)", contents)
        return {row[0]: Stream(*row[1:]) for row in rows}

    def add(
        self,
        *,
        streams: dict[str, Stream],
        bytecode: dict[str, tuple[str | None, str | None]],
        payloads: dict[str, tuple[str, str]],
        facts: dict[str, str] | None = None,
    ) -> None:
        """Remember all of it; where the file can't take it, in memory for as long as this is open."""
        try:
            self._insert(streams, bytecode, payloads, facts or {})
        except sqlite3.Error as error:
            self.note = f"the content cache {self.path} could not be written ({error}); nothing is lost but time"
            memory = self._connect(":memory:")
            with contextlib.suppress(sqlite3.Error):  # of a damaged file nothing is worth taking along
                self._db.backup(memory)
            self._db.close()
            self._db = memory
            self._insert(streams, bytecode, payloads, facts or {})

    def remember(self, facts: dict[str, str]) -> None:
        """Remember facts, by key."""
        self.add(streams={}, bytecode={}, payloads={}, facts=facts)

    def _insert(
        self,
        streams: dict[str, Stream],
        bytecode: dict[str, tuple[str | None, str | None]],
        payloads: dict[str, tuple[str, str]],
        facts: dict[str, str],
    ) -> None:
        """All of it in one transaction."""
        self._db.execute("begin immediate")
        try:
            self._db.executemany(
                "insert or replace into stream values (?, ?, ?, ?, ?, ?)",
                [(c, s.method, s.crc32, s.size, s.data, self._day) for c, s in streams.items()],
            )
            self._db.executemany(
                "insert or replace into bytecode values (?, ?, ?, ?)",
                [(key, *value, self._day) for key, value in bytecode.items()],
            )
            self._db.executemany(
                "insert or replace into payload values (?, ?, ?, ?)",
                [(key, *value, self._day) for key, value in payloads.items()],
            )
            self._db.executemany(
                "insert or replace into fact values (?, ?, ?)",
                [(key, value, self._day) for key, value in facts.items()],
            )
            self._trim()
            self._db.execute("commit")
        except sqlite3.Error:
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("rollback")
            raise

    def _trim(self) -> None:
        """Drop what has not been used for longest while the streams, or the facts, are over their limit."""
        (total,) = self._db.execute("select coalesce(sum(length(value)), 0) from fact").fetchone()
        if total > FACTS_LIMIT_BYTES:
            for key, size in self._db.execute("select key, length(value) from fact order by used").fetchall():
                self._db.execute("delete from fact where key = ?", (key,))
                total -= size
                if total <= FACTS_LIMIT_BYTES * 3 // 4:
                    break
        (total,) = self._db.execute("select coalesce(sum(length(data)), 0) from stream").fetchone()
        if total <= LIMIT_BYTES:
            return
        for content, size in self._db.execute("select content, length(data) from stream order by used").fetchall():
            self._db.execute("delete from stream where content = ?", (content,))
            total -= size
            if total <= LIMIT_BYTES * 3 // 4:
                break
        self._db.execute("delete from payload where used < ?", (self._day - 30,))
        self._db.execute("delete from bytecode where used < ?", (self._day - 30,))
        self._db.execute("delete from fact where used < ?", (self._day - 30,))

    def _rows(self, sql: str, keys: Iterable[str], touch: str | None = None) -> list[tuple[Any, ...]]:
        """The rows of many keys, and note on them that they were used today."""
        wanted = list(keys)
        found: list[tuple[Any, ...]] = []
        try:
            for i in range(0, len(wanted), _BATCH):
                batch = wanted[i : i + _BATCH]
                marks = ",".join("?" * len(batch))
                found += self._db.execute(sql % marks, batch).fetchall()
            if touch:
                self._touch(touch, [row[0] for row in found])
        except sqlite3.DatabaseError as error:
            self.note = f"the content cache {self.path} is damaged ({error}); it is made anew"
            self._restart()
            return []
        return found

    def _touch(self, table: str, keys: list[str]) -> None:
        column = "content" if table == "stream" else "key"
        with contextlib.suppress(sqlite3.OperationalError):  # another process writes: its touch is as good
            for i in range(0, len(keys), _BATCH):
                batch = keys[i : i + _BATCH]
                marks = ",".join("?" * len(batch))
                stale = f"select 1 from {table} where {column} in ({marks}) and used < ? limit 1"  # noqa: S608  table names are ours
                if self._db.execute(stale, [*batch, self._day]).fetchone():
                    self._db.execute(f"update {table} set used = ? where {column} in ({marks})", [self._day, *batch])  # noqa: S608

    def _restart(self) -> None:
        self._db.close()
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        self._db = self._open()
