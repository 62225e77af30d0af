"""A small stack and a package index for it, in memory and over HTTP."""

import contextlib
import gzip
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from optimizer.errors import NetworkError
from optimizer.history import History, Release, Releases
from optimizer.history.index import IndexFile
from optimizer.models import Demand, Distribution, Inventory, Target

TARGET = Target(runtime="python3.11", architecture="x86_64")
TODAY = date(2026, 6, 30)
SINCE = date(2024, 5, 1)


def wheel(name, version, day, *, tag="py3-none-any", size=100, requires_python=None, yanked=False, hour=12):
    """A wheel as the index tells of it; `day` as text, or None for an index that tells no times."""
    return IndexFile(
        filename=f"{name.replace('-', '_')}-{version}-{tag}.whl",
        uploaded=None if day is None else datetime.fromisoformat(day).replace(hour=hour, tzinfo=UTC),
        bytes=size,
        requires_python=requires_python,
        yanked=yanked,
    )


def stack(*installed, demands=()):
    """An inventory of `name==version` with requirements (by, name, specifier)."""
    rows = [text.split("==") for text in installed]
    return Inventory(
        target=TARGET,
        source="installed",
        distributions=tuple(
            Distribution(
                name=name, version=version, requires=(), files=(), outside_bytes=0, tags=(), info=f"{name}.dist-info"
            )
            for name, version in sorted(rows)
        ),
        functions=(),
        defects=(),
        demands=tuple(Demand(by=by, name=name, specifier=specifier) for by, name, specifier in demands),
    )


def a_history(since="2025-01-01", through="2026-06-30", *, origin="index", **releases):
    """A history of `name=[day, ...]`; versions count up."""
    return History(
        runtime="python3.11",
        architecture="x86_64",
        since=date.fromisoformat(since),
        through=date.fromisoformat(through),
        distributions={
            name.replace("_", "-"): Releases(
                origin=origin,
                releases=tuple(Release(date.fromisoformat(day), f"1.{i}", 10) for i, day in enumerate(days)),
            )
            for name, days in releases.items()
        },
    )


class FakeIndex:
    """Answers from a table; fails after so many answers, where told."""

    def __init__(self, table, *, fails_after=None):
        self.table = table
        self.fails_after = fails_after
        self.asked = []

    def files(self, name):
        if self.fails_after is not None and len(self.asked) >= self.fails_after:
            raise NetworkError("The line is down", mend="Look at the network.")
        self.asked.append(name)
        return self.table.get(name)


def botocore_wheel(models, *, stamp=0, others=40) -> bytes:
    """A wheel with `service: content` as gzip'd models, packed at that time, among `others` that nobody asks for."""
    files = {
        f"botocore/data/other{i:02}/2020-01-01/service-2.json": b"".join(
            hashlib.sha256(b"%d %d" % (i, k)).digest() for k in range(400)
        )
        for i in range(others)
    }
    files |= {
        f"botocore/data/{service}/2020-01-01/service-2.json.gz": gzip.compress(content.encode(), mtime=stamp)
        for service, content in models.items()
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in {**files, "botocore/__init__.py": f"STAMP = {stamp}".encode()}.items():
            archive.writestr(zipfile.ZipInfo(path), data)
    return out.getvalue()


@contextmanager
def http_index(projects, *, before=(), wheels=(), ranges=True) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """An index over HTTP: its URL, and what it was asked for with which user agent.

    Args:
        projects: `name: [(filename, upload-time, bytes), ...]`; any other name is answered with 404.
        before: (status, headers) to answer the first requests with.
        wheels: the bytes of files, by their names; `asked` has the bytes that were sent instead of the user agent.
        ranges: whether parts of them are to be had.
    """
    answers = list(before)
    asked: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            name = self.path.strip("/").split("/")[-1]
            if name in wheels:
                self.send_wheel(name)
                return
            asked.append((name, self.headers["User-Agent"]))
            status, headers = answers.pop(0) if answers else (200 if name in projects else 404, {})
            body = b"<p>no</p>"
            if status == 200:
                headers = {"Content-Type": "application/vnd.pypi.simple.v1+json", **headers}
                body = json.dumps(
                    {
                        "meta": {"api-version": "1.1"},
                        "name": name,
                        "versions": [],
                        "files": [
                            {
                                "filename": f,
                                "url": f"files/{f}",
                                "hashes": {"sha256": hashlib.sha256(wheels[f]).hexdigest()} if f in wheels else {},
                                "upload-time": day,
                                "size": len(wheels[f]) if f in wheels else size,
                            }
                            for f, day, size in projects.get(name, [])
                        ],
                    }
                ).encode()
            self.send_response(status)
            for key, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(body)

        def send_wheel(self, name):
            body, status, headers = wheels[name], 200, {}
            wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
            if wanted and ranges:
                start, stop = int(wanted[1]), int(wanted[2]) + 1
                headers["Content-Range"] = f"bytes {start}-{min(stop, len(body)) - 1}/{len(body)}"
                body, status = body[start:stop], 206
            if answers:
                status, headers, body = (*answers.pop(0), b"")
            asked.append((name, len(body)))
            self.send_response(status)
            for key, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(key, value)
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/simple/", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
