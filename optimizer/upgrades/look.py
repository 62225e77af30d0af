"""[reads] Looks at the newest releases of distributions: asks the index, downloads wheels, remembers digests.

One request after the other. What is kept of a wheel is its digests, in the content cache, as soon as they are known: so
an interrupted run is resumed by the next, and the wheels themselves are gone when it ends.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from optimizer.errors import DiskError, NetworkError
from optimizer.select import REWRITES, RULES
from optimizer.upgrades.changes import Contents
from optimizer.upgrades.digests import FORMAT
from optimizer.upgrades.releases import Candidate, candidates
from optimizer.upgrades.wheels import UnreadableWheelError, shipped_digests

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from optimizer.config import Config
    from optimizer.content import Store
    from optimizer.history.index import IndexFile, WheelIndex
    from optimizer.models import Target

_SDK = frozenset({"boto3", "botocore"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What was found of one distribution: its newest releases, oldest first, and what a person should hear of it."""

    contents: tuple[Contents, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was found: of each distribution that was asked for, and the releases of each whose days were asked for."""

    looked: Mapping[str, Looked]
    releases: Mapping[str, tuple[Candidate, ...]]


@dataclass(slots=True, kw_only=True)
class Looker:
    """Looks at releases.

    `index` is asked; `config` and `services` select what ships, on `target`; `store` remembers digests; `progress` is
    called with a line before what takes long.
    """

    index: WheelIndex
    target: Target
    config: Config
    services: frozenset[str] | None
    store: Store
    progress: Callable[[str], None]
    _done: int = 0
    _total: int = 0

    def look(self, wanted: Mapping[str, str], *, count: int, days_of: frozenset[str] = frozenset()) -> Look:
        """What ships of the newest releases of each distribution.

        Args:
            wanted: the distributions to look at, with the installed version of each.
            count: how many releases of each.
            days_of: distributions of which only the days of their releases are asked for.

        Raises:
            NetworkError: the index could not be reached, or sent something else than it promised; it says how far it
                came.
            DiskError: a wheel can't be written.
        """
        self._done = self._total = 0
        try:
            looked, releases = self._ask(wanted, days_of)
            work = {name: releases[name][-count:] for name in looked if not looked[name].note}
            self._total = sum(map(len, work.values()))
            looked |= {name: self._contents(name, each, wanted[name]) for name, each in work.items()}
        except NetworkError as error:
            came = f"{self._done} of {self._total} releases are done and remembered"
            came = came if self._total else "no release was looked at yet"
            mend = f"{error.mend} Run the command again: it goes on from there."
            raise NetworkError(f"{error.message} ({came})", mend=mend) from error
        return Look(looked=looked, releases=releases)

    def _ask(
        self, wanted: Mapping[str, str], days_of: frozenset[str]
    ) -> tuple[dict[str, Looked], dict[str, tuple[Candidate, ...]]]:
        """What the index knows: for each wanted why it can't be looked at, and the releases."""
        looked: dict[str, Looked] = {}
        releases: dict[str, tuple[Candidate, ...]] = {}
        names = sorted(wanted.keys() | days_of)
        self.progress(f"asking the package index for the releases of {len(names)} distributions")
        for name in names:
            found = self.index.files(name)
            if found is not None:
                releases[name] = candidates(found, self.target)
            if name in wanted:
                looked[name] = Looked(note=_unknown(name, wanted[name], found, releases.get(name, ())))
        return looked, releases

    def _contents(self, name: str, releases: tuple[Candidate, ...], installed: str) -> Looked:
        contents: list[Contents] = []
        notes: list[str] = []
        for candidate in releases:
            key = self._key(name, candidate.wheel)
            files = _remembered(self.store, key)
            try:
                if files is None:
                    files = self._read(name, candidate)
                    _remember(self.store, key, files)
                contents.append(Contents(version=candidate.version, day=candidate.day, files=files))
            except UnreadableWheelError as error:
                notes.append(f"{candidate.version} is left out: {error}")
            self._done += 1
        if len(contents) <= 1:
            notes.append("only one release loads on the target: nothing to compare")
        elif Version(installed) < Version(contents[0].version):
            notes.append(f"{installed} is older than all that were looked at: look further back with --releases")
        return Looked(contents=tuple(contents), note="; ".join(notes))

    def _read(self, name: str, candidate: Candidate) -> dict[str, str]:
        """The digests of what ships of a release, whose wheel is there for the time of the call."""
        wheel = candidate.wheel
        size = f"{wheel.bytes / 1_048_576:.1f} MiB"
        self.progress(f"{self._done + 1} of {self._total}: downloading {name} {candidate.version} ({size})")
        try:
            with tempfile.TemporaryDirectory(prefix="layer-optimizer-", ignore_cleanup_errors=True) as scratch:
                place = Path(scratch, "release.whl")
                self.index.fetch(wheel, place)
                with place.open("rb") as file:
                    seen = hashlib.file_digest(file, "sha256").hexdigest()
                if seen != wheel.sha256:
                    raise NetworkError(
                        f"{wheel.filename} is not what the package index promised: "
                        f"its SHA-256 is {seen} instead of {wheel.sha256}",
                        mend="If it comes back, something on the way changes files.",
                    )
                return shipped_digests(place, name, candidate.version, self.config, self.services)
        except OSError as error:
            raise DiskError(
                f"{tempfile.gettempdir()} can't be used: {error.strerror or error}",
                mend="Free some space, or set TMPDIR.",
            ) from error

    def _key(self, name: str, wheel: IndexFile) -> str:
        """What the digests depend on: the wheel, and what selects of it."""
        chosen = sorted(self.services) if self.services is not None and name in _SDK else None
        slim = self.config.slim
        patterns = (slim.keep.get(name, ()), slim.drop.get(name, ()), sorted(slim.rules.items()))
        text = json.dumps(["upgrades", FORMAT, wheel.sha256, name, chosen, [*RULES, *REWRITES], patterns])
        return hashlib.sha256(text.encode()).hexdigest()


def _unknown(name: str, installed: str, found: tuple[IndexFile, ...] | None, releases: tuple[Candidate, ...]) -> str:
    """Why there is nothing to look at; empty where there is."""
    if found is None:
        return "the package index does not know it"
    if not releases:
        return "the package index has no wheel of it that loads on the target"
    try:
        version = Version(Version(installed).public)  # a local build (1.0+cpu) has the releases of its public version
    except InvalidVersion:
        return f"its version {installed} is not one that PEP 440 knows"
    inside = Version(releases[0].version) <= version <= Version(releases[-1].version)
    if not inside and not any(f"-{version}-" in file.filename for file in found):
        return f"the package index has no {version} of it: what it has under the name {name} may be another project"
    return ""


def _remember(store: Store, key: str, files: dict[str, str]) -> None:
    text = json.dumps({"files": files, "check": _check(files)})
    store.remember({key: text})


def _remembered(store: Store, key: str) -> dict[str, str] | None:
    """The digests as they were remembered; None where they were not, or are damaged."""
    try:
        document = json.loads(store.facts([key])[key])
        files: dict[str, str] = document["files"]
        return files if document["check"] == _check(files) else None
    except (KeyError, ValueError, TypeError, AttributeError):
        return None


def _check(files: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(sorted(files.items())).encode()).hexdigest()
