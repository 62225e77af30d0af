"""A lease: one deploy at a time in one place, by an object that is written only where no other valid one is.

It ends by itself: whoever is killed leaves it to expire. How old the object is, is told by the clock of the place that
holds it, never by the machines' own, which may differ.
"""

from __future__ import annotations

import json
import threading
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from optimizer.deploy.rejections import AnswerLostError
from optimizer.errors import AwsError, DeployRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from optimizer.deploy.clock import Clock
    from optimizer.deploy.execution.holder import Holder

SECONDS = 120
"""How long a lease lasts that is not renewed: so long others wait after a deploy that was killed."""

_RENEWALS = 4
"""So many times it is renewed while it lasts."""

_MARGIN_SECONDS = 10.0
"""So long before its end a lease that could not be renewed counts as lost: a call may take a while to act."""

_TRIES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The object as it is: its `etag`, its content, and how old it is by the clock of the place that holds it."""

    etag: str
    data: bytes
    age_seconds: float


class LeaseStore(Protocol):
    """Where a lease lies."""

    @property
    def place(self) -> str:
        """Its address."""

    def read(self) -> Found | None:
        """What lies there."""

    def write(self, data: bytes, *, replaces: str | None) -> str | None:
        """Write it where nothing lies, or where that object lies; the new etag, None where something else does."""

    def remove(self, etag: str) -> None:
        """Remove it if it still is that object."""


@dataclass(slots=True, kw_only=True)
class Lease:
    """One run's claim on a place; `token` tells its own object from those of others, also where an answer is lost."""

    store: LeaseStore
    holder: Holder
    clock: Clock
    progress: Callable[[str], None]
    seconds: int = SECONDS
    token: str = field(default_factory=lambda: uuid.uuid4().hex)
    _since: str = field(default_factory=lambda: _now().isoformat(timespec="seconds"))
    _etag: str | None = None
    _renewed: float = 0.0
    _lost: bool = False

    def acquire(self) -> None:
        """Take it, or take over one that has expired.

        Raises:
            AwsError: the place can't be read or written.
            DeployRefusedError: another deploy holds it, or something else lies there.
        """
        for _ in range(_TRIES):
            if self._write(None):
                return
            there = self.store.read()
            if there is None:  # its holder has just let go, or the answer that it was written is lost
                continue
            held = _parsed(there.data)
            if held is None:
                raise DeployRefusedError(
                    f"{self.store.place} is no lease: something else lies there",
                    mend="Name another key with --lease.",
                )
            if held["token"] == self.token:
                self._take(there)
                return
            left = held["seconds"] - there.age_seconds
            if left >= 0:
                raise self._refusal(held, left)
            if self._write(there.etag):
                self.progress(f"took over the lease {self.store.place} of {held['who']}, which had expired")
                return
        raise DeployRefusedError(
            f"The lease {self.store.place} can't be had: others take it and let it go at the same time",
            mend="Run the same command again.",
        )

    def renew(self) -> None:
        """Make it last on; one that somebody else has taken over is lost.

        Raises:
            AwsError: the place can't be reached; the lease lasts until its time is over.
        """
        if self._lost or (self._etag is not None and self._write(self._etag)):
            return
        there = self.store.read()
        held = _parsed(there.data) if there is not None else None
        if there is None or held is None or held["token"] != self.token:
            self._lost = True
        else:  # written all the same, or not at all: its age tells
            self._take(there)

    def check(self) -> None:
        """See that it is held, before a call that may change something.

        Raises:
            DeployRefusedError: it was taken over, or could not be renewed in time.
        """
        late = self.clock.now() - self._renewed > self.seconds - _MARGIN_SECONDS
        if self._lost or late:
            how = "could not be renewed in time" if not self._lost else "was taken over or removed by somebody else"
            raise DeployRefusedError(
                f"The lease {self.store.place} {how}: nothing more is changed",
                mend="Look who deploys there, then run the same command again: it goes on from what is there.",
            )

    def release(self) -> None:
        """Let go of it, if it is still ours; what can't be let go expires."""
        if self._lost:
            return
        try:
            there = self.store.read()
            held = _parsed(there.data) if there is not None else None
            if there is not None and held is not None and held["token"] == self.token:
                self.store.remove(there.etag)
        except AwsError as error:
            self.progress(f"The lease {self.store.place} could not be removed and expires by itself: {error.message}")

    def _take(self, there: Found) -> None:
        """It is ours as it lies there."""
        self._etag, self._renewed = there.etag, self.clock.now() - there.age_seconds

    def _write(self, replaces: str | None) -> bool:
        """Whether it was written; False also where only the answer is lost: its token tells whoever reads it then."""
        began, now = self.clock.now(), _now()
        document = {
            "schema": 1,
            "token": self.token,
            "who": self.holder.who,
            "commit": self.holder.commit,
            "since": self._since,
            "expires": (now + timedelta(seconds=self.seconds)).isoformat(timespec="seconds"),
            "seconds": self.seconds,
            "renewed": now.isoformat(),
        }
        try:
            etag = self.store.write(json.dumps(document, indent=2).encode(), replaces=replaces)
        except AnswerLostError:
            return False
        if etag is None:
            return False
        self._etag, self._renewed = etag, began
        return True

    def _refusal(self, held: dict[str, Any], left: float) -> DeployRefusedError:
        since = str(held.get("since", "?")).replace("T", " ").replace("+00:00", " UTC")
        end = (_now() + timedelta(seconds=left)).strftime("%H:%M:%S UTC")
        commit = f" at commit {held['commit'][:12]}" if held.get("commit") else ""
        return DeployRefusedError(
            f"{held['who']}{commit} has deployed there since {since} and holds the lease "
            f"{self.store.place} until {end}, or longer while it goes on",
            mend="Wait until that deploy has ended. One that was killed renews nothing: its lease is taken over then.",
        )


@contextmanager
def held(lease: Lease) -> Iterator[None]:
    """Hold a lease for the time of the block, renewed in a thread of its own, and let go of it whatever happens.

    Raises:
        AwsError: the place can't be read or written.
        DeployRefusedError: another deploy holds it.
    """
    over = threading.Event()

    def keep() -> None:
        while not over.wait(lease.seconds / _RENEWALS):
            try:
                lease.renew()
            except AwsError as error:  # it lasts a while yet; `check` tells when it does not
                lease.progress(f"The lease could not be renewed: {error.message}")

    thread = threading.Thread(target=keep, daemon=True, name="lease")
    try:
        lease.acquire()
        thread.start()
        yield
    finally:
        over.set()
        if thread.is_alive():
            thread.join()
        lease.release()


def _now() -> datetime:
    return datetime.now(UTC)


def _parsed(data: bytes) -> dict[str, Any] | None:
    """A lease's document; None where it is none."""
    try:
        document = json.loads(data)
    except ValueError:
        return None
    known = isinstance(document, dict) and document.get("schema") == 1
    if not known or not isinstance(document.get("token"), str) or not isinstance(document.get("who"), str):
        return None
    return document if isinstance(document.get("seconds"), int | float) else None
