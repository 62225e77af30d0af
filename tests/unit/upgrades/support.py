"""Small real wheels, and a package index that serves them without a network."""

import gzip
import hashlib
import io
import zipfile
from datetime import UTC, datetime, timedelta

from optimizer.errors import NetworkError
from optimizer.history.index import IndexFile

FIRST = datetime(2026, 11, 1, 12, tzinfo=UTC)


def make_wheel(name, version, files, *, requires=()):
    """The bytes of a wheel that holds the files."""
    info = f"{name}-{version}.dist-info"
    lines = "".join(f"Requires-Dist: {line}\n" for line in requires)
    contents = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{lines}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": f"{version}\n",
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in contents.items():
            archive.writestr(path, content)
    return buffer.getvalue()


def model(text, moment):
    """A service's model as botocore packs it, at a moment that gzip writes into it."""
    return gzip.compress(text.encode(), mtime=moment)


class FakeIndex:
    """A package index in memory; `fetched` are the wheels that were downloaded.

    `broken_after` is how many downloads come through before the network fails.
    """

    def __init__(self):
        self.known = {}
        self.data = {}
        self.fetched = []
        self.broken_after = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def add(self, name, version, files, *, tag="py3-none-any", data=None, **facts):
        """A release, by default a day after the one before."""
        known = self.known.setdefault(name, [])
        data = make_wheel(name.replace("-", "_"), version, files) if data is None else data
        file = IndexFile(
            filename=f"{name.replace('-', '_')}-{version}-{tag}.whl",
            url=f"{name}/{version}/{tag}",
            sha256=hashlib.sha256(data).hexdigest(),
            uploaded=FIRST + timedelta(days=len(known)),
            bytes=len(data),
            **facts,
        )
        known.append(file)
        self.data[file.url] = data

    def files(self, name):
        return tuple(self.known[name]) if name in self.known else None

    def fetch(self, wheel, place):
        if self.broken_after is not None and len(self.fetched) >= self.broken_after:
            raise NetworkError("the line is dead", mend="wait")
        self.fetched.append(wheel.filename)
        place.write_bytes(self.data[wheel.url])
